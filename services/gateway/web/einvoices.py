"""What became of e-invoices, in words."""

from collections.abc import Iterable
from typing import Any, Final

from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from services.gateway.web.page import Page
from services.gateway.web.statuses import Status
from tallyport.invoicing.v1.einvoices_pb2 import (
    EInvoice,
    EInvoiceClarification,
    EInvoiceCode,
    GetEInvoiceRequest,
)

_C = EInvoiceCode
_CODES = {
    _C.E_INVOICE_CODE_ACKNOWLEDGED: (_("Arrived"), "check-circle", "info"),
    _C.E_INVOICE_CODE_IN_PROCESS: (_("Being processed"), "clock", "info"),
    _C.E_INVOICE_CODE_UNDER_QUERY: (_("The receiver asks something"), "info", "warn"),
    _C.E_INVOICE_CODE_CONDITIONALLY_ACCEPTED: (_("Accepted under a condition"), "half", "good"),
    _C.E_INVOICE_CODE_REJECTED: (_("Rejected"), "cross-circle", "bad"),
    _C.E_INVOICE_CODE_ACCEPTED: (_("Accepted"), "check-circle", "good"),
    _C.E_INVOICE_CODE_PAID: (_("Payment ordered"), "payments", "good"),
}
_READERS = {
    _C.E_INVOICE_CODE_ACKNOWLEDGED: _("Your system has received this invoice."),
    _C.E_INVOICE_CODE_IN_PROCESS: _("Your system is processing this invoice."),
    _C.E_INVOICE_CODE_UNDER_QUERY: _(
        "Your system has a question about this invoice. We are looking into it."
    ),
    _C.E_INVOICE_CODE_CONDITIONALLY_ACCEPTED: _("Your system has accepted this invoice under a condition."),
    _C.E_INVOICE_CODE_REJECTED: _("Your system has rejected this invoice. We are looking into it."),
    _C.E_INVOICE_CODE_ACCEPTED: _("Your system has accepted this invoice."),
    _C.E_INVOICE_CODE_PAID: _("Your system says that this invoice is being paid."),
}
_UPHELD: Final = _("Your system has rejected this invoice. We have looked into it, and it stands as it is.")
_CLARIFICATIONS = {
    "REF": _("References are wrong or missing"),
    "LEG": _("Legal information is wrong or missing"),
    "REC": _("It went to the wrong receiver"),
    "QUA": _("Quality is not as agreed"),
    "DEL": _("Something about the delivery is wrong"),
    "PRI": _("Prices are wrong"),
    "QTY": _("Quantities are wrong"),
    "ITM": _("Items are wrong"),
    "PAY": _("Payment terms are wrong"),
    "UNR": _("It is not recognized"),
    "FIN": _("The finance terms are wrong"),
    "PPD": _("It is paid in part already"),
    "PIN": _("Provide what is missing"),
    "NIN": _("Issue a new invoice"),
    "CNF": _("Credit all of it"),
    "CNP": _("Credit a part of it"),
    "CNA": _("Credit the amount"),
}


def einvoice_status(code: "EInvoiceCode.ValueType") -> Status:
    """What the receiver said."""
    word, icon, tone = _CODES.get(code, (_("Unknown"), "info", "neutral"))
    return Status(gettext(word), icon, tone)


def clarification_words(clarifications: Iterable[EInvoiceClarification]) -> list[str]:
    """What the receiver wrote, else what the code means."""
    words = (
        one.text or (gettext(_CLARIFICATIONS[one.code]) if one.code in _CLARIFICATIONS else "")
        for one in clarifications
    )
    return [word for word in words if word]


def reader_sentence(einvoice: EInvoice) -> str:
    """Where it stands, said to whoever received it; empty when nothing is known."""
    if einvoice.HasField("upheld_at"):
        return gettext(_UPHELD)
    return gettext(_READERS[einvoice.code]) if einvoice.code in _READERS else ""


async def get_einvoice(page: Page, document_id: str) -> EInvoice:
    """With all that was reported."""
    return await page.call(page.to.einvoices.GetEInvoice, GetEInvoiceRequest(document_id=document_id))


WORDS: Final[dict[str, Any]] = {
    "einvoice_status": einvoice_status,
    "clarification_words": clarification_words,
    "reader_sentence": reader_sentence,
}
"""What the templates say."""
