"""Automatic payments do what the payer set, on the day, never unannounced, and never against their will."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from chassis.errors import ServiceError
from services.payments.operations.run_autopay import act_on_runs
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import autopay_pb2 as pb
from tallyport.payments.v1 import events_pb2, payments_pb2, policies_pb2
from tests.service.payments.paying.counter import rule, set_policy
from tests.service.payments.saved.house import SAVED_BUT_DECLINED, House

FAR = date(2031, 3, 10)


async def with_autopay(house: House, *, number: str = "4242424242424242", **wanted: object) -> str:
    """A card and autopay two weeks before an invoice of 5,000 is due; the card's id."""
    await house.go_to(FAR - timedelta(days=14))
    house.till.invoices.add("inv_1", 5_000)
    house.till.invoices.by_id["inv_1"].due_date = FAR.isoformat()
    card = (await house.save_card(number)).payment_method.payment_method_id
    await house.set_autopay(card, **{"notice_days": 3, **wanted})
    return str(card)


async def test_an_invoice_is_announced_in_time_and_paid_on_its_day_with_one_charge(house: House) -> None:
    await with_autopay(house, days_before_due=2)
    planned = await house.run()
    assert planned.status == pb.AUTOPAY_RUN_STATUS_PLANNED
    assert planned.pay_on == "2031-03-08"
    await house.go_to("2031-03-04", hour=23)
    assert not await house.told(events_pb2.AutopayAnnounced)
    await house.go_to("2031-03-05", hour=1)
    await house.tick()
    (announced,) = await house.told(events_pb2.AutopayAnnounced)
    assert (announced.amount.minor_units, announced.pay_on) == (5_000, "2031-03-08")
    assert list(announced.invoice_numbers) == ["INV-0001"]
    assert announced.method_summary.endswith("4242")
    await house.go_to("2031-03-08", hour=8)
    assert not (await house.run()).payment_id
    await house.go_to("2031-03-08", hour=9)
    await house.tick()
    started = await house.run()
    assert started.status == pb.AUTOPAY_RUN_STATUS_PAID
    payment = await house.till.get(started.payment_id)
    assert payment.status == payments_pb2.PAYMENT_STATUS_SUCCEEDED
    assert len(await house.till.bank.charges(started.payment_id)) == 1
    house.till.invoices.settle(started.payment_id)
    await house.go_to("2031-04-30")
    assert len(await house.runs()) == 1
    await house.till.check_books()


@pytest.mark.parametrize(("last_day", "units"), [(9, 4_900), (8, 4_900), (7, 5_000)])
async def test_who_pays_early_is_told_of_and_charged_the_discounted_sum(
    house: House, last_day: int, units: int
) -> None:
    await with_autopay(house, days_before_due=2)
    invoice = house.till.invoices.by_id["inv_1"]
    invoice.discounted = 4_900
    invoice.discount_ends_at = datetime(2031, 3, last_day + 1, 5, tzinfo=UTC)
    await house.go_to("2031-03-05", hour=1)
    (announced,) = await house.told(events_pb2.AutopayAnnounced)
    assert (announced.amount.minor_units, announced.parts[0].amount.minor_units) == (units, units)
    await house.go_to("2031-03-08")
    started = await house.run()
    assert (started.pay_on, started.amount.minor_units) == ("2031-03-08", units)
    (charge,) = await house.till.bank.charges(started.payment_id)
    assert charge["amount_minor_units"] == units
    assert (started.status, started.paid.minor_units) == (pb.AUTOPAY_RUN_STATUS_PAID, units)
    assert [one.paid.minor_units for one in started.invoices] == [units]


async def test_a_day_of_the_month_pays_whatever_is_due_until_then_with_one_charge(house: House) -> None:
    await house.go_to("2031-02-20")
    for number, (due, units) in enumerate([("2031-02-25", 100), ("2031-03-05", 200), ("2031-03-06", 400)]):
        house.till.invoices.add(f"inv_{number}", units)
        house.till.invoices.by_id[f"inv_{number}"].due_date = due
    card = (await house.save_card()).payment_method.payment_method_id
    await house.set_autopay(card, day_of_month=5)
    assert [(run.pay_on, run.amount.minor_units) for run in await house.runs()] == [
        ("2031-03-05", 300),
        ("2031-04-05", 400),
    ]
    await house.go_to("2031-03-05")
    await house.tick()
    (paid,) = [run for run in await house.runs() if run.payment_id]
    (charge,) = await house.till.bank.charges(paid.payment_id)
    assert charge["amount_minor_units"] == 300


async def test_credit_goes_first_and_only_the_rest_is_charged(house: House) -> None:
    await with_autopay(house)
    house.till.invoices.credit["cus_1"] = 1_200
    await house.go_to("2031-03-07", hour=1)
    await house.go_to("2031-03-10")
    run = await house.run()
    payment = await house.till.get(run.payment_id)
    assert payment.amount.minor_units == 3_800
    assert payment.credit_used.minor_units == 1_200


async def test_credit_that_covers_everything_is_used_and_nothing_is_charged(house: House) -> None:
    await with_autopay(house)
    house.till.invoices.credit["cus_1"] = 9_000
    await house.go_to("2031-03-07", hour=1)
    await house.go_to("2031-03-10")
    payment = await house.till.get((await house.run()).payment_id)
    assert payment.status == payments_pb2.PAYMENT_STATUS_SUCCEEDED
    assert (payment.amount.minor_units, payment.credit_used.minor_units) == (0, 5_000)
    assert not await house.till.bank.charges(payment.payment_id)


async def test_a_surcharge_is_announced_with_the_sum_and_credit_that_may_not_be_used_is_left_alone(
    house: House,
) -> None:
    await set_policy(house.till, rule(charge=policies_pb2.CHARGE_KIND_ADD, percent="2"))
    await with_autopay(house)
    house.till.invoices.credit["cus_1"] = 1_000
    await house.go_to("2031-03-07", hour=1)
    (announced,) = await house.told(events_pb2.AutopayAnnounced)
    assert announced.amount.minor_units == 5_100
    await house.go_to("2031-03-10")
    payment = await house.till.get((await house.run()).payment_id)
    assert (payment.amount.minor_units, payment.surcharge.minor_units) == (5_100, 100)
    assert len(await house.told(events_pb2.AutopayAnnounced)) == 1


async def test_a_surcharge_that_rose_since_the_announcement_is_announced_anew(house: House) -> None:
    await with_autopay(house)
    await house.go_to("2031-03-07", hour=1)
    await set_policy(house.till, rule(charge=policies_pb2.CHARGE_KIND_ADD, percent="2"))
    await house.go_to("2031-03-10")
    assert not await house.till.rows("SELECT 1 FROM payments")
    first, second = await house.told(events_pb2.AutopayAnnounced)
    assert (first.amount.minor_units, second.amount.minor_units) == (5_000, 5_100)
    assert second.pay_on == "2031-03-13"
    await house.go_to("2031-03-13")
    assert (await house.run()).status == pb.AUTOPAY_RUN_STATUS_PAID


async def test_what_is_disputed_or_paid_meanwhile_drops_out(house: House) -> None:
    await with_autopay(house)
    house.till.invoices.add("inv_2", 700)
    house.till.invoices.by_id["inv_2"].due_date = FAR.isoformat()
    await house.go_to("2031-03-07", hour=1)
    house.till.invoices.by_id["inv_1"].disputed = True
    await house.go_to("2031-03-10")
    runs = await house.runs()
    assert sorted(run.status for run in runs) == [
        pb.AUTOPAY_RUN_STATUS_CANCELED,
        pb.AUTOPAY_RUN_STATUS_PAID,
    ]
    (paid,) = [run for run in runs if run.payment_id]
    assert (await house.till.get(paid.payment_id)).amount.minor_units == 700


async def test_a_limit_in_a_currency_in_which_nothing_is_invoiced_is_refused(house: House) -> None:
    with pytest.raises(ServiceError) as refused:
        await with_autopay(house, cap=money_pb2.Money(minor_units=4_999, currency="JPY"))
    assert [(one.field, one.code) for one in refused.value.fields] == [("cap.currency", "currency")]


async def test_over_the_cap_it_asks_and_charges_nothing_until_the_payer_agrees(house: House) -> None:
    await with_autopay(house, cap=money_pb2.Money(minor_units=4_999, currency="USD"))
    await house.go_to("2031-03-07", hour=1)
    (announced,) = await house.told(events_pb2.AutopayAnnounced)
    assert announced.needs_confirmation
    await house.go_to("2031-03-20")
    run = await house.run()
    assert run.status == pb.AUTOPAY_RUN_STATUS_NEEDS_CONFIRMATION
    assert not run.payment_id
    await house.autopay.ConfirmAutopay(pb.ConfirmAutopayRequest(run_id=run.run_id), metadata=house.by())
    await house.tick()
    assert len(await house.till.bank.charges((await house.run()).payment_id)) == 1


async def test_turning_it_off_a_second_before_the_start_is_honoured(house: House) -> None:
    await with_autopay(house)
    await house.go_to("2031-03-07", hour=1)
    await house.go_to("2031-03-10", hour=8)
    house.till.clock.advance(seconds=3_598)
    settings = await house.autopay.TurnOffAutopay(pb.TurnOffAutopayRequest(), metadata=house.by())
    assert not settings.enabled
    await house.go_to("2031-03-12")
    assert (await house.run()).status == pb.AUTOPAY_RUN_STATUS_CANCELED
    assert not await house.till.rows("SELECT 1 FROM payments")


async def test_turning_it_off_while_the_payment_is_being_prepared_is_honoured(house: House) -> None:
    await with_autopay(house)
    await house.go_to("2031-03-07", hour=1)
    await house.go_to("2031-03-10", hour=8)
    house.till.clock.advance(seconds=3_700)
    invoices, ask = house.till.desk.reservations, house.till.desk.reservations.due

    async def turned_off_meanwhile(*args: object, **more: object) -> object:
        answer = await ask(*args, **more)  # type: ignore[arg-type]
        await house.autopay.TurnOffAutopay(pb.TurnOffAutopayRequest(), metadata=house.by())
        return answer

    invoices.due = turned_off_meanwhile  # type: ignore[method-assign, assignment]
    await act_on_runs(house.till.desk)
    assert not await house.till.rows("SELECT 1 FROM payments")
    assert (await house.run()).status == pb.AUTOPAY_RUN_STATUS_CANCELED


async def test_a_skipped_payment_is_left_out_until_it_is_taken_back(house: House) -> None:
    await with_autopay(house)
    run = await house.run()
    request = pb.SkipAutopayRequest(run_id=run.run_id)
    skipped = await house.autopay.SkipAutopay(request, metadata=house.by())
    assert skipped.status == pb.AUTOPAY_RUN_STATUS_SKIPPED
    await house.go_to("2031-03-20")
    assert not await house.till.rows("SELECT 1 FROM payments")
    back = await house.autopay.SkipAutopay(request, metadata=house.by())
    assert back.status == pb.AUTOPAY_RUN_STATUS_PLANNED
    await house.tick()
    (announced,) = await house.told(events_pb2.AutopayAnnounced)
    assert announced.pay_on == "2031-03-23"
    await house.go_to("2031-03-23")
    assert (await house.run()).status == pb.AUTOPAY_RUN_STATUS_PAID
    with pytest.raises(ServiceError, match="AUTOPAY_RUN_CLOSED"):
        await house.autopay.SkipAutopay(request, metadata=house.by())
    with pytest.raises(ServiceError, match="AUTOPAY_RUN_NOT_FOUND"):
        await house.autopay.SkipAutopay(request, metadata=house.by(customer_id="cus_2"))


async def test_a_pause_holds_payments_back_until_its_day(house: House) -> None:
    await with_autopay(house)
    await house.autopay.PauseAutopay(pb.PauseAutopayRequest(until="2031-04-01"), metadata=house.by())
    await house.go_to("2031-03-31")
    assert not await house.told(events_pb2.AutopayAnnounced)
    await house.go_to("2031-04-01")
    (announced,) = await house.told(events_pb2.AutopayAnnounced)
    assert announced.pay_on == "2031-04-04"
    await house.go_to("2031-04-04")
    assert (await house.run()).status == pb.AUTOPAY_RUN_STATUS_PAID


async def test_a_declined_card_is_tried_four_times_and_each_time_the_payer_hears_when_next(
    house: House,
) -> None:
    await with_autopay(house, number=SAVED_BUT_DECLINED)
    await house.go_to("2031-03-07", hour=1)
    for day in ("2031-03-10", "2031-03-11", "2031-03-13", "2031-03-17", "2031-03-18", "2031-04-20"):
        await house.go_to(day)
    run = await house.run()
    assert run.status == pb.AUTOPAY_RUN_STATUS_FAILED
    assert (run.tries, run.failure_code) == (4, "card_declined")
    told = await house.told(events_pb2.AutopayFailed)
    assert [one.next_try_on for one in told] == ["2031-03-11", "2031-03-13", "2031-03-17", ""]
    payments = await house.till.rows("SELECT status FROM payments")
    assert [row.status for row in payments] == ["failed"] * 4


async def test_a_removed_card_fails_for_good_and_a_provider_that_is_away_does_not_count(house: House) -> None:
    await with_autopay(house)
    await house.go_to("2031-03-07", hour=1)
    await house.till.bank.fault("decline", house.till.organization_id)
    await house.go_to("2031-03-10")
    assert (await house.run()).status == pb.AUTOPAY_RUN_STATUS_RETRYING
    await house.till.execute("UPDATE payment_methods SET expiry_year = 2030")
    await house.go_to("2031-03-11")
    run = await house.run()
    assert (run.status, run.failure_code) == (pb.AUTOPAY_RUN_STATUS_FAILED, "payment_method_not_usable")


async def test_invoicing_that_is_away_only_delays(house: House) -> None:
    await with_autopay(house)
    await house.go_to("2031-03-07", hour=1)
    house.till.invoices.away = True
    await house.go_to("2031-03-10")
    house.till.invoices.away = False
    assert (await house.run()).status == pb.AUTOPAY_RUN_STATUS_PLANNED
    house.till.clock.advance(minutes=11)
    await house.tick()
    assert (await house.run()).status == pb.AUTOPAY_RUN_STATUS_PAID


async def test_an_invoice_that_somebody_pays_by_hand_just_then_is_looked_at_again_and_counts_no_try(
    house: House,
) -> None:
    await with_autopay(house)
    await house.go_to("2031-03-07", hour=1)
    reservations, ask = house.till.desk.reservations, house.till.desk.reservations.due

    async def held_meanwhile(*args: object, **more: object) -> object:
        answer = await ask(*args, **more)  # type: ignore[arg-type]
        house.till.invoices.by_id["inv_1"].held["pay_other"] = 5_000
        return answer

    await house.go_to("2031-03-10", hour=8)
    house.till.clock.advance(seconds=3_700)
    reservations.due = held_meanwhile  # type: ignore[method-assign, assignment]
    await act_on_runs(house.till.desk)
    run = await house.run()
    assert (run.status, run.tries, run.failure_code) == (pb.AUTOPAY_RUN_STATUS_PLANNED, 0, "")
    assert not await house.told(events_pb2.AutopayFailed)
    reservations.due = ask  # type: ignore[method-assign]
    house.till.invoices.by_id["inv_1"].held.clear()
    house.till.clock.advance(minutes=61)
    await house.tick()
    assert (await house.run()).status == pb.AUTOPAY_RUN_STATUS_PAID


async def test_a_new_bank_account_is_not_debited_before_it_has_cooled_off(house: House) -> None:
    await house.go_to(FAR - timedelta(days=1))
    house.till.invoices.add("inv_1", 5_000)
    house.till.invoices.by_id["inv_1"].due_date = FAR.isoformat()
    account = (await house.save_account()).payment_method.payment_method_id
    await house.set_autopay(account)
    await house.go_to(FAR, hour=9)
    await house.tick()
    assert not await house.till.rows("SELECT 1 FROM payments")
    await house.go_to(FAR, hour=12)
    await house.tick()
    run = await house.run()
    assert run.status == pb.AUTOPAY_RUN_STATUS_STARTED
    assert (await house.till.get(run.payment_id)).status == payments_pb2.PAYMENT_STATUS_PROCESSING


async def test_terms_are_kept_with_every_version_and_only_what_was_asked_for_is_paid(house: House) -> None:
    card = await with_autopay(house, scope=pb.AUTOPAY_SCOPE_CHOSEN, prefixes=["BOAT"])
    assert not await house.runs()
    settings = await house.set_autopay(card, days_before_due=1)
    assert settings.version == 2
    assert "Harbor" in settings.terms
    assert settings.terms_language == "en"
    assert settings.agreed_by == "per_1"
    assert len(await house.runs()) == 1
    kept = await house.till.rows("SELECT version, terms FROM autopay_settings ORDER BY version")
    assert [row.version for row in kept] == [1, 2]
    assert "BOAT" in kept[0].terms


async def test_it_stays_off_for_whoever_never_agreed(house: House) -> None:
    card = (await house.save_card()).payment_method.payment_method_id
    request = pb.SetAutopayRequest(payment_method_id=card)
    with pytest.raises(ServiceError):
        await house.autopay.SetAutopay(request, metadata=house.by(key=uuid.uuid4().hex))
    settings = await house.autopay.GetAutopay(pb.GetAutopayRequest(), metadata=house.by())
    assert (settings.enabled, settings.version) == (False, 0)
