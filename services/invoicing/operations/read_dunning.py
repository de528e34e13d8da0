"""Read where an invoice stands, what was sent, and its letters."""

from chassis.caller import Audience, current_call
from chassis.database import Database, ReadTx
from chassis.errors import ServiceError, not_found
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.dunning import Notice, next_level, obstacles, policy_for
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.organization import Organization
from services.invoicing.formats.dunning_letter_pdf import dunning_letter_pdf, file_name_of
from services.invoicing.operations.dunning_facts import facts_of
from services.invoicing.operations.invoice_paper import read_asked_now
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE, listed_customer_id, must_see_customer
from services.invoicing.payments import FindTransferSlip, no_transfer_slip
from services.invoicing.store import dunning as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import dunning as translate
from tallyport.invoicing.v1 import dunning_pb2 as pb


async def get_dunning_state(db: Database, invoice_id: str) -> pb.DunningState:
    """What was sent, what comes next, and what keeps it from being sent today. INVOICE_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        invoice = await get_invoice(tx, invoice_id)
        customer = await get_customer(tx, invoice.customer_id)
        today = (await get_organization(tx)).date_of(tx.now())
        policy = policy_for(await store.policies(tx), customer.segments)
        sent = await store.notices_of(tx, invoice_id)
        coming = None
        if policy is not None and invoice.is_payable:
            coming = next_level(policy, invoice.due_date, sent[-1] if sent else None)
        state = pb.DunningState(
            invoice_id=invoice_id,
            level=sent[-1].level if sent else 0,
            policy_name=policy.name if policy else "",
            notices=[translate.to_proto_notice(one) for one in sent],
            decisions=[translate.to_proto_decision(one) for one in await store.decisions_of(tx, invoice_id)],
            pauses=[
                translate.to_proto_pause(one)
                for one in await store.pauses_on(tx, customer.customer_id, invoice_id, today)
            ],
        )
        if coming is not None:
            state.next_level, state.next_on = coming[0], max(coming[1], today).isoformat()
            facts = await facts_of(tx, invoice, customer, today)
            state.held_by.extend(one.value for one in obstacles(facts))
        return state


async def list_dunning_pauses(db: Database, customer_id: str) -> list[store.Pause]:
    """Those that hold today, the longest first. CUSTOMER_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        await get_customer(tx, customer_id)
        today = (await get_organization(tx)).date_of(tx.now())
        return await store.pauses_of(tx, customer_id, today)


async def list_dunning_notices(
    db: Database, *, customer_id: str, invoice_id: str, page_size: int, page_token: str
) -> pb.ListDunningNoticesResponse:
    """A page, the newest first; a customer's people get their own or those of a customer below."""
    async with db.read(current_call().organization_id) as tx:
        customer_id = await listed_customer_id(tx, customer_id)
        found, token = await store.list_notices(
            tx, customer_id=customer_id, invoice_id=invoice_id, page_size=page_size or DEFAULT_PAGE_SIZE,
            page_token=page_token,
        )  # fmt: skip
    return pb.ListDunningNoticesResponse(
        notices=[translate.to_proto_notice(one) for one in found], next_page_token=token
    )


async def get_dunning_letter(
    db: Database, organization_id: str, notice_id: str, find_slip: FindTransferSlip = no_transfer_slip
) -> pb.DunningLetterPdf:
    """The letter of a notice as it was sent, with where to pay what is asked for now. DUNNING_NOTICE_NOT_FOUND."""
    async with db.read(organization_id) as tx:
        notice = await store.get_notice(tx, notice_id)
        await _must_see(tx, notice)
        invoice, customer, organization = await _about(tx, notice)
        fee = (await get_invoice(tx, notice.fee_invoice_id)).total if notice.fee_invoice_id else None
        asked = await read_asked_now(tx, invoice)
    slip = await find_slip(organization_id, invoice, asked)
    content = await dunning_letter_pdf(notice, invoice, organization, customer, fee=fee, slip=slip)
    return pb.DunningLetterPdf(content=content, media_type="application/pdf", file_name=file_name_of(notice))


async def _about(tx: ReadTx, notice: Notice) -> tuple[Invoice, Customer, Organization]:
    invoice = await get_invoice(tx, notice.invoice_id)
    return invoice, await get_customer(tx, notice.customer_id), await get_organization(tx)


async def _must_see(tx: ReadTx, notice: Notice) -> None:
    if current_call().caller.audience is not Audience.CUSTOMER:
        return
    try:
        await must_see_customer(tx, notice.customer_id)
    except ServiceError:
        raise not_found("dunning notice") from None
