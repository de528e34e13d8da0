"""A bank statement (camt.053) that pays open invoices of the demo: most lines say what they are for, three do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from xml.sax.saxutils import escape

from services.payments.domain.creditor_reference import reference_of_invoice

REFERENCE_PREFIX: Final = "DEMO-"
"""How the statement's own reference begins."""
INVOICES_NEEDED: Final = 11
_OPENING_MINOR_UNITS: Final = 4_218_055
_PLAIN_LINES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Money that moved: negative when it left the account."""

    minor_units: int
    name: str
    text: str
    reference: str = ""


def lines_for(invoices: Sequence[dict[str, Any]]) -> list[Line]:
    """Lines for open invoices as the API shows them, INVOICES_NEEDED of as many customers.

    The first eight pay what they name; three are for people; one is the bank's fee.
    """
    if len(invoices) < INVOICES_NEEDED:
        raise ValueError(f"{INVOICES_NEEDED} open invoices are needed, there are {len(invoices)}")
    wordings = ("Invoice {}", "INV {} thank you", "payment of invoice no. {}")
    lines = [
        Line(minor_units=_due(one), name=one["customer_name"], text=wordings[at % 3].format(one["number"]))
        for at, one in enumerate(invoices[:_PLAIN_LINES])
    ]
    with_reference, in_part, odd, short, foreign = invoices[_PLAIN_LINES:INVOICES_NEEDED]
    return [
        *lines,
        Line(
            minor_units=_due(with_reference),
            name=with_reference["customer_name"],
            text="",
            reference=reference_of_invoice(with_reference["number"], with_reference["invoice_id"]),
        ),
        Line(
            minor_units=_due(in_part) // 2,
            name=in_part["customer_name"],
            text=f"Invoice {in_part['number']}, first half",
        ),
        Line(minor_units=_due(odd) + 12_345, name=odd["customer_name"], text="payment on account"),
        Line(minor_units=_due(short) - 50, name="M. Keller", text="see our letter"),
        Line(
            minor_units=_due(foreign), name="Northwind Clearing House", text="TRF 88-2201 on behalf of client"
        ),
        Line(minor_units=-1_250, name="Portsmouth Harbor Bank", text="Account fee"),
    ]


def camt053(account: dict[str, Any], lines: Sequence[Line], today: date) -> bytes:
    """The statement of one day, whose balances add up."""
    currency = account["currency"]
    closing = _OPENING_MINOR_UNITS + sum(line.minor_units for line in lines)
    entries = "".join(_entry(line, number, currency, today) for number, line in enumerate(lines, start=1))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{REFERENCE_PREFIX}{today:%Y%m%d}</MsgId>"
        f"<CreDtTm>{today.isoformat()}T06:00:00Z</CreDtTm></GrpHdr>"
        f"<Stmt><Id>{REFERENCE_PREFIX}{today:%Y%m%d}</Id>"
        f"<Acct><Id><Othr><Id>{escape(account['iban'])}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>"
        f"{_balance('OPBD', _OPENING_MINOR_UNITS, currency, today)}{_balance('CLBD', closing, currency, today)}"
        f"{entries}</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def _entry(line: Line, number: int, currency: str, today: date) -> str:
    party = "Dbtr" if line.minor_units > 0 else "Cdtr"
    told = f"<Ustrd>{escape(line.text)}</Ustrd>" if line.text else ""
    if line.reference:
        told += f"<Strd><CdtrRefInf><Ref>{line.reference}</Ref></CdtrRefInf></Strd>"
    return (
        f"<Ntry>{_amount(line.minor_units, currency)}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{today.isoformat()}</Dt></BookgDt><ValDt><Dt>{today.isoformat()}</Dt></ValDt>"
        f"<AcctSvcrRef>{today:%Y%m%d}{number:04d}</AcctSvcrRef>"
        f"<NtryDtls><TxDtls><RltdPties><{party}><Pty><Nm>{escape(line.name)}</Nm></Pty></{party}></RltdPties>"
        f"<RmtInf>{told}</RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def _balance(code: str, minor_units: int, currency: str, today: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor_units, currency)}"
        f"<Dt><Dt>{today.isoformat()}</Dt></Dt></Bal>"
    )


def _amount(minor_units: int, currency: str) -> str:
    """Amount and direction; the demo's currencies have two decimals."""
    whole, cents = divmod(abs(minor_units), 100)
    direction = "CRDT" if minor_units >= 0 else "DBIT"
    return f'<Amt Ccy="{currency}">{whole}.{cents:02d}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'


def _due(invoice: dict[str, Any]) -> int:
    units: int = invoice["amount_due"]["minor_units"]
    return units
