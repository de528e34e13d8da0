"""The EPC QR code (EPC069-12, version 2) with which banking apps fill in a transfer in euro."""

import io
from decimal import Decimal

import segno

from chassis.money import Money

LONGEST_NAME = 70
LARGEST_EURO = Decimal("999999999.99")
_UTF8 = "1"


def epc_payload(*, name: str, iban: str, bic: str, amount: Money, reference: str) -> str:
    """The text of the code; empty where the standard has none: other currencies, nothing or too much to pay."""
    euro = amount.to_decimal()
    if amount.currency != "EUR" or not Decimal("0.01") <= euro <= LARGEST_EURO:
        return ""
    known_bic = bic if len(bic) in (8, 11) else ""
    holder = " ".join(name.split())[:LONGEST_NAME]
    return "\n".join(("BCD", "002", _UTF8, "SCT", known_bic, holder, iban, f"EUR{euro:.2f}", "", reference))


def epc_svg(payload: str) -> str:
    """The code as an SVG to be put into a page; level M, as the standard wants."""
    if not payload:
        return ""
    code = segno.make_qr(payload.encode(), error="m", boost_error=False)
    picture = io.BytesIO()
    code.save(picture, kind="svg", scale=4, border=4, xmldecl=False, title="EPC QR code", omitsize=True)
    return picture.getvalue().decode()
