"""E-invoices by EN 16931: UBL 2.1 and CII as XML, in a PDF (Factur-X, ZUGFeRD), or many of them in an archive.

Each document is one row, with columns named as this product names its fields.
"""

import io
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from services.invoicing.formats.sources.archives import open_archive, read_member
from services.invoicing.formats.sources.reading import Source, SourceRow, UnreadableFile, bounded, clean

COLUMNS = (
    "external_id", "customer_external_id", "customer_name", "customer_email", "invoice_date", "due_date",
    "amount", "paid", "currency", "description", "taxes",
)  # fmt: skip
_REFUSED = (b"<!DOCTYPE", b"<!ENTITY")
_MOST_MARKS = 400_000
"""Elements and attributes together; a parser needs far more memory for each than it is written with."""
_MOST_ELEMENTS = 5_000
"""Besides the lines."""
_LONGEST_PDF_STREAM_BYTES = 16 * 1024 * 1024
_PDF_LIMITS = (
    "maximum_declared_stream_length", "array_based_stream_maximum_output_length", "lzw_maximum_output_length",
    "run_length_maximum_output_length", "zlib_maximum_output_length", "brotli_maximum_output_length",
    "stream_decoding_work_maximum_length",
)  # fmt: skip
_LINES = ("{*}IncludedSupplyChainTradeLineItem", "{*}InvoiceLine", "{*}CreditNoteLine")
_INVOICES = frozenset("80 82 84 326 380 383 384 386 388 389 393 395 575 623 780".split())  # noqa: SIM905


def read_einvoice_xml(content: bytes) -> Source:
    """The one row of an XML file."""
    return Source(COLUMNS, [SourceRow(1, _cells(content))])


def read_einvoice_pdf(content: bytes) -> Source:
    """The one row of the XML in a PDF."""
    return Source(COLUMNS, [SourceRow(1, _cells(_xml_in(content)))])


def read_einvoice_zip(content: bytes) -> Source:
    """A row for each document in an archive; those that cannot be read are rows with a problem."""
    archive = open_archive(content)
    names = sorted(one.filename for one in archive.infolist() if not one.is_dir())

    def rows() -> Iterator[SourceRow]:
        for at, name in enumerate((one for one in names if _is_document(one)), start=1):
            try:
                document = read_member(archive, name)
                cells = _cells(_xml_in(document) if document.startswith(b"%PDF") else document)
            except UnreadableFile as error:
                yield SourceRow(at, {}, f"{clean(name)[:100]}: {error}")
            else:
                yield SourceRow(at, cells)

    if not any(_is_document(name) for name in names):
        raise UnreadableFile("The archive holds no e-invoices: no XML and no PDF.")
    return bounded(rows(), lambda: COLUMNS)


def _is_document(name: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return base.lower().endswith((".xml", ".pdf")) and not base.startswith(".") and "__MACOSX" not in name


def _xml_in(content: bytes) -> bytes:
    """The e-invoice that is attached to a PDF."""
    from pypdf import Configuration, PdfReader, apply_configuration

    limits: dict[str, Any] = dict.fromkeys(_PDF_LIMITS, _LONGEST_PDF_STREAM_BYTES)
    try:
        with apply_configuration(Configuration(**limits)):
            for attached in PdfReader(io.BytesIO(content)).attachment_list:
                if attached.name.lower().endswith(".xml"):
                    return bytes(attached.content)
    except Exception:  # pypdf raises whatever it stumbles upon in a broken file
        raise UnreadableFile("The PDF is broken or locked. Save it again, or take the XML file.") from None
    raise UnreadableFile(
        "This PDF holds no e-invoice. Enter the invoice by hand, or ask for a Factur-X file."
    )


def _cells(content: bytes) -> dict[str, str]:
    tree = _tree(content)
    for path in _LINES:
        for line in tree.iterfind(f".//{path}"):
            parent = line.getparent()
            if parent is not None:
                parent.remove(line)
    if sum(1 for _ in tree.iter()) > _MOST_ELEMENTS:
        raise UnreadableFile("This XML is no e-invoice.")
    return _fields(_terms(tree))


def _tree(content: bytes) -> etree._Element:
    """Without entities, DTDs, network or huge trees."""
    plain = content.replace(b"\0", b"").upper() if b"\0" in content else content.upper()
    if any(word in plain for word in _REFUSED):
        raise UnreadableFile("XML with a document type or entities is not read.")
    if plain.count(b"<") + plain.count(b"=") > _MOST_MARKS:
        raise UnreadableFile("This XML is too large for an e-invoice.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(content.strip(b"\x1a \t\r\n"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if line else ""
        raise UnreadableFile(f"The XML is broken{where}. Ask for the file again.") from None


def _terms(tree: etree._Element) -> Mapping[str, Any]:
    """Business terms by their names in the standard."""
    from facturx import parse_ubl_cii_xml

    try:
        found = parse_ubl_cii_xml(tree, check_xsd=False)
    except Exception:  # factur-x raises plain exceptions, and what lxml stumbles upon
        raise UnreadableFile("This XML is no e-invoice by EN 16931: neither UBL 2.1 nor CII.") from None
    if not isinstance(found, dict) or not found.get("BT-1"):
        raise UnreadableFile("This XML is no e-invoice by EN 16931: it has no number.")
    return found


def _fields(terms: Mapping[str, Any]) -> dict[str, str]:
    if str(terms.get("BT-3", "380")) not in _INVOICES:
        raise UnreadableFile(f"Document {_text(terms, 'BT-1')} is no invoice but a credit note or the like.")
    buyer = terms.get("BG-7")
    buyer = buyer if isinstance(buyer, dict) else {}
    contacts = buyer.get("contacts") or [{}]
    invoice_date = _text(terms, "BT-2")
    cells = {
        "external_id": _text(terms, "BT-1"),
        "customer_external_id": _buyer_id(buyer),
        "customer_name": _text(buyer, "name"),
        "customer_email": _text(contacts[0] if isinstance(contacts[0], dict) else {}, "email"),
        "invoice_date": invoice_date,
        "due_date": _text(terms, "BT-9") or invoice_date,
        "amount": _text(terms, "BT-112"),
        "paid": _text(terms, "BT-113"),
        "currency": _text(terms, "BT-5"),
        "taxes": _taxes(terms),
    }
    return {name: cell for name, cell in cells.items() if cell}


def _buyer_id(buyer: Mapping[str, Any]) -> str:
    """What tells the buyer apart: their own number, a registered one, the VAT id, at last the name."""
    for name in ("identifiers", "legal_identifier", "vat_identifier", "tax_identifier", "name"):
        value = buyer.get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict):
            value = value.get("value") or value.get("identifier") or next(iter(value.values()), "")
        if value:
            return clean(str(value))
    return ""


def _taxes(terms: Mapping[str, Any]) -> str:
    """The breakdown of taxes: category, rate, what is taxed and the tax, one group a line."""
    groups = terms.get("BG-23")
    lines = []
    for group in groups if isinstance(groups, list) else []:
        if isinstance(group, dict):
            rate = _text(group, "BT-119") or "0"
            lines.append(f"{_text(group, 'BT-118')} {rate} {_text(group, 'BT-116')} {_text(group, 'BT-117')}")
    return "\n".join(lines)


def _text(terms: Mapping[str, Any], name: str) -> str:
    value = terms.get(name)
    return "" if value is None else clean(str(value))
