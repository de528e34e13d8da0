"""What payments keeps of other services' things: organizations and the names of customers."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from chassis.database import ReadTx, WriteTx
from chassis.papers.printing import Logo


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose name stands on a receipt, and in which language it is written."""

    name: str
    locale: str
    segments: tuple[str, ...] = ()
    """Labels by which policies tell customers apart."""
    ancestor_ids: tuple[str, ...] = ()
    """Customers above, whose people see and pay what this one owes; the nearest first."""


async def keep_organization(tx: WriteTx, columns: dict[str, Any]) -> None:
    """Insert or replace the copy of the transaction's organization."""
    await tx.execute(_KEEP_ORGANIZATION, {"organization_id": tx.organization_id, **columns})


async def keep_customer(tx: WriteTx, customer_id: str, payer: Payer) -> None:
    """Insert or replace the copy of a customer."""
    await tx.execute(
        _KEEP_CUSTOMER,
        {
            "organization_id": tx.organization_id,
            "customer_id": customer_id,
            "name": payer.name,
            "locale": payer.locale,
            "segments": list(payer.segments),
            "ancestor_ids": list(payer.ancestor_ids),
        },
    )


async def payer(tx: ReadTx, customer_id: str) -> Payer | None:
    """A customer's name, if it has been told yet."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    row = (await tx.execute(_PAYER, params)).first()
    return None if row is None else Payer(row.name, row.locale, tuple(row.segments), tuple(row.ancestor_ids))


async def logo(tx: ReadTx) -> Logo | None:
    """The organization's, if it has one. Only for those who draw it: it is large."""
    row = (await tx.execute(_LOGO, {"organization_id": tx.organization_id})).first()
    return None if row is None or not row.logo else Logo(bytes(row.logo), row.logo_media_type)


_LOGO = text("SELECT logo, logo_media_type FROM organizations WHERE organization_id = :organization_id")
_KEEP_ORGANIZATION = text("""
    INSERT INTO organizations (
        organization_id, name, time_zone, locale, currency, address_lines, tax_id, contact_email,
        primary_color, logo, logo_media_type, live_mode
    ) VALUES (
        :organization_id, :name, :time_zone, :locale, :currency, :address_lines, :tax_id, :contact_email,
        :primary_color, :logo, :logo_media_type, :live_mode
    ) ON CONFLICT (organization_id) DO UPDATE SET
        name = excluded.name, time_zone = excluded.time_zone, locale = excluded.locale,
        currency = excluded.currency, address_lines = excluded.address_lines, tax_id = excluded.tax_id,
        contact_email = excluded.contact_email, primary_color = excluded.primary_color,
        logo = excluded.logo, logo_media_type = excluded.logo_media_type, live_mode = excluded.live_mode
""")
_KEEP_CUSTOMER = text("""
    INSERT INTO customers (organization_id, customer_id, name, locale, segments, ancestor_ids)
    VALUES (:organization_id, :customer_id, :name, :locale, :segments, :ancestor_ids)
    ON CONFLICT (organization_id, customer_id) DO UPDATE SET
        name = excluded.name, locale = excluded.locale, segments = excluded.segments,
        ancestor_ids = excluded.ancestor_ids
""")
_PAYER = text(
    "SELECT name, locale, segments, ancestor_ids FROM customers"
    " WHERE organization_id = :organization_id AND customer_id = :customer_id"
)
