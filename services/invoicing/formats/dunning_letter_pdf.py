"""The letter of a reminder as a PDF, in the language of its text."""

from datetime import UTC
from typing import Any

from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.dunning import Notice
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.transfer_slip import TransferSlip
from services.invoicing.formats import paper
from services.invoicing.formats.wording import Writer

__all__ = ["document", "dunning_letter_pdf", "file_name_of"]


def file_name_of(notice: Notice) -> str:
    """A name that every file system takes."""
    return paper.file_name("reminder", f"{notice.invoice_number}-{notice.level}", notice.notice_id)


async def dunning_letter_pdf(
    notice: Notice,
    invoice: Invoice,
    organization: Organization,
    customer: Customer,
    *,
    fee: Money | None,
    slip: TransferSlip | None = None,
) -> bytes:
    """The document; the same notice and slip give the same bytes."""
    data = document(notice, invoice, organization, customer, fee=fee, slip=slip)
    issued_at = organization.start_of(notice.issued_on).astimezone(UTC)
    return await paper.print_paper("dunning_letter.typ", data, at=issued_at)


def document(
    notice: Notice,
    invoice: Invoice,
    organization: Organization,
    customer: Customer,
    *,
    fee: Money | None,
    slip: TransferSlip | None = None,
) -> dict[str, Any]:
    """Everything the template shows, as texts of the reader's locale."""
    writer = Writer(organization, notice.locale, customer.locale)
    return paper.letterhead(organization, writer, title=f"{notice.title} {notice.invoice_number}") | {
        "to": paper.party(customer.as_buyer(), writer),
        "kind": notice.title,
        "number": notice.invoice_number,
        "date": writer.day(notice.issued_on),
        "invoice_date": writer.day(invoice.invoice_date),
        "due_date": writer.day(invoice.due_date),
        "deadline": writer.day(notice.deadline_on),
        "amount": writer.money(notice.amount),
        "fee": "" if fee is None else writer.money(fee),
        "fee_name": notice.title,
        "besides": _besides(notice, writer),
        "due": writer.money(invoice.due),
        "transfer": paper.transfer(slip) if slip is not None else None,
        "text": notice.text,
        "is_in_words": writer.language == notice.locale.replace("_", "-").partition("-")[0].lower(),
        "how_to_pay": _how_to_pay(notice, organization, writer, has_slip=slip is not None),
    }


def _how_to_pay(notice: Notice, organization: Organization, writer: Writer, *, has_slip: bool) -> list[str]:
    """Sentences about paying, in the reader's language."""
    told = [writer.word("letter_pay_online", seller=organization.display_name)]
    if not has_slip:
        told.append(writer.word("quote_number", number=notice.invoice_number))
    if email := organization.contact_email:
        phone = organization.contact_phone
        told.append(writer.word("questions_or_call" if phone else "questions", email=email, phone=phone))
    return told


def _besides(notice: Notice, writer: Writer) -> dict[str, str] | None:
    """Principal, interest and fees apart, as the law wants to see them; nothing where nothing is owed besides."""
    nothing = Money.zero(notice.amount.currency)
    interest, fees = notice.interest or nothing, notice.fees or nothing
    if (interest + fees).is_zero:
        return None
    return {
        "interest": "" if interest.is_zero else writer.money(interest),
        "fees": "" if fees.is_zero else writer.money(fees),
        "together": writer.money(notice.amount + interest + fees),
    }
