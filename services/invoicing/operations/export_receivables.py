"""Stream what a bookkeeper wants as a file, read page by page, each in a transaction of its own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from chassis.caller import Audience, current_call
from chassis.database import Database, ReadTx
from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money
from services.invoicing.domain.export import (
    COLUMNS,
    STAFF_ONLY,
    Column,
    ExportFormat,
    ExportKind,
    Record,
)
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.statement import StatementRow, StatementWish
from services.invoicing.formats import export_files
from services.invoicing.operations.get_invoice_pdf import get_invoice_pdf
from services.invoicing.operations.get_statement import window_of
from services.invoicing.operations.visibility import must_see_customer, own_customer_id
from services.invoicing.payments import no_transfer_slip
from services.invoicing.store import account_statements, exports
from services.invoicing.store.customer_tree import descendant_ids
from services.invoicing.store.exports import ExportQuery
from services.invoicing.store.invoice_lists import InvoiceFilter
from services.invoicing.store.organizations import get_organization

PAGE_ROWS = 500
_FIRST_DAY = date(1970, 1, 1)
_LAST_DAY = date(9998, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportWish:
    """What to export of whom and when, and how to write it. Days that are None do not narrow."""

    kind: ExportKind
    format: ExportFormat
    first_day: date | None = None
    last_day: date | None = None
    customer_id: str = ""
    include_children: bool = False
    filter: InvoiceFilter = InvoiceFilter.ALL
    byte_order_mark: bool = False

    @property
    def file_name(self) -> str:
        days = [day.isoformat() for day in (self.first_day, self.last_day) if day is not None]
        stem = "-".join([self.kind.value.replace("_", "-"), *days])
        return f"{stem}.{export_files.ENDINGS[self.format]}"

    @property
    def media_type(self) -> str:
        return export_files.MEDIA_TYPES[self.format]


async def export_receivables(db: Database, wish: ExportWish) -> AsyncIterator[bytes]:
    """The file piece by piece. People of a customer get their own and, if wished, what belongs to those below.

    CUSTOMER_NOT_FOUND, PERMISSION_DENIED, VALIDATION_FAILED before the first piece.
    """
    wish = _own(wish)
    async with db.read(current_call().organization_id) as tx:
        organization = await get_organization(tx)
        query = await _query_of(tx, wish, organization)
    async for piece in _pieces(db, wish, query, organization):
        if piece:
            yield piece


def _own(wish: ExportWish) -> ExportWish:
    """Narrowed to what the caller may have."""
    caller = current_call().caller
    if wish.format is ExportFormat.ZIP_OF_PDFS and wish.kind is not ExportKind.INVOICES:
        raise invalid("format", "invoices_only", "Only invoices come as documents.")
    permission = STAFF_ONLY.get(wish.kind)
    if permission and (caller.audience is not Audience.STAFF or permission not in caller.permissions):
        raise ServiceError(Kind.PERMISSION_DENIED, "PERMISSION_DENIED", "Your role does not allow this.")
    wish = replace(wish, customer_id=wish.customer_id or own_customer_id() or "")
    if wish.kind is ExportKind.STATEMENT and not wish.customer_id:
        raise invalid("customer_id", "required", "A statement is of one customer.")
    if wish.filter is InvoiceFilter.DRAFT and caller.audience is not Audience.STAFF:
        raise invalid("filter", "staff_only", "Drafts are not sent yet.")
    return wish


async def _query_of(tx: ReadTx, wish: ExportWish, organization: Organization) -> ExportQuery:
    first, last = wish.first_day or _FIRST_DAY, wish.last_day or _LAST_DAY
    if first > last:
        raise invalid("first_day", "after_last", "The first day is after the last one.")
    customer_ids: list[str] | None = None
    if wish.customer_id:
        await must_see_customer(tx, wish.customer_id)
        below = await descendant_ids(tx, wish.customer_id) if wish.include_children else []
        customer_ids = [wish.customer_id, *below]
    return ExportQuery(
        kind=wish.kind,
        customer_ids=customer_ids,
        first_day=first,
        last_day=last,
        since=organization.start_of(first),
        before=organization.start_of(min(last, _LAST_DAY) + timedelta(days=1)),
        time_zone=organization.time_zone,
        today=organization.date_of(tx.now()),
        filter=wish.filter,
    )


def _pieces(
    db: Database, wish: ExportWish, query: ExportQuery, organization: Organization
) -> AsyncIterator[bytes]:
    if wish.format is ExportFormat.ZIP_OF_PDFS:
        return export_files.write_zip(_documents(db, query))
    columns: Sequence[Column] = COLUMNS[wish.kind]
    is_statement = wish.kind is ExportKind.STATEMENT
    pages = _statement_pages(db, wish, organization) if is_statement else _pages(db, query)
    if wish.format is ExportFormat.CSV:
        return export_files.write_csv(columns, pages, byte_order_mark=wish.byte_order_mark)
    if wish.format is ExportFormat.JSON_LINES:
        return export_files.write_json_lines(columns, pages)
    return export_files.write_xlsx(columns, pages, title=wish.kind.value)


async def _pages(db: Database, query: ExportQuery) -> AsyncIterator[Sequence[Record]]:
    after: exports.Key | None = None
    while True:
        async with db.read(current_call().organization_id) as tx:
            page, after = await exports.page_of(tx, query, after=after, limit=PAGE_ROWS)
        yield page
        if after is None:
            return


async def _documents(db: Database, query: ExportQuery) -> AsyncIterator[tuple[str, date, bytes]]:
    """Each invoice as it is printed, one after the other, without the box for transfers."""
    names = [column.name for column in COLUMNS[query.kind]]
    at_id, at_day = names.index("invoice_id"), names.index("invoice_date")
    async for page in _pages(db, query):
        for record in page:
            name, content = await get_invoice_pdf(db, no_transfer_slip, str(record[at_id]))
            day = record[at_day]
            assert isinstance(day, date)
            yield name, day, content


async def _statement_pages(
    db: Database, wish: ExportWish, organization: Organization
) -> AsyncIterator[Sequence[Record]]:
    """The opening balances, what happened by currency, the closing balances."""
    asked = StatementWish(
        customer_id=wish.customer_id, first_day=wish.first_day, last_day=wish.last_day,
        include_children=wish.include_children,
    )  # fmt: skip
    async with db.read(current_call().organization_id) as tx:
        window = await window_of(tx, asked, organization)
        standings = await account_statements.standings(tx, window)
        names = await account_statements.names_of(tx, window.customer_ids)
    first = organization.date_of(window.since)
    last = organization.date_of(window.before - timedelta(microseconds=1))
    yield [_balance(first, "opening", one.opening) for one in standings.values()]
    sums = {currency: standing.opening for currency, standing in standings.items()}
    after: StatementRow | None = None
    while True:
        async with db.read(current_call().organization_id) as tx:
            rows = await account_statements.rows_of(tx, window, organization, after=after, limit=PAGE_ROWS)
        page: list[Record] = []
        for row in rows:
            sums[row.amount.currency] += row.amount
            page.append(_happened(row, names, sums[row.amount.currency]))
        yield page
        if len(rows) < PAGE_ROWS:
            break
        after = rows[-1]
    yield [_balance(last, "closing", closing) for closing in sums.values()]


def _balance(day: date, kind: str, balance: Money) -> Record:
    return [day, kind, "", "", None, balance.currency, None, balance.to_decimal(), ""]


def _happened(row: StatementRow, names: Mapping[str, str], balance: Money) -> Record:
    return [
        row.on, row.kind.value, row.number, names.get(row.customer_id, ""), row.due_date,
        row.amount.currency, row.amount.to_decimal(), balance.to_decimal(), row.document_id,
    ]  # fmt: skip
