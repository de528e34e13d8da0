"""Staff pages. Handlers for people who have not signed in are in PUBLIC, all others in STAFF."""

from typing import Any

PUBLIC: list[Any] = []
STAFF: list[Any] = []
