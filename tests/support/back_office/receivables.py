"""Stand-in for invoicing's customers, items, overview and pay links."""

from collections import Counter
from typing import Any

from chassis.errors import not_found
from tallyport.invoicing.v1 import customer_proposals_pb2 as pb
from tallyport.invoicing.v1 import customers_pb2 as customers
from tallyport.invoicing.v1 import invoices_pb2 as invoices
from tallyport.invoicing.v1 import items_pb2 as items
from tallyport.invoicing.v1 import pay_links_pb2 as pay_links
from tallyport.invoicing.v1 import taxes_pb2 as taxes
from tallyport.invoicing.v1.customer_proposals_pb2_grpc import CustomerProposalsServicer
from tallyport.invoicing.v1.customers_pb2_grpc import CustomersServicer
from tallyport.invoicing.v1.items_pb2_grpc import ItemsServicer
from tallyport.invoicing.v1.pay_links_pb2_grpc import PayLinksServicer
from tallyport.invoicing.v1.taxes_pb2_grpc import TaxesServicer
from tests.support.back_office.books import Books, usd
from tests.support.back_office.keys import once

PAYABLE = (invoices.INVOICE_STATUS_OPEN, invoices.INVOICE_STATUS_PARTLY_PAID)
_AGES = ("current", "1-30", "31-60", "61-90", "90+")


class Receivables(
    CustomersServicer, CustomerProposalsServicer, ItemsServicer, PayLinksServicer, TaxesServicer
):
    """Who owes what."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def CreateCustomer(self, request: Any, context: Any) -> customers.Customer:
        def make() -> customers.Customer:
            customer = customers.Customer(
                customer_id=f"cus_{len(self._books.customers)}",
                name=request.name,
                email=request.email,
                external_id=request.external_id,
                currency=request.currency or "USD",
                locale=request.locale or "en-US",
                address_lines=request.address_lines,
                country=request.country,
                tax_id=request.tax_id,
                payment_terms_days=request.payment_terms_days or request.payment_terms.days,
                legal_name=request.legal_name,
                billing_address=request.billing_address,
                segments=request.segments,
                version=1,
            )
            customer.created_at.GetCurrentTime()
            self._books.customers[customer.customer_id] = customer
            return customer

        return once(self._books, self._books.customers, make, "customer_id")

    async def GetCustomer(self, request: Any, context: Any) -> customers.Customer:
        if request.customer_id not in self._books.customers:
            raise not_found("customer")
        return self._books.customers[request.customer_id]

    async def UpdateCustomer(self, request: Any, context: Any) -> customers.Customer:
        customer = await self.GetCustomer(request, context)
        for name in ("name", "email", "locale", "country", "tax_id", "payment_terms_days", "legal_name"):
            if request.HasField(name):
                setattr(customer, name, getattr(request, name))
        for name in ("billing_address", "shipping_address", "payment_terms", "purchase_order_rule"):
            if request.HasField(name):
                getattr(customer, name).CopyFrom(getattr(request, name))
        if request.address_lines:
            customer.address_lines[:] = request.address_lines
        return customer

    async def ListSubsidiaries(self, request: Any, context: Any) -> customers.ListSubsidiariesResponse:
        await self.GetCustomer(request, context)
        return customers.ListSubsidiariesResponse()

    async def ListCustomerVersions(
        self, request: Any, context: Any
    ) -> customers.ListCustomerVersionsResponse:
        await self.GetCustomer(request, context)
        changes = [customers.CustomerFieldChange(field="legal_name", after='"Anchor Ltd"')]
        version = customers.CustomerVersion(version=1, changed_by_name="Olga Owner", changes=changes)
        version.changed_at.GetCurrentTime()
        return customers.ListCustomerVersionsResponse(versions=[version])

    async def ListCustomerProposals(self, request: Any, context: Any) -> pb.ListCustomerProposalsResponse:
        return pb.ListCustomerProposalsResponse(proposals=self._books.proposals.values())

    async def GetCustomerPolicy(self, request: Any, context: Any) -> pb.CustomerPolicy:
        return pb.CustomerPolicy()

    async def ListCustomers(self, request: Any, context: Any) -> customers.ListCustomersResponse:
        wanted = request.query.lower()
        found = sorted(
            (one for one in self._books.customers.values() if wanted in f"{one.name} {one.email}".lower()),
            key=lambda one: one.name,
        )
        start, size = int(request.page_token or 0), request.page_size or 25
        rows = [self._balance(one) for one in found[start : start + size]]
        more = str(start + size) if start + size < len(found) else ""
        return customers.ListCustomersResponse(customers=rows, next_page_token=more)

    async def GetAccountSummary(self, request: Any, context: Any) -> customers.AccountSummary:
        customer = await self.GetCustomer(request, context)
        row = self._balance(customer)
        balance = customers.AccountBalance(
            open=row.open,
            overdue=row.overdue,
            due_in_7_days=usd(row.open.minor_units // 5),
            due_in_30_days=usd(row.open.minor_units // 2),
            processing=usd(0),
            credit=usd(4_200),
            open_invoices=row.open_invoices,
            overdue_invoices=sum(one.overdue for one in self._of(customer.customer_id)),
        )
        return customers.AccountSummary(customer_id=customer.customer_id, balances=[balance])

    async def ListItems(self, request: Any, context: Any) -> items.ListItemsResponse:
        return items.ListItemsResponse(items=self._books.items.values())

    async def GetItem(self, request: Any, context: Any) -> items.Item:
        return self._books.items[request.item_id]

    async def CreateItem(self, request: Any, context: Any) -> items.Item:
        item = items.Item(
            item_id=f"itm_{len(self._books.items)}", sku=request.sku, name=request.name,
            unit_price=request.unit_price, tax_code=request.tax_code, version=1,
        )  # fmt: skip
        self._books.items[item.item_id] = item
        return item

    async def UpdateItem(self, request: Any, context: Any) -> items.Item:
        item = self._books.items[request.item_id]
        item.name, item.archived, item.version = request.name, request.archived, item.version + 1
        item.unit_price.CopyFrom(request.unit_price)
        return item

    async def ListTaxRates(self, request: Any, context: Any) -> taxes.ListTaxRatesResponse:
        return taxes.ListTaxRatesResponse(tax_rates=self._books.tax_rates)

    async def PutTaxRate(self, request: Any, context: Any) -> taxes.TaxRate:
        rate = taxes.TaxRate(
            code=request.code, name=request.name, taxes=request.taxes, valid_from=request.valid_from
        )
        self._books.tax_rates.append(rate)
        return rate

    async def CreatePayLink(self, request: Any, context: Any) -> pay_links.PayLink:
        self._books.calls.append("CreatePayLink")
        token = self._books.pay_links.setdefault(request.invoice_id, "tok_" + request.invoice_id + "x" * 24)
        link = pay_links.PayLink(pay_link_id="plk_1", token=token)
        link.expires_at.GetCurrentTime()
        link.expires_at.seconds += 90 * 86_400
        return link

    async def RevokePayLink(self, request: Any, context: Any) -> pay_links.RevokePayLinkResponse:
        self._books.calls.append("RevokePayLink")
        self._books.pay_links.pop(request.invoice_id, None)
        return pay_links.RevokePayLinkResponse()

    def _of(self, customer_id: str) -> list[invoices.Invoice]:
        return [
            one
            for one in self._books.invoices.values()
            if one.customer_id == customer_id and one.status in PAYABLE
        ]

    def _balance(self, customer: customers.Customer) -> customers.CustomerBalance:
        open_ones = self._of(customer.customer_id)
        return customers.CustomerBalance(
            customer=customer,
            open=usd(sum(one.amount_due.minor_units for one in open_ones)),
            overdue=usd(sum(one.amount_due.minor_units for one in open_ones if one.overdue)),
            open_invoices=len(open_ones),
        )


def overview(books: Books) -> invoices.ReceivablesOverview:
    """The organization's totals."""
    open_ones = [one for one in books.invoices.values() if one.status in PAYABLE]
    aging, counts, debts, late = Counter[int](), Counter[int](), Counter[str](), Counter[str]()
    for one in open_ones:
        bucket = min(4, (one.days_overdue + 29) // 30) if one.overdue else 0
        aging[bucket] += one.amount_due.minor_units
        counts[bucket] += 1
        debts[one.customer_id] += one.amount_due.minor_units
        late[one.customer_id] += one.amount_due.minor_units * one.overdue
    entry = invoices.CurrencyReceivables(
        open=usd(sum(aging.values())),
        overdue=usd(sum(aging[index] for index in range(1, 5))),
        disputed=usd(sum(one.amount_due.minor_units for one in open_ones if one.disputed)),
        unapplied_credit=usd(4_200),
        aging=[
            invoices.AgingBucket(name=name, amount=usd(aging[index]), invoices=counts[index])
            for index, name in enumerate(_AGES)
        ],
        open_invoices=len(open_ones),
        overdue_invoices=sum(one.overdue for one in open_ones),
        days_sales_outstanding="37.4",
        top_debtors=[
            invoices.Debtor(
                customer_id=owner, name=books.customers[owner].name, open=usd(units), overdue=usd(late[owner])
            )
            for owner, units in debts.most_common(5)
        ],
    )
    return invoices.ReceivablesOverview(currencies=[entry], as_of=books.today.isoformat())
