"""Payments with their attempt: begun, read and settled in one statement each."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from chassis.caller import Call
from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.ids import new_id
from chassis.ledger import Entry
from chassis.money import Money
from services.payments.domain.attempt import Attempt
from services.payments.domain.case import Case, Organization
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Method, Part, Payment
from services.payments.store import statements


async def begin(tx: WriteTx, payment: Payment, attempt: Attempt | None) -> Case:
    """Write a new payment with its parts and attempt; one that waits has none. Returns it with its organization."""
    params = _new_payment(tx, payment)
    if attempt is None:
        row = (await tx.execute(statements.BEGIN_WAITING, params)).one()
    else:
        row = (await tx.execute(statements.BEGIN, params | _new_attempt(attempt))).one()
    named = replace(payment, customer_name=row.customer_name or "")
    return Case(
        organization=organization_of(tx.organization_id, row),
        payment=named,
        attempt=attempt,
        waiting_payment_ids=tuple(row.waiting_payment_ids),
    )


def new_row(tx: WriteTx, payment: Payment, attempt: Attempt) -> dict[str, Any]:
    """Parameters of the statements that write an attempt for the first time."""
    return _new_payment(tx, payment) | _new_attempt(attempt)


async def waiting_at_page(tx: ReadTx, customer_id: str, invoice_ids: Sequence[str]) -> list[str]:
    """The customer's payments that wait at the provider's page and hold one of these invoices, the newest first."""
    params = {
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        "invoice_ids": list(invoice_ids),
    }
    return [row.payment_id for row in await tx.execute(statements.WAITING_AT_PAGE, params)]


async def load(tx: ReadTx, payment_id: str) -> Case:
    """A payment of this organization; NOT_FOUND."""
    found = await find(tx, payment_id)
    if found is None:
        raise not_found("payment")
    return found


async def find(tx: ReadTx, payment_id: str) -> Case | None:
    """A payment of this organization, if there is one."""
    params = {"organization_id": tx.organization_id, "payment_id": payment_id}
    row = (await tx.execute(statements.LOAD, params)).first()
    return None if row is None else to_case(tx.organization_id, row)


async def find_by_attempt(tx: ReadTx, attempt_id: str) -> Case | None:
    """The payment that an attempt of this organization belongs to."""
    params = {"organization_id": tx.organization_id, "attempt_id": attempt_id}
    row = (await tx.execute(statements.LOAD_BY_ATTEMPT, params)).first()
    return None if row is None else to_case(tx.organization_id, row)


async def save(
    tx: WriteTx,
    payment: Payment,
    attempt: Attempt | None,
    *,
    entry: Entry | None,
    review_reason: str,
    key: Call | None,
) -> Payment | None:
    """Write a payment's next version with everything that belongs to it, in one statement.

    When it succeeds, a receipt number is drawn and `entry` posted (none if only credit was used).
    With `key` that call's idempotency key is finished. None, and nothing written, if somebody else has
    changed the payment since.
    """
    params = saved_row(tx, payment, attempt, entry=entry, key=key) | {
        "review_reason": review_reason,
        "received": payment.status is Status.SUCCEEDED and payment.receipt_no is None,
    }
    row = (await tx.execute(statements.SAVE if key is None else statements.SAVE_AND_FINISH, params)).first()
    return None if row is None else with_receipt(payment, row.receipt_no)


def saved_row(
    tx: WriteTx, payment: Payment, attempt: Attempt | None, *, entry: Entry | None, key: Call | None
) -> dict[str, Any]:
    """Parameters of the statements that write a payment's next version."""
    return _change(tx, payment, attempt) | _entry(entry) | _key(key) | {"review_reason": ""}


async def insert_received(
    tx: WriteTx, payment: Payment, entry: Entry | None, *, external_reference: str | None = None
) -> Payment | None:
    """Write money that came another way, with receipt and ledger entry. None if it is known already."""
    params = _new_payment(tx, payment) | _entry(entry) | {
        "external_reference": external_reference,
        "note": payment.note, "received_on": payment.received_on, "finished_at": payment.finished_at,
    }  # fmt: skip
    row = (await tx.execute(statements.INSERT_RECEIVED, params)).first()
    return None if row is None else with_receipt(payment, row.receipt_no)


async def change_sums(tx: WriteTx, payment: Payment) -> None:
    """Write another sum than was asked for, with what each invoice gets of it. After `save`, under its lock."""
    params = {
        "organization_id": tx.organization_id,
        "payment_id": payment.payment_id,
        "amount": payment.amount.minor_units,
        "surcharge": payment.surcharge_minor_units,
        "prepayment": payment.prepayment_minor_units,
        "invoice_ids": [part.invoice_id for part in payment.parts],
        "part_amounts": [part.amount.minor_units for part in payment.parts],
    }
    await tx.execute(statements.CHANGE_SUMS, params)


async def note_numbers(tx: WriteTx, payment: Payment) -> None:
    """Keep the invoices' numbers of a payment that was settled before they were known."""
    await tx.execute(statements.NUMBERS, {"organization_id": tx.organization_id, **_numbers(payment)})


async def note_attempt(tx: WriteTx, attempt: Attempt) -> None:
    """Keep the provider's reference and the next check of an attempt whose state is as before."""
    await tx.execute(
        statements.NOTE_ATTEMPT,
        {
            "organization_id": tx.organization_id,
            "attempt_id": attempt.attempt_id,
            "provider_reference": attempt.provider_reference,
            "next_check_at": attempt.next_check_at,
        },
    )


async def keep_note(tx: WriteTx, payment_id: str, note: str) -> None:
    """What somebody said about a payment."""
    params = {"organization_id": tx.organization_id, "payment_id": payment_id, "note": note}
    await tx.execute(statements.KEEP_NOTE, params)


async def note_saved_method(tx: WriteTx, payment_id: str, payment_method_id: str) -> None:
    """Keep which method was saved with a payment."""
    params = {
        "organization_id": tx.organization_id,
        "payment_id": payment_id,
        "payment_method_id": payment_method_id,
    }
    await tx.execute(statements.NOTE_SAVED_METHOD, params)


async def forget_key(tx: WriteTx, call: Call) -> None:
    """Free an idempotency key whose request was refused: the same form may be tried again later."""
    await tx.execute(statements.FORGET_KEY, {"organization_id": tx.organization_id, **_key(call)})


async def organization(tx: ReadTx) -> Organization:
    """What is known of the transaction's organization."""
    row = (await tx.execute(statements.ORGANIZATION, {"organization_id": tx.organization_id})).first()
    return organization_of(tx.organization_id, row)


def to_case(organization_id: str, row: Row[Any]) -> Case:
    """A row of the common columns."""
    return Case(
        organization=organization_of(organization_id, row),
        payment=to_payment(row),
        attempt=None if row.attempt_id is None else _attempt(row),
    )


def organization_of(organization_id: str, row: Row[Any] | None) -> Organization:
    """A row of an organization's columns; bare where nothing is known of it."""
    if row is None or row.time_zone is None:
        return Organization(organization_id=organization_id)
    return Organization(
        organization_id=organization_id,
        name=row.organization_name,
        time_zone=row.time_zone,
        locale=row.locale,
        address_lines=tuple(row.address_lines),
        tax_id=row.tax_id,
        contact_email=row.contact_email,
        primary_color=row.primary_color,
    )


def to_payment(row: Row[Any]) -> Payment:
    """A row of the common columns of a payment."""
    return Payment(
        payment_id=row.payment_id,
        customer_id=row.customer_id,
        status=Status(row.status),
        amount=Money(row.amount_minor_units, row.currency),
        parts=tuple(
            Part(invoice_id, Money(units, row.currency), number, expected_version)
            for invoice_id, units, number, expected_version in zip(
                row.invoice_ids or (),
                row.part_amounts or (),
                row.invoice_numbers or (),
                row.expected_versions or (),
                strict=True,
            )
        ),
        method=Method(row.method),
        method_summary=row.method_summary,
        return_url=row.return_url,
        redirect_url=row.redirect_url,
        failure_code=row.failure_code,
        initiated_by=row.initiated_by,
        note=row.note,
        receipt_no=row.receipt_no,
        received_on=row.received_on,
        created_at=row.created_at,
        finished_at=row.finished_at,
        version=row.version,
        events=row.events,
        customer_name=row.customer_name or "",
        credit_used_minor_units=row.credit_used_minor_units,
        surcharge_minor_units=row.surcharge_minor_units,
        prepayment_minor_units=row.prepayment_minor_units,
        refunded_minor_units=row.refunded_minor_units,
        disputed_minor_units=row.disputed_minor_units,
        chargeback_lost=row.chargeback_lost,
        return_code=row.return_code,
        returned_at=row.returned_at,
        scheduled_for=row.scheduled_for,
        starts_at=row.starts_at,
        expected_on=row.expected_on,
        payment_method_id=row.payment_method_id,
        saved_payment_method_id=row.saved_payment_method_id,
        save_method=row.payment_saves_method,
        on_behalf_of=row.on_behalf_of,
        source=row.source,
    )


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        attempt_id=row.attempt_id,
        payment_id=row.payment_id,
        provider=row.provider,
        state=Status(row.state),
        amount=Money(row.attempt_amount, row.currency),
        provider_reference=row.provider_reference,
        is_hosted=row.is_hosted,
        card_token=row.card_token,
        created_at=row.attempt_created_at,
        next_check_at=row.next_check_at,
        checks=row.checks,
        kind=row.kind,
        wallet=row.wallet,
        method_token=row.method_token,
        customer_token=row.customer_token,
        save_method=row.save_method,
        off_session=row.off_session,
    )


def with_receipt(payment: Payment, receipt_no: int | None) -> Payment:
    """The same with the number that was drawn for it."""
    return payment if receipt_no is None else replace(payment, receipt_no=receipt_no)


def _new_payment(tx: WriteTx, payment: Payment) -> dict[str, Any]:
    return {
        "organization_id": tx.organization_id,
        "payment_id": payment.payment_id,
        "customer_id": payment.customer_id,
        "status": payment.status.value,
        "amount": payment.amount.minor_units,
        "currency": payment.amount.currency,
        "method": payment.method.value,
        "method_summary": payment.method_summary,
        "return_url": payment.return_url,
        "initiated_by": payment.initiated_by,
        "credit_used": payment.credit_used_minor_units,
        "surcharge": payment.surcharge_minor_units,
        "prepayment": payment.prepayment_minor_units,
        "scheduled_for": payment.scheduled_for,
        "starts_at": payment.starts_at,
        "payment_method_id": payment.payment_method_id,
        "payment_saves_method": payment.save_method,
        "on_behalf_of": payment.on_behalf_of,
        "source": payment.source,
        "created_at": payment.created_at,
        "now": tx.now(),
        "events": payment.events,
        "invoice_ids": [part.invoice_id for part in payment.parts],
        "part_amounts": [part.amount.minor_units for part in payment.parts],
        "numbers": [part.invoice_number for part in payment.parts],
        "expected_versions": [part.expected_version for part in payment.parts],
    }


def _new_attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt_id": attempt.attempt_id,
        "provider": attempt.provider,
        "is_hosted": attempt.is_hosted,
        "card_token": attempt.card_token,
        "attempt_created_at": attempt.created_at,
        "next_check_at": attempt.next_check_at,
        "kind": attempt.kind,
        "wallet": attempt.wallet,
        "method_token": attempt.method_token,
        "customer_token": attempt.customer_token,
        "save_method": attempt.save_method,
        "off_session": attempt.off_session,
    }


def _change(tx: WriteTx, payment: Payment, attempt: Attempt | None) -> dict[str, Any]:
    return {
        "organization_id": tx.organization_id,
        "now": tx.now(),
        "expected_version": payment.version - 1,
        "version": payment.version,
        "events": payment.events,
        "status": payment.status.value,
        "method_summary": payment.method_summary,
        "redirect_url": payment.redirect_url,
        "failure_code": payment.failure_code,
        "received_on": payment.received_on,
        "finished_at": payment.finished_at,
        "expected_on": payment.expected_on,
        "starts_at": payment.starts_at if payment.status.is_waiting else None,
        "attempt_id": attempt.attempt_id if attempt is not None else "",
        "provider_reference": attempt.provider_reference if attempt is not None else None,
        "next_check_at": attempt.next_check_at if attempt is not None else None,
        "is_live": payment.status.is_live,
        **_numbers(payment),
    }


def _numbers(payment: Payment) -> dict[str, Any]:
    return {
        "payment_id": payment.payment_id,
        "invoice_ids": [part.invoice_id for part in payment.parts],
        "numbers": [part.invoice_number for part in payment.parts],
    }


def _entry(entry: Entry | None) -> dict[str, Any]:
    lines = entry.lines if entry is not None else ()
    occurred_at: datetime | None = entry.occurred_at if entry is not None else None
    return {
        "has_entry": entry is not None,
        "entry_id": new_id("ent"),
        "entry_source": entry.source if entry is not None else "",
        "entry_kind": entry.kind if entry is not None else "",
        "occurred_at": occurred_at,
        "accounts": [line.account for line in lines],
        "owners": [line.owner for line in lines],
        "currencies": [line.amount.currency for line in lines],
        "sides": [line.side.value for line in lines],
        "line_amounts": [line.amount.minor_units for line in lines],
    }


def _key(call: Call | None) -> dict[str, Any]:
    if call is None:
        return {}
    return {"principal": call.actor, "key_method": call.method, "key": call.idempotency_key}
