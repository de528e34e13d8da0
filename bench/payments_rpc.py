"""`payments.core`: the same payments from the gRPC call on, until the durable answer."""

from collections.abc import Iterator

from bench import ledgers
from bench.load import Window, closed_loop
from bench.payments_end_to_end import CARD_TOKEN, IN_FLIGHT, until_applied
from bench.seed import CURRENCY, Bill, Tokens
from bench.stack import BenchStack
from chassis.errors import ServiceError
from chassis.ids import new_uuid7
from chassis.rpc.client import user_metadata
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import payments_pb2, payments_pb2_grpc

_TIMEOUT_SECONDS = 10.0


async def measure(stack: BenchStack, bills: Iterator[Bill], tokens: Tokens, *, seconds: float) -> Window:
    """Payments.CreatePayment over mTLS with the gateway's certificate. Raises NothingPrintedError."""
    before = await ledgers.count_paid(stack)
    async with stack.channel("payments", peer="gateway") as channel:
        create = payments_pb2_grpc.PaymentsStub(channel).CreatePayment

        async def pay(_: int, bill: Bill) -> str | None:
            metadata = user_metadata(token=tokens.of(bill), idempotency_key=new_uuid7())
            try:
                payment = await create(_request(bill), timeout=_TIMEOUT_SECONDS, metadata=metadata)
            except ServiceError as error:
                return f"{error.reason}: {error.message}"
            if payment.status != payments_pb2.PAYMENT_STATUS_SUCCEEDED:
                return payments_pb2.PaymentStatus.Name(payment.status)
            return None

        window = await closed_loop(bills, pay, in_flight=IN_FLIGHT, seconds=seconds)
    ledgers.refuse_errors("payments.core", window)
    await until_applied(
        stack, before + window.answers
    )  # outside the measured time: the next window starts clean
    return window


def _request(bill: Bill) -> payments_pb2.CreatePaymentRequest:
    amount = money_pb2.Money(minor_units=bill.amount_minor_units, currency=CURRENCY)
    return payments_pb2.CreatePaymentRequest(
        parts=[payments_pb2.PaymentPart(invoice_id=bill.invoice_id, amount=amount)],
        card_token=payments_pb2.CardToken(token=CARD_TOKEN),
    )
