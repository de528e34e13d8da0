"""Open invoices, credit and sums, as the payments service asks for them."""

from collections.abc import Iterable
from typing import Any

from services.invoicing.domain.instalment_plan import Demand
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.open_item import CustomerCredit, OpenItem
from services.invoicing.operations.find_open_items import Clues
from services.invoicing.operations.price_lines import PricedLine
from services.invoicing.store.agreement import CashSum
from services.invoicing.translate.values import from_proto_money, to_proto_decimal, to_proto_money
from tallyport.invoicing.v1 import reservations_pb2 as pb


def from_proto_clues(request: pb.FindOpenItemsRequest) -> Clues:
    return Clues(
        numbers=tuple(request.numbers),
        amounts=[from_proto_money(f"amounts[{at}]", amount) for at, amount in enumerate(request.amounts)],
        names=tuple(request.names),
        customer_ids=tuple(request.customer_ids),
        invoice_ids=tuple(request.invoice_ids),
    )


def to_proto_open_items(items: Iterable[OpenItem], *, as_asked: bool = False) -> list[pb.OpenItem]:
    """With `as_asked` amount and day of invoices under a plan are the instalment's instead of the invoice's own."""
    return [_item(one, one.demand if as_asked else None) for one in items]


def _item(item: OpenItem, ask: Demand | None) -> pb.OpenItem:
    return pb.OpenItem(
        invoice_id=item.invoice.invoice_id,
        number=item.invoice.number or "",
        customer_id=item.invoice.customer_id,
        customer_name=item.customer_name,
        amount_due=to_proto_money(item.payable if ask is None else ask.asked),
        total=to_proto_money(item.invoice.total),
        due_date=(item.invoice.due_date if ask is None else ask.due_on).isoformat(),
        invoice_date=item.invoice.invoice_date.isoformat(),
        disputed=item.invoice.is_disputed,
        purchase_order_number=item.invoice.purchase_order_number,
        customer_external_id=item.customer_external_id,
        version=item.invoice.version,
        instalment_due=None if item.demand is None else to_proto_money(item.demand.asked),
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
