"""News of e-invoices: in whatever order they come in, what was said last counts."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from chassis.errors import ServiceError
from services.invoicing.domain.einvoice_status import (
    ACTION_CODES,
    REASON_CODES,
    Clarification,
    Code,
    EInvoice,
    Status,
    must_be_known,
)

_START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _status(hours: int, code: Code) -> Status:
    at = _START + timedelta(hours=hours)
    return Status(external_id=f"x{hours}", code=code, occurred_at=at, reported_at=at)


def _first(status: Status) -> EInvoice:
    return EInvoice(
        einvoice_id="ein_1", document_id="inv_1", number="INV-1", invoice_id="inv_1", customer_id="cus_1",
        code=status.code, occurred_at=status.occurred_at, last_external_id=status.external_id,
        waits=status.code is Code.REJECTED,
    )  # fmt: skip


def test_the_order_in_which_news_come_in_does_not_matter() -> None:
    news = [_status(1, Code.ACKNOWLEDGED), _status(2, Code.IN_PROCESS), _status(3, Code.REJECTED)]
    for order in permutations(news):
        found = _first(order[0])
        for status in order[1:]:
            found = found.heard(status) or found
        assert (found.code, found.last_external_id, found.waits) == (Code.REJECTED, "x3", True)


def test_a_rejection_is_let_stand_once_and_a_later_one_waits_again() -> None:
    rejected = _first(_status(1, Code.REJECTED))
    upheld = rejected.upheld(_START, by_name="Ada", reason="Agreed on the phone")
    assert not upheld.waits
    with pytest.raises(ServiceError) as refused:
        upheld.upheld(_START, by_name="Ada", reason="Again")
    assert refused.value.reason == "E_INVOICE_NOT_WAITING"
    assert upheld.heard(_status(0, Code.REJECTED)) is None
    again = upheld.heard(_status(2, Code.REJECTED))
    assert again is not None
    assert (again.waits, again.upheld_at, again.uphold_reason) == (True, None, "")
    accepted = again.heard(_status(3, Code.ACCEPTED))
    assert accepted is not None
    assert not accepted.waits


@pytest.mark.parametrize(
    ("clarification", "codes", "field"),
    [
        (Clarification("NIN", ""), REASON_CODES, "reasons[0].code"),
        (Clarification("REF", ""), ACTION_CODES, "reasons[0].code"),
        (Clarification("", ""), REASON_CODES, "reasons[0].text"),
    ],
)
def test_a_clarification_is_of_its_list_and_says_something(
    clarification: Clarification, codes: frozenset[str], field: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        must_be_known("reasons", [clarification], codes)
    assert [one.field for one in refused.value.fields] == [field]
