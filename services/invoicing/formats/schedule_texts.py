"""What stands on the lines that schedules make, in the customer's language."""

from collections.abc import Mapping
from typing import Final

from services.invoicing.domain.invoice_draft import LineDraft
from services.invoicing.domain.schedule_billing import NoteKind, PlannedInvoice, PlannedLine

_NOTES: Final[Mapping[str, Mapping[NoteKind, str]]] = {
    "en": {
        NoteKind.PRORATED: "{line} ({part} of {whole} days)",
        NoteKind.CORRECTION: "{line} (more than billed for the period)",
        NoteKind.CREDIT: "{line} (credit for the period)",
    },
    "de": {
        NoteKind.PRORATED: "{line} ({part} von {whole} Tagen)",
        NoteKind.CORRECTION: "{line} (mehr als für den Zeitraum berechnet)",
        NoteKind.CREDIT: "{line} (Gutschrift für den Zeitraum)",
    },
    "ar": {
        NoteKind.PRORATED: "{line} ({part} من {whole} يومًا)",
        NoteKind.CORRECTION: "{line} (فرق عن المفوتر للفترة)",
        NoteKind.CREDIT: "{line} (رصيد عن الفترة)",
    },
}


def description_of(line: PlannedLine, locale: str) -> str:
    """The description, with a note where the line is not simply quantity times price."""
    notes = _NOTES.get(locale.replace("_", "-").partition("-")[0].lower(), _NOTES["en"])
    pattern = notes.get(line.note, "{line}")
    return pattern.format(line=line.line.description, part=line.part_days, whole=line.whole_days)


def line_drafts(planned: PlannedInvoice, locale: str) -> list[LineDraft]:
    """The lines as an invoice is asked for."""
    return [
        LineDraft(
            item_id=line.line.item_id or "",
            description=description_of(line, locale),
            quantity=line.quantity,
            unit_price=line.unit_price,
            tax_rate_percent=line.line.tax_rate_percent,
            period_start=line.period_start,
            period_end=line.period_end,
        )
        for line in planned.lines
    ]
