"""The four services as the edge calls them: typed stubs, the visitor's token, one deadline."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from google.protobuf.message import Message
from grpc import aio

from chassis.rpc.client import StreamMethod, UnaryMethod, user_metadata
from tallyport.identity.v1.organizations_pb2_grpc import OrganizationsStub
from tallyport.identity.v1.people_pb2_grpc import ApiKeysStub, PeopleStub
from tallyport.identity.v1.sessions_pb2_grpc import SessionsStub
from tallyport.identity.v1.test_clocks_pb2_grpc import TestClocksStub
from tallyport.invoicing.v1.adjustments_pb2_grpc import InvoiceAdjustmentsStub
from tallyport.invoicing.v1.books_pb2_grpc import ReceivablesBooksStub
from tallyport.invoicing.v1.credit_notes_pb2_grpc import CreditNotesStub
from tallyport.invoicing.v1.customer_proposals_pb2_grpc import CustomerProposalsStub
from tallyport.invoicing.v1.customers_pb2_grpc import CustomersStub
from tallyport.invoicing.v1.disputes_pb2_grpc import DisputesStub
from tallyport.invoicing.v1.documents_pb2_grpc import DocumentsStub
from tallyport.invoicing.v1.dunning_pb2_grpc import DunningStub
from tallyport.invoicing.v1.einvoices_pb2_grpc import EInvoicesStub
from tallyport.invoicing.v1.exports_pb2_grpc import ExportsStub
from tallyport.invoicing.v1.imports_pb2_grpc import ImportsStub
from tallyport.invoicing.v1.instalment_plans_pb2_grpc import InstalmentPlansStub
from tallyport.invoicing.v1.invoices_pb2_grpc import InvoicesStub
from tallyport.invoicing.v1.items_pb2_grpc import ItemsStub
from tallyport.invoicing.v1.late_fees_pb2_grpc import LateFeePoliciesStub
from tallyport.invoicing.v1.pay_links_pb2_grpc import PayLinksStub
from tallyport.invoicing.v1.payment_promises_pb2_grpc import PaymentPromisesStub
from tallyport.invoicing.v1.plan_policies_pb2_grpc import PlanPoliciesStub
from tallyport.invoicing.v1.schedules_pb2_grpc import InvoiceTriggersStub, SchedulesStub
from tallyport.invoicing.v1.statements_pb2_grpc import StatementsStub
from tallyport.invoicing.v1.taxes_pb2_grpc import TaxesStub
from tallyport.notifications.v1.messages_pb2_grpc import MessagesStub
from tallyport.payments.v1.autopay_pb2_grpc import AutopayStub
from tallyport.payments.v1.bank_statements_pb2_grpc import BankStatementsStub
from tallyport.payments.v1.books_pb2_grpc import BooksStub
from tallyport.payments.v1.chargebacks_pb2_grpc import ChargebacksStub
from tallyport.payments.v1.payer_rules_pb2_grpc import PayerRulesStub
from tallyport.payments.v1.payment_methods_pb2_grpc import PaymentMethodsStub
from tallyport.payments.v1.payments_pb2_grpc import PaymentsStub, ProviderEventsStub
from tallyport.payments.v1.policies_pb2_grpc import PaymentPoliciesStub
from tallyport.payments.v1.reconciliation_pb2_grpc import ReconciliationStub
from tallyport.payments.v1.refunds_pb2_grpc import RefundsStub
from tallyport.payments.v1.transfers_pb2_grpc import TransfersStub

EDGE_DEADLINE_SECONDS = 10.0
FILE_DEADLINE_SECONDS = 1800.0
"""For files that are streamed: ten thousand documents take minutes to print."""
SERVICES = ("identity", "invoicing", "payments", "notifications")

Request = TypeVar("Request", bound=Message)
Answer = TypeVar("Answer", bound=Message)


class Services:
    """One stub for every contract, over one channel to each service."""

    def __init__(self, channels: Mapping[str, aio.Channel]) -> None:
        identity, invoicing = channels["identity"], channels["invoicing"]
        payments, notifications = channels["payments"], channels["notifications"]
        self.organizations = OrganizationsStub(identity)
        self.sessions = SessionsStub(identity)
        self.people = PeopleStub(identity)
        self.api_keys = ApiKeysStub(identity)
        self.test_clocks = TestClocksStub(identity)
        self.customers = CustomersStub(invoicing)
        self.credit_notes = CreditNotesStub(invoicing)
        self.invoice_adjustments = InvoiceAdjustmentsStub(invoicing)
        self.late_fees = LateFeePoliciesStub(invoicing)
        self.customer_proposals = CustomerProposalsStub(invoicing)
        self.items = ItemsStub(invoicing)
        self.disputes = DisputesStub(invoicing)
        self.dunning = DunningStub(invoicing)
        self.taxes = TaxesStub(invoicing)
        self.invoices = InvoicesStub(invoicing)
        self.documents = DocumentsStub(invoicing)
        self.einvoices = EInvoicesStub(invoicing)
        self.schedules = SchedulesStub(invoicing)
        self.invoice_triggers = InvoiceTriggersStub(invoicing)
        self.imports = ImportsStub(invoicing)
        self.pay_links = PayLinksStub(invoicing)
        self.instalment_plans = InstalmentPlansStub(invoicing)
        self.payment_promises = PaymentPromisesStub(invoicing)
        self.plan_policies = PlanPoliciesStub(invoicing)
        self.exports = ExportsStub(invoicing)
        self.statements = StatementsStub(invoicing)
        self.receivables_books = ReceivablesBooksStub(invoicing)
        self.payments = PaymentsStub(payments)
        self.provider_events = ProviderEventsStub(payments)
        self.payment_methods = PaymentMethodsStub(payments)
        self.autopay = AutopayStub(payments)
        self.policies = PaymentPoliciesStub(payments)
        self.payer_rules = PayerRulesStub(payments)
        self.transfers = TransfersStub(payments)
        self.bank_statements = BankStatementsStub(payments)
        self.reconciliation = ReconciliationStub(payments)
        self.refunds = RefundsStub(payments)
        self.chargebacks = ChargebacksStub(payments)
        self.books = BooksStub(payments)
        self.messages = MessagesStub(notifications)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """On whose behalf calls go out. Without a token they are the gateway's own."""

    request_id: str
    locale: str
    token: str = ""
    client_address: str = ""

    async def call(
        self,
        method: Callable[[Request], Awaitable[Answer]],
        request: Request,
        *,
        idempotency_key: str | None = None,
        timeout_seconds: float = EDGE_DEADLINE_SECONDS,
    ) -> Answer:
        """One call. Every failure is a ServiceError."""
        metadata = self._metadata(idempotency_key)
        unary = cast("UnaryMethod[Request, Answer]", method)
        return await unary(request, timeout=timeout_seconds, metadata=metadata)

    def stream(
        self,
        method: aio.UnaryStreamMultiCallable[Request, Answer],
        request: Request,
        *,
        timeout_seconds: float = FILE_DEADLINE_SECONDS,
    ) -> AsyncIterator[Answer]:
        """The answers of one call that streams. Every failure is a ServiceError, also between two answers."""
        many = cast("StreamMethod[Request, Answer]", method)
        return many(request, timeout=timeout_seconds, metadata=self._metadata(None))

    def _metadata(self, idempotency_key: str | None) -> list[tuple[str, str]]:
        return user_metadata(
            token=self.token or None,
            idempotency_key=idempotency_key,
            locale=self.locale,
            request_id=self.request_id,
            client_address=self.client_address or None,
        )
