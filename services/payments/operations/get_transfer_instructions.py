"""Tells a payer where to transfer to, and by which reference the money will be found."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.caller import Audience, Call, current_call
from chassis.database import ReadTx
from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.bank_account import BankAccount
from services.payments.domain.creditor_reference import (
    for_people,
    reference_of_customer,
    reference_of_invoice,
)
from services.payments.domain.due_item import DueItem
from services.payments.domain.epc_qr import epc_payload, epc_svg
from services.payments.domain.failure import refusal
from services.payments.domain.payment import Method
from services.payments.store import bank_accounts, copies, policies
from services.payments.translate.payments import to_proto_money
from tallyport.payments.v1 import transfers_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipInvoice:
    """An invoice as its document says it."""

    invoice_id: str
    number: str
    customer_id: str
    amount_due: Money


async def get_transfer_instructions(
    desk: Desk, invoice_ids: Sequence[str]
) -> transfers_pb2.TransferInstructions:
    """Account, reference and sum for invoices of one customer.

    BANK_TRANSFER_NOT_OFFERED without an account in the currency, INVOICE_ALREADY_PAID if nothing is due.
    """
    call = current_call()
    wanted = list(dict.fromkeys(invoice_ids))
    items = await invoices_for(desk, call, wanted)
    amount = total_asked(items)
    if amount.is_zero:
        raise refusal("INVOICE_ALREADY_PAID", {"invoice_id": wanted[0]})
    async with desk.db.read(call.organization_id) as tx:
        account = await _account_for(tx, items[0].customer_id, amount)
    due = [item for item in items if not item.amount_due.is_zero]
    reference = reference_for(due)
    payload = _payload(account, amount, reference)
    return transfers_pb2.TransferInstructions(
        account_holder=account.account_holder,
        iban=account.account_number,
        bic=account.bic,
        bank_name=account.bank_name,
        reference=reference,
        reference_for_people=for_people(reference),
        amount=to_proto_money(amount),
        invoice_ids=[item.invoice_id for item in due],
        epc_qr_payload=payload,
        epc_qr_svg=epc_svg(payload),
    )


async def get_transfer_slip(
    desk: Desk, organization_id: str, invoice: SlipInvoice
) -> transfers_pb2.TransferSlip:
    """The same for one invoice, for its document; invoicing has said what is due."""
    async with desk.db.read(organization_id) as tx:
        account = await _account_for(tx, invoice.customer_id, invoice.amount_due)
    reference = reference_of_invoice(invoice.number, invoice.invoice_id)
    return transfers_pb2.TransferSlip(
        account_holder=account.account_holder,
        iban=account.account_number,
        bic=account.bic,
        bank_name=account.bank_name,
        reference=reference,
        epc_qr_payload=_payload(account, invoice.amount_due, reference),
    )


async def invoices_for(desk: Desk, call: Call, invoice_ids: Sequence[str]) -> list[DueItem]:
    """The invoices in the order asked for, all of one customer whom the caller may see; INVOICE_NOT_FOUND.

    The holder of a pay link sees its invoice only.
    """
    if call.caller.audience is Audience.PAY_LINK and set(invoice_ids) != {call.caller.invoice_id}:
        raise not_found("invoice")
    found = {
        item.invoice_id: item for item in await desk.reservations.invoices(call.organization_id, invoice_ids)
    }
    if set(invoice_ids) - found.keys():
        raise not_found("invoice")
    items = [found[invoice_id] for invoice_id in invoice_ids]
    await _must_see(desk, call, {item.customer_id for item in items})
    if len({item.customer_id for item in items}) > 1:
        raise invalid("invoice_ids", "several_customers", "All invoices must be of one customer.")
    return items


async def _must_see(desk: Desk, call: Call, customer_ids: set[str]) -> None:
    """INVOICE_NOT_FOUND unless the caller may see what these customers owe: their own, or below their own."""
    caller = call.caller
    for customer_id in sorted(customer_ids):
        try:
            call.may_see_customer(customer_id, "invoice")
        except ServiceError:
            if caller.audience is not Audience.CUSTOMER:
                raise
            async with desk.db.read(call.organization_id) as tx:
                owner = await copies.payer(tx, customer_id)
            if owner is None or caller.customer_id not in owner.ancestor_ids:
                raise


def total_asked(items: Sequence[DueItem]) -> Money:
    """What is asked for of them all; all that is due where nothing is asked for now. CURRENCY_MISMATCH."""
    currencies = {item.amount_due.currency for item in items}
    if len(currencies) > 1:
        raise ServiceError(
            Kind.INVALID_ARGUMENT,
            "CURRENCY_MISMATCH",
            "All invoices of one transfer must be in one currency.",
        )
    nothing = Money.zero(currencies.pop())
    asked = sum(
        (item.amount_due if item.asked_now is None else item.asked_now for item in items), start=nothing
    )
    return asked if not asked.is_zero else sum((item.amount_due for item in items), start=nothing)


def reference_for(items: Sequence[DueItem]) -> str:
    """Of the invoice; of the customer when there are several."""
    if len(items) == 1:
        return reference_of_invoice(items[0].number, items[0].invoice_id)
    return reference_of_customer(items[0].customer_id)


async def _account_for(tx: ReadTx, customer_id: str, amount: Money) -> BankAccount:
    """The account shown to payers in that currency, if the policy lets the customer transfer that much."""
    terms = await policies.terms(tx, customer_id)
    for account in await bank_accounts.all_accounts(tx):
        if account.shown_to_payers and account.currency == amount.currency:
            terms.check_amount(terms.rule(Method.BANK_TRANSFER), amount)
            return account
    raise ServiceError(
        Kind.FAILED_PRECONDITION,
        "BANK_TRANSFER_NOT_OFFERED",
        f"Bank transfers in {amount.currency} are not offered. Please choose another way to pay.",
    )


def _payload(account: BankAccount, amount: Money, reference: str) -> str:
    if not account.has_iban:
        return ""
    return epc_payload(
        name=account.account_holder, iban=account.account_number, bic=account.bic,
        amount=amount, reference=reference,
    )  # fmt: skip
