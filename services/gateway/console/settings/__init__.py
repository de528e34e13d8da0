"""Settings: what payers may use and what it costs them, accounts that transfers go to, and the test clock."""

from typing import Any

from services.gateway.console.settings import (
    bank_accounts,
    late_fees,
    payment_policy,
    plan_policies,
    taxes,
    test_clock,
)

PAGES: list[Any] = [
    payment_policy.show,
    payment_policy.save,
    bank_accounts.show,
    late_fees.show,
    late_fees.save,
    taxes.show,
    taxes.save,
    plan_policies.show,
    plan_policies.save,
    test_clock.show,
    test_clock.change,
]
