"""The statement of account as a PDF in the customer's language."""

from collections.abc import Mapping
from typing import Any, Final

from services.invoicing.domain.customer import Customer
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.receivables import AGING_BUCKETS, AgingBucket
from services.invoicing.domain.statement import (
    DISPUTED,
    RowKind,
    Statement,
    StatementAccount,
    StatementRow,
)
from services.invoicing.formats import paper
from services.invoicing.formats.wording import Writer

_KINDS: Final[Mapping[str, Mapping[RowKind, str]]] = {
    "en": {
        RowKind.INVOICE: "Invoice", RowKind.FEE: "Fee", RowKind.VOIDED: "Voided invoice",
        RowKind.PAYMENT: "Payment", RowKind.PAID_BACK: "Payment that went back",
        RowKind.REINSTATED: "Payment there again", RowKind.CREDIT_NOTE: "Credit note",
        RowKind.DISCOUNT: "Discount", RowKind.WRITE_OFF: "Written off", RowKind.RECOVERY: "Asked for again",
    },
    "de": {
        RowKind.INVOICE: "Rechnung", RowKind.FEE: "Gebühr", RowKind.VOIDED: "Stornierte Rechnung",
        RowKind.PAYMENT: "Zahlung", RowKind.PAID_BACK: "Zurückgegangene Zahlung",
        RowKind.REINSTATED: "Zahlung wieder da", RowKind.CREDIT_NOTE: "Gutschrift",
        RowKind.DISCOUNT: "Nachlass", RowKind.WRITE_OFF: "Ausgebucht", RowKind.RECOVERY: "Wieder gefordert",
    },
    "fr": {
        RowKind.INVOICE: "Facture", RowKind.FEE: "Frais", RowKind.VOIDED: "Facture annulée",
        RowKind.PAYMENT: "Paiement", RowKind.PAID_BACK: "Paiement retourné",
        RowKind.REINSTATED: "Paiement rétabli", RowKind.CREDIT_NOTE: "Avoir",
        RowKind.DISCOUNT: "Remise", RowKind.WRITE_OFF: "Passé en perte", RowKind.RECOVERY: "Réclamé à nouveau",
    },
    "ar": {
        RowKind.INVOICE: "فاتورة", RowKind.FEE: "رسم", RowKind.VOIDED: "فاتورة ملغاة",
        RowKind.PAYMENT: "دفعة", RowKind.PAID_BACK: "دفعة معادة",
        RowKind.REINSTATED: "دفعة مستعادة", RowKind.CREDIT_NOTE: "إشعار دائن",
        RowKind.DISCOUNT: "خصم", RowKind.WRITE_OFF: "مشطوب", RowKind.RECOVERY: "مطالب به من جديد",
    },
}  # fmt: skip
_DISPUTED: Final = {"en": "Disputed", "de": "Beanstandet", "fr": "Contesté", "ar": "محل اعتراض"}
_OTHER: Final = {
    "en": "On no invoice",
    "de": "Auf keiner Rechnung",
    "fr": "Sur aucune facture",
    "ar": "دون فاتورة",
}


def file_name_of(statement: Statement) -> str:
    """A name that every file system takes."""
    return f"statement-{statement.first_day.isoformat()}-{statement.last_day.isoformat()}.pdf"


async def statement_pdf(statement: Statement, organization: Organization, customer: Customer) -> bytes:
    """The document: one part for each currency, each with what happened, sums and ages."""
    data = document(statement, organization, customer)
    return await paper.print_paper("statement.typ", data, at=statement.created_at)


def document(statement: Statement, organization: Organization, customer: Customer) -> dict[str, Any]:
    """Everything the template shows, as texts of the reader's locale."""
    writer = Writer(organization, customer.locale)
    return paper.letterhead(organization, writer, title=writer.word("statement")) | {
        "to": paper.party(customer.as_buyer(), writer),
        "period": f"{writer.short_day(statement.first_day)} – {writer.short_day(statement.last_day)}",
        "date": writer.day(organization.date_of(statement.created_at)),
        "accounts": [_account(account, statement, writer) for account in statement.accounts],
    }


def _account(account: StatementAccount, statement: Statement, writer: Writer) -> dict[str, Any]:
    standing = account.standing
    in_favour = standing.closing.is_negative
    return {
        "currency": standing.opening.currency,
        "opening": writer.money(standing.opening),
        "charges": writer.money(account.charged),
        "payments": writer.money(account.settled),
        "closing": writer.money(abs(standing.closing)),
        "in_favour": in_favour,
        "to_pay": writer.money(abs(standing.closing if in_favour else account.to_pay)),
        "disputed": None if account.disputed.is_zero else _disputed(account, writer),
        "rows": [_row(row, statement, writer) for row in account.rows],
        "aging": [_age(bucket, writer) for bucket in account.aging if not bucket.amount.is_zero],
    }


def _disputed(account: StatementAccount, writer: Writer) -> str:
    return f"{_DISPUTED[writer.language]}: {writer.money(account.disputed)}"


def _row(row: StatementRow, statement: Statement, writer: Writer) -> dict[str, str]:
    name = statement.names.get(row.customer_id, "") if statement.includes_children else ""
    return {
        "on": writer.short_day(row.on),
        "what": _KINDS[writer.language][row.kind],
        "number": row.number,
        "customer": name,
        "amount": writer.money(row.amount),
        "balance": writer.money(row.balance),
    }


def _age(bucket: AgingBucket, writer: Writer) -> dict[str, str]:
    if bucket.name == DISPUTED:
        name = _DISPUTED[writer.language]
    elif bucket.name not in AGING_BUCKETS:
        name = _OTHER[writer.language]
    elif bucket.name == AGING_BUCKETS[0]:
        name = writer.word("not_due")
    elif bucket.name == AGING_BUCKETS[-1]:
        name = writer.word("days_late_open", **{"from": "90"})
    else:
        first, _, last = bucket.name.partition("-")
        name = writer.word("days_late", **{"from": first, "to": last})
    return {"name": name, "amount": writer.money(bucket.amount)}
