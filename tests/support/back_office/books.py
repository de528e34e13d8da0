"""What the stand-ins know: three people, four dozen customers, some three hundred invoices and their payments."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tallyport.common.v1.money_pb2 import Money
from tallyport.identity.v1.organizations_pb2 import Brand, Organization, PostalAddress
from tallyport.invoicing.v1.customer_proposals_pb2 import CustomerProposal
from tallyport.invoicing.v1.customers_pb2 import Customer
from tallyport.invoicing.v1.imports_pb2 import Import
from tallyport.invoicing.v1.invoices_pb2 import (
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LineTax,
    TaxCategory,
    TaxTotal,
)
from tallyport.invoicing.v1.items_pb2 import Item
from tallyport.invoicing.v1.taxes_pb2 import TaxRate
from tallyport.notifications.v1.messages_pb2 import Message, MessageKind, MessageState
from tallyport.payments.v1.payments_pb2 import Payment, PaymentMethodType, PaymentPart, PaymentStatus
from tallyport.payments.v1.refunds_pb2 import CreateRefundRequest

ORGANIZATION_ID = "org_1"
PASSWORD = "correct horse battery staple"
OWNER, ACCOUNTANT, AUDITOR = "owner@harbor.test", "ledger@harbor.test", "auditor@harbor.test"
_FIRST = [
    "Anchor",
    "Bay",
    "Beacon",
    "Cliff",
    "Delta",
    "Ebb",
    "Ferry",
    "Gale",
    "Harborline",
    "Inlet",
    "Jetty",
    "Keel",
]
_LAST = ["Boatworks", "Fisheries", "Logistics", "Marina"]
_OPEN, _PARTLY, _PAID = (
    InvoiceStatus.INVOICE_STATUS_OPEN,
    InvoiceStatus.INVOICE_STATUS_PARTLY_PAID,
    InvoiceStatus.INVOICE_STATUS_PAID,
)


def usd(minor_units: int) -> Money:
    """US dollars."""
    return Money(minor_units=minor_units, currency="USD")


def _tax_rates() -> list[TaxRate]:
    tax = LineTax(rate_percent="19", category=TaxCategory.TAX_CATEGORY_STANDARD)
    return [
        TaxRate(code="standard", name="Standard rate", taxes=[tax], valid_from="2000-01-01", built_in=True)
    ]


@dataclass
class Books:
    """Everything there is; tests change it freely."""

    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    customers: dict[str, Customer] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    tax_rates: list[TaxRate] = field(default_factory=_tax_rates)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    proposals: dict[str, CustomerProposal] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
    pay_links: dict[str, str] = field(default_factory=dict)
    refunds: list[CreateRefundRequest] = field(default_factory=list)
    answered: dict[str, str] = field(default_factory=dict)
    """Idempotency key to the id of what it made."""
    calls: list[str] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    """Services that answer UNAVAILABLE."""
    import_step_rows: int = 7

    def __post_init__(self) -> None:
        chance = random.Random(20261121)
        for index in range(48):
            customer = _customer(index)
            self.customers[customer.customer_id] = customer
        for index, (sku, name, units, rate) in enumerate(_ITEMS):
            item = Item(
                item_id=f"itm_{index}", sku=sku, name=name, unit_price=usd(units), tax_rate_percent=rate
            )
            self.items[item.item_id] = item
        for index in range(300):
            self._add_invoice(index, chance)
        for index, status in enumerate(_UNFINISHED):
            self._add_payment(self.invoices[f"inv_{290 + index}"], status, 0)
        self._fail_some_mails()

    def organization(self) -> Organization:
        """The business."""
        return Organization(
            organization_id=ORGANIZATION_ID,
            slug="harbor-supply",
            name="Harbor Supply Company",
            currency="USD",
            time_zone="America/New_York",
            locale="en-US",
            address=PostalAddress(lines=["12 Quay Street"], city="Portland", region="ME", country="US"),
            brand=self.brand(),
        )

    def brand(self) -> Brand:
        """Its looks."""
        return Brand(
            organization_id=ORGANIZATION_ID,
            slug="harbor-supply",
            display_name="Harbor Supply",
            primary_color="#0f6b62",
        )

    def new_id(self, prefix: str, kept: dict[str, str] | dict[str, Invoice]) -> str:
        """The next id of a kind."""
        return f"{prefix}_n{len(kept) + 1}"

    def _add_invoice(self, index: int, chance: random.Random) -> None:
        customer = self.customers[f"cus_{chance.randrange(48)}"]
        due = self.today - timedelta(days=170 - index * 210 // 300)
        net = round(chance.lognormvariate(11.2, 0.9))
        paid = net if chance.random() < (0.86 if due < self.today else 0.15) else 0
        invoice = sample_invoice(index, customer, due, net)
        invoice.disputed = paid == 0 and chance.random() < 0.15
        total = invoice.total.minor_units
        self.invoices[invoice.invoice_id] = invoice
        if paid or (index % 17 == 0 and index > 150):
            self.settle(invoice, total if paid else total // 3)
            late = min((self.today - due).days + 20, round(chance.gauss(4, 9)) + 20)
            received = max(invoice_day(invoice), due - timedelta(days=20) + timedelta(days=late))
            received = min(received, self.today - timedelta(days=index * 7 % 26))
            self._add_payment(
                invoice, PaymentStatus.PAYMENT_STATUS_SUCCEEDED, max(0, (self.today - received).days)
            )
        if index >= 280:
            self.add_message(invoice.invoice_id, customer, MessageKind.MESSAGE_KIND_INVOICE)

    def settle(self, invoice: Invoice, minor_units: int) -> None:
        """Books money on an invoice."""
        invoice.amount_paid.minor_units += minor_units
        invoice.amount_due.minor_units -= minor_units
        left = invoice.amount_due.minor_units
        invoice.status = _PARTLY if left else _PAID
        self.age(invoice)
        if not left:
            invoice.paid_at.FromDatetime(datetime.now(UTC))

    def age(self, invoice: Invoice) -> None:
        """Sets what follows from the due date."""
        days = (self.today - date.fromisoformat(invoice.due_date)).days
        invoice.overdue = days > 0 and invoice.status in (_OPEN, _PARTLY)
        invoice.days_overdue = days if invoice.overdue else 0

    def _add_payment(self, invoice: Invoice, status: "PaymentStatus.ValueType", days: int) -> None:
        succeeded = status == PaymentStatus.PAYMENT_STATUS_SUCCEEDED
        index = len(self.payments) + 1
        amount = invoice.amount_paid.minor_units if succeeded else invoice.amount_due.minor_units
        payment = Payment(
            payment_id=f"pay_{index}",
            customer_id=invoice.customer_id,
            status=status,
            amount=usd(amount),
            parts=[
                PaymentPart(invoice_id=invoice.invoice_id, amount=usd(amount), invoice_number=invoice.number)
            ],
            method=PaymentMethodType.PAYMENT_METHOD_TYPE_CARD
            if index % 3
            else PaymentMethodType.PAYMENT_METHOD_TYPE_BANK_TRANSFER,
            method_summary="Visa 4242" if index % 3 else "",
            receipt_number=f"R-{1000 + index}" if succeeded else "",
            received_on=(self.today - timedelta(days=days)).isoformat() if succeeded else "",
            initiated_by="person:per_9",
        )
        if status == PaymentStatus.PAYMENT_STATUS_FAILED:
            payment.failure_code = "insufficient_funds"
        moment = datetime.now(UTC) - timedelta(days=days, minutes=7 * index % 50)
        payment.created_at.FromDatetime(moment)
        if succeeded:
            payment.finished_at.FromDatetime(moment + timedelta(seconds=42))
        self.payments[payment.payment_id] = payment

    def add_message(self, about_id: str, customer: Customer, kind: "MessageKind.ValueType") -> Message:
        """A mail that was sent."""
        word = "Invoice" if kind == MessageKind.MESSAGE_KIND_INVOICE else "Receipt"
        message = Message(
            message_id=f"msg_{len(self.messages) + 1}",
            kind=kind,
            state=MessageState.MESSAGE_STATE_SENT,
            customer_id=customer.customer_id,
            recipient=customer.email,
            subject=f"{word} from Harbor Supply",
            about_id=about_id,
            attempts=1,
        )
        message.created_at.GetCurrentTime()
        message.sent_at.GetCurrentTime()
        self.messages[message.message_id] = message
        return message

    def _fail_some_mails(self) -> None:
        for name in ("msg_3", "msg_9"):
            message = self.messages[name]
            message.state = MessageState.MESSAGE_STATE_FAILED
            message.attempts = 5
            message.last_error = "550 5.1.1 The address does not exist"
            message.ClearField("sent_at")


_ITEMS = (
    ("PLY-18", "Marine plywood, 18 mm, full sheet", 11_450, "8"),
    ("EPX-5", "Epoxy resin with slow hardener, 5 kg", 8_990, "8"),
    ("RIG-HR", "Rigging, per hour", 9_500, ""),
    ("BRTH-M", "Berth, per month", 48_000, "5.5"),
)
_UNFINISHED = (
    PaymentStatus.PAYMENT_STATUS_UNKNOWN,
    PaymentStatus.PAYMENT_STATUS_PROCESSING,
    PaymentStatus.PAYMENT_STATUS_FAILED,
    PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION,
)


def _customer(index: int) -> Customer:
    name = f"{_FIRST[index % 12]} {_LAST[index // 12]}"
    customer = Customer(
        customer_id=f"cus_{index}",
        name=name,
        email=f"accounts@{name.lower().replace(' ', '-')}.test",
        external_id=f"{1000 + index * 37}-QX{index:02}",
        currency="USD",
        locale="en-US",
        address_lines=[f"{index + 3} Pier Road", "Portland, ME 04101"],
        country="US",
        payment_terms_days=30,
        version=1,
    )
    customer.created_at.FromDatetime(datetime.now(UTC) - timedelta(days=300 - index))
    return customer


def invoice_day(invoice: Invoice) -> date:
    """Day of the invoice."""
    return date.fromisoformat(invoice.invoice_date)


def sample_invoice(index: int, customer: Customer, due: date, net: int) -> Invoice:
    """A finalized invoice of two lines with 8 % tax."""
    unit = max(1, net // 16)
    lines = [
        InvoiceLine(description="Marine plywood, 18 mm, full sheets", quantity="12", unit_price=usd(unit),
                    tax_rate_percent="8", amount=usd(unit * 12), amount_with_tax=usd(unit * 12 * 108 // 100)),
        InvoiceLine(description="Epoxy resin with slow hardener", quantity="4", unit_price=usd(unit),
                    tax_rate_percent="8", amount=usd(unit * 4), amount_with_tax=usd(unit * 4 * 108 // 100)),
    ]  # fmt: skip
    subtotal = unit * 16
    tax = (subtotal * 8 + 50) // 100
    invoice = Invoice(
        invoice_id=f"inv_{index}",
        number=f"INV-{1001 + index}",
        customer_id=customer.customer_id,
        customer_name=customer.name,
        status=_OPEN,
        invoice_date=(due - timedelta(days=30)).isoformat(),
        due_date=due.isoformat(),
        lines=lines,
        taxes=[TaxTotal(rate_percent="8", taxable=usd(subtotal), tax=usd(tax))],
        subtotal=usd(subtotal),
        tax_total=usd(tax),
        total=usd(subtotal + tax),
        amount_paid=usd(0),
        amount_processing=usd(0),
        amount_due=usd(subtotal + tax),
        purchase_order_number=f"PO-{4400 + index}" if index % 4 == 0 else "",
        version=1,
    )
    days = (datetime.now(UTC).date() - due).days
    invoice.overdue, invoice.days_overdue = days > 0, max(0, days)
    issued = datetime.combine(invoice_day(invoice), datetime.min.time(), UTC) + timedelta(hours=14)
    invoice.created_at.FromDatetime(issued - timedelta(minutes=12))
    invoice.finalized_at.FromDatetime(issued)
    return invoice
