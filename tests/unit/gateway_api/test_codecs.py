"""The JSON of messages: golden documents for every kind of field, and a round trip of every message."""

from datetime import UTC, datetime

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.contract import all_methods
from services.gateway.api.codecs import MAX_SAFE_INTEGER, BadField, Codecs
from tallyport.common.v1 import event_log_pb2, money_pb2
from tallyport.identity.v1 import organizations_pb2
from tallyport.invoicing.v1 import customers_pb2, invoices_pb2
from tallyport.payments.v1 import payments_pb2

CODECS = Codecs()


def encode(message: Message) -> object:
    return CODECS.of(message.DESCRIPTOR).encode(message)


def decode(kind: type[Message], data: object) -> Message:
    return CODECS.of(kind.DESCRIPTOR).decode(data)


def refusal(kind: type[Message], data: object) -> tuple[str, str]:
    with pytest.raises(BadField) as caught:
        decode(kind, data)
    return caught.value.path, caught.value.code


def messages_of_the_contracts() -> list[Descriptor]:
    found: dict[str, Descriptor] = {}

    def add(descriptor: Descriptor) -> None:
        if descriptor.full_name in found or not descriptor.full_name.startswith("tallyport."):
            return
        found[descriptor.full_name] = descriptor
        for field in descriptor.fields:
            if field.message_type is not None:
                add(field.message_type)

    for method in all_methods().values():
        add(method.input_type)
        add(method.output_type)
    return list(found.values())


def test_money_is_a_number_of_minor_units_and_a_currency() -> None:
    assert encode(money_pb2.Money(minor_units=1250, currency="USD")) == {
        "minor_units": 1250,
        "currency": "USD",
    }


def test_absent_messages_and_unset_enums_are_null_and_empty_lists_are_lists() -> None:
    unset: dict[str, object] = {
        "payment_id": "",
        "customer_id": "",
        "status": None,
        "amount": None,
        "parts": [],
        "method": None,
    }
    encoded = encode(payments_pb2.Payment())
    assert isinstance(encoded, dict)
    assert {name: encoded[name] for name in unset} == unset
    assert list(encoded) == [field.name for field in payments_pb2.Payment.DESCRIPTOR.fields]


def test_enums_are_words_without_their_prefix() -> None:
    payment = payments_pb2.Payment(
        status=payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION,
        method=payments_pb2.PAYMENT_METHOD_TYPE_BANK_TRANSFER,
    )
    encoded = encode(payment)
    assert isinstance(encoded, dict)
    assert (encoded["status"], encoded["method"]) == ("requires_action", "bank_transfer")


def test_an_enum_value_of_a_newer_contract_is_its_number() -> None:
    payment = payments_pb2.Payment.FromString(b"\x18\x63")
    encoded = encode(payment)
    assert isinstance(encoded, dict)
    assert encoded["status"] == "99"


def test_timestamps_are_rfc_3339_in_utc() -> None:
    invoice = invoices_pb2.Invoice()
    invoice.created_at.FromDatetime(datetime(2026, 1, 31, 12, 30, tzinfo=UTC))
    encoded = encode(invoice)
    assert isinstance(encoded, dict)
    assert encoded["created_at"] == "2026-01-31T12:30:00Z"
    again = decode(event_log_pb2.StoredEvent, {"occurred_at": "2026-01-31T14:30:00+02:00"})
    assert isinstance(again, event_log_pb2.StoredEvent)
    assert again.occurred_at.ToJsonString() == "2026-01-31T12:30:00Z"


def test_bytes_are_base64() -> None:
    brand = organizations_pb2.Brand(logo=b"<svg/>")
    encoded = encode(brand)
    assert isinstance(encoded, dict)
    assert encoded["logo"] == "PHN2Zy8+"
    assert decode(organizations_pb2.Brand, {"logo": "PHN2Zy8+"}) == brand
    assert refusal(organizations_pb2.Brand, {"logo": "%%%"}) == ("/logo", "base64")


def test_maps_are_objects() -> None:
    request = payments_pb2.ReceiveWebhookRequest(headers={"webhook-id": "evt_1"})
    encoded = encode(request)
    assert isinstance(encoded, dict)
    assert encoded["headers"] == {"webhook-id": "evt_1"}
    assert decode(payments_pb2.ReceiveWebhookRequest, {"headers": {"a": "b"}}).headers == {"a": "b"}  # type: ignore[attr-defined]


def test_an_absent_optional_field_stays_absent_and_null_means_absent() -> None:
    request = decode(
        customers_pb2.UpdateCustomerRequest, {"customer_id": "cus_1", "name": None, "country": ""}
    )
    assert isinstance(request, customers_pb2.UpdateCustomerRequest)
    assert not request.HasField("name")
    assert request.HasField("country")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([], ("", "type")),
        ({"nope": 1}, ("/nope", "unknown_field")),
        ({"parts": {}}, ("/parts", "type")),
        ({"parts": [{"amount": {"minor_units": 1.5}}]}, ("/parts/0/amount/minor_units", "type")),
        ({"parts": [{"amount": {"minor_units": True}}]}, ("/parts/0/amount/minor_units", "type")),
        ({"parts": [{"amount": {"minor_units": 10**16}}]}, ("/parts/0/amount/minor_units", "out_of_range")),
        ({"parts": [{}, {"invoice_id": 3}]}, ("/parts/1/invoice_id", "type")),
        ({"parts": [{"invoice_id": "a\x00b"}]}, ("/parts/0/invoice_id", "encoding")),
        ({"parts": [{"invoice_id": "\ud800"}]}, ("/parts/0/invoice_id", "encoding")),
        ({"hosted_page": {}, "card_token": {}}, ("/card_token", "oneof")),
    ],
)
def test_what_cannot_be_read_is_named_by_its_pointer(data: object, expected: tuple[str, str]) -> None:
    assert refusal(payments_pb2.CreatePaymentRequest, data) == expected


def test_an_unknown_word_of_an_enum_is_refused_with_the_words_that_are_known() -> None:
    with pytest.raises(BadField, match="succeeded"):
        decode(payments_pb2.ListPaymentsRequest, {"status": "paid"})


@pytest.mark.parametrize("text", ["2026-13-01T00:00:00Z", "2026-01-31", "yesterday", 5])
def test_what_is_not_a_time_is_refused(text: object) -> None:
    assert refusal(event_log_pb2.StoredEvent, {"occurred_at": text}) == ("/occurred_at", "timestamp")


def _value(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        assert field.message_type is not None
        if field.message_type.full_name == "google.protobuf.Timestamp":
            times = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001
            return times.map(lambda time: time.replace(microsecond=0).isoformat() + "Z")
        if field.message_type.GetOptions().map_entry:
            return st.dictionaries(
                st.text("abc", min_size=1, max_size=3), _value(field.message_type.fields[1]), max_size=2
            )
        return _object(field.message_type)
    if field.type == FieldDescriptor.TYPE_ENUM:
        assert field.enum_type is not None
        codec_words = [v.name for v in field.enum_type.values if v.number]
        prefix = (
            len(codec_words[0])
            if not codec_words
            else len(_common_prefix([v.name for v in field.enum_type.values]))
        )
        return st.sampled_from([name[prefix:].lower() for name in codec_words])
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.sampled_from(["", "QQ==", "PHN2Zy8+"])
    if field.type == FieldDescriptor.TYPE_STRING:
        return st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=10)
    limit = MAX_SAFE_INTEGER if field.cpp_type == FieldDescriptor.CPPTYPE_INT64 else 2**31 - 1
    return st.integers(-limit, limit)


def _common_prefix(names: list[str]) -> str:
    first, last = min(names), max(names)
    same = next(
        (i for i, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    return first[: first.rfind("_", 0, same) + 1]


def _object(descriptor: Descriptor) -> st.SearchStrategy[object]:
    seen_oneofs: set[str] = set()
    members: dict[str, st.SearchStrategy[object]] = {}
    for field in descriptor.fields:
        oneof = field.containing_oneof
        if oneof is not None and len(oneof.fields) > 1:
            if oneof.name in seen_oneofs:
                continue
            seen_oneofs.add(oneof.name)
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        value = _value(field)
        members[field.name] = st.lists(value, max_size=2) if field.is_repeated and not is_map else value
    return st.fixed_dictionaries({}, optional=members)


@pytest.mark.parametrize("descriptor", messages_of_the_contracts(), ids=lambda d: d.full_name)
def test_every_message_survives_the_way_to_json_and_back(descriptor: Descriptor) -> None:
    codec = CODECS.of(descriptor)

    @settings(max_examples=15, deadline=None, print_blob=True)
    @given(_object(descriptor))
    def round_trip(data: object) -> None:
        message = codec.decode(data)
        encoded = codec.encode(message)
        assert codec.decode(encoded) == message
        assert set(encoded) == {field.name for field in descriptor.fields}

    round_trip()
