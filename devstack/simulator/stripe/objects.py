"""Stripe's objects in the simulator's store: JSON documents, references as ids."""

import json
from dataclasses import dataclass, field
from typing import Any

from devstack.simulator.store import Row, Store
from devstack.simulator.stripe.errors import Document, StripeError, missing

_CREATED = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}


@dataclass
class Thing:
    """An object: what Stripe shows of it, and what only the fake knows."""

    document: Document
    inside: dict[str, Any] = field(default_factory=dict)
    parent: str = ""
    """What lists of its kind are filtered by."""

    @property
    def id(self) -> str:
        return str(self.document["id"])

    def __getitem__(self, name: str) -> Any:
        return self.document[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.document[name] = value

    @property
    def metadata(self) -> dict[str, str]:
        """The merchant's ids: its own, or those of the payment it belongs to."""
        own: dict[str, str] = self.document.get("metadata") or self.inside.get("metadata") or {}
        return own


class Objects:
    """Added, changed, found, listed, and expanded for an answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, thing: Thing) -> Thing:
        self._store.insert(
            "stripe_objects",
            id=thing.id,
            object=thing["object"],
            parent=thing.parent,
            created=thing.document.get("created", 0),
            attempt_id=thing.metadata.get("attempt_id", ""),
            document=json.dumps(thing.document),
            inside=json.dumps(thing.inside),
        )
        return thing

    def save(self, thing: Thing) -> Thing:
        """Keep what has been changed."""
        self._store.execute(
            "UPDATE stripe_objects SET document = :document, inside = :inside, parent = :parent WHERE id = :id",
            id=thing.id,
            document=json.dumps(thing.document),
            inside=json.dumps(thing.inside),
            parent=thing.parent,
        )
        return thing

    def find(self, object_id: str) -> Thing | None:
        row = self._store.by_id("stripe_objects", object_id)
        return None if row is None else _thing(row)

    def get(self, kind: str, object_id: str, *, param: str = "id", status: int = 404) -> Thing:
        """The object of that kind; resource_missing if there is none."""
        found = self.find(object_id)
        if found is None or found["object"] != kind:
            raise missing(kind, object_id, param, status=status)
        return found

    def of(
        self, kind: str, parent: str | None = None, *, created: dict[str, int] | None = None
    ) -> list[Thing]:
        """All of a kind, the newest first."""
        conditions, values = ["object = :kind"], {"kind": kind, "parent": parent}
        if parent is not None:
            conditions.append("parent = :parent")
        for word, moment in (created or {}).items():
            conditions.append(f"created {_CREATED[word]} :{word}")
            values[word] = moment  # type: ignore[assignment]
        where = " AND ".join(conditions)
        statement = f"SELECT * FROM stripe_objects WHERE {where} ORDER BY seq DESC"  # noqa: S608
        return [_thing(row) for row in self._store.all(statement, **values)]

    def of_attempt(self, kind: str, attempt_id: str) -> list[Thing]:
        """All of a kind that carry that attempt of ours, the newest first."""
        rows = self._store.all(
            "SELECT * FROM stripe_objects WHERE attempt_id = :attempt_id AND attempt_id <> '' AND object = :kind"
            " ORDER BY seq DESC",
            attempt_id=attempt_id,
            kind=kind,
        )
        return [_thing(row) for row in rows]

    def expanded(self, document: Document, paths: list[str]) -> Document:
        """A copy with the references at these paths replaced by their objects."""
        copy: Document = json.loads(json.dumps(document))
        for path in paths:
            self._expand(copy, path.split("."), path)
        return copy

    def _expand(self, document: Document, steps: list[str], path: str) -> None:
        if steps[0] == "data" and document.get("object") == "list":
            for one in document["data"]:
                self._expand(one, steps[1:], path)
            return
        if steps[0] not in document:
            raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
        value = document[steps[0]]
        if isinstance(value, str) and (found := self.find(value)) is not None:
            value = document[steps[0]] = found.document
        if len(steps) > 1 and isinstance(value, dict):
            self._expand(value, steps[1:], path)


def _thing(row: Row) -> Thing:
    return Thing(json.loads(row["document"]), json.loads(row["inside"]), row["parent"])
