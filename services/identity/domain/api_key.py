"""Keys with which programs of the organization call the API."""

from dataclasses import dataclass
from datetime import datetime

from services.identity.domain.role import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key without its secret. `hint` is what people recognize it by."""

    organization_id: str
    api_key_id: str
    name: str
    hint: str
    role: Role
    active: bool
    created_at: datetime
