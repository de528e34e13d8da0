"""Pay links: unguessable, revocable, and reading one changes nothing."""

from datetime import timedelta

import pytest

from chassis.caller import call_scope, service_call
from chassis.errors import Kind, ServiceError
from services.invoicing.rpc.pay_links import PayLinks
from tallyport.invoicing.v1 import invoices_pb2, reservations_pb2
from tallyport.invoicing.v1 import pay_links_pb2 as pb
from tests.service.invoicing.office import Office


async def resolve(office: Office, token: str) -> pb.ResolvedPayLink:
    with call_scope(service_call("gateway", None)):
        return await office.pay_links.ResolvePayLink(pb.ResolvePayLinkRequest(token=token), None)


async def test_a_link_opens_its_invoice_however_often_it_is_read(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id)
    link = await office.pay_link(invoice.invoice_id)
    assert (await office.pay_link(invoice.invoice_id)).token == link.token
    rows = await office.count("audit_log")
    for _ in range(5):
        opened = await resolve(office, link.token)
        assert (opened.invoice_id, opened.customer_id) == (invoice.invoice_id, customer.customer_id)
        assert opened.organization_id == office.organization_id
    assert await office.count("audit_log") == rows
    assert len(link.token) <= 100


async def test_a_revoked_link_does_not_exist_and_a_new_one_is_another(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id)
    link = await office.pay_link(invoice.invoice_id)
    revoke = pb.RevokePayLinkRequest(invoice_id=invoice.invoice_id)
    for _ in range(2):
        await office.call(office.pay_links.RevokePayLink, revoke)
    with pytest.raises(ServiceError, match="PAY_LINK_NOT_FOUND"):
        await resolve(office, link.token)
    again = await office.pay_link(invoice.invoice_id)
    assert again.token != link.token
    assert (await resolve(office, again.token)).invoice_id == invoice.invoice_id


async def test_a_link_expires_after_120_days(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id)
    link = await office.pay_link(invoice.invoice_id)
    office.clock.advance(timedelta(days=119, hours=23))
    await resolve(office, link.token)
    office.clock.advance(timedelta(hours=2))
    with pytest.raises(ServiceError, match="PAY_LINK_NOT_FOUND"):
        await resolve(office, link.token)
    assert (await office.pay_link(invoice.invoice_id)).token != link.token


async def test_forged_tokens_and_those_of_another_key_do_not_exist(
    office: Office, other_office: Office
) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id)
    token = (await office.pay_link(invoice.invoice_id)).token
    organization, link, proof = token.split(".")
    foreign = other_office.organization_id.removeprefix("org_")
    office.pay_links = PayLinks(office.db, b"x" * 32)
    with pytest.raises(ServiceError, match="PAY_LINK_NOT_FOUND"):
        await resolve(office, token)
    office.pay_links = other_office.pay_links
    for forged in (
        f"{organization}.{link}.{proof[:-1]}A"
        if proof[-1] != "A"
        else f"{organization}.{link}.{proof[:-1]}B",
        f"{foreign}.{link}.{proof}",
        "x" * 60,
        "é" * 30,
        "...",
    ):
        with pytest.raises(ServiceError) as refused:
            await resolve(office, forged)
        assert (refused.value.kind, refused.value.reason) == (Kind.NOT_FOUND, "PAY_LINK_NOT_FOUND")


async def test_a_draft_has_no_link(office: Office) -> None:
    customer = await office.customer()
    draft = await office.draft(customer.customer_id)
    with pytest.raises(ServiceError, match="INVOICE_NOT_FINALIZED"):
        await office.pay_link(draft.invoice_id)


async def test_a_mail_gets_link_figures_and_document(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 12_345)
    request = reservations_pb2.GetInvoiceDeliveryRequest(
        organization_id=office.organization_id, invoice_id=invoice.invoice_id
    )
    with call_scope(service_call("notifications", None)):
        delivery = await office.deliveries.GetInvoiceDelivery(request, None)
        again = await office.deliveries.GetInvoiceDelivery(request, None)
    assert (await resolve(office, delivery.pay_link_token)).invoice_id == invoice.invoice_id
    assert delivery.amount_due.minor_units == 12_345
    assert (delivery.file_name, delivery.pdf[:5]) == ("invoice-INV-000001.pdf", b"%PDF-")
    assert again == delivery
    assert (delivery.kind, delivery.about_invoice_number) == (invoices_pb2.INVOICE_KIND_INVOICE, "")
    assert not delivery.HasField("early_discount")


async def test_a_mail_is_told_what_paying_early_keeps_until_then(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(
        customer.customer_id, 10_000, early_discount_percent="2", early_discount_until="2026-11-24"
    )
    request = reservations_pb2.GetInvoiceDeliveryRequest(
        organization_id=office.organization_id, invoice_id=invoice.invoice_id
    )
    with call_scope(service_call("notifications", None)):
        delivery = await office.deliveries.GetInvoiceDelivery(request, None)
        assert (delivery.early_discount.minor_units, delivery.early_discount_until) == (200, "2026-11-24")
        office.clock.advance(timedelta(days=5))
        later = await office.deliveries.GetInvoiceDelivery(request, None)
    assert not later.HasField("early_discount")
