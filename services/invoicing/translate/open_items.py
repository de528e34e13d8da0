"""Open invoices, credit and sums, as the payments service asks for them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.open_item import CustomerCredit, OpenItem
from services.invoicing.operations.find_open_items import Clues
from services.invoicing.operations.price_lines import PricedLine
from services.invoicing.store.agreement import CashSum
from services.invoicing.translate.values import (
    from_proto_money,
    to_proto_decimal,
    to_proto_money,
    to_proto_time,
)
from tallyport.invoicing.v1 import reservations_pb2 as pb


def from_proto_clues(request: pb.FindOpenItemsRequest) -> Clues:
    return Clues(
        numbers=tuple(request.numbers),
        amounts=[from_proto_money(f"amounts[{at}]", amount) for at, amount in enumerate(request.amounts)],
        names=tuple(request.names),
        customer_ids=tuple(request.customer_ids),
        invoice_ids=tuple(request.invoice_ids),
    )


def to_proto_open_items(items: Iterable[OpenItem], now: datetime) -> list[pb.OpenItem]:
    return [_item(one, now) for one in items]


def to_proto_due_items(items: Iterable[OpenItem], now: datetime) -> list[pb.OpenItem]:
    """Amount and day of invoices under a plan are the instalment's; what is in dispute is left out of amounts."""
    found = []
    for one in items:
        told = _item(one, now)
        told.amount_due.CopyFrom(to_proto_money(one.demand.asked if one.demand else one.undisputed))
        if one.demand:
            told.due_date = one.demand.due_on.isoformat()
        found.append(told)
    return found


def _item(item: OpenItem, now: datetime) -> pb.OpenItem:
    return pb.OpenItem(
        invoice_id=item.invoice.invoice_id,
        number=item.invoice.number or "",
        customer_id=item.invoice.customer_id,
        customer_name=item.customer_name,
        amount_due=to_proto_money(item.payable),
        total=to_proto_money(item.invoice.total),
        due_date=item.invoice.due_date.isoformat(),
        invoice_date=item.invoice.invoice_date.isoformat(),
        disputed=item.invoice.is_disputed,
        purchase_order_number=item.invoice.purchase_order_number,
        customer_external_id=item.customer_external_id,
        version=item.invoice.version,
        instalment_due=None if item.demand is None else to_proto_money(item.demand.asked),
        discount_ends_at=to_proto_time(item.offer_ends_at),
        asked_now=to_proto_money(item.asked_at(now)),
        **_early(item.invoice),
    )


def _early(invoice: Invoice) -> dict[str, Any]:
    """What settles it for whoever pays early, and until when; nothing while a part of it is on its way."""
    until = invoice.terms.early_discount_until
    kept = None if until is None else invoice.early_offer(until)
    if until is None or kept is None or not invoice.reserved.is_zero:
        return {}
    return {"discounted_due": to_proto_money(invoice.due - kept), "discount_until": until.isoformat()}


def to_proto_credits(found: Iterable[CustomerCredit]) -> list[pb.CustomerCredit]:
    return [
        pb.CustomerCredit(customer_id=one.customer_id, credit=to_proto_money(one.credit)) for one in found
    ]


def to_proto_priced_line(priced: PricedLine) -> pb.PricedLine:
    return pb.PricedLine(
        invoice_id=priced.invoice_id,
        line_no=priced.line_no,
        description=priced.line.description,
        quantity=to_proto_decimal(priced.line.quantity),
        amount=to_proto_money(priced.amount),
    )


def to_proto_agreement(sums: Iterable[CashSum]) -> pb.CashAgreement:
    return pb.CashAgreement(
        sums=[
            pb.CashSum(
                received=to_proto_money(one.received),
                applied=to_proto_money(one.applied),
                unapplied=to_proto_money(one.unapplied),
                refunded=to_proto_money(one.refunded),
                cash_clearing=to_proto_money(one.cash_clearing),
            )
            for one in sums
        ]
    )
