"""What keeps reminders back, told to the service as calls and events."""

from datetime import date

from tallyport.invoicing.v1 import customers_pb2, dunning_pb2, payment_promises_pb2
from tallyport.payments.v1 import events_pb2 as payments_events
from tests.service.invoicing.office import Office, usd


class QuietDesk:
    """By the names of the model's methods."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.customers: dict[str, str] = {}
        self.promises: dict[str, str] = {}

    async def invoice(self, label: str) -> str:
        """Id of an invoice."""
        raise NotImplementedError

    async def promise(self, *, promise: str, customer: str, cents: int, until: date) -> None:
        customer_id = self.customers[customer]
        request = payment_promises_pb2.PromiseToPayRequest(
            customer_id=customer_id, amount=usd(cents), promised_on=until.isoformat()
        )
        payer = self.office.person_of(customer_id)
        made = await self.office.call(self.office.promises.PromiseToPay, request, as_=payer)
        self.promises[promise] = made.promise_id

    async def hold(self, *, customer: str) -> None:
        await self._hold(customer, on_hold=True)

    async def release(self, *, customer: str) -> None:
        await self._hold(customer, on_hold=False)

    async def _hold(self, customer: str, *, on_hold: bool) -> None:
        request = customers_pb2.SetCustomerHoldRequest(
            customer_id=self.customers[customer], on_hold=on_hold, reason="Hardship" if on_hold else ""
        )
        await self.office.call(self.office.customers.SetCustomerHold, request)

    async def pause_reminders(self, *, customer: str, until: date) -> None:
        request = dunning_pb2.PauseDunningRequest(
            customer_id=self.customers[customer], until=until.isoformat(), reason="On the phone"
        )
        await self.office.call(self.office.dunning.PauseDunning, request)

    async def claim(self, *, claim: str, label: str, until: date) -> None:
        told = payments_events.TransferClaimed(
            claim_id=claim,
            invoice_ids=[await self.invoice(label)],
            amount=usd(1),
            expires_on=until.isoformat(),
        )
        await self.office.deliver(told, aggregate_id=claim)

    async def announce(self, *, run: str, label: str, pay_on: date) -> None:
        parts = [payments_events.PaidPart(invoice_id=await self.invoice(label), amount=usd(1))]
        told = payments_events.AutopayAnnounced(
            run_id=run, amount=usd(1), pay_on=pay_on.isoformat(), parts=parts
        )
        await self.office.deliver(told, aggregate_id=run)

    async def give_up(self, *, run: str) -> None:
        await self.office.deliver(payments_events.AutopayFailed(run_id=run), aggregate_id=run, version=2)
