"""Policies of late fees, legal limits, and waiving a fee."""

from dataclasses import replace

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError, invalid
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.credit_note import CreditReason, CreditWish
from services.invoicing.domain.invoice import InvoiceKind
from services.invoicing.domain.late_fee import LateFee, LateFeeCap, LateFeePolicy, PercentPer, Repeat
from services.invoicing.domain.legal_rates import PERCENT
from services.invoicing.operations.issue_credit_note import Why, issue_credit_note
from services.invoicing.store import late_fees
from services.invoicing.store.invoices import get_invoice
from services.invoicing.translate.credit_notes import to_proto_credit_note
from tallyport.invoicing.v1 import credit_notes_pb2 as pb


async def put_late_fee_policy(db: Database, policy: LateFeePolicy) -> LateFeePolicy:
    """Set the policy of a segment and currency. VALIDATION_FAILED for periods without length."""
    if policy.repeat is not Repeat.ONCE and policy.repeat_every < 1:
        raise invalid("policy.repeat_every", "positive", "Say how many days or months a period has.")
    if policy.reference_rate and (
        policy.reference_rate not in PERCENT or policy.percent_per is not PercentPer.YEAR
    ):
        raise invalid(
            "policy.reference_rate",
            "unknown",
            f"A percentage of a year can be added to {', '.join(sorted(PERCENT))}.",
        )

    async def work(tx: WriteTx) -> LateFeePolicy:
        put = await late_fees.put_policy(tx, replace(policy, policy_id=new_id("lfp")))
        audit.record(tx, "late_fee_policy.set", put.policy_id, after=repr(put).encode())
        return put

    return await db.run_write(current_call().organization_id, work)


async def put_late_fee_cap(db: Database, cap: LateFeeCap) -> LateFeeCap:
    """Set what the law of a country allows at most."""

    async def work(tx: WriteTx) -> LateFeeCap:
        await late_fees.put_cap(tx, cap)
        audit.record(tx, "late_fee_cap.set", cap.country, after=repr(cap).encode())
        return cap

    return await db.run_write(current_call().organization_id, work)


async def list_late_fee_policies(db: Database) -> tuple[list[LateFeePolicy], list[LateFeeCap]]:
    """All policies and legal limits."""
    async with db.read(current_call().organization_id) as tx:
        return await late_fees.policies(tx), await late_fees.caps(tx)


async def list_late_fees(db: Database, invoice_id: str) -> list[LateFee]:
    """What became of the periods of an invoice. INVOICE_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        await get_invoice(tx, invoice_id)
        return await late_fees.fees_of(tx, invoice_id)


async def waive_late_fee(db: Database, invoice_id: str, reason: str) -> pb.CreditNote:
    """A credit note on all that is left of a fee. INVOICE_NOT_A_LATE_FEE, LATE_FEE_WAIVED, and what a credit note is
    refused with.
    """

    async def work(tx: WriteTx) -> pb.CreditNote:
        invoice = await get_invoice(tx, invoice_id)
        if invoice.terms.kind is not InvoiceKind.LATE_FEE:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "INVOICE_NOT_A_LATE_FEE", "This invoice is not a late fee.",
                invoice_id=invoice_id,
            )  # fmt: skip
        if invoice.credited == invoice.total and invoice.written_off.is_zero:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "LATE_FEE_WAIVED", "This fee is waived already.",
                invoice_id=invoice_id,
            )  # fmt: skip
        why = Why(CreditReason.FEE_WAIVED, reason)
        note = await issue_credit_note(tx, CreditWish(invoice_id=invoice_id), why)
        return to_proto_credit_note(note)

    return await once(db, pb.CreditNote, work)
