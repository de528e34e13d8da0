"""What payments learns from the other services' events."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext

from google.protobuf.message import Message

from chassis import books
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from chassis.inbox import Batch, Event, Handler, continuing
from services.payments.operations.record_external_payment import record_external_payment
from services.payments.store import cases, copies
from services.payments.store.copies import Payer
from tallyport.identity.v1 import events_pb2 as identity_events
from tallyport.invoicing.v1 import events_pb2 as invoicing_events


async def follow_organization(tx: WriteTx, event: Event) -> None:
    """Keep name, zone and look of an organization."""
    assert isinstance(event.message, identity_events.OrganizationChanged)
    organization = event.message.organization
    address = organization.address
    town = " ".join(part for part in (address.postal_code, address.city) if part)
    region = ", ".join(part for part in (address.region, address.country) if part)
    await copies.keep_organization(
        tx,
        {
            "name": organization.brand.display_name or organization.name,
            "time_zone": organization.time_zone or "UTC",
            "locale": organization.locale,
            "currency": organization.currency,
            "address_lines": [line for line in (*address.lines, town, region) if line],
            "tax_id": organization.tax_id,
            "contact_email": organization.contact_email,
            "primary_color": organization.brand.primary_color,
            "logo": organization.brand.logo,
            "logo_media_type": organization.brand.logo_media_type,
            "live_mode": organization.live_mode,
        },
    )


async def follow_customer(tx: WriteTx, event: Event) -> None:
    """Keep the name that stands on receipts, the labels that policies go by, and who stands above."""
    assert isinstance(event.message, invoicing_events.CustomerChanged)
    told, contact = event.message, event.message.contact
    payer = Payer(contact.name, contact.locale, tuple(told.segments), tuple(told.ancestor_ids))
    await copies.keep_customer(tx, contact.customer_id, payer)


async def take_over_payments(tx: WriteTx, events: Sequence[Event]) -> None:
    """Record money that another system had received: an import reports thousands at once.

    While the organization's books are frozen it waits: an outage of the books is no fault of the event.
    """
    if (await books.state(tx)).frozen_at is not None:
        raise ServiceError(
            Kind.UNAVAILABLE, "BOOKS_FROZEN", "The books are frozen; this is taken over later."
        )
    organization = await cases.organization(tx)
    for event in events:
        assert isinstance(event.message, invoicing_events.ExternalPaymentReported)
        with continuing(event) if len(events) > 1 else nullcontext():
            await record_external_payment(tx, organization, event.message)


HANDLERS: Mapping[type[Message], Handler | Batch] = {
    identity_events.OrganizationChanged: follow_organization,
    invoicing_events.CustomerChanged: follow_customer,
    invoicing_events.ExternalPaymentReported: Batch(take_over_payments),
}

AGGREGATE_TYPES: Mapping[str, Collection[str]] = {"invoicing": ("customer", "external_payment")}
"""Of invoicing's events only these: two more come with each payment, and nobody here reads them."""
