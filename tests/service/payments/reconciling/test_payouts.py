"""Payouts of providers, compared with our books both ways, until they are at the bank."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.payments.operations.collect_payouts import collect_payouts
from services.payments.operations.read_reconciliation import watch_reconciliation
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import payments_pb2, refunds_pb2
from tallyport.payments.v1 import reconciliation_pb2 as pb
from tests.service.payments.paying.counter import create
from tests.service.payments.reconciling.ledger_room import LedgerRoom, refused
from tests.service.payments.till import RETURN_URL, SECRET
from tests.support.wait import until


async def paid(room: LedgerRoom, invoice_id: str, units: int) -> tuple[str, str]:
    """A card payment: its id and its attempt's."""
    room.till.invoices.add(invoice_id, units)
    payment = await room.till.pay({invoice_id: units})
    return payment.payment_id, await room.till.attempt_id(payment.payment_id)


async def test_a_payout_that_agrees_returns_its_clearing_accounts_to_zero(room: LedgerRoom) -> None:
    payment_id, attempt_id = await paid(room, "inv_1", 10_000)
    room.write_payout(room.movement("charge", 10_000, fee=320, attempt_id=attempt_id))
    assert await room.collect() == 1
    assert await room.collect() == 0
    detail = await room.payout()
    assert [(line.payment_id, line.difference) for line in detail.lines] == [(payment_id, "")]
    assert (detail.payout.gross.minor_units, detail.payout.fees.minor_units) == (10_000, 320)
    assert detail.payout.net.minor_units == 9_680
    assert detail.payout.unmatched_lines == 0
    assert await room.balances() == {
        "bank_clearing": 9_680, "provider_fees:simulator": 320, "customer_funds:cus_1": -10_000,
    }  # fmt: skip
    imported = await room.load("96.80;SIMULATOR PAYMENTS INC;;payout of today")
    assert imported.matched_lines == 1
    assert await room.balances() == {
        "bank": 9_680, "provider_fees:simulator": 320, "customer_funds:cus_1": -10_000,
    }  # fmt: skip
    (line,) = await room.lines()
    assert line.payout_id == detail.payout.payout_id
    assert (await room.payout()).payout.bank_line_id == line.bank_line_id
    assert list((await room.overview()).clearing) == []
    await room.till.check_books()


async def test_coins_are_compared_with_what_came_not_with_what_was_asked_for(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 1_010)
    hosted = payments_pb2.HostedPage(
        return_url=RETURN_URL, method=payments_pb2.PAYMENT_METHOD_TYPE_STABLECOIN
    )
    begun = await create(room.till, {"inv_1": 1_010}, token="", hosted_page=hosted)
    rows = await room.till.rows("SELECT attempt_id, provider_reference FROM payment_attempts")
    await room.till.bank.post(f"/v1/checkouts/{rows[0].provider_reference}/coins", amount_minor_units=1_111)

    async def came() -> bool:
        return (await room.till.refresh(begun.payment_id)).status == payments_pb2.PAYMENT_STATUS_SUCCEEDED

    await until(came)
    room.write_payout(room.movement("charge", 1_111, attempt_id=rows[0].attempt_id))
    await room.collect()
    assert [line.difference for line in (await room.payout()).lines] == [""]
    assert await room.balances() == {"bank_clearing": 1_111, "customer_funds:cus_1": -1_111}


async def test_a_line_of_the_same_sum_that_does_not_name_the_provider_is_no_payout(room: LedgerRoom) -> None:
    _, attempt_id = await paid(room, "inv_1", 10_000)
    room.write_payout(room.movement("charge", 10_000, attempt_id=attempt_id))
    await room.collect()
    await room.load("100.00;Somebody;;hello", "100.00;Bank;;transfer po_at_provider")
    matched = await room.lines(status=pb.BANK_LINE_STATUS_MATCHED)
    assert [line.counterparty_name for line in matched] == ["Bank"]


async def test_another_provider_is_not_even_asked_before_somebody_has_paid_there(room: LedgerRoom) -> None:
    class Unused:
        name = "unused"

        async def payouts(self, since: date, *, timeout_seconds: float) -> list[Any]:
            raise AssertionError("nobody has paid here")

    others: Any = {"unused": Unused()}
    assert await collect_payouts(replace(room.till.desk, providers=others)) == 0


async def test_undoing_a_payouts_line_lets_both_wait_again(room: LedgerRoom) -> None:
    _, attempt_id = await paid(room, "inv_1", 10_000)
    room.write_payout(room.movement("charge", 10_000, attempt_id=attempt_id))
    await room.collect()
    before = await room.balances()
    await room.load("100.00;Simulator;;payout")
    (line,) = await room.lines()
    undone = await room.undo(line.bank_line_id)
    assert undone.line.status == pb.BANK_LINE_STATUS_UNMATCHED
    assert (await room.payout()).payout.bank_line_id == ""
    assert await room.balances() == before
    await room.look_again()
    assert (await room.payout()).payout.bank_line_id == line.bank_line_id


async def test_money_that_the_provider_takes_is_matched_with_the_line_on_which_it_left(
    room: LedgerRoom,
) -> None:
    _, attempt_id = await paid(room, "inv_1", 10_000)
    room.write_payout(
        room.movement("charge", 10_000, attempt_id=attempt_id),
        room.movement("adjustment", -13_000, attempt_id=""),
    )
    await room.collect()
    before = await room.balances()
    assert before["bank_clearing"] == -3_000
    imported = await room.load("-30.00;Landlord;;rent", "-30.00;SIMULATOR PAYMENTS INC;;negative balance")
    assert imported.matched_lines == 1
    lines = {line.counterparty_name: line for line in await room.lines()}
    assert lines["Landlord"].status == pb.BANK_LINE_STATUS_OUTGOING
    taken = lines["SIMULATOR PAYMENTS INC"]
    assert (taken.status, taken.payout_id) == (
        pb.BANK_LINE_STATUS_MATCHED, (await room.payout()).payout.payout_id,
    )  # fmt: skip
    after = await room.balances()
    assert (after["bank"], after.get("bank_clearing", 0)) == (-3_000, 0)
    await room.till.check_books()
    undone = await room.undo(taken.bank_line_id)
    assert undone.line.status == pb.BANK_LINE_STATUS_OUTGOING
    assert await room.balances() == before
    await room.till.check_books()
    await room.look_again()
    assert (await room.payout()).payout.bank_line_id == taken.bank_line_id


async def test_what_our_books_do_not_know_becomes_an_unmatched_receipt(room: LedgerRoom) -> None:
    room.write_payout(room.movement("charge", 4_000, fee=100, attempt_id="att_unknown"))
    assert await room.collect() == 1
    detail = await room.payout()
    assert [line.difference for line in detail.lines] == ["Our books do not know this charge."]
    assert detail.payout.unmatched_lines == 1
    assert await room.balances() == {
        "bank_clearing": 3_900, "provider_fees:simulator": 100, "unmatched_receipts:simulator": -4_000,
    }  # fmt: skip
    assert (await room.overview()).payout_differences == 1
    await room.till.check_books()


async def test_another_sum_than_ours_is_said_in_words(room: LedgerRoom) -> None:
    payment_id, attempt_id = await paid(room, "inv_1", 10_000)
    room.write_payout(room.movement("charge", 9_000, attempt_id=attempt_id))
    await room.collect()
    (line,) = (await room.payout()).lines
    assert line.payment_id == payment_id
    assert line.difference == "The provider has $90.00, our books have $100.00."
    balances = await room.balances()
    assert balances["unmatched_receipts:simulator"] == 1_000
    assert "provider_clearing:simulator" not in balances


async def test_a_payment_that_the_payout_lacks_is_named(room: LedgerRoom) -> None:
    _, first = await paid(room, "inv_1", 1_000)
    lacking, _ = await paid(room, "inv_2", 2_000)
    _, last = await paid(room, "inv_3", 3_000)
    await paid(room, "inv_4", 4_000)  # younger than all of the payout: it comes with the next
    room.write_payout(
        room.movement("charge", 1_000, attempt_id=first), room.movement("charge", 3_000, attempt_id=last)
    )
    await room.collect()
    assert list((await room.payout()).missing_payment_ids) == [lacking]


async def test_a_difference_that_later_news_explain_goes_away(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 5_000)
    for fault in ("error_500_after_charging", "no_webhooks"):
        await room.till.bank.fault(fault, room.till.organization_id, times=1)
    payment = await room.till.pay({"inv_1": 5_000})
    attempt_id = await room.till.attempt_id(payment.payment_id)
    room.write_payout(room.movement("charge", 5_000, attempt_id=attempt_id))
    await room.collect()
    (line,) = (await room.payout()).lines
    assert line.difference == "Our books hold this payment as unknown."
    assert (await room.balances())["unmatched_receipts:simulator"] == -5_000
    await room.till.reconcile()
    await room.collect()
    (line,) = (await room.payout()).lines
    assert line.difference == ""
    assert await room.balances() == {"bank_clearing": 5_000, "customer_funds:cus_1": -5_000}
    await room.till.check_books()


async def test_the_simulators_own_payout_with_refund_and_chargeback_agrees_with_our_books(
    room: LedgerRoom,
) -> None:
    refunded, _ = await paid(room, "inv_1", 10_000)
    disputed, _ = await paid(room, "inv_2", 2_500)
    refund = refunds_pb2.CreateRefundRequest(
        payment_id=refunded, amount=money_pb2.Money(minor_units=4_000, currency="USD"), reason="broken"
    )
    await room.refunds.CreateRefund(refund, metadata=room.staff())
    (charge,) = await room.till.bank.charges(disputed)
    await at_simulator(room, f"/v1/charges/{charge['id']}/disputes", {"reason": "fraudulent"})

    async def heard_of_chargeback() -> bool:
        return bool(await room.till.rows("SELECT 1 FROM chargebacks WHERE payment_id = :p", p=disputed))

    await until(heard_of_chargeback, timeout_seconds=15)
    await at_simulator(room, "/v1/payouts", {"organization_id": room.till.organization_id})
    views = await room.till.desk.provider.payouts(room.today - timedelta(days=1), timeout_seconds=5)
    room.documents.documents += [
        view for view in views if {line.organization_id for line in view.lines} == {room.till.organization_id}
    ]
    await until(lambda: room.till.gate.busy == 0)
    assert await room.collect() == 1
    detail = await room.payout()
    assert [(line.kind, line.difference) for line in detail.lines] == [
        ("charge", ""), ("charge", ""), ("refund", ""), ("chargeback", ""),
    ]  # fmt: skip
    balances = await room.balances()
    assert "provider_clearing:simulator" not in balances
    assert "unmatched_receipts:simulator" not in balances
    assert balances["bank_clearing"] == detail.payout.net.minor_units
    await room.till.check_books()


async def at_simulator(room: LedgerRoom, path: str, body: dict[str, str]) -> None:
    """What happens at the provider's side."""
    answer = await room.till.bank.http.post(path, json=body, headers={"authorization": f"Bearer {SECRET}"})
    assert answer.status_code < 300, answer.text


async def test_clearing_that_does_not_return_to_zero_in_time_raises_the_alarm(
    room: LedgerRoom, capsys: pytest.CaptureFixture[str]
) -> None:
    await paid(room, "inv_1", 10_000)
    (young,) = (await room.overview()).clearing
    assert (young.account, young.balance.minor_units, young.overdue) == (
        "provider_clearing:simulator",
        10_000,
        False,
    )
    room.till.clock.advance(days=11)
    (old,) = (await room.overview()).clearing
    assert old.overdue
    await watch_reconciliation(room.till.desk)
    assert "clearing account not back at zero" in capsys.readouterr().out


async def test_an_unknown_payout_is_not_found(room: LedgerRoom) -> None:
    await refused(
        room.stub.GetPayout(pb.GetPayoutRequest(payout_id="po_x"), metadata=room.staff()), "PAYOUT_NOT_FOUND"
    )


async def test_staff_say_which_line_is_a_payout_that_names_nobody(room: LedgerRoom) -> None:
    _, attempt_id = await paid(room, "inv_1", 10_000)
    room.write_payout(room.movement("charge", 10_000, attempt_id=attempt_id))
    await room.collect()
    await room.load("100.00;Somebody;;hello", "99.00;Nobody;;hello")
    detail = await room.payout()
    (line,) = detail.candidates
    other = next(one for one in await room.lines() if one.amount.minor_units == 9_900)

    def says(bank_line_id: str) -> Any:
        request = pb.MatchPayoutRequest(bank_line_id=bank_line_id, payout_id=detail.payout.payout_id)
        return room.stub.MatchPayout(request, metadata=room.staff())

    await refused(says(other.bank_line_id), "PAYOUT_AMOUNT_DIFFERS")
    matched = (await says(line.bank_line_id)).line
    assert (matched.payout_id, matched.matched_by) == (detail.payout.payout_id, "Ada")
    await refused(says(line.bank_line_id), "BANK_LINE_MATCHED")
    assert list((await room.payout()).candidates) == []
    await room.till.check_books()
    await room.undo(line.bank_line_id)
    await room.till.check_books()
