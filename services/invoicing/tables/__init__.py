"""Tables of the invoicing service, a file a noun; importing this package makes `metadata` whole."""

from chassis.tables import TRANSPORT_TABLES
from services.invoicing.tables import (
    adjustments,
    customers,
    disputes,
    dunning,
    einvoices,
    imports,
    invoices,
    items,
    money,
    plans,
    schedules,
)
from services.invoicing.tables.base import metadata

__all__ = [
    "adjustments",
    "customers",
    "disputes",
    "dunning",
    "einvoices",
    "imports",
    "invoices",
    "items",
    "metadata",
    "money",
    "plans",
    "schedules",
]

_APPEND_ONLY = {"ledger_entries", "ledger_lines", "audit_log", "audit_heads", "idempotency_keys"}

TENANT_TABLES = sorted(set(metadata.tables) - set(TRANSPORT_TABLES) - _APPEND_ONLY)
"""Business tables of this service, all under row-level security."""

SWEEP_TABLES = frozenset(
    {
        "disputes",
        "dunning_policies",
        "instalment_plans",
        "payment_promises",
        "late_fee_policies",
        "schedules",
        "reservations",
        "imports",
        "books_state",
        "organization_clocks",
    }
)
"""Those that background work searches across organizations."""
