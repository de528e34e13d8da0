"""All that wants a payment's money back, read and written under the lock of the payment's row."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.payments.domain.case import Case
from services.payments.domain.chargeback import Return
from services.payments.domain.payment import Payment
from services.payments.domain.reversal import ReversalKind, Standing, Steps, Taking
from services.payments.store import cases, chargebacks, refunds


@dataclass(frozen=True, slots=True)
class Sums:
    """How a payment's sums change, and how many news are told of it."""

    refunded: Money
    recredited: Money
    disputed: Money
    news: int


async def lock(tx: WriteTx, payment_id: str) -> tuple[Case, Standing]:
    """The payment and what is known of its reversals; nobody else changes them until this transaction ends.

    PAYMENT_NOT_FOUND.
    """
    await tx.execute(_LOCK, {"organization_id": tx.organization_id, "payment_id": payment_id})
    case = await cases.load(tx, payment_id)
    return case, await read(tx, case.payment)


async def read(tx: ReadTx, payment: Payment) -> Standing:
    """The same without the lock, for looking."""
    params = {"organization_id": tx.organization_id, "payment_id": payment.payment_id}
    returned = (await tx.execute(_RETURN, params)).first()
    return Standing(
        payment_id=payment.payment_id,
        customer_id=payment.customer_id,
        amount=payment.amount,
        surcharge=payment.surcharge,
        refunds=tuple(await refunds.of_payment(tx, payment.payment_id)),
        returned=None if returned is None else Return(
            return_id=returned.return_id, code=returned.code, returned_at=returned.returned_at
        ),
        chargebacks=tuple(await chargebacks.of_payment(tx, payment.payment_id)),
        takings=tuple(_taking(row) for row in await tx.execute(_TAKINGS, params)),
    )  # fmt: skip


async def insert_return(tx: WriteTx, payment_id: str, returned: Return) -> None:
    """Write a returned debit."""
    await tx.execute(
        _INSERT_RETURN,
        {
            "organization_id": tx.organization_id,
            "return_id": returned.return_id,
            "payment_id": payment_id,
            "code": returned.code,
            "returned_at": returned.returned_at,
            "now": tx.now(),
        },
    )


async def write_steps(tx: WriteTx, payment_id: str, steps: Steps) -> None:
    """Note what was given back and what was taken."""
    base = {"organization_id": tx.organization_id, "now": tx.now()}
    for taking in steps.given_back:
        await tx.execute(_GIVE_BACK, base | {"reversal_id": taking.reversal_id})
    if steps.taken:
        await tx.execute(_TAKE, [base | _row(payment_id, taking) for taking in steps.taken])


async def change_sums(tx: WriteTx, payment_id: str, sums: Sums, returned: Return | None) -> Payment | None:
    """Move a payment's sums and count its news. None, and nothing written, if more would be refunded than is left."""
    row = await tx.execute(
        _CHANGE,
        {
            "organization_id": tx.organization_id,
            "payment_id": payment_id,
            "refunded": sums.refunded.minor_units,
            "recredited": sums.recredited.minor_units,
            "disputed": sums.disputed.minor_units,
            "news": sums.news,
            "return_code": returned.code if returned is not None else "",
            "returned_at": returned.returned_at if returned is not None else None,
        },
    )
    return None if row.first() is None else (await cases.load(tx, payment_id)).payment


async def reverse_receipt(tx: WriteTx, payment: Payment, returned: Return) -> None:
    """Issue the counter-document that takes a payment's receipt back; once."""
    await tx.execute(
        _REVERSE_RECEIPT,
        {
            "organization_id": tx.organization_id,
            "receipt_no": payment.receipt_no,
            "payment_id": payment.payment_id,
            "return_id": returned.return_id,
            "now": tx.now(),
        },
    )


async def entry_id(tx: ReadTx, source: str, source_id: str, kind: str) -> str | None:
    """The ledger entry of a cause, to be named by the one that corrects it."""
    params = {"organization_id": tx.organization_id, "source": source, "source_id": source_id, "kind": kind}
    row = (await tx.execute(_ENTRY, params)).first()
    return None if row is None else str(row.entry_id)


def _taking(row: Row[Any]) -> Taking:
    return Taking(
        reversal_id=row.reversal_id,
        kind=ReversalKind(row.kind),
        cause_id=row.cause_id,
        claim=Money(row.claim_minor_units, row.currency),
        amount=Money(row.amount_minor_units, row.currency),
        surcharge=Money(row.surcharge_minor_units, row.currency),
        is_live=row.given_back_at is None,
    )


def _row(payment_id: str, taking: Taking) -> dict[str, Any]:
    return {
        "reversal_id": taking.reversal_id,
        "payment_id": payment_id,
        "kind": taking.kind.value,
        "cause_id": taking.cause_id,
        "claim": taking.claim.minor_units,
        "amount": taking.amount.minor_units,
        "surcharge": taking.surcharge.minor_units,
        "currency": taking.amount.currency,
    }


_OF = "WHERE organization_id = :organization_id AND payment_id = :payment_id"
_LOCK = text(f"SELECT 1 FROM payments {_OF} FOR UPDATE")  # noqa: S608
_RETURN = text(f"SELECT return_id, code, returned_at FROM returns {_OF}")  # noqa: S608
_TAKINGS = text(
    "SELECT reversal_id, kind, cause_id, claim_minor_units, amount_minor_units, surcharge_minor_units, currency,"  # noqa: S608
    f" given_back_at FROM reversals {_OF} ORDER BY taken_at, reversal_id"
)
_INSERT_RETURN = text(
    "INSERT INTO returns (organization_id, return_id, payment_id, code, returned_at, noted_at)"
    " VALUES (:organization_id, :return_id, :payment_id, :code, :returned_at, :now)"
)
_GIVE_BACK = text(
    "UPDATE reversals SET given_back_at = :now"
    " WHERE organization_id = :organization_id AND reversal_id = :reversal_id AND given_back_at IS NULL"
)
_TAKE = text("""
    INSERT INTO reversals (
        organization_id, reversal_id, payment_id, kind, cause_id, claim_minor_units, amount_minor_units,
        surcharge_minor_units, currency, taken_at
    ) VALUES (
        :organization_id, :reversal_id, :payment_id, :kind, :cause_id, :claim, :amount, :surcharge, :currency, :now
    )
""")
# What leaves and what the bank has taken is bounded here, whatever was worked out before.
_CHANGE = text(f"""
    UPDATE payments
    SET refunded_minor_units = refunded_minor_units + :refunded,
        recredited_minor_units = recredited_minor_units + :recredited,
        disputed_minor_units = disputed_minor_units + :disputed,
        return_code = CASE WHEN return_code = '' THEN :return_code ELSE return_code END,
        returned_at = coalesce(returned_at, :returned_at),
        version = version + 1, events = events + :news
    {_OF} AND (CAST(:refunded AS bigint) <= 0
               OR refunded_minor_units + disputed_minor_units + :refunded <= amount_minor_units)
    RETURNING 1
""")  # noqa: S608
_REVERSE_RECEIPT = text("""
    INSERT INTO receipt_reversals (organization_id, receipt_no, payment_id, return_id, issued_at)
    VALUES (:organization_id, :receipt_no, :payment_id, :return_id, :now)
    ON CONFLICT DO NOTHING
""")
_ENTRY = text(
    "SELECT entry_id FROM ledger_entries WHERE organization_id = :organization_id AND source = :source"
    " AND source_id = :source_id AND kind = :kind"
)
