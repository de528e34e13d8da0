"""What the stand-ins know: one organization, one customer, a dozen invoices, some payments."""

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tallyport.common.v1.money_pb2 import Money
from tallyport.identity.v1.organizations_pb2 import Brand, Organization, PostalAddress
from tallyport.invoicing.v1.invoices_pb2 import Invoice, InvoiceLine, InvoiceStatus, TaxTotal
from tallyport.payments.v1.payments_pb2 import Payment, PaymentMethodType, PaymentPart, PaymentStatus

ORGANIZATION_ID = "org_1"
CUSTOMER_ID = "cus_1"
LINK_TOKEN = "plt_" + "a" * 40
EMAIL, PASSWORD = "ada@example.test", "correct horse battery"
STAFF_EMAIL = "grace@example.test"


def usd(minor_units: int) -> Money:
    """US dollars."""
    return Money(minor_units=minor_units, currency="USD")


@dataclass
class Stage:
    """Everything that can be on stage; tests change it freely."""

    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    invoices: dict[str, Invoice] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    payment_keys: dict[str, str] = field(default_factory=dict)
    outcome: "PaymentStatus.ValueType" = PaymentStatus.PAYMENT_STATUS_SUCCEEDED
    """What becomes of a payment once somebody asks."""
    failure_code: str = "insufficient_funds"
    calls: list[str] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    """Methods that answer UNAVAILABLE."""
    access_seconds: int = 300
    webhooks: list[bytes] = field(default_factory=list)
    companies: dict[str, str] = field(default_factory=dict)
    """Names of customers below the visitor's, by id."""

    def __post_init__(self) -> None:
        for index, (days, units, paid, disputed) in enumerate(_INVOICES):
            invoice = _invoice(self.today, index, days, units, paid, disputed)
            self.invoices[invoice.invoice_id] = invoice
        for index, (days, status) in enumerate(_PAYMENTS):
            payment = _payment(self.today, index, days, status)
            self.payments[payment.payment_id] = payment

    def reset(self) -> None:
        """As at the beginning, for the next test."""
        vars(self).update(vars(Stage()))

    def organization(self) -> Organization:
        return Organization(
            organization_id=ORGANIZATION_ID,
            slug="harbor-supply",
            name="Harbor Supply Company",
            currency="USD",
            time_zone="America/New_York",
            locale="en-US",
            address=PostalAddress(
                lines=["12 Quay Street"], city="Portland", region="ME", postal_code="04101", country="US"
            ),
            contact_email="accounts@harbor.test",
            contact_phone="+1 207 555 0143",
            brand=self.brand(),
            live_mode=False,
        )

    def brand(self) -> Brand:
        return Brand(
            organization_id=ORGANIZATION_ID,
            slug="harbor-supply",
            display_name="Harbor Supply",
            primary_color="#0f6b62",
        )

    def expires_at(self) -> int:
        return int(time.time()) + self.access_seconds


# Days from today to the due date, minor units, paid so far, disputed.
_INVOICES = (
    (-43, 184_250, 0, False),
    (-12, 62_400, 20_000, False),
    (-3, 9_990, 0, True),
    (2, 248_000, 0, False),
    (6, 31_875, 0, False),
    (14, 1_204_000, 0, False),
    (21, 55_000, 0, False),
    (28, 7_300, 0, False),
    (-50, 88_000, 88_000, False),
    (-70, 13_450, 13_450, False),
    (-81, 402_100, 402_100, False),
)
_PAYMENTS = (
    (0, PaymentStatus.PAYMENT_STATUS_PROCESSING),
    (3, PaymentStatus.PAYMENT_STATUS_SUCCEEDED),
    (3, PaymentStatus.PAYMENT_STATUS_FAILED),
    (41, PaymentStatus.PAYMENT_STATUS_SUCCEEDED),
    (72, PaymentStatus.PAYMENT_STATUS_SUCCEEDED),
    (73, PaymentStatus.PAYMENT_STATUS_CANCELED),
    (80, PaymentStatus.PAYMENT_STATUS_UNKNOWN),
    (81, PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION),
)


def _invoice(today: date, index: int, days: int, units: int, paid: int, disputed: bool) -> Invoice:
    due = today + timedelta(days=days)
    status = InvoiceStatus.INVOICE_STATUS_OPEN
    if paid:
        status = (
            InvoiceStatus.INVOICE_STATUS_PARTLY_PAID if paid < units else InvoiceStatus.INVOICE_STATUS_PAID
        )
    overdue = days < 0 and paid < units
    net = round(units / 1.08)
    invoice = Invoice(
        invoice_id=f"inv_{index + 1}",
        number=f"INV-{2041 + index}",
        customer_id=CUSTOMER_ID,
        customer_name="Lovelace Boatworks Ltd",
        status=status,
        invoice_date=(due - timedelta(days=30)).isoformat(),
        due_date=due.isoformat(),
        overdue=overdue,
        days_overdue=-days if overdue else 0,
        subtotal=usd(net),
        tax_total=usd(units - net),
        total=usd(units),
        amount_paid=usd(paid),
        amount_processing=usd(0),
        amount_due=usd(units - paid),
        purchase_order_number=f"PO-77{index}",
        memo="Delivered to berth 4. Thank you for your order.\nQuestions? Ask for Grace."
        if index == 0
        else "",
        disputed=disputed,
        version=1,
    )
    half = net // 2
    invoice.lines.extend(
        [
            InvoiceLine(
                description="Marine plywood, 18 mm, BS 1088, full sheets",
                quantity="12",
                unit_price=usd(half // 12),
                tax_rate_percent="8",
                amount=usd(half),
            ),
            InvoiceLine(
                description="Epoxy resin with slow hardener",
                quantity="4.5",
                unit_price=usd((net - half) * 2 // 9),
                tax_rate_percent="8",
                amount=usd(net - half),
            ),
        ]
    )
    invoice.taxes.append(TaxTotal(rate_percent="8", taxable=usd(net), tax=usd(units - net)))
    moment = datetime.combine(due - timedelta(days=30), datetime.min.time(), UTC) + timedelta(hours=14)
    invoice.finalized_at.FromDatetime(moment)
    if paid == units:
        invoice.paid_at.FromDatetime(moment + timedelta(days=20))
    return invoice


def _payment(today: date, index: int, days: int, status: "PaymentStatus.ValueType") -> Payment:
    succeeded = status == PaymentStatus.PAYMENT_STATUS_SUCCEEDED
    failed = status == PaymentStatus.PAYMENT_STATUS_FAILED
    payment = Payment(
        payment_id=f"pay_{index + 1}",
        customer_id=CUSTOMER_ID,
        status=status,
        amount=usd(88_000 + 1_111 * index),
        parts=[
            PaymentPart(invoice_id="inv_9", amount=usd(88_000), invoice_number="INV-2049"),
            PaymentPart(invoice_id="inv_2", amount=usd(1_111 * index + 1), invoice_number="INV-2042"),
        ],
        method=PaymentMethodType.PAYMENT_METHOD_TYPE_CARD,
        method_summary="Visa 4242",
        failure_code="card_declined" if failed else "",
        failure_message="The card was declined." if failed else "",
        receipt_number=f"R-{500 + index}" if succeeded else "",
        initiated_by="Ada Lovelace",
        received_on=(today - timedelta(days=days)).isoformat() if succeeded else "",
        redirect_url="https://checkout.test/"
        if status == PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION
        else "",
    )
    payment.created_at.FromDatetime(datetime.now(UTC) - timedelta(days=days, hours=2))
    return payment
