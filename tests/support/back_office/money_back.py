"""What goes back, how customers pay, and the books, as the pages of staff ask for them."""

from typing import Any

from tallyport.invoicing.v1 import books_pb2 as receivables_pb2
from tallyport.invoicing.v1.books_pb2_grpc import ReceivablesBooksServicer
from tallyport.payments.v1 import autopay_pb2, books_pb2, chargebacks_pb2, payer_rules_pb2, refunds_pb2
from tallyport.payments.v1 import payment_methods_pb2 as methods_pb2
from tallyport.payments.v1.autopay_pb2_grpc import AutopayServicer
from tallyport.payments.v1.books_pb2_grpc import BooksServicer
from tallyport.payments.v1.chargebacks_pb2_grpc import ChargebacksServicer
from tallyport.payments.v1.payer_rules_pb2_grpc import PayerRulesServicer
from tallyport.payments.v1.payment_methods_pb2_grpc import PaymentMethodsServicer
from tallyport.payments.v1.policies_pb2 import CustomerSegment
from tallyport.payments.v1.policies_pb2_grpc import PaymentPoliciesServicer
from tallyport.payments.v1.refunds_pb2_grpc import RefundsServicer
from tests.support.back_office.books import Books, usd


class GoingBack(RefundsServicer, ChargebacksServicer):
    """One refund of pay_7, and nothing that a bank takes back."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def ListRefunds(self, request: Any, context: Any) -> refunds_pb2.ListRefundsResponse:
        if request.payment_id != "pay_7":
            return refunds_pb2.ListRefundsResponse()
        refund = refunds_pb2.Refund(
            refund_id="ref_1",
            payment_id="pay_7",
            amount=usd(100),
            status=refunds_pb2.REFUND_STATUS_SUCCEEDED,
            destination=refunds_pb2.REFUND_DESTINATION_METHOD,
            invoice_effect=refunds_pb2.INVOICE_EFFECT_FORGIVE,
        )
        return refunds_pb2.ListRefundsResponse(refunds=[refund])

    async def CreateRefund(self, request: Any, context: Any) -> refunds_pb2.Refund:
        self._books.refunds.append(request)
        return refunds_pb2.Refund(
            refund_id="ref_2", payment_id=request.payment_id, status=refunds_pb2.REFUND_STATUS_SUCCEEDED
        )

    async def ListChargebacks(self, request: Any, context: Any) -> chargebacks_pb2.ListChargebacksResponse:
        return chargebacks_pb2.ListChargebacksResponse()


class ReceivablesLedger(ReceivablesBooksServicer):
    """Receivables' books, which are right until `frozen` is set."""

    frozen = False

    async def GetReceivablesBooks(self, request: Any, context: Any) -> receivables_pb2.ReceivablesBooksState:
        state = receivables_pb2.ReceivablesBooksState(frozen=self.frozen)
        state.checked_at.GetCurrentTime()
        if self.frozen:
            state.broken.append("I5 paid is not the sum of allocations: inv_1")
            state.frozen_at.GetCurrentTime()
        return state

    async def LiftReceivablesFreeze(
        self, request: Any, context: Any
    ) -> receivables_pb2.ReceivablesBooksState:
        type(self).frozen = False
        return await self.GetReceivablesBooks(request, context)

    async def GetReceivablesTrialBalance(
        self, request: Any, context: Any
    ) -> receivables_pb2.ReceivablesTrialBalance:
        return receivables_pb2.ReceivablesTrialBalance(until=request.until, balanced=True)

    async def GetCloseChecklist(self, request: Any, context: Any) -> receivables_pb2.CloseChecklist:
        return receivables_pb2.CloseChecklist(until=request.until, ready=True)

    async def ClosePeriod(self, request: Any, context: Any) -> receivables_pb2.ClosedPeriod:
        return receivables_pb2.ClosedPeriod(until=request.until, closed_by="person:per_owner")

    async def ReopenPeriod(self, request: Any, context: Any) -> receivables_pb2.ClosedPeriod:
        return receivables_pb2.ClosedPeriod()


class Ledger(BooksServicer):
    """Books that are right until `frozen` is set."""

    frozen = False

    async def ListLedgerEntries(self, request: Any, context: Any) -> books_pb2.ListLedgerEntriesResponse:
        lines = [
            books_pb2.LedgerLine(account="provider_clearing", debit=usd(100)),
            books_pb2.LedgerLine(account="customer_funds", credit=usd(100)),
        ]
        entry = books_pb2.LedgerEntry(entry_id="ent_1", source="payment", kind="received", lines=lines)
        return books_pb2.ListLedgerEntriesResponse(entries=[entry])

    async def GetTrialBalance(self, request: Any, context: Any) -> books_pb2.TrialBalance:
        line = books_pb2.AccountBalanceLine(
            account="customer_funds", debits=usd(0), credits=usd(100), balance=usd(-100)
        )
        return books_pb2.TrialBalance(until=request.until or "2026-11-21", lines=[line], balanced=True)

    async def GetBooksState(self, request: Any, context: Any) -> books_pb2.BooksState:
        state = books_pb2.BooksState(frozen=self.frozen)
        if self.frozen:
            state.frozen_at.GetCurrentTime()
            state.checked_at.GetCurrentTime()
            state.broken.add(invariant="I1", found="trial balance is not zero: USD")
        return state


class WaysOfPaying(PaymentMethodsServicer, AutopayServicer, PayerRulesServicer, PaymentPoliciesServicer):
    """Customers without saved methods, automatic payments or rules."""

    async def ListPaymentMethods(self, request: Any, context: Any) -> methods_pb2.ListPaymentMethodsResponse:
        return methods_pb2.ListPaymentMethodsResponse()

    async def GetAutopay(self, request: Any, context: Any) -> autopay_pb2.AutopaySettings:
        return autopay_pb2.AutopaySettings(customer_id=request.customer_id)

    async def GetPayerRules(self, request: Any, context: Any) -> payer_rules_pb2.PayerRuleSet:
        return payer_rules_pb2.PayerRuleSet(customer_id=request.customer_id)

    async def GetCustomerSegment(self, request: Any, context: Any) -> CustomerSegment:
        return CustomerSegment(customer_id=request.customer_id)
