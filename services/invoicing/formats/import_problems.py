"""What can be wrong with a cell: a code for programs and translators, and a sentence that says what to do."""

from collections.abc import Mapping

PROBLEMS: Mapping[str, str] = {
    "empty": "This cell must not be empty.",
    "too_long": "This is longer than {most} characters. Shorten it.",
    "not_email": "{text} is not an e-mail address.",
    "date_in_two_ways": "{text} may be day/month or month/day. Say how dates are written in this file.",
    "not_date_ymd": "{text} is not a date, written year-month-day, such as 2026-03-31.",
    "not_date_dmy": "{text} is not a date, written day/month/year, such as 31/03/2026.",
    "not_date_mdy": "{text} is not a date, written month/day/year, such as 03/31/2026.",
    "not_currency": "{text} is not a currency, such as EUR.",
    "amount_in_two_ways": "{text} can be read in two ways. Say whether a point or a comma comes before cents.",
    "not_amount": "{text} is not an amount of {currency}, such as {example}.",
    "not_number": "{text} is not a number.",
    "not_yes_or_no": "{text} is neither yes nor no.",
    "not_country": "{text} is not a country, such as DE or Germany.",
    "not_tax_id": "{text} is not a tax id of its country. Check it, or leave it empty.",
    "no_tax_code": "There is no tax code {text}. Enter it among the tax rates first.",
    "day_too_far": "{text} is too long ago or too far away.",
    "not_tax_rate": "{text} is not a tax rate, such as 19 or 8.875.",
    "not_days": "Days to pay are a whole number from 0 to {most}.",
    "not_unit": "{text} is not a known unit. Use a code such as C62 or HUR.",
    "due_before_invoice": "The due date is before the invoice date.",
    "not_positive": "The amount must be more than zero.",
    "negative": "This must not be less than zero.",
    "is_settled": "This invoice was settled. Import it as history.",
    "is_open": "A part of this invoice is still open. Import it as an open invoice.",
    "settled_before_invoice": "The settled date is before the invoice date.",
    "settled_in_future": "The settled date is in the future; leave it empty until then.",
    "paid_too_much": "More was paid than the invoice comes to.",
    "sums_differ": "The amount, what was paid of it and what is open do not fit together.",
    "twice": "{text} is in line {line} already. Remove one.",
    "number_taken": "Another invoice has this number.",
    "credited_before_invoice": "The credit note is older than its invoice.",
    "in_future": "This day is in the future.",
    "no_such_invoice": "There is no invoice with this number. Import the invoices first.",
}


class WrongCell(Exception):
    """A cell that cannot be understood. `params` are what the sentence of `code` names."""

    def __init__(self, column: str, code: str, **params: str) -> None:
        super().__init__(code)
        self.column = column
        self.code = code
        self.params = params

    @property
    def message(self) -> str:
        return PROBLEMS[self.code].format(**self.params)
