"""Which column of a bank's CSV file is what: by a saved mapping, or by the names that banks give them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.payments.domain.csv_mapping import CsvMapping
from services.payments.formats.source import shown, unreadable

_NAMES: Mapping[str, str] = {
    "date": """
        date, booking date, bookingdate, booked on, posting date, post date, posted date, posted,
        transaction date, trans date, transactiondate, completed date, completed date utc, date
        completed, date completed utc, buchungstag, buchungsdatum, buchung, datum, boekdatum,
        boekingsdatum, transactiedatum, date operation, date de l operation, date comptable, date
        comptabilisation, fecha, fecha operacion, f operacion, fecha contable, data, data operazione,
        data contabile, data movimento, data operacji, bokforingsdag, bogforingsdato, dato, bokfort
        dato, kirjauspaiva, booking day, effective date, started date, created on
    """,
    "value": """
        value date, valuedate, valuta, valutadatum, wertstellung, wertstellungstag, rentedatum, date
        valeur, date de valeur, fecha valor, f valor, data valuta, valutadag, rentedato, arvopaiva
    """,
    "amount": """
        amount, transaction amount, amount eur, amount usd, amount gbp, amount chf, betrag, betrag eur,
        betrag in eur, umsatz, umsatz in eur, bedrag, bedrag eur, transactiebedrag, montant, montant
        eur, importe, importo, importo eur, kwota, belopp, belob, belop, maara, value, net, net amount,
        sum, amount account currency, transaction value, source amount after fees
    """,
    "credit": """
        credit, credit amount, credits, paid in, money in, deposit, deposits, in, received, haben,
        gutschrift, bij, credit eur, entrate, avere, abono, haber, ingresos, entradas, receipts, amount
        in, payment in, credit chf, gutschrift in chf, inn pa konto
    """,
    "debit": """
        debit, debit amount, debits, paid out, money out, withdrawal, withdrawals, out, soll,
        lastschrift, belastung, af, debit eur, uscite, dare, cargo, debe, gastos, payments, amount out,
        payment out, debit chf, lastschrift in chf, ut fra konto
    """,
    "direction": """
        af bij, debit credit, credit debit, dc, d c, cr dr, dr cr, soll haben, s h, credit debit
        indicator, sens, debet credit, cd, kennzeichen, credit or debit
    """,
    "currency": """
        currency, wahrung, waehrung, ccy, munt, muntsoort, valuta code, devise, divisa, moneda, waluta,
        valuutta, currency code, payment currency, curr, currencycode
    """,
    "name": """
        name, payee, payee name, counterparty, counterparty name, counter party, partner name,
        beguenstigter zahlungspflichtiger, begunstigter zahlungspflichtiger, auftraggeber begunstigter,
        auftraggeber empfanger, name zahlungsbeteiligter, zahlungsbeteiligter, zahlungspflichtiger,
        zahlungspflichtige r, beguenstigter auftraggeber, naam omschrijving, naam tegenpartij,
        tegenpartij, nom contrepartie, contrepartie, nom, beneficiario, ordenante, controparte, payer,
        payer name, from, sender, sender name, merchant, source name, customer name, auftraggeber, name
        of counterparty, other party, remitter, begunstigter auftraggeber, motpart, tegenrekening naam
    """,
    "iban": """
        iban, counterparty iban, partner iban, account number partner, kontonummer iban, iban
        zahlungsbeteiligter, tegenrekening, tegenrekening iban bban, rekening tegenpartij, compte
        contrepartie, gegenkonto, iban kontonummer, beneficiary account, counterparty account,
        kontonummer, payer account number, iban contrepartie, counterparty account number, account
        number of counterparty
    """,
    "text": """
        description, details, transaction description, narrative, memo, reference text, remittance
        information, remittance, payment reference, reference, references, note, notes,
        verwendungszweck, buchungstext, buchungsdetails, vorgang verwendungszweck, betreff,
        omschrijving, mededelingen, omschrijving 1, omschrijving 2, omschrijving 3, libelle,
        communication, communications, concepto, observaciones, descrizione, causale, opis, tytul,
        meddelande, text, tekst, selite, viesti, particulars, subject, additional information, payment
        details, purpose, avisierungstext, extended details, transaction details, message
    """,
    "reference": """
        transaction id, transactionid, id, fitid, unique id, bank reference, bank transaction id,
        volgnr, transaction number, kontoreferenz, transaction reference, umsatz id, transferwise id,
        archive id, arkistointitunnus, trace number, trn
    """,
    "e2e": """
        end to end id, end to end reference, kundenreferenz end to end, e2e, kundenreferenz, endtoendid,
        end to end
    """,
    "balance": """
        balance, running balance, running bal, saldo, kontostand, saldo eur, saldo na mutatie, solde,
        saldo contable, saldo in chf, saldo nach buchung, account balance, balance after transaction,
        salden, saldo chf, ledger balance
    """,
    "account": """
        auftragskonto, own account, account, account number, rekening, iban auftragskonto, iban bban,
        account iban, konto, rekeningnummer, bezeichnung auftragskonto iban, compte, source account,
        transaction account
    """,
    "state": "state, status, transaction status",
    "fee": "fee, fees",
}
"""How banks name their columns, without accents, signs and case."""
_ROLES: Mapping[str, str] = {
    " ".join(name.split()): role
    for role, names in _NAMES.items()
    for name in names.replace("\n", " ").split(",")
}
MOST_HEADER_ROWS = 40


@dataclass(slots=True)
class Columns:
    """Places of columns in a row; -1 for one that is not there. `header_row` counts rows from 0."""

    header_row: int
    width: int
    places: dict[str, int] = field(default_factory=dict)
    texts: list[int] = field(default_factory=list)

    def at(self, role: str) -> int:
        return self.places.get(role, -1)


def find_columns(rows: Sequence[Sequence[str]]) -> Columns | None:
    """By the first row that names a date and an amount, whatever stands above it."""
    for number, row in enumerate(rows[:MOST_HEADER_ROWS]):
        columns = _by_names(number, row)
        if columns is not None:
            return columns
    return None


def mapped_columns(mapping: CsvMapping, rows: Sequence[Sequence[str]], header_row: int) -> Columns:
    """By the names of a mapping; a column that the file does not have is refused by name."""
    header = [plain_name(cell) for cell in rows[header_row]] if header_row < len(rows) else []
    columns = Columns(header_row, len(header))
    wanted = {
        "date": mapping.date_column,
        "amount": mapping.amount_column,
        "credit": mapping.credit_column,
        "debit": mapping.debit_column,
        "currency": mapping.currency_column,
        "name": mapping.name_column,
        "reference": mapping.reference_column,
        "balance": mapping.balance_column,
        "iban": mapping.iban_column,
    }
    for role, name in wanted.items():
        if name:
            columns.places[role] = _place(header, name, header_row)
    columns.texts = [_place(header, name, header_row) for name in mapping.text_columns if name]
    return columns


def plain_name(cell: str) -> str:
    """A column's name without accents, signs and case."""
    letters = unicodedata.normalize("NFKD", cell[:200]).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", " ", letters.lower().replace("ß", "ss")).strip()


def _place(header: Sequence[str], name: str, header_row: int) -> int:
    try:
        return header.index(plain_name(name))
    except ValueError:
        why = f"The mapping wants a column {shown(name)}, which the header does not have."
        raise unreadable(header_row + 1, "column_missing", why) from None


def _by_names(number: int, row: Sequence[str]) -> Columns | None:
    columns = Columns(number, len(row))
    for place, cell in enumerate(row):
        role = _ROLES.get(plain_name(cell), "")
        if role == "text":
            columns.texts.append(place)
        elif role and role not in columns.places:
            columns.places[role] = place
    has_amount = "amount" in columns.places or {"credit", "debit"} <= columns.places.keys()
    if "date" not in columns.places or not has_amount:
        return None
    if "name" in columns.places and "iban" not in columns.places and "account" in columns.places:
        columns.places["iban"] = columns.places.pop("account")  # beside a name, the account is that person's
    if "fee" in columns.places and "state" not in columns.places:
        del columns.places["fee"]  # only Revolut's amounts leave the fee out
    return columns
