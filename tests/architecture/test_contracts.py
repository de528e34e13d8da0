"""The contracts are the single source of truth: complete, linted, and the generated code is theirs."""

import re
from collections.abc import Iterator

from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from buf.validate import validate_pb2
from chassis.caller import Audience
from chassis.contract import access_of, all_methods, needs_idempotency_key
from chassis.rpc.pattern_words import words_for, words_for_choice, words_for_rule
from devstack import protos

READS = ("Get", "List")


def has_address(method: MethodDescriptor) -> bool:
    return bool(method.GetOptions().HasExtension(annotations_pb2.http))


def test_generated_code_is_what_the_contracts_generate() -> None:
    assert protos.is_fresh(), "run `make proto` and commit gen/"


def test_contracts_pass_lint_and_break_nothing_that_was_released() -> None:
    assert protos.lint() == 0


def test_every_method_says_who_may_call_it() -> None:
    for method in all_methods().values():
        access_of(method)


def test_a_method_for_services_only_has_no_public_address_and_names_its_organization() -> None:
    for path, method in all_methods().items():
        if access_of(method).audiences == {Audience.SERVICE}:
            assert not has_address(method), path
            resolves_it = method.name in ("ResolvePayLink", "ReceiveWebhook", "CreateOrganization")
            assert resolves_it or names_organization(method.input_type), path


def names_organization(message: Descriptor | None) -> bool:
    """Also a bundle of requests that each name it."""
    fields = message.fields_by_name if message else {}
    if "requests" in fields:
        return names_organization(fields["requests"].message_type)
    return "organization_id" in fields


def test_a_method_for_people_takes_the_organization_from_the_token_never_from_the_request() -> None:
    for path, method in all_methods().items():
        if Audience.SERVICE not in access_of(method).audiences:
            assert has_address(method), path
            assert "organization_id" not in method.input_type.fields_by_name, path


def test_what_creates_finalizes_pays_or_mails_needs_a_key() -> None:
    keyless = {
        # A key's secret is in its answer, which must not be stored for a replay.
        "/tallyport.identity.v1.ApiKeys/CreateApiKey",
        # Gives the link that is there, however often it is called.
        "/tallyport.invoicing.v1.PayLinks/CreatePayLink",
        # Refuses a name that is taken.
        "/tallyport.identity.v1.Organizations/CreateOrganization",
    }
    verbs = ("Create", "Finalize", "Void", "Record", "Retry", "Start")
    for path, method in all_methods().items():
        if method.name.startswith(verbs):
            assert needs_idempotency_key(method) != (path in keyless), path


def test_reads_need_no_key() -> None:
    for path, method in all_methods().items():
        if method.name.startswith(READS):
            assert not needs_idempotency_key(method), path


def test_addresses_are_of_one_style() -> None:
    style = re.compile(r"/v1(/([a-z0-9_]+|\{[a-z_.]+\}))+(:[a-z_]+)?")
    for path, method in all_methods().items():
        if has_address(method):
            rule = method.GetOptions().Extensions[annotations_pb2.http]
            address = getattr(rule, rule.WhichOneof("pattern"))
            assert style.fullmatch(address), (
                f"{path} is at {address}: nouns in snake_case, verbs after a colon"
            )


def fields_within(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        yield field
        if field.message_type is not None:
            yield from fields_within(field.message_type, seen)


def test_whoever_breaks_a_pattern_is_told_in_words_what_is_wanted() -> None:
    seen: set[str] = set()
    patterns = {
        text.pattern: field.full_name
        for method in all_methods().values()
        for field in fields_within(method.input_type, seen)
        for rules in [field.GetOptions().Extensions[validate_pb2.field]]
        for text in (rules.string, rules.repeated.items.string, rules.map.keys.string)
        if text.pattern
    }
    assert len(patterns) > 10
    assert {where for pattern, where in patterns.items() if words_for(pattern, "?") is None} == set()


def test_whoever_breaks_a_list_of_values_is_told_them_as_json_spells_them() -> None:
    seen: set[str] = set()
    lists = {
        field.full_name: words_for_rule("enum.in", list(getattr(rules.enum, "in")), field)
        for method in all_methods().values()
        for field in fields_within(method.input_type, seen)
        for rules in [field.GetOptions().Extensions[validate_pb2.field]]
        if getattr(rules.enum, "in")
    }
    assert "tallyport.payments.v1.HostedPage.method" in lists
    assert lists["tallyport.payments.v1.HostedPage.method"] == (
        "must be card, bank_debit, wallet, redirect or stablecoin"
    )
    for name, words in lists.items():
        assert re.fullmatch(r"must be [a-z0-9_]+(, [a-z0-9_]+)*( or [a-z0-9_]+)?", words or ""), name


def test_whoever_leaves_out_a_choice_is_told_its_members() -> None:
    choices = {
        choice.full_name: words_for_choice(choice)
        for method in all_methods().values()
        for choice in method.input_type.oneofs
        if choice.GetOptions().Extensions[validate_pb2.oneof].required
    }
    words = choices["tallyport.payments.v1.CreatePaymentRequest.method"]
    assert words.startswith("exactly one is required: hosted_page, card_token, ")
