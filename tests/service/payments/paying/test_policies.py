"""Staff say what is allowed; the newest word counts, and nobody overwrites a word unseen."""

import pytest

from chassis.caller import Audience
from chassis.errors import Kind, ServiceError
from tallyport.payments.v1 import policies_pb2, policies_pb2_grpc
from tests.service.payments.paying.counter import CARD, create, preview, rule, set_policy, usd
from tests.service.payments.till import Till

ADD = policies_pb2.CHARGE_KIND_ADD


async def test_without_a_policy_the_default_is_shown_with_its_provider(till: Till) -> None:
    stub = policies_pb2_grpc.PaymentPoliciesStub(till.channel)
    policy = await stub.GetPaymentPolicy(policies_pb2.GetPaymentPolicyRequest(), metadata=till.as_staff())
    assert (policy.version, policy.provider) == (0, "simulator")
    assert policy.allow_part_payment
    assert policy.allow_prepayment
    assert all(one.allowed for one in policy.rules)


async def test_a_stale_version_changes_nothing(till: Till) -> None:
    first = await set_policy(till, rule(max=usd(100)))
    second = await set_policy(till, rule(max=usd(200)))
    assert (first.version, second.version) == (1, 2)
    stub = policies_pb2_grpc.PaymentPoliciesStub(till.channel)
    metadata = till.by(Audience.STAFF, permissions=frozenset({"payments.read", "organization.write"}))
    for version in (0, 1, 3):
        first.version = version
        with pytest.raises(ServiceError) as refused:
            await stub.UpdatePaymentPolicy(
                policies_pb2.UpdatePaymentPolicyRequest(policy=first), metadata=metadata
            )
        assert (refused.value.kind, refused.value.reason) == (Kind.ABORTED, "POLICY_CHANGED")
    now = await stub.GetPaymentPolicy(policies_pb2.GetPaymentPolicyRequest(), metadata=metadata)
    assert now.rules[0].max.minor_units == 200
    actions = [row.action for row in await till.rows("SELECT action FROM audit_log ORDER BY seq")]
    assert actions == ["payment_policy.updated"] * 2


async def test_labels_of_the_customer_count_as_segments(till: Till) -> None:
    till.invoices.add("inv_1", 10_000)
    await till.execute(
        "INSERT INTO customers (organization_id, customer_id, name, locale, segments)"
        " VALUES (:o, 'cus_1', 'Ann', 'en', '{north,trade}')",
        o=till.organization_id,
    )
    await set_policy(till, rule(segment="trade", charge=ADD, percent="2"), rule(allowed=False))
    assert (await create(till, {"inv_1": 10_000})).amount.minor_units == 10_200


async def test_customers_of_a_segment_have_their_own_terms(till: Till) -> None:
    till.invoices.add("inv_1", 10_000)
    await till.execute(
        "INSERT INTO customers (organization_id, customer_id, name, locale) VALUES (:o, 'cus_1', 'Ann', 'en')",
        o=till.organization_id,
    )
    await set_policy(till, rule(segment="trade", charge=ADD, percent="2"), rule(allowed=False))
    with pytest.raises(ServiceError) as refused:
        await create(till, {"inv_1": 10_000})
    assert refused.value.reason == "PAYMENT_METHOD_NOT_ALLOWED"
    stub = policies_pb2_grpc.PaymentPoliciesStub(till.channel)
    metadata = till.by(Audience.STAFF, permissions=frozenset({"customers.write"}))
    for segment in ("other", "trade"):
        await stub.SetCustomerSegment(
            policies_pb2.SetCustomerSegmentRequest(customer_id="cus_1", segment=segment), metadata=metadata
        )
    read = till.by(Audience.STAFF, permissions=frozenset({"payments.read"}))
    asked = policies_pb2.GetCustomerSegmentRequest(customer_id="cus_1")
    assert (await stub.GetCustomerSegment(asked, metadata=read)).segment == "trade"
    shown = await preview(till, method=CARD)
    assert (shown.surcharge.minor_units, shown.amount.minor_units) == (200, 10_200)
    await stub.SetCustomerSegment(
        policies_pb2.SetCustomerSegmentRequest(customer_id="cus_1"), metadata=metadata
    )
    assert [one.method for one in (await preview(till)).methods] == []
    with pytest.raises(ServiceError) as unknown:
        await stub.SetCustomerSegment(
            policies_pb2.SetCustomerSegmentRequest(customer_id="cus_9"), metadata=metadata
        )
    assert unknown.value.kind is Kind.NOT_FOUND


@pytest.mark.parametrize(
    ("policy", "amount", "reason"),
    [
        ({"allow_part_payment": False}, 9_999, "PART_PAYMENT_NOT_ALLOWED"),
        ({"min_part_payment": usd(5_000)}, 4_999, "AMOUNT_NOT_ALLOWED"),
    ],
)
async def test_parts_are_held_to_policy_before_anything_is_reserved(
    till: Till, policy: dict[str, object], amount: int, reason: str
) -> None:
    till.invoices.add("inv_1", 10_000)
    await set_policy(till, **policy)
    for attempt in (create(till, {"inv_1": amount}), preview(till, amount=usd(amount))):
        with pytest.raises(ServiceError) as refused:
            await attempt
        assert refused.value.reason == reason
    assert await till.page() == []
    assert (await create(till, {"inv_1": 10_000})).receipt_number
    await till.check_books()


async def test_amounts_are_held_to_the_limits_of_their_method(till: Till) -> None:
    till.invoices.add("inv_1", 10_000)
    await set_policy(till, rule(min=usd(500), max=usd(6_000)), allow_prepayment=False)
    for amount in (499, 6_001):
        with pytest.raises(ServiceError) as refused:
            await create(till, {"inv_1": amount})
        assert refused.value.reason == "AMOUNT_NOT_ALLOWED"
    assert [one.refused for one in (await preview(till)).methods] == ["above_maximum"]
    with pytest.raises(ServiceError) as too_much:
        await create(till, {"inv_1": 1_000}, prepayment=usd(1))
    assert (too_much.value.reason, too_much.value.metadata["why"]) == ("AMOUNT_NOT_ALLOWED", "prepayment")
