"""Follow what becomes of an e-invoice: take what its receiver says, and decide about a rejection."""

from chassis import audit
from chassis.caller import Audience, current_call
from chassis.database import Database, ReadTx, WriteTx
from chassis.errors import Kind, ServiceError, not_found
from chassis.ids import new_id
from services.invoicing.domain.einvoice_status import NEEDS_ANSWER, PREFIX, Code, EInvoice, Status
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE, must_see_family_invoice
from services.invoicing.store import einvoices as store
from services.invoicing.store.invoices import get_invoice
from services.invoicing.translate import einvoices as translate
from tallyport.invoicing.v1 import einvoices_pb2 as pb

_WORDS = {
    Code.ACKNOWLEDGED: "received",
    Code.IN_PROCESS: "in_process",
    Code.UNDER_QUERY: "queried",
    Code.CONDITIONALLY_ACCEPTED: "accepted",
    Code.REJECTED: "rejected",
    Code.ACCEPTED: "accepted",
    Code.PAID: "paid",
}


async def report_einvoice_status(
    db: Database, request: pb.ReportEInvoiceStatusRequest
) -> pb.ReportEInvoiceStatusResponse:
    """Keep a report. DOCUMENT_NOT_FOUND; E_INVOICE_STATUS_TAKEN if its external id is that of another report."""
    call = current_call()

    async def work(tx: WriteTx) -> pb.ReportEInvoiceStatusResponse:
        status = translate.from_proto_report(request, tx.now(), call.caller.subject_name or "")
        document = await store.find_document(tx, request.document)
        if document is None:
            raise not_found("document")
        is_new = await store.claim_status(tx, document.document_id, status)
        if not is_new:
            known_document, known = await store.get_status(tx, status.external_id)
            if known_document != document.document_id or not known.says_the_same(status):
                raise ServiceError(
                    Kind.ALREADY_EXISTS, "E_INVOICE_STATUS_TAKEN", "Another report has this external id."
                )
        changed = is_new and await _take(tx, document, status)
        return pb.ReportEInvoiceStatusResponse(
            einvoice=await _view(tx, document), already_known=not is_new, changed=changed
        )

    return await db.run_write(call.organization_id, work)


async def _take(tx: WriteTx, document: store.SentDocument, status: Status) -> bool:
    """Whether the news are newer than what is known."""
    first = EInvoice(
        einvoice_id=new_id(PREFIX), document_id=document.document_id, number=document.number,
        invoice_id=document.invoice_id, customer_id=document.customer_id, code=status.code,
        occurred_at=status.occurred_at, last_external_id=status.external_id,
        waits=status.code in NEEDS_ANSWER,
    )  # fmt: skip
    after: EInvoice | None = first
    if not await store.insert_einvoice(tx, first):
        before = await store.lock_einvoice(tx, document.document_id)
        assert before is not None
        after = before.heard(status)
        if after is not None:
            await store.update_einvoice(tx, after)
    reason = "; ".join(status.reason_words())[:500]
    if after is None:
        audit.record(tx, "einvoice.reported_late", document.document_id, reason=reason)
        return False
    translate.einvoice_changed(tx, after, status)
    audit.record(tx, f"einvoice.{_WORDS[status.code]}", document.document_id, reason=reason)
    return True


async def uphold_einvoice(db: Database, document_id: str, reason: str) -> pb.EInvoice:
    """Let it stand as it is; reminders go on. DOCUMENT_NOT_FOUND, E_INVOICE_NOT_WAITING."""
    call = current_call()

    async def work(tx: WriteTx) -> pb.EInvoice:
        document = await store.find_document(tx, document_id)
        before = await store.lock_einvoice(tx, document.document_id) if document else None
        if document is None or before is None:
            raise not_found("document")
        after = before.upheld(tx.now(), by_name=call.caller.subject_name or "", reason=reason)
        await store.update_einvoice(tx, after)
        _, status = await store.get_status(tx, after.last_external_id)
        translate.einvoice_upheld(tx, after, status)
        audit.record(tx, "einvoice.upheld", document.document_id, reason=reason)
        return await _view(tx, document)

    return await db.run_write(call.organization_id, work)


async def get_einvoice(db: Database, document_id: str) -> pb.EInvoice:
    """For those who see the document. DOCUMENT_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        document = await store.find_document(tx, document_id)
        if document is None:
            raise not_found("document")
        try:
            await must_see_family_invoice(tx, await get_invoice(tx, document.invoice_id))
        except ServiceError:
            raise not_found("document") from None
        return await _view(tx, document)


async def list_einvoices(
    db: Database, *, waiting: bool, page_size: int, page_token: str
) -> pb.ListEInvoicesResponse:
    """For staff."""
    async with db.read(current_call().organization_id) as tx:
        found, token = await store.list_einvoices(
            tx, waiting=waiting, page_size=page_size or DEFAULT_PAGE_SIZE, page_token=page_token
        )
        return pb.ListEInvoicesResponse(
            einvoices=[translate.to_proto_einvoice(one, [last], for_staff=True) for one, last in found],
            next_page_token=token,
            waiting=await store.count_waiting(tx),
        )


async def _view(tx: ReadTx, document: store.SentDocument) -> pb.EInvoice:
    """All that the caller may see of it; of one that nobody reported on, just what it is."""
    found = await store.get_einvoice(tx, document.document_id)
    if found is None:
        return pb.EInvoice(
            document_id=document.document_id, number=document.number, invoice_id=document.invoice_id,
            customer_id=document.customer_id,
        )  # fmt: skip
    statuses = await store.statuses_of(tx, document.document_id)
    for_staff = current_call().caller.audience is Audience.STAFF
    return translate.to_proto_einvoice(found, statuses, for_staff=for_staff)
