"""What tests of saved methods, autopay, payer rules and guards do."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from google.protobuf.message import Message

from chassis.caller import Audience
from chassis.rpc.client import user_metadata
from services.payments.operations.manage_payment_methods import tell_of_expiring_cards
from services.payments.operations.plan_autopay import plan_autopay
from services.payments.operations.run_autopay import act_on_runs
from services.payments.store import copies
from tallyport.payments.v1 import (
    autopay_pb2,
    autopay_pb2_grpc,
    payer_rules_pb2_grpc,
    payment_methods_pb2,
    payment_methods_pb2_grpc,
    payments_pb2,
)
from tests.service.payments.till import Till, pay_request

SETUP_URL = "https://portal.example/methods/%7Bsetup_id%7D"
ZONE = "America/New_York"
RIGHTS = frozenset({"payments.create", "payments.read", "payments.approve", "payer_rules.write"})
VISA = "4242424242424242"
SAVED_BUT_DECLINED = "4000000000000341"
ACH_ACCOUNT = "000123456789"


@dataclass
class House:
    """A customer's household: their people, cards, and settings, at one till."""

    till: Till
    methods: "payment_methods_pb2_grpc.PaymentMethodsAsyncStub"
    autopay: "autopay_pb2_grpc.AutopayAsyncStub"
    rules: "payer_rules_pb2_grpc.PayerRulesAsyncStub"

    def by(
        self,
        person: str = "per_1",
        *,
        customer_id: str = "cus_1",
        key: str | None = None,
        permissions: frozenset[str] = RIGHTS,
        address: str | None = None,
        link: str = "",
    ) -> Any:
        """Metadata of a call by a person of the customer, or by the holder of a pay link."""
        kind = Audience.PAY_LINK if link else Audience.CUSTOMER
        claims: dict[str, Any] = {"invoice_id": link} if link else {"subject_id": person, "name": person}
        token = self.till.mesh.token(
            kind,
            organization_id=self.till.organization_id,
            permissions=permissions,
            customer_id=customer_id,
            **claims,
        )
        return user_metadata(token=token, idempotency_key=key or uuid.uuid4().hex, client_address=address)

    async def open(self) -> None:
        """The organization in its zone."""
        async with self.till.db.write(self.till.organization_id) as tx:
            await copies.keep_organization(
                tx,
                {
                    "name": "Harbor", "time_zone": ZONE, "locale": "en_US", "currency": "USD",
                    "address_lines": [], "tax_id": "", "contact_email": "", "primary_color": "",
                    "logo": b"", "logo_media_type": "", "live_mode": False,
                },
            )  # fmt: skip

    async def start(self, kind: int = payments_pb2.PAYMENT_METHOD_TYPE_CARD, **by: Any) -> Any:
        request = payment_methods_pb2.StartPaymentMethodSetupRequest(type=kind, return_url=SETUP_URL)  # type: ignore[arg-type]
        return await self.methods.StartPaymentMethodSetup(request, metadata=self.by(**by))

    async def complete(self, setup_id: str, **by: Any) -> payment_methods_pb2.PaymentMethodSetup:
        request = payment_methods_pb2.CompletePaymentMethodSetupRequest(setup_id=setup_id)
        return await self.methods.CompletePaymentMethodSetup(request, metadata=self.by(**by))

    async def save_card(self, number: str = VISA, expiry: str = "04/39", **by: Any) -> Any:
        """A card saved on the provider's page; the completed setup."""
        setup = await self.start(**by)
        form = {"number": number, "expiry": expiry, "cvc": "123", "name": "Ann Lee"}
        assert (await self.till.bank.http.post(setup.redirect_url, data=form)).status_code < 400
        return await self.complete(setup.setup_id, **by)

    async def save_account(self, **by: Any) -> Any:
        """A bank account saved with its mandate."""
        setup = await self.start(payments_pb2.PAYMENT_METHOD_TYPE_BANK_DEBIT, **by)
        form = {
            "scheme": "ach", "holder": "Ann Lee", "routing": "110000000", "account": ACH_ACCOUNT,
            "mandate": "accepted",
        }  # fmt: skip
        assert (await self.till.bank.http.post(setup.redirect_url, data=form)).status_code < 400
        return await self.complete(setup.setup_id, **by)

    async def shown(self, **by: Any) -> payment_methods_pb2.ListPaymentMethodsResponse:
        request = payment_methods_pb2.ListPaymentMethodsRequest()
        return await self.methods.ListPaymentMethods(request, metadata=self.by(**by))

    async def pay(
        self, parts: dict[str, int], *, token: str | None = "tok_visa", method: str = "", **by: Any
    ) -> payments_pb2.Payment:
        """Pay with a token, a saved method, or on the page (None)."""
        request = pay_request(parts, token)
        if method:
            request.saved_method.payment_method_id = method
        return await self.till.payments.CreatePayment(request, metadata=self.by(**by), timeout=5)

    async def set_autopay(self, payment_method_id: str, **wanted: Any) -> autopay_pb2.AutopaySettings:
        request = autopay_pb2.SetAutopayRequest(payment_method_id=payment_method_id, agree=True, **wanted)
        return await self.autopay.SetAutopay(request, metadata=self.by())

    async def runs(self) -> list[autopay_pb2.AutopayRun]:
        answer = await self.autopay.ListAutopayRuns(autopay_pb2.ListAutopayRunsRequest(), metadata=self.by())
        return list(answer.runs)

    async def run(self) -> autopay_pb2.AutopayRun:
        (one,) = await self.runs()
        return one

    def today(self) -> date:
        """The day at the organization."""
        from zoneinfo import ZoneInfo

        return self.till.clock.now().astimezone(ZoneInfo(ZONE)).date()

    async def go_to(self, day: str | date, hour: int = 10) -> None:
        """Let time pass until an hour of a day at the organization; the clock's work is done then."""
        from zoneinfo import ZoneInfo

        wanted = date.fromisoformat(day) if isinstance(day, str) else day
        at = datetime(wanted.year, wanted.month, wanted.day, hour, tzinfo=ZoneInfo(ZONE))
        self.till.clock.advance(seconds=(at - self.till.clock.now()).total_seconds())
        await self.tick()

    async def tick(self) -> None:
        """What the clock does in a minute."""
        await plan_autopay(self.till.desk)
        await act_on_runs(self.till.desk)
        await tell_of_expiring_cards(self.till.desk)

    async def told(self, message: type[Message]) -> list[Any]:
        """All events of a kind, the oldest first."""
        rows = await self.till.rows(
            "SELECT payload FROM outbox WHERE organization_id = :o AND type = :t ORDER BY stream_seq",
            o=self.till.organization_id,
            t=message.DESCRIPTOR.full_name,
        )
        return [message.FromString(bytes(row.payload)) for row in rows]
