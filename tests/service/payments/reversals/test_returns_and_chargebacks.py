"""Banks take money back: the books follow, the receipt is reversed, and nothing is lost when it comes again."""

import io
from dataclasses import replace
from itertools import permutations
from random import Random

import pypdf
import pytest

from chassis.caller import call_scope, service_call
from chassis.errors import ServiceError
from services.payments.domain.outcome import DisputeState, MethodView, Outcome, Status
from services.payments.domain.payment import Method
from services.payments.domain.refund import RefundStatus
from services.payments.domain.saved_method import State
from services.payments.operations.answer_chargeback import accept_chargeback, submit_evidence
from services.payments.operations.get_receipt import get_receipt
from services.payments.operations.settle_refund import settle_refund
from services.payments.providers import RefundOutcome, RefundState
from services.payments.store import payment_methods, policies
from services.payments.translate.payments import shown_status
from tallyport.payments.v1 import events_pb2, payments_pb2
from tests.service.payments.reversals.counter import Counter, usd


async def returned_debit(counter: Counter, code: str = "R01", **more: object) -> str:
    case = await counter.paid({"inv_1": 5_000}, method=Method.BANK_DEBIT, **more)
    await counter.hear(case, counter.provider.give_back(case.at_provider.attempt_id, code))
    return case.payment.payment_id


async def test_a_late_return_takes_the_payment_back_whole_with_the_fee_of_the_policy(
    counter: Counter,
) -> None:
    async with counter.db.write(counter.organization_id) as tx:
        policy = replace(await policies.policy(tx), return_fee=usd(1_500), version=1)
        assert await policies.replace_policy(tx, policy)
    payment_id = await returned_debit(counter, surcharge=40)
    payment = (await counter.case(payment_id)).payment
    assert (payment.status, payment.return_code) == (Status.SUCCEEDED, "R01")
    told = events_pb2.PaymentReversed.FromString((await counter.told(payment_id, "PaymentReversed"))[0])
    assert told.kind == events_pb2.REVERSAL_KIND_RETURN
    assert (told.whole, told.amount.minor_units, told.surcharge.minor_units) == (True, 5_040, 40)
    assert (told.fee.minor_units, told.reason) == (1_500, "R01")
    for account in ("customer_funds", "provider_clearing", "surcharge_income"):
        assert await counter.balance(account) == 0
    await counter.check_books()


async def test_a_return_heard_again_changes_nothing(counter: Counter) -> None:
    payment_id = await returned_debit(counter)
    case = await counter.case(payment_id)
    await counter.hear(case, counter.provider.outcomes[case.at_provider.attempt_id])
    assert await counter.news(payment_id) == ["PaymentSucceeded", "PaymentReversed"]
    await counter.check_books()


async def test_a_debit_that_comes_back_before_it_settled_has_only_failed(counter: Counter) -> None:
    case = await counter.begun({"inv_1": 1_000}, method=Method.BANK_DEBIT)
    after = await counter.hear(case, Outcome(status=Status.FAILED, failure_code="R01", return_code="R01"))
    assert (after.payment.status, after.payment.failure_code) == (Status.FAILED, "R01")
    assert await counter.rows("SELECT 1 FROM ledger_entries") == []
    assert await counter.news(case.payment.payment_id) == ["PaymentFailed"]
    await counter.check_books()


async def saved_account(counter: Counter, token: str = "pm_1") -> str:
    view = MethodView(
        method_token=token, customer_token="cu_1", kind="bank_debit", brand="ACH", last_digits="6789",
        fingerprint="fp_1",
    )  # fmt: skip
    with call_scope(service_call("payments", counter.organization_id)):
        async with counter.db.write(counter.organization_id) as tx:
            return await payment_methods.remember(
                tx, view, customer_id="cus_1", provider=counter.provider.name, accepted_by="Ada"
            )


async def state_of(counter: Counter, payment_method_id: str) -> State:
    async with counter.db.read(counter.organization_id) as tx:
        method = await payment_methods.find(tx, payment_method_id)
    assert method is not None
    return method.stored_state


@pytest.mark.parametrize(
    ("code", "after"),
    [*((code, State.REVOKED) for code in ("R02", "R07", "R10", "R29", "MD01", "MD06", "debit_not_authorized")),
     ("R01", State.ACTIVE), ("AM04", State.ACTIVE), ("insufficient_funds", State.ACTIVE)],
)  # fmt: skip
async def test_a_return_of_a_revoked_mandate_ends_the_saved_account(
    counter: Counter, code: str, after: State
) -> None:
    saved = await saved_account(counter)
    await returned_debit(counter, code, method_token="pm_1")
    assert await state_of(counter, saved) is after
    await counter.check_books()


async def test_a_return_ends_the_account_even_if_its_token_was_renewed_since(counter: Counter) -> None:
    saved = await saved_account(counter)
    case = await counter.paid({"inv_1": 5_000}, method=Method.BANK_DEBIT, payment_method_id=saved)
    assert await saved_account(counter, "pm_2") == saved
    await counter.hear(case, counter.provider.give_back(case.at_provider.attempt_id, "R10"))
    assert await state_of(counter, saved) is State.REVOKED


async def test_a_debit_that_the_holder_refuses_at_once_ends_the_saved_account(counter: Counter) -> None:
    saved = await saved_account(counter)
    case = await counter.begun({"inv_1": 1_000}, method=Method.BANK_DEBIT, payment_method_id=saved)
    await counter.hear(case, Outcome(status=Status.FAILED, failure_code="debit_not_authorized"))
    assert await state_of(counter, saved) is State.REVOKED


async def test_the_receipt_of_a_returned_debit_is_reversed_by_a_counter_receipt(counter: Counter) -> None:
    payment_id = await returned_debit(counter)
    with call_scope(counter.as_staff("k", "Payments/GetReceiptPdf")):
        first, second = (
            await get_receipt(counter.desk, payment_id),
            await get_receipt(counter.desk, payment_id),
        )
    text = pypdf.PdfReader(io.BytesIO(first.content)).pages[0].extract_text()
    assert "Reversed receipt\nR-000001-S" in text
    assert "takes receipt R-000001 back" in text.replace("\n", " ")
    assert first.content == second.content
    assert first.file_name == "receipt-R-000001-S.pdf"


async def test_a_return_that_nobody_told_is_found_by_asking_every_day(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000}, method=Method.BANK_DEBIT)
    await counter.later(hours=25)
    assert counter.provider.lookups == 1
    await counter.later(hours=1)
    assert counter.provider.lookups == 1
    for _ in range(38):
        await counter.later(hours=25)
    counter.provider.give_back(case.at_provider.attempt_id, "R10")
    await counter.later(hours=25)
    assert (await counter.case(case.payment.payment_id)).payment.return_code == "R10"
    await counter.check_books()


async def test_a_debit_is_watched_for_seventy_days_and_then_left_alone(counter: Counter) -> None:
    await counter.paid({"inv_1": 5_000}, method=Method.BANK_DEBIT)
    for _ in range(75):
        await counter.later(hours=25)
    asked = counter.provider.lookups
    assert 60 < asked <= 70
    await counter.later(days=10)
    assert counter.provider.lookups == asked
    assert await counter.rows("SELECT 1 FROM payment_watches") == []


async def test_a_chargeback_moves_the_books_when_opened_and_back_when_won(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    attempt_id, payment_id = case.at_provider.attempt_id, case.payment.payment_id
    await counter.hear(case, counter.provider.dispute(attempt_id, "dp_1", DisputeState.OPEN, usd(5_000)))
    assert (await counter.case(payment_id)).payment.disputed_minor_units == 5_000
    assert await counter.balance("customer_funds") == 0
    assert await counter.balance("chargeback_fees") == 1_500
    assert await counter.balance("provider_clearing") == -1_500
    await counter.check_books()
    await counter.hear(
        case, counter.provider.dispute(attempt_id, "dp_1", DisputeState.WON, usd(5_000), fee_units=0)
    )
    assert await counter.balance("provider_clearing") == 5_000
    assert await counter.news(payment_id) == ["PaymentSucceeded", "PaymentReversed", "PaymentReinstated"]
    assert (await counter.case(payment_id)).payment.disputed_minor_units == 0
    await counter.check_books()


async def test_a_chargeback_lost_in_part_keeps_only_that_part(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000}, surcharge=100)
    attempt_id = case.at_provider.attempt_id
    await counter.hear(case, counter.provider.dispute(attempt_id, "dp_1", DisputeState.OPEN, usd(5_100)))
    disputed = (await counter.case(case.payment.payment_id)).payment
    assert shown_status(disputed) == payments_pb2.PAYMENT_STATUS_DISPUTED
    await counter.hear(case, counter.provider.dispute(attempt_id, "dp_1", DisputeState.LOST, usd(2_550)))
    lost = (await counter.case(case.payment.payment_id)).payment
    assert (lost.disputed_minor_units, shown_status(lost)) == (
        2_550,
        payments_pb2.PAYMENT_STATUS_CHARGED_BACK,
    )
    assert await counter.balance("surcharge_income") == -50
    await counter.check_books()


async def test_evidence_is_sent_and_an_accepted_chargeback_is_lost_at_once(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    await counter.hear(
        case, counter.provider.dispute(case.at_provider.attempt_id, "dp_1", DisputeState.OPEN, usd(5_000))
    )
    chargeback_id = (await counter.standing(case.payment.payment_id)).chargebacks[0].chargeback_id
    with call_scope(counter.as_staff("k1", "Chargebacks/SubmitEvidence")):
        answered = await submit_evidence(counter.desk, chargeback_id, "They signed for it.")
        again = await submit_evidence(counter.desk, chargeback_id, "They signed for it.")
    assert (answered.state, answered.evidence) == (DisputeState.UNDER_REVIEW, "They signed for it.")
    assert again == answered
    with call_scope(counter.as_staff("k2", "Chargebacks/AcceptChargeback")):
        lost = await accept_chargeback(counter.desk, chargeback_id)
    assert lost.state is DisputeState.LOST
    with call_scope(counter.as_staff("k3", "Chargebacks/AcceptChargeback")):
        with pytest.raises(ServiceError) as caught:
            await accept_chargeback(counter.desk, chargeback_id)
    assert caught.value.reason == "CHARGEBACK_CLOSED"
    await counter.check_books()


async def test_a_silent_provider_leaves_the_chargeback_and_the_key_as_they_were(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    await counter.hear(
        case, counter.provider.dispute(case.at_provider.attempt_id, "dp_1", DisputeState.OPEN, usd(5_000))
    )
    chargeback_id = (await counter.standing(case.payment.payment_id)).chargebacks[0].chargeback_id
    counter.provider.silent = True
    with call_scope(counter.as_staff("k1", "Chargebacks/AcceptChargeback")):
        with pytest.raises(ServiceError) as caught:
            await accept_chargeback(counter.desk, chargeback_id)
        assert caught.value.reason == "PROVIDER_UNAVAILABLE"
        counter.provider.silent = False
        assert (await accept_chargeback(counter.desk, chargeback_id)).state is DisputeState.LOST


async def test_a_debit_refunded_in_part_that_comes_back_is_owed_again_for_that_part(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000}, method=Method.BANK_DEBIT)
    await counter.refund(case.payment.payment_id, 2_000)
    await counter.hear(case, counter.provider.give_back(case.at_provider.attempt_id, "R01"))
    assert await counter.balance("gone_twice") == 2_000
    assert await counter.balance("provider_clearing") == -2_000
    assert await counter.balance("customer_funds") == 0
    await counter.check_books()


EVENTS = ("opened", "won", "returned", "refund succeeded", "refund failed")


async def _end_of(counter: Counter, order: tuple[str, ...]) -> tuple[object, ...]:
    case = await counter.paid({"inv_1": 5_000}, surcharge=70, method=Method.BANK_DEBIT)
    counter.provider.refund_result = RefundState.PROCESSING
    refund = await counter.refund(case.payment.payment_id, 1_700)
    paid = counter.provider.outcomes[case.at_provider.attempt_id]
    for event in order:
        if event.startswith("refund"):
            state = RefundState.SUCCEEDED if event.endswith("succeeded") else RefundState.FAILED
            with call_scope(counter.as_staff("any", "any")):
                await settle_refund(counter.desk, counter.organization_id, refund, RefundOutcome(state=state))
        elif event == "returned":
            await counter.hear(case, replace(paid, return_code="R10"))
        else:
            state_of = DisputeState.OPEN if event == "opened" else DisputeState.WON
            said = counter.provider.dispute(
                case.at_provider.attempt_id,
                f"dp_{case.payment.payment_id}",
                state_of,
                usd(3_000),
                fee_units=0,
            )
            await counter.hear(case, replace(paid, disputes=said.disputes))
    await counter.check_books()
    standing = await counter.standing(case.payment.payment_id)
    payment = (await counter.case(case.payment.payment_id)).payment
    return (
        payment.refunded, payment.disputed, payment.return_code, standing.funds, standing.refunds[0].status,
        tuple(one.state for one in standing.chargebacks),
        sorted((one.kind, one.amount.minor_units, one.surcharge.minor_units) for one in standing.wanted()),
    )  # fmt: skip


async def test_a_sample_of_orders_ends_alike_in_the_database_too(counter: Counter) -> None:
    orders = Random(7).sample(list(permutations(EVENTS)), 24)
    ends = [await _end_of(counter, order) for order in orders]
    assert all(end == ends[0] for end in ends)
    assert ends[0][4] is RefundStatus.FAILED
