"""Stand-ins and the real gateway together: real gRPC with mTLS between them, pages over an ASGI client or a port."""

import base64
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from chassis.rpc.client import connect
from chassis.rpc.server import Server
from chassis.settings import BaseServiceSettings
from services.gateway.app import build
from services.gateway.clients import SERVICES
from services.gateway.settings import GatewaySettings
from tallyport.invoicing.v1.books_pb2_grpc import add_ReceivablesBooksServicer_to_server
from tallyport.invoicing.v1.customer_proposals_pb2_grpc import add_CustomerProposalsServicer_to_server
from tallyport.invoicing.v1.customers_pb2_grpc import add_CustomersServicer_to_server
from tallyport.invoicing.v1.documents_pb2_grpc import add_DocumentsServicer_to_server
from tallyport.invoicing.v1.dunning_pb2_grpc import add_DunningServicer_to_server
from tallyport.invoicing.v1.einvoices_pb2_grpc import add_EInvoicesServicer_to_server
from tallyport.invoicing.v1.imports_pb2_grpc import add_ImportsServicer_to_server
from tallyport.invoicing.v1.invoices_pb2_grpc import add_InvoicesServicer_to_server
from tallyport.invoicing.v1.items_pb2_grpc import add_ItemsServicer_to_server
from tallyport.invoicing.v1.pay_links_pb2_grpc import add_PayLinksServicer_to_server
from tallyport.invoicing.v1.taxes_pb2_grpc import add_TaxesServicer_to_server
from tallyport.notifications.v1.messages_pb2_grpc import add_MessagesServicer_to_server
from tallyport.payments.v1.autopay_pb2_grpc import add_AutopayServicer_to_server
from tallyport.payments.v1.bank_statements_pb2_grpc import add_BankStatementsServicer_to_server
from tallyport.payments.v1.books_pb2_grpc import add_BooksServicer_to_server
from tallyport.payments.v1.chargebacks_pb2_grpc import add_ChargebacksServicer_to_server
from tallyport.payments.v1.payer_rules_pb2_grpc import add_PayerRulesServicer_to_server
from tallyport.payments.v1.payment_methods_pb2_grpc import add_PaymentMethodsServicer_to_server
from tallyport.payments.v1.payments_pb2_grpc import add_PaymentsServicer_to_server
from tallyport.payments.v1.policies_pb2_grpc import add_PaymentPoliciesServicer_to_server
from tallyport.payments.v1.reconciliation_pb2_grpc import add_ReconciliationServicer_to_server
from tallyport.payments.v1.refunds_pb2_grpc import add_RefundsServicer_to_server
from tallyport.payments.v1.transfers_pb2_grpc import add_TransfersServicer_to_server
from tests.support.back_office import identity
from tests.support.back_office.bank import BankStatements, Reconciliation, Transfers
from tests.support.back_office.books import OWNER, PASSWORD, Books
from tests.support.back_office.invoices import Imports, Invoices
from tests.support.back_office.money_back import GoingBack, Ledger, ReceivablesLedger, WaysOfPaying
from tests.support.back_office.money_in import Messages, Payments
from tests.support.back_office.receivables import Receivables
from tests.support.back_office.reminders import Reminders
from tests.support.documents import StandInDocuments, StandInEInvoices
from tests.support.mesh import Mesh

ORIGIN = "http://localhost:8080"


@dataclass(frozen=True)
class Office:
    """A gateway as an ASGI application and what is behind it."""

    books: Books
    app: Any
    settings: GatewaySettings

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """A client that keeps cookies and follows nothing by itself, as a browser on our own pages."""
        sent = {"sec-fetch-site": "same-origin", "accept-language": "en-US"} | headers
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=self.settings.public_url, headers=sent)

    async def signed_in(self, email: str = OWNER, **headers: str) -> httpx.AsyncClient:
        """A browser in which somebody of the staff has signed in."""
        browser = self.browser(**headers)
        form = {
            "csrf": value_of((await browser.get("/console/login")).text, "csrf"),
            "email": email,
            "password": PASSWORD,
        }
        answer = await browser.post("/console/login", data=form)
        assert answer.status_code == 303, answer.text
        return browser


def value_of(page: str, name: str) -> str:
    """The first hidden field of that name."""
    return page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


def _casts(books: Books, mesh: Mesh) -> dict[str, list[tuple[Any, object]]]:
    receivables = Receivables(books)  # type: ignore[abstract]
    going_back, ways = GoingBack(books), WaysOfPaying()  # type: ignore[abstract]
    return {
        "identity": identity.servicers(identity.Identity(books, mesh)),  # type: ignore[abstract]
        "invoicing": [
            (add_ReceivablesBooksServicer_to_server, ReceivablesLedger()),
            (add_InvoicesServicer_to_server, Invoices(books)),  # type: ignore[abstract]
            (add_DocumentsServicer_to_server, StandInDocuments()),
            (add_EInvoicesServicer_to_server, StandInEInvoices("inv_285")),
            (add_DunningServicer_to_server, Reminders()),  # type: ignore[abstract]
            (add_ImportsServicer_to_server, Imports(books)),
            (add_CustomersServicer_to_server, receivables),
            (add_CustomerProposalsServicer_to_server, receivables),
            (add_ItemsServicer_to_server, receivables),
            (add_TaxesServicer_to_server, receivables),
            (add_PayLinksServicer_to_server, receivables),
        ],
        "payments": [
            (add_PaymentsServicer_to_server, Payments(books)),  # type: ignore[abstract]
            (add_ReconciliationServicer_to_server, Reconciliation(books)),
            (add_BankStatementsServicer_to_server, BankStatements(books)),
            (add_TransfersServicer_to_server, Transfers(books)),  # type: ignore[abstract]
            (add_RefundsServicer_to_server, going_back),
            (add_ChargebacksServicer_to_server, going_back),
            (add_BooksServicer_to_server, Ledger()),  # type: ignore[abstract]
            (add_PaymentMethodsServicer_to_server, ways),
            (add_AutopayServicer_to_server, ways),
            (add_PayerRulesServicer_to_server, ways),
            (add_PaymentPoliciesServicer_to_server, ways),
        ],
        "notifications": [(add_MessagesServicer_to_server, Messages(books))],  # type: ignore[abstract]
    }


@contextlib.asynccontextmanager
async def office(folder: Path, *, public_url: str = ORIGIN) -> AsyncIterator[Office]:
    """Opens the office; closes it at the end of the block."""
    mesh, books = Mesh(folder), Books()
    key_file = folder / "cookie.key"
    key_file.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    async with contextlib.AsyncExitStack() as stack:
        addresses: dict[str, Any] = {}
        for name, servicers in _casts(books, mesh).items():
            server = Server(BaseServiceSettings(**mesh.settings(name)), servicers)
            addresses[f"{name}_address"] = f"127.0.0.1:{await server.start()}"
            stack.push_async_callback(server.stop, 0)
        settings = GatewaySettings(
            **mesh.settings("gateway"),
            **addresses,
            public_url=public_url,
            cookie_key_file=key_file,
            default_organization="harbor-supply",
        )
        channels = {name: connect(settings, name) for name in SERVICES}
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        yield Office(books, build(settings, channels), settings)
