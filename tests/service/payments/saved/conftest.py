"""The house at a fresh till."""

import pytest

from tallyport.payments.v1 import autopay_pb2_grpc, payer_rules_pb2_grpc, payment_methods_pb2_grpc
from tests.service.payments.saved.house import House
from tests.service.payments.till import Till


@pytest.fixture
async def house(till: Till) -> House:
    house = House(
        till=till,
        methods=payment_methods_pb2_grpc.PaymentMethodsStub(till.channel),
        autopay=autopay_pb2_grpc.AutopayStub(till.channel),
        rules=payer_rules_pb2_grpc.PayerRulesStub(till.channel),
    )
    await house.open()
    return house
