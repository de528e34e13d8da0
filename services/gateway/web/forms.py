"""What a form brought, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from litestar.datastructures import UploadFile

from chassis.errors import ServiceError

MAX_TEXT_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class Form:
    """Submitted fields; a name may come more than once. Files are apart."""

    values: Mapping[str, list[str]] = field(default_factory=dict)
    files: Mapping[str, UploadFile] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[tuple[str, object]]) -> "Form":
        """From what the framework parsed."""
        values: dict[str, list[str]] = {}
        files: dict[str, UploadFile] = {}
        for name, value in items:
            if isinstance(value, UploadFile):
                files[name] = value
            else:
                values.setdefault(name, []).append(str(value)[:MAX_TEXT_CHARACTERS])
        return cls(values, files)

    def text(self, name: str, default: str = "") -> str:
        """The first value without surrounding white space."""
        found = self.values.get(name)
        return found[0].strip() if found else default

    def secret(self, name: str) -> str:
        """The first value exactly as typed: for passwords."""
        found = self.values.get(name)
        return found[0] if found else ""

    def all(self, name: str) -> list[str]:
        """Every value of that name: for checkboxes."""
        return [value.strip() for value in self.values.get(name, [])]

    def checked(self, name: str) -> bool:
        return bool(self.values.get(name))


class FieldErrors(dict[str, str]):
    """Field name to the sentence shown under it."""

    @classmethod
    def of(cls, error: ServiceError) -> "FieldErrors":
        """The fields that a service refused, by their names in the contract."""
        return cls({refused.field: refused.message for refused in error.fields})
