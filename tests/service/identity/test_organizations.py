"""Organizations, people and API keys, each seen from its own organization only."""

import pytest
from sqlalchemy import text

from chassis import audit
from chassis.caller import Audience
from chassis.errors import Kind, ServiceError
from chassis.migrations import schema_differences
from chassis.rpc.client import user_metadata
from services.identity.operations import read_people
from tallyport.identity.v1 import events_pb2, organizations_pb2, people_pb2, sessions_pb2
from tests.service.identity.conftest import CUSTOMER, PASSWORD, Identity, by
from tests.support.database import Databases


async def events_of(identity: Identity) -> list[tuple[str, int]]:
    async with identity.db.transport() as tx:
        rows = await tx.execute(text("SELECT type, aggregate_version FROM outbox ORDER BY outbox_id"))
        return [(row.type.rpartition(".")[2], row.aggregate_version) for row in rows]


async def test_a_new_organization_gets_its_name_as_brand_and_tells_everybody(identity: Identity) -> None:
    created = await identity.organization("harbor")
    assert (created.brand.display_name, created.brand.primary_color) == ("Harbor Ltd", "#1f4e79")
    brand = await identity.organizations.GetBrand(organizations_pb2.GetBrandRequest(slug="harbor"))
    assert brand == created.brand
    assert await events_of(identity) == [("OrganizationChanged", 1), ("PersonChanged", 1)]
    async with identity.db.transport() as tx:
        payload = (
            await tx.execute(text("SELECT payload FROM outbox ORDER BY outbox_id LIMIT 1"))
        ).scalar_one()
    assert events_pb2.OrganizationChanged.FromString(payload).organization == created


async def test_a_short_name_is_given_once(identity: Identity) -> None:
    await identity.organization("harbor")
    with pytest.raises(ServiceError) as caught:
        await identity.organization("harbor")
    assert (caught.value.kind, caught.value.reason) == (Kind.ALREADY_EXISTS, "ORGANIZATION_SLUG_TAKEN")


async def test_only_the_command_line_creates_organizations(identity: Identity) -> None:
    with pytest.raises(ServiceError, match="PEER_NOT_ALLOWED"):
        await identity.organizations.CreateOrganization(
            organizations_pb2.CreateOrganizationRequest(slug="harbor")
        )


async def test_an_update_changes_what_was_given_and_bad_colors_are_refused(identity: Identity) -> None:
    await identity.organization("harbor")
    owner = await identity.login("harbor")
    request = organizations_pb2.UpdateOrganizationRequest(
        name="Harbor Supply Ltd", brand=organizations_pb2.Brand(primary_color="#0a7d5a")
    )
    updated = await identity.organizations.UpdateOrganization(request, metadata=by(owner))
    assert (updated.name, updated.brand.primary_color) == ("Harbor Supply Ltd", "#0a7d5a")
    assert (updated.time_zone, updated.brand.display_name) == ("Europe/Berlin", "Harbor Ltd")
    assert ("OrganizationChanged", 2) in await events_of(identity)
    request = organizations_pb2.UpdateOrganizationRequest(brand=organizations_pb2.Brand(primary_color="red"))
    with pytest.raises(ServiceError) as caught:
        await identity.organizations.UpdateOrganization(request, metadata=by(owner))
    assert caught.value.fields[0].field == "brand.primary_color"


async def test_a_repeated_key_creates_one_person_and_an_address_is_unique(identity: Identity) -> None:
    await identity.organization("harbor")
    owner = await identity.login("harbor")
    request = people_pb2.CreatePersonRequest(
        name="Pat",
        email="pat@buyer.example",
        password=PASSWORD,
        role=people_pb2.ROLE_PAYER,
        customer_id=CUSTOMER,
    )
    first = await identity.people.CreatePerson(request, metadata=by(owner, key="k1"))
    again = await identity.people.CreatePerson(request, metadata=by(owner, key="k1"))
    assert first == again
    request.email = "PAT@buyer.example"
    with pytest.raises(ServiceError, match="PERSON_EXISTS"):
        await identity.people.CreatePerson(request, metadata=by(owner, key="k2"))


async def test_people_are_listed_a_page_at_a_time_and_by_customer(identity: Identity) -> None:
    await identity.organization("harbor")
    owner = await identity.login("harbor")
    for number in range(3):
        await identity.person(owner, f"p{number}@buyer.example", people_pb2.ROLE_VIEWER, CUSTOMER)
    seen: list[str] = []
    page_token = ""
    while True:
        request = people_pb2.ListPeopleRequest(page_size=2, page_token=page_token, customer_id=CUSTOMER)
        page = await identity.people.ListPeople(request, metadata=by(owner))
        seen += [person.email for person in page.people]
        page_token = page.next_page_token
        if not page_token:
            break
    assert seen == ["p2@buyer.example", "p1@buyer.example", "p0@buyer.example"]
    staff = await identity.people.ListPeople(
        people_pb2.ListPeopleRequest(staff_only=True), metadata=by(owner)
    )
    assert [person.role for person in staff.people] == [people_pb2.ROLE_OWNER]


async def test_people_of_a_paying_company_may_approve_and_set_its_rules(identity: Identity) -> None:
    await identity.organization("harbor")
    owner = await identity.login("harbor")
    for role, email, may in (
        (people_pb2.ROLE_APPROVER, "ann@buyer.example", {"payments.approve"}),
        (people_pb2.ROLE_COMPANY_ADMIN, "cas@buyer.example", {"payments.approve", "payer_rules.write"}),
    ):
        person = await identity.person(owner, email, role, CUSTOMER)
        assert person.role == role
        me = (await identity.login("harbor", email)).me
        assert set(me.permissions) & {"payments.approve", "payer_rules.write"} == may


async def test_who_sets_a_companys_rules_sees_its_people_and_nobody_elses(identity: Identity) -> None:
    await identity.organization("harbor")
    owner = await identity.login("harbor")
    await identity.person(owner, "cas@buyer.example", people_pb2.ROLE_COMPANY_ADMIN, CUSTOMER)
    payer = await identity.person(owner, "pia@buyer.example", people_pb2.ROLE_PAYER, CUSTOMER)
    await identity.person(owner, "eve@other.example", people_pb2.ROLE_PAYER, "cus_other")
    admin = await identity.login("harbor", "cas@buyer.example")
    request = people_pb2.ListColleaguesRequest()
    seen = (await identity.people.ListColleagues(request, metadata=by(admin))).colleagues
    assert len(seen) == 2
    assert payer.person_id in {one.person_id for one in seen}
    with pytest.raises(ServiceError, match="PERMISSION_MISSING"):
        await identity.people.ListColleagues(
            request, metadata=by(await identity.login("harbor", "pia@buyer.example"))
        )


async def test_an_accountant_manages_no_people_and_an_auditor_changes_nothing(identity: Identity) -> None:
    await identity.organization("harbor")
    owner = await identity.login("harbor")
    for role, email in (
        (people_pb2.ROLE_ACCOUNTANT, "a@x.example"),
        (people_pb2.ROLE_AUDITOR, "b@x.example"),
    ):
        await identity.person(owner, email, role)
        tokens = await identity.login("harbor", email)
        with pytest.raises(ServiceError, match="PERMISSION_MISSING"):
            await identity.person(tokens, "new@x.example", people_pb2.ROLE_AUDITOR)
        with pytest.raises(ServiceError, match="PERMISSION_MISSING"):
            await identity.organizations.UpdateOrganization(
                organizations_pb2.UpdateOrganizationRequest(name="Mine"), metadata=by(tokens)
            )


async def test_another_organization_is_invisible(identity: Identity) -> None:
    await identity.organization("harbor")
    await identity.organization("quarry")
    harbor, quarry = await identity.login("harbor"), await identity.login("quarry")
    theirs = await identity.person(quarry, "secret@quarry.example", people_pb2.ROLE_AUDITOR)
    people = await identity.people.ListPeople(people_pb2.ListPeopleRequest(), metadata=by(harbor))
    assert [person.email for person in people.people] == ["owner@harbor.example"]
    with pytest.raises(ServiceError, match="PERSON_NOT_FOUND"):
        await identity.people.GetPerson(
            people_pb2.GetPersonRequest(person_id=theirs.person_id), metadata=by(harbor)
        )
    with pytest.raises(ServiceError, match="PERSON_NOT_FOUND"):
        await identity.people.DeactivatePerson(
            people_pb2.DeactivatePersonRequest(person_id=theirs.person_id), metadata=by(harbor)
        )
    with pytest.raises(ServiceError, match="LOGIN_FAILED"):
        await identity.login("harbor", "secret@quarry.example")
    await identity.person(harbor, "secret@quarry.example", people_pb2.ROLE_AUDITOR)


async def test_an_api_key_becomes_a_token_until_it_is_revoked(identity: Identity) -> None:
    organization = await identity.organization("harbor")
    owner = await identity.login("harbor")
    request = people_pb2.CreateApiKeyRequest(name="ERP", role=people_pb2.ROLE_ACCOUNTANT)
    created = await identity.api_keys.CreateApiKey(request, metadata=by(owner))
    assert created.secret.startswith("sk_test_")
    exchange = people_pb2.ExchangeApiKeyRequest(secret=created.secret)
    answer = await identity.api_keys.ExchangeApiKey(exchange)
    claims = identity.verifier.verify(answer.token)
    assert (claims.kind, claims.subject_id) == (Audience.STAFF, created.api_key.api_key_id)
    assert claims.organization_id == organization.organization_id
    me = await identity.sessions.GetMe(
        sessions_pb2.GetMeRequest(), metadata=user_metadata(token=answer.token)
    )
    assert (me.name, me.email) == ("ERP", "")
    listed = await identity.api_keys.ListApiKeys(people_pb2.ListApiKeysRequest(), metadata=by(owner))
    assert created.secret not in str(listed)
    revoke = people_pb2.RevokeApiKeyRequest(api_key_id=created.api_key.api_key_id)
    assert not (await identity.api_keys.RevokeApiKey(revoke, metadata=by(owner))).active
    for secret in (created.secret, "sk_live_" + "A" * 43, "sk_test_" + "é" * 43):
        with pytest.raises(ServiceError, match="API_KEY_INVALID"):
            await identity.api_keys.ExchangeApiKey(people_pb2.ExchangeApiKeyRequest(secret=secret))


async def test_a_pay_link_token_opens_one_invoice_for_fifteen_minutes(identity: Identity) -> None:
    organization = await identity.organization("harbor")
    request = sessions_pb2.MintPayLinkTokenRequest(
        organization_id=organization.organization_id,
        customer_id=CUSTOMER,
        invoice_id="inv_1",
        pay_link_id="plk_1",
    )
    access = await identity.sessions.MintPayLinkToken(request)
    claims = identity.verifier.verify(access.token)
    assert (claims.kind, claims.customer_id, claims.invoice_id) == (Audience.PAY_LINK, CUSTOMER, "inv_1")
    assert claims.permissions == {"invoices.read", "payments.create", "payments.read"}
    assert 895 <= claims.expires_at_seconds - identity.clock.now().timestamp() <= 900
    request.organization_id = "org_01k0000000000000000000000z"
    with pytest.raises(ServiceError, match="ORGANIZATION_NOT_FOUND"):
        await identity.sessions.MintPayLinkToken(request)


async def test_what_was_done_is_in_an_unbroken_audit_log(identity: Identity) -> None:
    organization = await identity.organization("harbor")
    owner = await identity.login("harbor")
    await identity.person(owner, "acc@harbor.example", people_pb2.ROLE_ACCOUNTANT)
    async with identity.db.read(organization.organization_id) as tx:
        rows = (await tx.execute(text("SELECT action, actor FROM audit_log ORDER BY seq"))).all()
        assert await audit.verify(tx) is None
    assert [row.action for row in rows] == [
        "organization.created", "person.created", "session.started", "person.created",
    ]  # fmt: skip
    assert rows[-1].actor == f"person:{owner.me.subject_id}"


async def test_the_migrations_make_what_the_tables_say(databases: Databases) -> None:
    urls = await databases.create("identity")
    assert schema_differences(urls.owner, "services.identity", app_role="identity_app") == []


async def test_who_is_active_staff_is_told_to_invoicing(identity: Identity) -> None:
    harbor = await identity.organization("harbor")
    other = await identity.organization("wharf")
    owner = await identity.login("harbor")
    clerk = await identity.person(owner, "clerk@harbor.example", people_pb2.ROLE_ACCOUNTANT)
    payer = await identity.person(owner, "pat@buyer.example", people_pb2.ROLE_PAYER, CUSTOMER)

    async def is_staff(organization_id: str, person_id: str) -> bool:
        request = people_pb2.IsStaffRequest(organization_id=organization_id, person_id=person_id)
        return bool((await identity.checks.IsStaff(request)).staff)

    assert await is_staff(harbor.organization_id, clerk.person_id)
    assert not await is_staff(other.organization_id, clerk.person_id)
    assert not await is_staff(harbor.organization_id, payer.person_id)
    assert not await is_staff(harbor.organization_id, "per_nobody")
    request = people_pb2.DeactivatePersonRequest(person_id=clerk.person_id)
    await identity.people.DeactivatePerson(request, metadata=by(owner))
    assert not await is_staff(harbor.organization_id, clerk.person_id)


async def test_a_customer_s_active_people_are_told_to_payments(identity: Identity) -> None:
    harbor = await identity.organization("harbor")
    owner = await identity.login("harbor")
    await identity.person(owner, "clerk@harbor.example", people_pb2.ROLE_ACCOUNTANT)
    payer = await identity.person(owner, "pat@buyer.example", people_pb2.ROLE_PAYER, CUSTOMER)

    async def colleagues(*wanted: str) -> list[str]:
        request = people_pb2.FindColleaguesRequest(
            organization_id=harbor.organization_id, customer_id=CUSTOMER, person_ids=wanted
        )
        return list((await identity.checks_for_payments.FindColleagues(request)).person_ids)

    assert await colleagues() == [payer.person_id]
    assert await colleagues("per_nobody") == []
    await identity.people.DeactivatePerson(
        people_pb2.DeactivatePersonRequest(person_id=payer.person_id), metadata=by(owner)
    )
    assert await colleagues() == []
    assert await colleagues(payer.person_id) == []


async def test_an_early_colleague_is_found_among_more_people_than_are_listed(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_people, "MOST_COLLEAGUES", 1)
    harbor = await identity.organization("harbor")
    owner = await identity.login("harbor")
    early = await identity.person(owner, "pat@buyer.example", people_pb2.ROLE_PAYER, CUSTOMER)
    late = await identity.person(owner, "pia@buyer.example", people_pb2.ROLE_PAYER, CUSTOMER)
    gone = await identity.person(owner, "eve@buyer.example", people_pb2.ROLE_PAYER, CUSTOMER)
    await identity.people.DeactivatePerson(
        people_pb2.DeactivatePersonRequest(person_id=gone.person_id), metadata=by(owner)
    )

    async def colleagues(*wanted: str) -> list[str]:
        request = people_pb2.FindColleaguesRequest(
            organization_id=harbor.organization_id, customer_id=CUSTOMER, person_ids=wanted
        )
        return list((await identity.checks_for_payments.FindColleagues(request)).person_ids)

    assert await colleagues(early.person_id) == [early.person_id]
    assert await colleagues() == [late.person_id], "who is barred takes nobody's place"
