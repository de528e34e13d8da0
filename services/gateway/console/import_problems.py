"""What is wrong with rows of files, in the reader's language, by the codes of the import."""

from collections.abc import Mapping

from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from tallyport.invoicing.v1.imports_pb2 import ImportError as RowProblem

_SENTENCES: Mapping[str, str] = {
    "empty": _("This cell must not be empty."),
    "too_long": _("This is longer than %(most)s characters. Shorten it."),
    "not_email": _("%(text)s is not an e-mail address."),
    "date_in_two_ways": _("%(text)s may be day/month or month/day. Say how dates are written in this file."),
    "not_date_ymd": _("%(text)s is not a date, written year-month-day, such as 2026-03-31."),
    "not_date_dmy": _("%(text)s is not a date, written day/month/year, such as 31/03/2026."),
    "not_date_mdy": _("%(text)s is not a date, written month/day/year, such as 03/31/2026."),
    "not_currency": _("%(text)s is not a currency, such as EUR."),
    "amount_in_two_ways": _(
        "%(text)s can be read in two ways. Say whether a point or a comma comes before cents."
    ),
    "not_amount": _("%(text)s is not an amount of %(currency)s, such as %(example)s."),
    "not_number": _("%(text)s is not a number."),
    "not_yes_or_no": _("%(text)s is neither yes nor no."),
    "not_country": _("%(text)s is not a country, such as DE or Germany."),
    "not_tax_id": _("%(text)s is not a tax id of its country. Check it, or leave it empty."),
    "no_tax_code": _("There is no tax code %(text)s. Enter it among the tax rates first."),
    "day_too_far": _("%(text)s is too long ago or too far away."),
    "not_tax_rate": _("%(text)s is not a tax rate, such as 19 or 8.875."),
    "not_days": _("Days to pay are a whole number from 0 to %(most)s."),
    "not_unit": _("%(text)s is not a known unit. Use a code such as C62 or HUR."),
    "due_before_invoice": _("The due date is before the invoice date."),
    "not_positive": _("The amount must be more than zero."),
    "negative": _("This must not be less than zero."),
    "is_settled": _("This invoice was settled. Import it as history."),
    "is_open": _("A part of this invoice is still open. Import it as an open invoice."),
    "settled_before_invoice": _("The settled date is before the invoice date."),
    "settled_in_future": _("The settled date is in the future; leave it empty until then."),
    "paid_too_much": _("More was paid than the invoice comes to."),
    "sums_differ": _("The amount, what was paid of it and what is open do not fit together."),
    "twice": _("%(text)s is in line %(line)s already. Remove one."),
    "number_taken": _("Another invoice has this number."),
    "credited_before_invoice": _("The credit note is older than its invoice."),
    "in_future": _("This day is in the future."),
    "no_such_invoice": _("There is no invoice with this number. Import the invoices first."),
}


def problem_words(problem: RowProblem) -> str:
    """The service's own English sentence for what has no code, or one that is not known here yet."""
    sentence = _SENTENCES.get(problem.code)
    if sentence is None:
        return problem.message
    try:
        return gettext(sentence) % dict(problem.params)
    except KeyError:
        return problem.message
