"""Idempotency keys, as every service keeps them."""

from collections.abc import Callable
from typing import Any, TypeVar

from chassis.caller import current_call
from tests.support.back_office.books import Books

Made = TypeVar("Made")


def once(books: Books, kept: dict[str, Any], make: Callable[[], Made], id_field: str) -> Made:
    """What the key made before, or what `make` makes now."""
    call = current_call()
    books.calls.append(call.method.rsplit("/", 1)[-1])
    key = call.idempotency_key or ""
    if key in books.answered:
        answer: Made = kept[books.answered[key]]
        return answer
    made = make()
    books.answered[key] = getattr(made, id_field)
    return made
