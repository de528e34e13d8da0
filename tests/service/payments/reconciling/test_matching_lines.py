"""Bank lines that find what they are for by themselves, and those that wait."""

import asyncio
from typing import Any

from sqlalchemy import text

from services.payments.operations.match_lines import match_new_lines
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import events_pb2, payments_pb2, refunds_pb2, transfers_pb2
from tallyport.payments.v1 import reconciliation_pb2 as pb
from tests.service.payments.reconciling.ledger_room import ACME_IBAN, BETA_IBAN, LedgerRoom, refused


async def payments_of(room: LedgerRoom) -> list[Any]:
    return await room.till.rows("SELECT * FROM payments ORDER BY created_at")


async def test_a_line_that_names_its_invoice_becomes_a_payment_by_itself(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    imported = await room.load(f"100.00;ACME TRADING LTD;{ACME_IBAN};Invoice INV-0001")
    assert imported.matched_lines == 1
    line = (await room.one()).line
    assert line.status == pb.BANK_LINE_STATUS_MATCHED
    assert line.matched_by == "automatic"
    payment = await room.till.get(line.payment_id)
    assert payment.received_on == room.today.isoformat()
    assert payment.parts[0].invoice_number == "INV-0001"
    assert payment.initiated_by == "matching"
    assert await room.till.events(line.payment_id) == ["PaymentSucceeded"]
    assert await room.balances() == {"bank": 10_000, "customer_funds:cus_1": -10_000}
    await room.till.check_books()


async def test_a_line_that_nobody_can_tell_waits_with_proposals_and_reasons(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    room.till.invoices.add("inv_2", 10_000, customer_id="cus_2")
    imported = await room.load("100.00;Somebody;;payment")
    assert imported.matched_lines == 0
    detail = await room.one()
    assert detail.line.status == pb.BANK_LINE_STATUS_UNMATCHED
    assert {each.parts[0].invoice_number for each in detail.proposals} == {"INV-0001", "INV-0002"}
    assert all(each.confidence_per_mille < 950 for each in detail.proposals)
    assert {reason.code for each in detail.proposals for reason in each.reasons} == {"exact_amount"}
    assert {each.customer_name for each in detail.proposals} == {"Acme Trading Ltd", "Beta Foods GmbH"}


async def test_importing_the_same_lines_again_matches_nothing_again(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    first = await room.load(f"100.00;ACME TRADING LTD;{ACME_IBAN};INV-0001")
    again = await room.load(f"100.00;ACME TRADING LTD;{ACME_IBAN};INV-0001")
    assert (first.matched_lines, again.matched_lines, again.known_lines) == (1, 0, 1)
    await room.look_again()
    assert len(await payments_of(room)) == 1


async def test_an_account_that_has_paid_before_tells_who_pays(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    room.till.invoices.add("inv_2", 7_311)
    room.till.invoices.add("inv_3", 7_311, customer_id="cus_2")
    await room.load(f"100.00;Acme Trading;{ACME_IBAN};INV-0001")
    await room.load(f"73.11;Acme Trading Limited;{ACME_IBAN};thanks")
    matched = await room.lines(status=pb.BANK_LINE_STATUS_MATCHED)
    assert len(matched) == 2
    by_history = next(line for line in matched if line.amount.minor_units == 7_311)
    payment = await room.till.get(by_history.payment_id)
    assert [part.invoice_id for part in payment.parts] == ["inv_2"]


async def test_one_line_pays_many_invoices_and_two_lines_pay_one(room: LedgerRoom) -> None:
    for number, units in enumerate((10_000, 5_000, 9_000), start=1):
        room.till.invoices.add(f"inv_{number}", units)
    await room.load(f"150.00;Acme Trading Ltd;{ACME_IBAN};INV-0001, INV-0002")
    await room.load(
        f"40.00;Acme Trading Ltd;{ACME_IBAN};INV-0003 first",
        f"50.00;Acme Trading Ltd;{ACME_IBAN};INV-0003 second",
    )
    rows = await room.till.rows(
        "SELECT invoice_id, sum(amount_minor_units) AS units FROM payment_parts GROUP BY 1"
    )
    assert {row.invoice_id: int(row.units) for row in rows} == {
        "inv_1": 10_000,
        "inv_2": 5_000,
        "inv_3": 9_000,
    }
    assert not await room.lines(status=pb.BANK_LINE_STATUS_UNMATCHED)


async def test_staff_match_what_waits_and_the_rest_becomes_credit(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    await room.load("120.00;Somebody;;no idea")
    line = (await room.one()).line
    done = await room.match(line.bank_line_id, {"inv_1": 10_000}, key="once")
    assert done.line.status == pb.BANK_LINE_STATUS_MATCHED
    assert done.line.matched_by not in ("automatic", "rule", "")
    again = await room.match(line.bank_line_id, {"inv_1": 10_000}, key="once")
    assert again.line.payment_id == done.line.payment_id
    assert (await room.till.get(done.line.payment_id)).amount.minor_units == 12_000
    assert len(await payments_of(room)) == 1
    await refused(room.match(line.bank_line_id, {"inv_1": 10_000}), "BANK_LINE_MATCHED")
    await room.till.check_books()


async def test_matching_a_matched_line_closes_no_page(room: LedgerRoom) -> None:
    for number in (1, 2):
        room.till.invoices.add(f"inv_{number}", 10_000)
    await room.load("100.00;Somebody;;no idea")
    line = (await room.one()).line
    await room.match(line.bank_line_id, {"inv_1": 10_000}, key="once")
    room.till.invoices.by_id["inv_1"].held.clear()
    pages = [await room.till.pay({f"inv_{number}": 10_000}, token=None) for number in (1, 2)]
    await room.match(line.bank_line_id, {"inv_1": 10_000}, key="once")
    await refused(room.match(line.bank_line_id, {"inv_2": 10_000}), "BANK_LINE_MATCHED")
    for page in pages:
        assert (await room.till.get(page.payment_id)).status == payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION


async def test_a_match_of_more_than_the_line_or_a_strangers_invoice_is_refused(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    room.till.invoices.add("inv_2", 10_000, customer_id="cus_2")
    await room.load("90.00;Somebody;;no idea", "-12.00;The bank;;fees")
    (waiting,) = await room.lines(status=pb.BANK_LINE_STATUS_UNMATCHED)
    (outgoing,) = await room.lines(status=pb.BANK_LINE_STATUS_OUTGOING)
    await refused(room.match(waiting.bank_line_id, {"inv_1": 10_000}), "INVALID_ARGUMENT")
    await refused(room.match(waiting.bank_line_id, {"inv_2": 9_000}), "INVOICE_NOT_FOUND")
    await refused(room.match(outgoing.bank_line_id, {"inv_1": 1_200}), "BANK_LINE_OUTGOING")
    await refused(room.match("bln_unknown", {"inv_1": 1_200}), "BANK_LINE_NOT_FOUND")
    assert await payments_of(room) == []


async def test_undo_restores_what_was_before(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    await room.load("100.00;Somebody;;no idea")
    before = await room.one()
    balances = await room.balances()
    matched = await room.match(before.line.bank_line_id, {"inv_1": 10_000})
    undone = await room.undo(before.line.bank_line_id)
    assert undone.line == before.line
    assert await room.balances() == balances == {}
    payment_id = matched.line.payment_id
    assert await room.till.events(payment_id) == ["PaymentSucceeded", "PaymentReversed"]
    (row,) = await room.till.rows(
        "SELECT payload FROM outbox WHERE aggregate_id = :p AND type LIKE '%Reversed'", p=payment_id
    )
    told = events_pb2.PaymentReversed.FromString(row.payload)
    assert told.kind == events_pb2.REVERSAL_KIND_UNMATCHED
    assert told.whole
    assert not told.notify
    assert not told.HasField("fee")
    assert told.amount.minor_units == 10_000
    reversals = await room.till.rows(
        "SELECT receipt_no FROM receipt_reversals WHERE payment_id = :p", p=payment_id
    )
    assert len(reversals) == 1
    await refused(room.undo(before.line.bank_line_id), "BANK_LINE_NOT_MATCHED")
    await room.till.check_books()


async def test_an_undone_line_is_matched_anew_and_the_wrong_match_is_no_history(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    room.till.invoices.add("inv_2", 10_000, customer_id="cus_2")
    await room.load(f"100.00;Somebody;{BETA_IBAN};no idea")
    line = (await room.one()).line
    await room.match(line.bank_line_id, {"inv_1": 10_000})
    await room.undo(line.bank_line_id)
    proposals = (await room.detail(line.bank_line_id)).proposals
    assert "account_history" not in {reason.code for each in proposals for reason in each.reasons}
    room.till.invoices.by_id["inv_1"].held.clear()
    right = await room.match(line.bank_line_id, {"inv_2": 10_000}, customer_id="cus_2")
    assert right.line.status == pb.BANK_LINE_STATUS_MATCHED
    assert await room.balances() == {"bank": 10_000, "customer_funds:cus_2": -10_000}
    rows = await room.till.rows("SELECT undone_at FROM bank_matches ORDER BY matched_at")
    assert [row.undone_at is None for row in rows] == [False, True]
    await room.till.check_books()


async def test_the_match_of_money_that_was_refunded_stays(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    await room.load(f"100.00;ACME TRADING LTD;{ACME_IBAN};INV-0001")
    line = (await room.one()).line
    refund = refunds_pb2.CreateRefundRequest(
        payment_id=line.payment_id, destination=refunds_pb2.REFUND_DESTINATION_MANUAL, reason="asked for"
    )
    await room.refunds.CreateRefund(refund, metadata=room.staff())
    await refused(room.undo(line.bank_line_id), "PAYMENT_REVERSED")
    assert (await room.one()).line == line
    await room.till.check_books()


async def test_a_match_ends_the_payers_claim(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    room.till.invoices.add("inv_2", 10_000, customer_id="cus_2")
    claim = transfers_pb2.ClaimTransferRequest(
        invoice_ids=["inv_1"],
        amount=money_pb2.Money(minor_units=10_000, currency="USD"),
        transferred_on=room.today.isoformat(),
    )
    metadata = room.till.as_customer(key="claim")
    await room.transfers.ClaimTransfer(claim, metadata=metadata)
    assert (await room.overview()).open_claims == 1
    await room.load("100.00;Acme Trading;;thanks")
    (line,) = await room.lines(status=pb.BANK_LINE_STATUS_MATCHED)
    assert (await room.till.get(line.payment_id)).parts[0].invoice_id == "inv_1"
    overview = await room.overview()
    assert (overview.open_claims, overview.matched_automatically_30_days) == (0, 1)


async def test_an_undone_match_lets_the_claim_wait_again_unless_its_day_is_over(room: LedgerRoom) -> None:
    for number in (1, 2):
        room.till.invoices.add(f"inv_{number}", number * 10_000)
        request = transfers_pb2.ClaimTransferRequest(
            invoice_ids=[f"inv_{number}"],
            amount=money_pb2.Money(minor_units=number * 10_000, currency="USD"),
            transferred_on=room.today.isoformat(),
        )
        await room.transfers.ClaimTransfer(request, metadata=room.till.as_customer(key=f"claim-{number}"))
    await room.load("100.00;Acme Trading;;thanks", "200.00;Acme Trading;;thanks")
    first, second = sorted(
        await room.lines(status=pb.BANK_LINE_STATUS_MATCHED), key=lambda line: line.amount.minor_units
    )
    await room.undo(first.bank_line_id)
    (claim,) = await claims(room, open_only=True)
    assert (list(claim.invoice_ids), claim.payment_id) == (["inv_1"], "")
    assert await told_of(room, claim.claim_id) == [
        (1, "TransferClaimed"), (2, "TransferClaimClosed"), (3, "TransferClaimed"),
    ]  # fmt: skip
    await room.match(first.bank_line_id, {"inv_1": 10_000})
    assert (await told_of(room, claim.claim_id))[-1] == (4, "TransferClaimClosed")
    room.till.clock.advance(days=11)
    await room.undo(second.bank_line_id)
    assert await claims(room, open_only=True) == []
    states = {claim.invoice_ids[0]: claim.status for claim in await claims(room, open_only=False)}
    assert states == {
        "inv_1": transfers_pb2.TRANSFER_CLAIM_STATUS_MATCHED,
        "inv_2": transfers_pb2.TRANSFER_CLAIM_STATUS_EXPIRED,
    }


async def claims(room: LedgerRoom, *, open_only: bool) -> list[transfers_pb2.TransferClaim]:
    request = transfers_pb2.ListTransferClaimsRequest(open_only=open_only)
    return list((await room.transfers.ListTransferClaims(request, metadata=room.staff())).claims)


async def told_of(room: LedgerRoom, aggregate_id: str) -> list[tuple[int, str]]:
    rows = await room.till.rows(
        f"SELECT aggregate_version, type FROM outbox WHERE aggregate_id = '{aggregate_id}' ORDER BY 1"
    )
    return [(row.aggregate_version, row.type.rpartition(".")[2]) for row in rows]


async def test_a_line_that_shows_recorded_money_makes_no_second_payment(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    request = payments_pb2.RecordPaymentRequest(
        customer_id="cus_1",
        amount=money_pb2.Money(minor_units=10_000, currency="USD"),
        method=payments_pb2.PAYMENT_METHOD_TYPE_BANK_TRANSFER,
        received_on=room.today.isoformat(),
    )
    request.parts.add(invoice_id="inv_1", amount=request.amount)
    recorded = await room.till.payments.RecordPayment(request, metadata=room.staff())
    room.till.invoices.settle(recorded.payment_id)
    before = await room.balances()
    assert before == {"bank_clearing": 10_000, "customer_funds:cus_1": -10_000}
    await room.load(f"100.00;ACME TRADING LTD;{ACME_IBAN};INV-0001")
    line = (await room.one()).line
    assert (line.status, line.payment_id) == (pb.BANK_LINE_STATUS_MATCHED, recorded.payment_id)
    assert await room.balances() == {"bank": 10_000, "customer_funds:cus_1": -10_000}
    await room.undo(line.bank_line_id)
    assert await room.balances() == before
    assert await room.till.events(recorded.payment_id) == ["PaymentSucceeded"]
    await room.till.check_books()


async def test_two_at_once_match_a_line_once(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    room.till.invoices.away = True
    await room.load(f"100.00;ACME TRADING LTD;{ACME_IBAN};INV-0001")
    room.till.invoices.away = False
    (line,) = await room.lines()
    assert line.status == pb.BANK_LINE_STATUS_UNMATCHED
    ids, organization_id = [line.bank_line_id], room.till.organization_id
    done = await asyncio.gather(
        match_new_lines(room.till.desk, organization_id, ids),
        match_new_lines(room.till.desk, organization_id, ids),
        room.match(line.bank_line_id, {"inv_1": 10_000}),
        room.match(line.bank_line_id, {"inv_1": 10_000}),
        return_exceptions=True,
    )
    winners = sum(
        each == 1 if isinstance(each, int) else isinstance(each, pb.BankLineDetail) for each in done
    )
    assert winners == 1, done
    assert len(await payments_of(room)) == 1
    assert await room.balances() == {"bank": 10_000, "customer_funds:cus_1": -10_000}
    await room.till.check_books()


async def test_lines_wait_while_invoicing_is_away_and_are_matched_later(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    room.till.invoices.add("inv_2", 100)
    await room.till.pay({"inv_2": 100})  # jobs go to organizations that have been heard of
    room.till.invoices.away = True
    assert (await room.load(f"100.00;ACME TRADING LTD;{ACME_IBAN};INV-0001")).matched_lines == 0
    detail = await room.one()
    assert list(detail.proposals) == []
    room.till.invoices.away = False
    await room.look_again()
    assert (await room.one()).line.status == pb.BANK_LINE_STATUS_MATCHED


async def test_rules_decide_first(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    await room.rule(text_contains="tax office", ignore=True, position=1)
    await room.rule(text_contains="shop order", customer_id="cus_1", position=2)
    await room.load("5.00;TAX OFFICE;;refund", "30.00;Zed;;Shop order 99")
    ignored = await room.lines(status=pb.BANK_LINE_STATUS_IGNORED)
    assert [(line.matched_by, line.note) for line in ignored] == [("rule", "Rule: A rule")]
    (matched,) = await room.lines(status=pb.BANK_LINE_STATUS_MATCHED)
    assert matched.matched_by == "rule"
    assert (await room.till.get(matched.payment_id)).parts[0].invoice_id == "inv_1"
    (undone, _) = (await room.undo(ignored[0].bank_line_id), None)
    assert undone.line.status == pb.BANK_LINE_STATUS_UNMATCHED


async def test_rules_are_listed_in_order_and_deleted(room: LedgerRoom) -> None:
    last = await room.rule(text_contains="zzz", ignore=True, position=9)
    first = await room.rule(counterparty_account=ACME_IBAN.lower(), customer_id="cus_1", position=1)
    listed = await room.stub.ListMatchRules(pb.ListMatchRulesRequest(), metadata=room.staff())
    assert [rule.match_rule_id for rule in listed.rules] == [first.match_rule_id, last.match_rule_id]
    assert first.counterparty_account == ACME_IBAN
    request = pb.DeleteMatchRuleRequest(match_rule_id=last.match_rule_id)
    await room.stub.DeleteMatchRule(request, metadata=room.staff())
    await refused(room.stub.DeleteMatchRule(request, metadata=room.staff()), "MATCH_RULE_NOT_FOUND")
    await refused(room.rule(ignore=True), "INVALID_ARGUMENT")
    await refused(room.rule(text_contains="abc", ignore=True, customer_id="cus_1"), "INVALID_ARGUMENT")
    await refused(room.rule(text_contains="abc", customer_id="cus_9"), "CUSTOMER_NOT_FOUND")


async def test_a_line_is_ignored_assigned_and_still_matched_later(room: LedgerRoom) -> None:
    room.till.invoices.add("inv_1", 10_000)
    await room.load("100.00;Somebody;;no idea")
    line = (await room.one()).line
    assigned = await room.stub.AssignBankLine(
        pb.AssignBankLineRequest(bank_line_id=line.bank_line_id, assignee="Ann"), metadata=room.staff()
    )
    assert assigned.line.assignee == "Ann"
    request = pb.IgnoreBankLineRequest(bank_line_id=line.bank_line_id, reason="private")
    ignored = await room.stub.IgnoreBankLine(request, metadata=room.staff())
    assert (ignored.line.status, ignored.line.note) == (pb.BANK_LINE_STATUS_IGNORED, "private")
    matched = await room.match(line.bank_line_id, {"inv_1": 10_000})
    assert matched.line.status == pb.BANK_LINE_STATUS_MATCHED


async def test_what_waits_has_an_age_in_the_organizations_days_and_is_listed_oldest_first(
    room: LedgerRoom,
) -> None:
    today, room.today = room.today, room.today.replace(day=1)
    await room.load("1.00;Old;;x")
    room.today = today
    await room.load("2.00;New;;y", "3.00;New;;z")
    first = await room.stub.ListBankLines(
        pb.ListBankLinesRequest(status=pb.BANK_LINE_STATUS_UNMATCHED, page_size=2), metadata=room.staff()
    )
    assert first.lines[0].amount.minor_units == 100
    assert first.lines[0].age_days == (today - today.replace(day=1)).days
    rest = await room.lines(
        status=pb.BANK_LINE_STATUS_UNMATCHED, page_size=2, page_token=first.next_page_token
    )
    assert len(rest) == 1
    overview = await room.overview()
    assert overview.unmatched_lines == 3
    assert overview.oldest_age_days == (today - today.replace(day=1)).days
    assert [(each.minor_units, each.currency) for each in overview.unmatched] == [(600, "USD")]


async def test_another_organization_sees_nothing(room: LedgerRoom) -> None:
    await room.load("100.00;Somebody;;no idea")
    async with room.till.db.read("org_other") as tx:
        for table in ("bank_lines", "bank_matches", "match_rules", "payouts", "payout_lines"):
            assert (await tx.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0
