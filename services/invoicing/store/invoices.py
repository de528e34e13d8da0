"""Invoices: reading one, locking some, writing them back. Lists are in invoice_lists.py."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, TextClause, delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from chassis.database import ReadTx, WriteTx, violated_constraint
from chassis.errors import Kind, ServiceError, not_found
from chassis.money import Money
from services.invoicing.domain.invoice import Buyer, Invoice, InvoiceKind, Status, Terms
from services.invoicing.domain.open_item import number_key
from services.invoicing.domain.pricing import Line, Tax, TaxCategory
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.invoices import invoice_lines, invoices

Question = tuple[TextClause, Mapping[str, Any]]


async def insert_invoices(tx: WriteTx, new: Sequence[Invoice]) -> None:
    """Add invoices with their lines in two statements; ALREADY_EXISTS for an external id that is taken."""
    try:
        await insert_rows(tx, invoices, [_values(invoice) for invoice in new])
    except IntegrityError as error:
        if violated_constraint(error) == "uq_invoices_external_id":
            raise _external_id_taken() from error
        raise
    await insert_rows(
        tx, invoice_lines, [values for invoice in new for values in _line_values(invoice)]
    )  # fmt: skip


async def update_invoice(tx: WriteTx, invoice: Invoice) -> None:
    """Write an invoice that was locked; lines stay."""
    await tx.execute(
        update(invoices)
        .where(invoices.c.organization_id == tx.organization_id)
        .where(invoices.c.invoice_id == invoice.invoice_id)
        .values(**_values(invoice))
    )


def put_final(tx: WriteTx, invoice: Invoice) -> None:
    """Write what finalizing changes of a locked draft; it leaves with the next statement or COMMIT."""
    buyer = invoice.buyer
    params = {
        "organization_id": tx.organization_id,
        "invoice_id": invoice.invoice_id,
        "status": invoice.status.value,
        "number": invoice.number,
        "number_key": number_key(invoice.number or ""),
        "customer_name": buyer.name,
        "customer_address_lines": list(buyer.address_lines),
        "customer_country": buyer.country,
        "customer_tax_id": buyer.tax_id,
        "buyer": json.dumps(_buyer_values(buyer)),
        "version": invoice.version,
        "event_version": invoice.event_version,
        "finalized_at": invoice.finalized_at,
    }
    tx.enqueue(_PUT_FINAL, params)


async def replace_lines(tx: WriteTx, invoice: Invoice) -> None:
    """Write the lines of a draft afresh."""
    await tx.execute(
        delete(invoice_lines)
        .where(invoice_lines.c.organization_id == tx.organization_id)
        .where(invoice_lines.c.invoice_id == invoice.invoice_id)
    )
    await insert_rows(tx, invoice_lines, list(_line_values(invoice)))


async def update_balances(tx: WriteTx, changed: Sequence[Invoice]) -> None:
    """Write sums, status and versions of locked invoices in one statement."""
    if not changed:
        return
    tx.enqueue(
        _UPDATE_BALANCES,
        {
            "organization_id": tx.organization_id,
            "invoice_ids": [invoice.invoice_id for invoice in changed],
            "statuses": [invoice.status.value for invoice in changed],
            "paid": [invoice.paid.minor_units for invoice in changed],
            "reserved": [invoice.reserved.minor_units for invoice in changed],
            "credited": [invoice.credited.minor_units for invoice in changed],
            "versions": [invoice.version for invoice in changed],
            "event_versions": [invoice.event_version for invoice in changed],
            "paid_at": [invoice.paid_at for invoice in changed],
            "written_off": [invoice.written_off_minor_units for invoice in changed],
        },
    )


async def get_invoice(tx: ReadTx, invoice_id: str, *, for_update: bool = False) -> Invoice:
    """An invoice of the transaction's organization with its lines; NOT_FOUND otherwise."""
    query = select(invoices).where(
        invoices.c.organization_id == tx.organization_id, invoices.c.invoice_id == invoice_id
    )
    row = (await tx.execute(query.with_for_update() if for_update else query)).first()
    if row is None:
        raise not_found("invoice")
    lines = select(invoice_lines).where(
        invoice_lines.c.organization_id == tx.organization_id, invoice_lines.c.invoice_id == invoice_id
    )
    found = await tx.execute(lines.order_by(invoice_lines.c.line_no))
    return invoice_of(row, tuple(_line(line, row.currency) for line in found))


async def find_invoices(tx: ReadTx, invoice_ids: Collection[str]) -> list[Invoice]:
    """Those of the invoices that exist, without lines."""
    query = (
        select(invoices)
        .where(invoices.c.organization_id == tx.organization_id)
        .where(invoices.c.invoice_id == func.any(list(invoice_ids)))
    )
    return [invoice_of(row) for row in await tx.execute(query)]


async def lock_invoices(tx: WriteTx, invoice_ids: Collection[str]) -> Mapping[str, Invoice]:
    """Those of the invoices that exist, without lines, locked in the order of their ids."""
    return locked(await tx.execute(*locking(tx, invoice_ids)))


def locking(tx: ReadTx, invoice_ids: Collection[str]) -> Question:
    """The question to which `locked` reads the answer, to be asked together with others."""
    return _LOCK, {"organization_id": tx.organization_id, "invoice_ids": list(invoice_ids)}


def locking_payable(tx: ReadTx, invoice_ids: Collection[str], payment_ids: Collection[str]) -> Question:
    """The same for these invoices and those that payments hold parts of."""
    return _LOCK_PAYABLE, {
        "organization_id": tx.organization_id,
        "invoice_ids": list(invoice_ids),
        "payment_ids": list(payment_ids),
    }


def locked(rows: Iterable[Row[Any]]) -> dict[str, Invoice]:
    """Invoices by id, without lines."""
    return {row.invoice_id: invoice_of(row) for row in rows}


async def must_be_new(tx: ReadTx, external_id: str) -> None:
    """INVOICE_EXTERNAL_ID_TAKEN with the id of the invoice that has it."""
    query = select(invoices.c.invoice_id).where(
        invoices.c.organization_id == tx.organization_id, invoices.c.external_id == external_id
    )
    found = (await tx.execute(query)).scalar_one_or_none()
    if found is not None:
        raise _external_id_taken(invoice_id=found)


def _external_id_taken(invoice_id: str = "") -> ServiceError:
    """The id is left out where another call took it this moment."""
    known = {"invoice_id": invoice_id} if invoice_id else {}
    return ServiceError(
        Kind.ALREADY_EXISTS, "INVOICE_EXTERNAL_ID_TAKEN", "Another invoice has this external id.",
        fields=(), **known,
    )  # fmt: skip


async def taken_external_ids(tx: ReadTx, external_ids: Collection[str]) -> frozenset[str]:
    """Those of the external ids that invoices have."""
    query = select(invoices.c.external_id).where(
        invoices.c.organization_id == tx.organization_id,
        invoices.c.external_id == func.any(list(external_ids)),
    )
    return frozenset((await tx.execute(query)).scalars())


async def taken_numbers(tx: ReadTx, numbers: Collection[str]) -> frozenset[str]:
    """Those of the numbers that invoices have."""
    query = select(invoices.c.number).where(
        invoices.c.organization_id == tx.organization_id, invoices.c.number == func.any(list(numbers))
    )
    return frozenset((await tx.execute(query)).scalars())


async def invoices_by_number(tx: ReadTx, numbers: Collection[str]) -> Mapping[str, str]:
    """Ids of those of the invoices that exist, by number."""
    query = select(invoices.c.number, invoices.c.invoice_id).where(
        invoices.c.organization_id == tx.organization_id, invoices.c.number == func.any(list(numbers))
    )
    return {row.number: row.invoice_id for row in await tx.execute(query)}


def invoice_of(row: Row[Any], lines: tuple[Line, ...] = ()) -> Invoice:
    """An invoice from its row."""
    currency: str = row.currency
    return Invoice(
        invoice_id=row.invoice_id,
        customer_id=row.customer_id,
        status=Status(row.status),
        number=row.number,
        invoice_date=row.invoice_date,
        due_date=row.due_date,
        subtotal=Money(row.subtotal_minor_units, currency),
        tax_total=Money(row.tax_minor_units, currency),
        total=Money(row.total_minor_units, currency),
        paid=Money(row.paid_minor_units, currency),
        reserved=Money(row.reserved_minor_units, currency),
        credited=Money(row.credited_minor_units, currency),
        buyer=_buyer(row),
        purchase_order_number=row.purchase_order_number,
        memo=row.memo,
        external_id=row.external_id,
        disputed=Money(row.disputed_minor_units, currency),
        version=row.version,
        event_version=row.event_version,
        created_at=row.created_at,
        finalized_at=row.finalized_at,
        paid_at=row.paid_at,
        terms=_terms(row),
        lines=lines,
        written_off_minor_units=row.written_off_minor_units,
    )


def _buyer(row: Row[Any]) -> Buyer:
    more = row.buyer
    return Buyer(
        row.customer_name,
        tuple(row.customer_address_lines),
        row.customer_country,
        row.customer_tax_id,
        legal_name=more.get("legal_name", ""),
        city=more.get("city", ""),
        region=more.get("region", ""),
        postal_code=more.get("postal_code", ""),
        tax_ids=tuple((kind, value) for kind, value in more.get("tax_ids", ())),
    )


def _terms(row: Row[Any]) -> Terms:
    return Terms(
        kind=InvoiceKind(row.kind),
        relates_to=row.relates_to,
        series=row.series,
        prices_include_tax=row.prices_include_tax,
        discount_percent=row.discount_percent,
        discount_amount=_money(row.discount_minor_units, row.currency),
        early_discount_percent=row.early_discount_percent,
        early_discount_until=row.early_discount_until,
        period_start=row.period_start,
        period_end=row.period_end,
        schedule_id=row.schedule_id,
        metadata=row.metadata,
    )


def _money(minor_units: int | None, currency: str) -> Money | None:
    return None if minor_units is None else Money(minor_units, currency)


def _values(invoice: Invoice) -> dict[str, Any]:
    return {
        "invoice_id": invoice.invoice_id,
        "customer_id": invoice.customer_id,
        "status": invoice.status.value,
        "number": invoice.number,
        "currency": invoice.currency,
        "invoice_date": invoice.invoice_date,
        "due_date": invoice.due_date,
        "subtotal_minor_units": invoice.subtotal.minor_units,
        "tax_minor_units": invoice.tax_total.minor_units,
        "total_minor_units": invoice.total.minor_units,
        "paid_minor_units": invoice.paid.minor_units,
        "reserved_minor_units": invoice.reserved.minor_units,
        "credited_minor_units": invoice.credited.minor_units,
        "customer_name": invoice.buyer.name,
        "customer_address_lines": list(invoice.buyer.address_lines),
        "customer_country": invoice.buyer.country,
        "customer_tax_id": invoice.buyer.tax_id,
        "purchase_order_number": invoice.purchase_order_number,
        "memo": invoice.memo,
        "external_id": invoice.external_id,
        "disputed": invoice.is_disputed,
        "disputed_minor_units": invoice.disputed.minor_units,
        "version": invoice.version,
        "event_version": invoice.event_version,
        "created_at": invoice.created_at,
        "finalized_at": invoice.finalized_at,
        "paid_at": invoice.paid_at,
        "number_key": number_key(invoice.number) if invoice.number else None,
        "buyer": _buyer_values(invoice.buyer),
        "written_off_minor_units": invoice.written_off_minor_units,
        **_term_values(invoice.terms),
    }


def _buyer_values(buyer: Buyer) -> dict[str, Any]:
    more = {
        "legal_name": buyer.legal_name, "city": buyer.city, "region": buyer.region,
        "postal_code": buyer.postal_code, "tax_ids": [list(one) for one in buyer.tax_ids],
    }  # fmt: skip
    return {name: value for name, value in more.items() if value}


def _term_values(terms: Terms) -> dict[str, Any]:
    return {
        "kind": terms.kind.value,
        "relates_to": terms.relates_to,
        "series": terms.series,
        "prices_include_tax": terms.prices_include_tax,
        "discount_percent": terms.discount_percent,
        "discount_minor_units": terms.discount_amount and terms.discount_amount.minor_units,
        "early_discount_percent": terms.early_discount_percent,
        "early_discount_until": terms.early_discount_until,
        "period_start": terms.period_start,
        "period_end": terms.period_end,
        "schedule_id": terms.schedule_id,
        "metadata": dict(terms.metadata),
    }


def _line_values(invoice: Invoice) -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": invoice.invoice_id,
            "line_no": line_no,
            "item_id": line.item_id,
            "description": line.description,
            "quantity": line.quantity,
            "unit_price_minor_units": line.unit_price.minor_units,
            "tax_rate_percent": line.tax_rate_percent,
            "amount_minor_units": line.amount.minor_units,
            "sku": line.sku,
            "unit_code": line.unit_code,
            "discount_percent": line.discount_percent,
            "discount_minor_units": line.discount_amount and line.discount_amount.minor_units,
            "taxes": [tax_values(tax) for tax in line.taxes],
            "period_start": line.period_start,
            "period_end": line.period_end,
        }
        for line_no, line in enumerate(invoice.lines, start=1)
    ]


def _line(row: Row[Any], currency: str) -> Line:
    return Line(
        row.description, row.quantity, Money(row.unit_price_minor_units, currency),
        row.tax_rate_percent, row.item_id, taxes=tuple(tax_of(tax) for tax in row.taxes),
        discount_percent=row.discount_percent, discount_amount=_money(row.discount_minor_units, currency),
        sku=row.sku, unit_code=row.unit_code, period_start=row.period_start, period_end=row.period_end,
    )  # fmt: skip


def tax_values(tax: Tax) -> dict[str, str]:
    """A tax as it is kept in a row."""
    return {
        "name": tax.name, "rate_percent": str(tax.rate_percent), "category": tax.category.value,
        "exemption_reason": tax.exemption_reason,
    }  # fmt: skip


def tax_of(values: Mapping[str, str]) -> Tax:
    """A tax from what is kept in a row."""
    return Tax(
        values["name"], Decimal(values["rate_percent"]), TaxCategory(values["category"]),
        values["exemption_reason"],
    )  # fmt: skip


_PUT_FINAL = text("""
    UPDATE invoices
    SET status = :status, number = :number, number_key = :number_key, customer_name = :customer_name,
        customer_address_lines = CAST(:customer_address_lines AS text[]), customer_country = :customer_country,
        customer_tax_id = :customer_tax_id, buyer = CAST(:buyer AS jsonb), version = :version,
        event_version = :event_version, finalized_at = :finalized_at
    WHERE organization_id = :organization_id AND invoice_id = :invoice_id
""")
_COLUMNS = ", ".join(f"invoices.{column.name}" for column in invoices.columns)
_LOCK = text(
    f"SELECT {_COLUMNS} FROM invoices WHERE organization_id = :organization_id"  # noqa: S608 - our own columns
    " AND invoice_id = ANY(CAST(:invoice_ids AS text[])) ORDER BY invoice_id FOR UPDATE"
)
# One array, not an OR: only then are the rows found by their key however many invoices there are.
_LOCK_PAYABLE = text(f"""
    SELECT {_COLUMNS} FROM invoices
    WHERE organization_id = :organization_id AND invoice_id = ANY(array_cat(
        ARRAY(
            SELECT invoice_id FROM reservations WHERE organization_id = :organization_id
              AND payment_id = ANY(CAST(:payment_ids AS text[]))
        ),
        CAST(:invoice_ids AS text[])
    ))
    ORDER BY invoice_id FOR UPDATE
""")  # noqa: S608 - our own columns
_UPDATE_BALANCES = text("""
    UPDATE invoices
    SET status = new.status, paid_minor_units = new.paid, reserved_minor_units = new.reserved,
        credited_minor_units = new.credited, version = new.version, event_version = new.event_version,
        paid_at = new.paid_at, written_off_minor_units = new.written_off
    FROM unnest(
        CAST(:invoice_ids AS text[]), CAST(:statuses AS text[]), CAST(:paid AS bigint[]),
        CAST(:reserved AS bigint[]), CAST(:credited AS bigint[]), CAST(:versions AS bigint[]),
        CAST(:event_versions AS bigint[]), CAST(:paid_at AS timestamptz[]), CAST(:written_off AS bigint[])
    ) AS new (invoice_id, status, paid, reserved, credited, version, event_version, paid_at, written_off)
    WHERE invoices.organization_id = :organization_id AND invoices.invoice_id = new.invoice_id
""")
