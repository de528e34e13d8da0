"""Signing in: who gets in, who does not, and what the others can tell from it."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from chassis.caller import Audience
from chassis.errors import Kind, ServiceError
from services.identity.domain.throttle import NETWORK_TRIES
from services.identity.hashing import Hasher
from services.identity.operations.throttle_login import count_try
from services.identity.store import people
from tallyport.identity.v1 import people_pb2, sessions_pb2
from tests.service.identity.conftest import CUSTOMER, PASSWORD, Identity, by


async def refusal(
    identity: Identity, slug: str, email: str | None, password: str, address: str = ""
) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await identity.login(slug, email, password, address)
    return caught.value


async def test_the_owner_signs_in_and_the_token_says_who_they_are(identity: Identity) -> None:
    organization = await identity.organization("harbor")
    tokens = await identity.login("harbor", "  Owner@HARBOR.example ")
    claims = identity.verifier.verify(tokens.access.token)
    assert claims.kind is Audience.STAFF
    assert claims.organization_id == organization.organization_id
    assert (claims.subject_id, claims.name) == (tokens.me.subject_id, "Olga Owner")
    assert {"people.write", "invoices.write", "organization.write"} <= claims.permissions
    assert claims.expires_at_seconds - identity.clock.now().timestamp() <= 300
    me = await identity.sessions.GetMe(sessions_pb2.GetMeRequest(), metadata=by(tokens))
    assert me == tokens.me


async def test_a_customers_person_carries_the_customer_and_sees_no_staff_method(identity: Identity) -> None:
    await identity.organization("harbor")
    owner = await identity.login("harbor")
    await identity.person(owner, "pat@buyer.example", people_pb2.ROLE_PAYER, CUSTOMER)
    tokens = await identity.login("harbor", "pat@buyer.example")
    claims = identity.verifier.verify(tokens.access.token)
    assert (claims.kind, claims.customer_id) == (Audience.CUSTOMER, CUSTOMER)
    assert claims.permissions == {
        "customers.read",
        "invoices.read",
        "payments.create",
        "payments.read",
        "account.write",
    }
    with pytest.raises(ServiceError) as caught:
        await identity.people.ListPeople(people_pb2.ListPeopleRequest(), metadata=by(tokens))
    assert caught.value.kind is Kind.PERMISSION_DENIED


async def test_wrong_password_unknown_address_and_unknown_organization_look_alike(identity: Identity) -> None:
    await identity.organization("harbor")
    wrong = await refusal(identity, "harbor", None, "not the right password")
    unknown = await refusal(identity, "harbor", "nobody@harbor.example", PASSWORD)
    nowhere = await refusal(identity, "atlantis", "owner@harbor.example", PASSWORD)
    shown = {(error.kind, error.reason, error.message) for error in (wrong, unknown, nowhere)}
    assert shown == {
        (Kind.UNAUTHENTICATED, "LOGIN_FAILED", "The e-mail address or the password is not right.")
    }


async def test_an_unknown_address_costs_as_much_work_as_a_wrong_password(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in hashes checked, each with the same parameters: times would depend on the machine."""
    await identity.organization("harbor")
    checked: list[str] = []
    verify = Hasher._verify

    def watched(self: Hasher, password_hash: str, password: str) -> bool:
        checked.append(password_hash.rpartition("$")[0].rpartition("$")[0])
        return verify(self, password_hash, password)

    monkeypatch.setattr(Hasher, "_verify", watched)
    await refusal(identity, "harbor", "owner@harbor.example", "not the right password")
    known = checked.copy()
    checked.clear()
    await refusal(identity, "harbor", "nobody@harbor.example", "not the right password")
    assert len(known) == 1
    assert checked == known


async def test_the_fifth_failure_makes_the_account_wait_longer_and_longer(identity: Identity) -> None:
    await identity.organization("harbor")
    for email in ("owner@harbor.example", "nobody@harbor.example"):
        for _ in range(5):
            assert (
                await refusal(identity, "harbor", email, "not the right password")
            ).reason == "LOGIN_FAILED"
        throttled = await refusal(identity, "harbor", email, PASSWORD)
        assert (throttled.kind, throttled.reason) == (Kind.RESOURCE_EXHAUSTED, "LOGIN_THROTTLED")
        assert throttled.retry_after_seconds == 1
    identity.clock.advance(timedelta(seconds=1))
    await refusal(identity, "harbor", None, "still not the right one")
    assert (await refusal(identity, "harbor", None, PASSWORD)).retry_after_seconds == 2
    identity.clock.advance(timedelta(seconds=2))
    await identity.login("harbor")
    for _ in range(4):
        await refusal(identity, "harbor", None, "not the right password")
    await identity.login("harbor")


async def test_a_network_that_guesses_many_accounts_is_slowed_and_others_are_not(identity: Identity) -> None:
    organization = await identity.organization("harbor")
    async with identity.db.write(organization.organization_id) as tx:
        for number in range(NETWORK_TRIES):
            await count_try(tx, email=f"guess{number}@x.example", network_address="203.0.113.9")
    throttled = await refusal(identity, "harbor", None, PASSWORD, "203.0.113.200")
    assert throttled.reason == "LOGIN_THROTTLED"
    await identity.login("harbor", network_address="198.51.100.7")
    identity.clock.advance(timedelta(seconds=5))
    await identity.login("harbor", network_address="203.0.113.200")


async def test_a_hash_made_with_weaker_settings_is_renewed_at_sign_in(identity: Identity) -> None:
    organization = await identity.organization("harbor")
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    tokens = await identity.login("harbor")
    async with identity.db.write(organization.organization_id) as tx:
        await people.set_password_hash(tx, tokens.me.subject_id, weak)
    await identity.login("harbor")
    async with identity.db.read(organization.organization_id) as tx:
        renewed = await people.get_password_hash(tx, tokens.me.subject_id)
    assert renewed != weak
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_barred_person_is_out_at_once_and_cannot_come_back(identity: Identity) -> None:
    await identity.organization("harbor")
    owner = await identity.login("harbor")
    person = await identity.person(owner, "acc@harbor.example", people_pb2.ROLE_ACCOUNTANT)
    theirs = await identity.login("harbor", "acc@harbor.example")
    request = people_pb2.DeactivatePersonRequest(person_id=person.person_id, reason="left")
    barred = await identity.people.DeactivatePerson(request, metadata=by(owner))
    assert not barred.active
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await identity.sessions.RefreshSession(
            sessions_pb2.RefreshSessionRequest(refresh_token=theirs.refresh_token)
        )
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await identity.sessions.GetMe(sessions_pb2.GetMeRequest(), metadata=by(theirs))
    assert (await refusal(identity, "harbor", "acc@harbor.example", PASSWORD)).reason == "LOGIN_FAILED"
    with pytest.raises(ServiceError, match="CANNOT_BAR_YOURSELF"):
        await identity.people.DeactivatePerson(
            people_pb2.DeactivatePersonRequest(person_id=owner.me.subject_id), metadata=by(owner)
        )
