"""One line for several customers, and several lines for one invoice."""

from typing import Any

from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import reconciliation_pb2 as pb
from tests.service.payments.reconciling.ledger_room import ACME_IBAN, LedgerRoom, refused


async def split(
    room: LedgerRoom, bank_line_id: str, *units: int, key: str | None = None
) -> list[pb.BankLine]:
    amounts = [money_pb2.Money(minor_units=one, currency="USD") for one in units]
    request = pb.SplitBankLineRequest(bank_line_id=bank_line_id, amounts=amounts)
    return list((await room.stub.SplitBankLine(request, metadata=room.staff(key))).lines)


async def waiting(room: LedgerRoom) -> list[int]:
    found = await room.lines(status=pb.BANK_LINE_STATUS_UNMATCHED)
    return sorted(line.amount.minor_units for line in found)


async def test_a_parent_pays_for_two_children_with_one_transfer(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 6_000)
    room.till.invoices.add("inv_2", 4_000, customer_id="cus_2")
    await room.load("100.00;Mum;;school")
    whole = (await room.one()).line
    for wrong in ((6_000, 3_999), (11_000, -1_000)):
        await refused(split(room, whole.bank_line_id, *wrong), "VALIDATION_FAILED")
    parts = await split(room, whole.bank_line_id, 6_000, 4_000, key="k1")
    assert parts == await split(room, whole.bank_line_id, 6_000, 4_000, key="k1")
    assert await waiting(room) == [4_000, 6_000]
    assert (await room.detail(whole.bank_line_id)).line.status == pb.BANK_LINE_STATUS_SUPERSEDED
    await refused(room.match(whole.bank_line_id, {"inv_1": 6_000}), "BANK_LINE_SPLIT")
    await room.match(parts[0].bank_line_id, {"inv_1": 6_000})
    await refused(room.undo(whole.bank_line_id), "BANK_LINE_MATCHED")
    await room.match(parts[1].bank_line_id, {"inv_2": 4_000}, customer_id="cus_2")
    assert await room.balances() == {
        "bank": 10_000, "customer_funds:cus_1": -6_000, "customer_funds:cus_2": -4_000,
    }  # fmt: skip
    again = await room.load("100.00;Mum;;school")
    assert (again.new_lines, again.known_lines) == (0, 1)
    await room.till.check_books()


async def test_parts_are_joined_again_and_split_otherwise(room: LedgerRoom) -> None:
    await room.load("100.00;Mum;;school")
    whole = (await room.one()).line
    (first, _other) = await split(room, whole.bank_line_id, 6_000, 4_000)
    await split(room, first.bank_line_id, 5_000, 1_000)
    await refused(room.undo(whole.bank_line_id), "BANK_LINE_SPLIT")
    await room.undo(first.bank_line_id)
    await room.till.check_books()
    await room.undo(whole.bank_line_id)
    assert await waiting(room) == [10_000]
    await refused(room.undo(first.bank_line_id), "BANK_LINE_SPLIT")
    await split(room, whole.bank_line_id, 2_500, 7_500)
    assert await waiting(room) == [2_500, 7_500]
    await room.till.check_books()


async def test_lines_without_a_reference_that_pay_one_invoice_together_are_proposed(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 9_137)
    for line in ("40.00", "31.37", "20.00", "55.55"):
        await room.load(f"{line};Jane Roe;{ACME_IBAN};thanks")
    found = {line.amount.minor_units: line for line in await room.lines()}
    detail = await room.detail(found[3_137].bank_line_id)
    joint = next(one for one in detail.proposals if one.together_with)
    assert sorted(line.amount.minor_units for line in joint.together_with) == [2_000, 4_000]
    assert [reason.code for reason in joint.reasons] == ["sum_of_lines"]
    assert joint.confidence_per_mille < 950
    lines: list[Any] = [detail.line, *joint.together_with]
    for line in lines:
        await room.match(line.bank_line_id, {"inv_1": line.amount.minor_units})
        room.till.invoices.settle((await room.detail(line.bank_line_id)).line.payment_id)
    assert room.till.invoices.by_id["inv_1"].due == 0
    assert not any(one.together_with for one in (await room.detail(found[5_555].bank_line_id)).proposals)
    await room.till.check_books()
