"""The bank desk of a till."""

import pytest

from tests.service.payments.bank.desk import BankDesk
from tests.service.payments.till import Till


@pytest.fixture
def bank_desk(till: Till) -> BankDesk:
    return BankDesk.of(till)
