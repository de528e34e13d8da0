"""Fields that files of each kind can have, and by which names of columns they are known, English and German."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.invoicing.domain.invoice_import import ImportKind


class Shape(StrEnum):
    """What a cell must look like."""

    TEXT = "text"
    DATE = "date"
    AMOUNT = "amount"
    YES_NO = "yes_no"
    NUMBER = "number"
    TAXES = "taxes"


@dataclass(frozen=True, slots=True)
class ImportField:
    """A field; `names` are plain: lower case, without spaces, signs and accents."""

    name: str
    names: frozenset[str]
    shape: Shape = Shape.TEXT
    needed: bool = False
    longest: int = 200


def _field(
    name: str, names: str, shape: Shape = Shape.TEXT, *, needed: bool = False, longest: int = 200
) -> ImportField:
    known = {plain_name(one) for one in names.split(",")} | {plain_name(name)}
    return ImportField(name, frozenset(known), shape, needed, longest)


def plain_name(column: str) -> str:
    """A column's name without accents, signs, spaces and case."""
    letters = unicodedata.normalize("NFKD", column[:200].lower().replace("ß", "ss"))
    return re.sub(r"[^a-z0-9]", "", letters.encode("ascii", "ignore").decode())


OPEN_AMOUNT = "open_amount"
"""Where a file tells nothing else, this is the amount."""
_INVOICES = (
    _field(
        "external_id",
        "invoice number, invoice no, invoice id, invoice, number, Rechnungsnummer, Rechnungsnr, Rechnung Nr,"
        " Belegnummer, Belegnr, Belegfeld 1, RE-Nr, Nummer",
        needed=True, longest=100,
    ),
    _field(
        "customer_external_id",
        "customer id, customer number, customer no, account id, account number, client id, Kundennummer, Kundennr,"
        " Kunden-ID, Kunde Nr, Debitor, Debitorennummer, Debitorennr, Debitorenkonto",
        needed=True, longest=100,
    ),
    _field("customer_name", "customer, name, company, client, Kunde, Kundenname, Firma, Name 1, Debitorname"),
    _field("customer_email", "email, e-mail, email address, E-Mail-Adresse, Mail"),
    _field(
        "invoice_date", "date, issue date, issued, Rechnungsdatum, Belegdatum, Datum, Ausstellungsdatum",
        Shape.DATE, needed=True,
    ),
    _field("due_date", "due, Fälligkeit, Fälligkeitsdatum, fällig am, fällig, zahlbar bis", Shape.DATE, needed=True),
    _field(
        "amount",
        "invoice amount, total, total amount, gross, gross amount, Betrag,"
        " Rechnungsbetrag, Bruttobetrag, Brutto, Gesamtbetrag, Summe, Umsatz",
        Shape.AMOUNT, needed=True,
    ),
    _field("paid", "amount paid, paid amount, received, payments, bezahlt, gezahlt, bezahlter Betrag", Shape.AMOUNT),
    _field(
        OPEN_AMOUNT, "amount due, balance, balance due, outstanding, offen, offener Betrag, Restbetrag, Saldo",
        Shape.AMOUNT,
    ),
    _field("currency", "currency code, Währung, WKZ, Währungscode"),
    _field("description", "memo, subject, text, Beschreibung, Betreff, Buchungstext, Leistung"),
    _field("disputed", "dispute, is disputed, strittig, beanstandet, reklamiert", Shape.YES_NO),
    _field(
        "settled_date", "settled, paid date, date paid, paid on, payment date, Zahlungsdatum, bezahlt am, Zahldatum,"
        " ausgeglichen am", Shape.DATE,
    ),
    _field("taxes", "tax breakdown", Shape.TAXES, longest=4_000),
)  # fmt: skip
_CUSTOMERS = (
    _field(
        "external_id",
        "customer id, customer number, customer no, account id, account number, number, id, Kundennummer, Kundennr,"
        " Kunden-ID, Debitor, Debitorennummer, Debitorennr, Nummer",
        needed=True, longest=100,
    ),
    _field("name", "customer name, customer, company, display name, Kundenname, Kunde, Firma, Name 1", needed=True),
    _field("legal_name", "legal name, registered name, rechtlicher Name, Firmenname"),
    _field("email", "e-mail, email address, customer email, billing email, E-Mail-Adresse, Mail, Rechnungs-E-Mail"),
    _field("street", "address, address line 1, address 1, street address, Straße, Strasse, Adresse, Anschrift"),
    _field("street_2", "address line 2, address 2, Adresszusatz, Zusatz"),
    _field("postal_code", "zip, zip code, postcode, PLZ, Postleitzahl", longest=20),
    _field("city", "town, Ort, Stadt", longest=100),
    _field("region", "state, province, county, Bundesland, Region", longest=100),
    _field("country", "country code, Land, Ländercode, Länderkürzel", longest=60),
    _field("tax_id", "vat id, vat number, vat no, tax number, USt-IdNr, USt-ID, Steuernummer", longest=40),
    _field("currency", "currency code, Währung"),
    _field("locale", "language, Sprache", longest=20),
    _field("time_zone", "timezone, Zeitzone", longest=60),
    _field(
        "payment_terms_days", "terms, payment terms, net days, days to pay, Zahlungsziel, Zahlungsziel Tage,"
        " Zahlungsfrist, Zahlungsbedingung", Shape.NUMBER,
    ),
    _field("credit_limit", "limit, Kreditlimit, Kreditrahmen", Shape.AMOUNT),
    _field("purchase_order_number", "po number, purchase order, Bestellnummer", longest=100),
    _field("segments", "segment, group, tags, labels, Kundengruppe, Gruppe, Segment"),
)  # fmt: skip
_ITEMS = (
    _field(
        "sku",
        "item number, item no, item id, article number, product code, code, number, id, Artikelnummer, Artikelnr,"
        " Art-Nr, Nummer",
        needed=True, longest=60,
    ),
    _field(
        "name", "item, item name, product, product name, title, Artikel, Bezeichnung, Artikelname, Produkt",
        needed=True,
    ),
    _field("description", "details, long text, Beschreibung, Langtext", longest=2_000),
    _field(
        "unit_price",
        "price, net price, sales price, list price, amount, Preis, Einzelpreis, Nettopreis, Verkaufspreis,"
        " VK", Shape.AMOUNT, needed=True,
    ),
    _field("currency", "currency code, Währung"),
    _field(
        "tax_rate_percent", "tax, tax rate, vat, vat rate, Steuersatz, USt, MwSt, USt-Satz, MwSt-Satz", Shape.NUMBER
    ),
    _field("tax_code", "vat code, Steuerschlüssel, Steuercode", longest=60),
    _field("price_includes_tax", "gross price, includes tax, brutto, inklusive Steuer, inkl. MwSt", Shape.YES_NO),
    _field("unit_code", "unit, uom, Einheit, Mengeneinheit, ME", longest=20),
)  # fmt: skip
_CREDIT_NOTES = (
    _field(
        "external_id",
        "credit note number, credit note no, credit note, credit memo, number, Gutschriftsnummer, Gutschriftnummer,"
        " Gutschrift Nr, Gutschrift, Korrekturnummer, Belegnummer, Nummer",
        needed=True, longest=60,
    ),
    _field(
        "invoice_number", "invoice, invoice no, invoice id, original invoice, Rechnungsnummer, Rechnungsnr, Rechnung,"
        " zu Rechnung", needed=True, longest=100,
    ),
    _field(
        "issued_on", "date, issue date, credit note date, Datum, Gutschriftsdatum, Belegdatum", Shape.DATE, needed=True
    ),
    _field(
        "amount", "credit amount, total, gross, gross amount, Betrag, Gutschriftsbetrag, Bruttobetrag, Summe",
        Shape.AMOUNT, needed=True,
    ),
    _field("currency", "currency code, Währung, WKZ"),
    _field("description", "reason, memo, text, Grund, Beschreibung, Buchungstext", longest=500),
)  # fmt: skip
FIELDS: Mapping[ImportKind, Sequence[ImportField]] = {
    ImportKind.INVOICES: _INVOICES,
    ImportKind.OPEN_INVOICES: _INVOICES,
    ImportKind.HISTORY: tuple(
        ImportField(one.name, one.names, one.shape, one.needed or one.name == "settled_date", one.longest)
        for one in _INVOICES
    ),
    ImportKind.CUSTOMERS: _CUSTOMERS,
    ImportKind.ITEMS: _ITEMS,
    ImportKind.CREDIT_NOTES: _CREDIT_NOTES,
}


def guess_mapping(kind: ImportKind, columns: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Columns by field: those that were given, and for other fields the first column with a known name.

    A field that was given no column (an empty name) gets none. A column that was given to a field is not guessed for
    another. What names a column the file does not have is left out.
    """
    there = set(columns)
    mapping = {name: column for name, column in given.items() if column in there}
    used = set(mapping.values())
    for field in FIELDS[kind]:
        if field.name in given and (field.name in mapping or not given[field.name]):
            continue
        known = [column for column in columns if plain_name(column) in field.names and column not in used]
        exact = [column for column in known if plain_name(column) == plain_name(field.name)]
        if found := (exact or known)[:1]:
            mapping[field.name] = found[0]
            used.add(found[0])
    if (
        kind.is_of_invoices
        and "amount" not in mapping
        and OPEN_AMOUNT not in given
        and OPEN_AMOUNT in mapping
    ):
        mapping["amount"] = mapping.pop(OPEN_AMOUNT)
    names = {field.name for field in FIELDS[kind]}
    return {name: column for name, column in mapping.items() if name in names}


def missing_fields(kind: ImportKind, mapping: Mapping[str, str]) -> tuple[str, ...]:
    """Fields that no row can do without and that no column holds."""
    return tuple(field.name for field in FIELDS[kind] if field.needed and field.name not in mapping)
