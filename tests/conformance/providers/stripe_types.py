"""Stripe's documents held against the types that Stripe's own library declares for them."""

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import stripe
from stripe import checkout

CLASSES: Mapping[str, type] = {
    "balance_transaction": stripe.BalanceTransaction,
    "charge": stripe.Charge,
    "checkout.session": checkout.Session,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "mandate": stripe.Mandate,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "payout": stripe.Payout,
    "refund": stripe.Refund,
    "setup_intent": stripe.SetupIntent,
}
BY_TYPE = frozenset({"payment_method_details"})
"""Objects with a part for every type of method: who reads such a part asks for what any of them may have."""


class Typed(Mapping[str, Any]):
    """A document that lets nothing be read which Stripe does not declare there."""

    def __init__(self, document: Mapping[str, Any], candidates: tuple[type, ...]) -> None:
        self._document = document
        self._candidates = candidates

    def __getitem__(self, name: str) -> Any:
        if not self._candidates:  # metadata
            return self._document[name]
        declared = [fields(one)[name] for one in self._candidates if name in fields(one)]
        assert declared, f"{[one.__qualname__ for one in self._candidates]} declare no {name}"
        value = self._document[name]
        assert any(fits(value, one) for one in declared), f"{name} is {value!r}, declared as {declared}"
        return wrapped(value, declared, self._siblings(name))

    def _siblings(self, name: str) -> tuple[type, ...]:
        """All types' parts, where a part is chosen by the type of the method."""
        if self._document.get("type") != name:
            return ()
        return tuple(
            part for one in self._candidates for kind in fields(one).values() for part in classes_in(kind)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._document)

    def __len__(self) -> int:
        return len(self._document)


def typed(document: Mapping[str, Any]) -> Typed:
    """A whole object of Stripe's."""
    return Typed(document, (CLASSES[document["object"]],))


def wrapped(value: Any, declared: list[Any], siblings: tuple[type, ...] = ()) -> Any:
    """A value as it is read: what is inside is held against its types as well."""
    if isinstance(value, list):
        return [wrapped(one, [part for kind in declared for part in typing.get_args(kind)]) for one in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("object") in CLASSES:
        return typed(value)
    return Typed(value, siblings or tuple(part for kind in declared for part in classes_in(kind)))


def fields(one: type) -> Mapping[str, Any]:
    """What a class of the library declares, inherited declarations included."""
    found: dict[str, Any] = {}
    for base in reversed(one.__mro__):
        found |= getattr(base, "__annotations__", {})
    return found


def classes_in(kind: Any) -> list[type]:
    """The library's classes that a declaration names, Optional and Union opened; untyped objects are left out."""
    if isinstance(kind, type):
        declares = issubclass(kind, stripe.StripeObject) and any(
            not name.startswith("_") for name in fields(kind)
        )
        return [kind] if declares else []
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [part for one in typing.get_args(kind) for part in classes_in(one)]
    return []


def fits(value: Any, kind: Any) -> bool:
    """Whether a JSON value can be of a declared type. References may be ids or, expanded, documents."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any or kind is object:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is typing.Literal:
        return value in parts
    if origin is list:
        return isinstance(value, list) and all(fits(one, parts[0]) for one in value)
    if kind is type(None):
        return value is None
    if isinstance(kind, typing.ForwardRef):
        return isinstance(value, Mapping)
    if kind in (int, bool, str, float):
        return type(value) is kind
    return isinstance(value, Mapping)


def problems(document: Mapping[str, Any], one: type, path: str) -> Iterator[str]:
    """What a document has that its class does not declare, and what it has in another type."""
    declared = fields(one)
    for name, value in document.items():
        where = f"{path}.{name}"
        if name == "object":
            continue
        if name not in declared:
            yield f"{where} is not declared"
        elif not fits(value, declared[name]):
            yield f"{where} is {value!r}, declared as {declared[name]}"
        elif isinstance(value, Mapping) and value.get("object") not in CLASSES:
            for part in classes_in(declared[name])[:1]:
                yield from problems(value, part, where)
