"""Tables of the payments service, a file a noun; importing this package makes `metadata` whole."""

from services.payments.tables import bank, books, guards, matching, methods, payments, policies, reversals
from services.payments.tables.base import metadata

__all__ = ["bank", "books", "guards", "matching", "metadata", "methods", "payments", "policies", "reversals"]
