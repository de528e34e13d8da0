"""Servicers: translate, call one operation, translate back."""

from collections.abc import Sequence
from typing import Any

from chassis.database import Database
from chassis.event_log import event_log
from services.invoicing.cash_books import CashBooks, NoCashBooks
from services.invoicing.identity import MustBeStaff, everybody_is_staff
from services.invoicing.payments import FindTransferSlip, no_transfer_slip
from services.invoicing.rpc.books import ReceivablesBooks
from services.invoicing.rpc.credit_notes import CreditNotes, InvoiceAdjustments
from services.invoicing.rpc.customer_proposals import CustomerProposals
from services.invoicing.rpc.customers import Customers
from services.invoicing.rpc.disputes import Disputes
from services.invoicing.rpc.documents import Documents
from services.invoicing.rpc.dunning import Dunning
from services.invoicing.rpc.einvoices import EInvoices
from services.invoicing.rpc.exports import Exports
from services.invoicing.rpc.imports import Imports
from services.invoicing.rpc.instalment_plans import InstalmentPlans, PaymentPromises, PlanPolicies
from services.invoicing.rpc.invoices import Invoices
from services.invoicing.rpc.items import Items
from services.invoicing.rpc.late_fees import LateFeePolicies
from services.invoicing.rpc.open_items import OpenItems
from services.invoicing.rpc.pay_links import PayLinks
from services.invoicing.rpc.reservations import Deliveries, Reservations
from services.invoicing.rpc.schedules import Schedules
from services.invoicing.rpc.statements import Statements
from services.invoicing.rpc.taxes import Taxes
from services.invoicing.rpc.triggers import InvoiceTriggers
from tallyport.invoicing.v1 import (
    adjustments_pb2_grpc,
    books_pb2_grpc,
    credit_notes_pb2_grpc,
    customer_proposals_pb2_grpc,
    customers_pb2_grpc,
    disputes_pb2_grpc,
    documents_pb2_grpc,
    dunning_pb2_grpc,
    einvoices_pb2_grpc,
    exports_pb2_grpc,
    imports_pb2_grpc,
    instalment_plans_pb2_grpc,
    invoices_pb2_grpc,
    items_pb2_grpc,
    late_fees_pb2_grpc,
    pay_links_pb2_grpc,
    payment_promises_pb2_grpc,
    plan_policies_pb2_grpc,
    reservations_pb2_grpc,
    schedules_pb2_grpc,
    statements_pb2_grpc,
    taxes_pb2_grpc,
)


def servicers(
    db: Database,
    *,
    pay_link_key: bytes,
    find_slip: FindTransferSlip = no_transfer_slip,
    cash: CashBooks | None = None,
    must_be_staff: MustBeStaff = everybody_is_staff,
) -> Sequence[tuple[Any, object]]:
    """All that this service answers, as pairs for the server."""
    return (
        (customers_pb2_grpc.add_CustomersServicer_to_server, Customers(db, must_be_staff)),
        (customer_proposals_pb2_grpc.add_CustomerProposalsServicer_to_server, CustomerProposals(db)),
        (credit_notes_pb2_grpc.add_CreditNotesServicer_to_server, CreditNotes(db)),
        (adjustments_pb2_grpc.add_InvoiceAdjustmentsServicer_to_server, InvoiceAdjustments(db)),
        (late_fees_pb2_grpc.add_LateFeePoliciesServicer_to_server, LateFeePolicies(db)),
        (items_pb2_grpc.add_ItemsServicer_to_server, Items(db)),
        (taxes_pb2_grpc.add_TaxesServicer_to_server, Taxes(db)),
        (invoices_pb2_grpc.add_InvoicesServicer_to_server, Invoices(db, find_slip)),
        (documents_pb2_grpc.add_DocumentsServicer_to_server, Documents(db, find_slip)),
        (pay_links_pb2_grpc.add_PayLinksServicer_to_server, PayLinks(db, pay_link_key)),
        (imports_pb2_grpc.add_ImportsServicer_to_server, Imports(db)),
        (reservations_pb2_grpc.add_ReservationsServicer_to_server, Reservations(db)),
        (reservations_pb2_grpc.add_OpenItemsServicer_to_server, OpenItems(db)),
        (
            reservations_pb2_grpc.add_DeliveriesServicer_to_server,
            Deliveries(db, pay_link_key, find_slip),
        ),
        (schedules_pb2_grpc.add_SchedulesServicer_to_server, Schedules(db)),
        (schedules_pb2_grpc.add_InvoiceTriggersServicer_to_server, InvoiceTriggers(db)),
        (exports_pb2_grpc.add_ExportsServicer_to_server, Exports(db)),
        (statements_pb2_grpc.add_StatementsServicer_to_server, Statements(db)),
        (books_pb2_grpc.add_ReceivablesBooksServicer_to_server, ReceivablesBooks(db, cash or NoCashBooks())),
        (instalment_plans_pb2_grpc.add_InstalmentPlansServicer_to_server, InstalmentPlans(db)),
        (payment_promises_pb2_grpc.add_PaymentPromisesServicer_to_server, PaymentPromises(db)),
        (plan_policies_pb2_grpc.add_PlanPoliciesServicer_to_server, PlanPolicies(db)),
        (disputes_pb2_grpc.add_DisputesServicer_to_server, Disputes(db)),
        (dunning_pb2_grpc.add_DunningServicer_to_server, Dunning(db, find_slip)),
        (einvoices_pb2_grpc.add_EInvoicesServicer_to_server, EInvoices(db)),
        event_log(db),
    )
