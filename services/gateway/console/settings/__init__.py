"""Settings of payments: what payers may use and what it costs them, and the accounts that transfers go to."""

from typing import Any

from services.gateway.console.settings import bank_accounts, payment_policy

PAGES: list[Any] = [
    payment_policy.show,
    payment_policy.save,
    bank_accounts.show,
]
