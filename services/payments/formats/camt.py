"""ISO 20022 camt.053 (statements) and camt.054 (notifications), all versions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from lxml import etree

from chassis.errors import ServiceError
from chassis.money import Money
from services.payments.domain.bank_statement import ParsedStatement, StatementLine, is_reference
from services.payments.formats.source import (
    LONGEST_NAME,
    LONGEST_REFERENCE,
    ReadOptions,
    amount,
    check_length,
    clean,
    day,
    decode,
    shown,
    unreadable,
)

_STATEMENTS = {"BkToCstmrStmt": "Stmt", "BkToCstmrDbtCdtNtfctn": "Ntfctn"}
_DECLARATION_ENDS = 200
_REFUSED = (b"<!DOCTYPE", b"<!ENTITY")


@dataclass(frozen=True, slots=True)
class _Detail:
    """A transaction of an entry; `money` is signed and None when the file does not say how much of the entry it is."""

    money: Money | None
    name: str
    account: str
    text: str
    structured: str
    end_to_end_id: str
    reference: str


def read(content: bytes, options: ReadOptions) -> Sequence[ParsedStatement]:
    """The statements of a file. A detail that is not booked (pending, for information) is left out with a warning."""
    root = _parse(content)
    for holder in root.iter("{*}BkToCstmrAcctRpt"):
        why = (
            "This is a camt.052 report of a day that is not over. Import the statement (camt.053) of the day."
        )
        raise unreadable(_line(holder), "intraday_report", why)
    found = [
        statement
        for name, child in _STATEMENTS.items()
        for holder in root.iter("{*}" + name)
        for statement in holder.iterfind("{*}" + child)
    ]
    if not found:
        raise unreadable(_line(root), "no_statement", "The XML file holds no camt.053 or camt.054 statement.")
    return [_statement(one, options) for one in found]


def _parse(content: bytes) -> etree._Element:
    """Without entities, DTDs, network or huge trees."""
    plain = (
        content.strip(b"\x00\x1a \t\r\n") if not content.startswith((b"\xff\xfe", b"\xfe\xff")) else content
    )
    if any(word in content.replace(b"\x00", b"").upper() for word in _REFUSED):
        raise unreadable(None, "document_type", "XML files with a document type or entities are not read.")
    try:
        return _tree(plain)
    except etree.XMLSyntaxError as error:
        if "encod" not in str(error).lower() and "utf-8" not in str(error).lower():
            raise _broken(error) from None
    text = decode(plain)
    head, sign, tail = text[:_DECLARATION_ENDS].partition("?>")
    try:
        return _tree((tail + text[_DECLARATION_ENDS:] if sign else head + text[_DECLARATION_ENDS:]).encode())
    except etree.XMLSyntaxError as error:
        raise _broken(error) from None


def _tree(content: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    return etree.fromstring(content, parser)


def _broken(error: etree.XMLSyntaxError) -> ServiceError:
    return unreadable(error.lineno or None, "broken_xml", f"The XML is broken: {clean(str(error.msg), 200)}.")


def _statement(node: etree._Element, options: ReadOptions) -> ParsedStatement:
    currency = _text(node, "Acct", "Ccy") or _first_currency(node) or options.currency
    warnings: list[str] = []
    opening, opening_interim, closing, closing_interim, closing_day = _balances(node, currency)
    from_day = _period_day(node, "FrDtTm", "FrDt")
    to_day = _period_day(node, "ToDtTm", "ToDt")
    lines: list[StatementLine] = []
    for number, entry in enumerate(node.iterfind("{*}Ntry"), start=1):
        lines.extend(_lines(entry, number, closing_day or to_day, warnings))
        check_length(len(lines), _line(entry))
    return ParsedStatement(
        account_identification=_account(node.find("{*}Acct")),
        currency=currency or (lines[0].amount.currency if lines else ""),
        lines=lines,
        reference=clean(_text(node, "Id"), LONGEST_REFERENCE),
        from_day=from_day,
        to_day=to_day or closing_day,
        opening=opening,
        closing=closing,
        opening_is_interim=opening_interim,
        closing_is_interim=closing_interim,
        line_number=_line(node),
        warnings=tuple(warnings),
    )


def _balances(
    node: etree._Element, currency: str
) -> tuple[Money | None, bool, Money | None, bool, date | None]:
    """Opening (OPBD, else PRCD) and closing (CLBD) balance; pages in between have interim ones (ITBD)."""
    found: dict[str, list[tuple[Money, date | None]]] = {}
    for balance in node.iterfind("{*}Bal"):
        code = _text(balance, "Tp", "CdOrPrtry", "Cd")
        if code in ("OPBD", "PRCD", "CLBD", "ITBD"):
            found.setdefault(code, []).append((_signed(balance), _day_of(balance.find("{*}Dt"))))
    for several in found.values():
        several.sort(key=lambda one: one[0].currency != currency)
    interim = sorted(found.get("ITBD", []), key=lambda one: one[0].currency != currency)
    first = next((found[code][0] for code in ("OPBD", "PRCD") if code in found), None)
    last = found["CLBD"][0] if "CLBD" in found else None
    opening = first or (interim[0] if interim and (last or len(interim) > 1) else None)
    closing = last or (interim[-1] if interim and (first or len(interim) > 1) else None)
    return (
        opening[0] if opening else None,
        first is None and opening is not None,
        closing[0] if closing else None,
        last is None and closing is not None,
        closing[1] if closing else None,
    )


def _lines(
    entry: etree._Element, number: int, statement_day: date | None, warnings: list[str]
) -> Iterator[StatementLine]:
    """The line of an entry; of a batch, one for each transaction if they make up the entry."""
    status = _text(entry, "Sts", "Cd") or _text(entry, "Sts")
    if status not in ("", "BOOK"):
        warnings.append(
            f"Line {_line(entry)}: an entry of state {clean(status, 20)} is not booked and was left out."
        )
        return
    whole = _signed(entry)
    value_on = _day_of(entry.find("{*}ValDt"))
    booked_on = _day_of(entry.find("{*}BookgDt")) or value_on or statement_day
    if booked_on is None:
        raise unreadable(_line(entry), "no_date", "The entry has no booking date.")
    details = [_detail(entry, one, whole) for one in entry.iterfind("{*}NtryDtls/{*}TxDtls")]
    own_reference = clean(_text(entry, "AcctSvcrRef"), LONGEST_REFERENCE)
    entry_reference = own_reference or (details[0].reference if len(details) == 1 else "")
    parts = _parts(entry, whole, details, warnings)
    for money, detail in parts:
        yield StatementLine(
            booked_on=booked_on,
            amount=money,
            entry=number,
            line_number=_line(entry),
            value_on=value_on,
            counterparty_name=detail.name,
            counterparty_account=detail.account,
            remittance_text=detail.text,
            structured_reference=detail.structured,
            end_to_end_id=detail.end_to_end_id,
            bank_reference=detail.reference or own_reference,
            entry_reference=entry_reference,
        )


def _parts(
    entry: etree._Element, whole: Money, details: Sequence[_Detail], warnings: list[str]
) -> Sequence[tuple[Money, _Detail]]:
    if not details:
        text = clean(_text(entry, "AddtlNtryInf"))
        return [(whole, _Detail(whole, "", "", text, "", "", ""))]
    if len(details) == 1:
        return [(whole, details[0])]
    split = [(one.money, one) for one in details if one.money is not None]
    if len(split) == len(details) and sum(money.minor_units for money, _ in split) == whole.minor_units:
        return split
    warnings.append(
        f"Line {_line(entry)}: the {len(details)} transactions of the batch do not make up its {whole};"
        " it was kept as one line."
    )
    text = clean(
        " ".join(dict.fromkeys(part for one in details for part in (one.structured, one.text) if part))
    )
    return [(whole, _Detail(whole, "", "", text, "", "", ""))]


def _detail(entry: etree._Element, node: etree._Element, whole: Money) -> _Detail:
    came = (whole.minor_units >= 0) != (
        _text(entry, "RvslInd") == "true"
    )  # of a reversal, the parties changed sides
    side = "Dbtr" if came else "Cdtr"
    parties = node.find("{*}RltdPties")
    name = account = ""
    if parties is not None:
        names = (
            _text(parties, party, *path)
            for party in (side, "Ultmt" + side)
            for path in (("Nm",), ("Pty", "Nm"))
        )
        name = next((found for found in names if found), "")
        account = _account(parties.find("{*}" + side + "Acct"))
    unstructured = [_own(one) for one in node.iterfind("{*}RmtInf/{*}Ustrd")]
    documents = [_own(one) for one in node.iterfind("{*}RmtInf/{*}Strd/{*}RfrdDocInf/{*}Nb")]
    more = [_own(one) for one in node.iterfind("{*}RmtInf/{*}Strd/{*}AddtlRmtInf")]
    text = " ".join((*unstructured, *documents, *more))
    text = text or _text(node, "AddtlTxInf") or _text(entry, "AddtlNtryInf")
    end_to_end_id = _text(node, "Refs", "EndToEndId")
    return _Detail(
        money=_detail_money(node, whole),
        name=clean(name, LONGEST_NAME),
        account=account,
        text=clean(text),
        structured=clean(_text(node, "RmtInf", "Strd", "CdtrRefInf", "Ref"), LONGEST_REFERENCE),
        end_to_end_id=clean(end_to_end_id, LONGEST_REFERENCE) if is_reference(end_to_end_id) else "",
        reference=clean(_text(node, "Refs", "AcctSvcrRef"), LONGEST_REFERENCE),
    )


def _detail_money(node: etree._Element, whole: Money) -> Money | None:
    """What a transaction adds to its entry, if it is told in the entry's currency."""
    for path in ("{*}Amt", "{*}AmtDtls/{*}TxAmt/{*}Amt", "{*}AmtDtls/{*}InstdAmt/{*}Amt"):
        found = node.find(path)
        if found is not None and found.get("Ccy", whole.currency) == whole.currency:
            units = amount(_own(found), whole.currency, _line(found)).minor_units
            direction = _text(node, "CdtDbtInd")
            negative = direction == "DBIT" if direction else whole.is_negative
            return Money(-units if negative else units, whole.currency)
    return None


def _signed(node: etree._Element) -> Money:
    """Amount with the sign of its direction. A reversal needs none of its own: the direction is that of the money."""
    found = node.find("{*}Amt")
    if found is None:
        raise unreadable(_line(node), "no_amount", "An amount is missing.")
    money = amount(_own(found), found.get("Ccy", ""), _line(found))
    direction = _text(node, "CdtDbtInd")
    if direction not in ("CRDT", "DBIT"):
        raise unreadable(_line(node), "no_direction", f"{shown(direction)} is neither CRDT nor DBIT.")
    return Money(-money.minor_units if direction == "DBIT" else money.minor_units, money.currency)


def _account(node: etree._Element | None) -> str:
    if node is None:
        return ""
    found = (
        _text(node, "Id", "IBAN") or _text(node, "Id", "Othr", "Id") or _text(node, "Id", "PrtryAcct", "Id")
    )
    return clean(found, LONGEST_REFERENCE).replace(" ", "")


def _first_currency(node: etree._Element) -> str:
    for path in ("{*}Bal/{*}Amt", "{*}Ntry/{*}Amt"):
        found = node.find(path)
        if found is not None and found.get("Ccy"):
            return str(found.get("Ccy"))
    return ""


def _period_day(node: etree._Element, *names: str) -> date | None:
    period = node.find("{*}FrToDt")
    if period is None:
        return None
    for name in names:
        found = period.find("{*}" + name)
        if found is not None and _own(found):
            return _iso_day(found)
    return None


def _day_of(node: etree._Element | None) -> date | None:
    """The day of a Dt or DtTm, as written: the bank's own day."""
    if node is None:
        return None
    for name in ("Dt", "DtTm"):
        found = node.find("{*}" + name)
        if found is not None and _own(found):
            return _iso_day(found)
    return None


def _iso_day(node: etree._Element) -> date:
    text = _own(node)[:10]
    year, month, number = text[:4], text[5:7], text[8:10]
    if not (year + month + number).isdecimal() or text[4:8:3] != "--" or not text.isascii() or len(text) < 10:
        raise unreadable(_line(node), "bad_date", f"{shown(_own(node))} is not a date.")
    return day(int(year), int(month), int(number), _line(node))


def _text(node: etree._Element, *path: str) -> str:
    found = node.find("/".join("{*}" + name for name in path))
    return _own(found) if found is not None else ""


def _own(node: etree._Element) -> str:
    return (node.text or "").strip()


def _line(node: etree._Element) -> int:
    line: object = node.sourceline
    return line if isinstance(line, int) else 1
