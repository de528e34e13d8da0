"""Servicers of the identity service: translate, call one operation, translate back."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from chassis import idempotency
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from services.identity import translate
from services.identity.hashing import Hasher
from services.identity.operations import (
    change_password,
    create_organization,
    create_person,
    deactivate_person,
    end_session,
    exchange_api_key,
    get_me,
    get_organization,
    list_sessions,
    login,
    manage_api_keys,
    manage_test_clocks,
    mint_pay_link_token,
    read_people,
    refresh_session,
    update_organization,
)
from services.identity.tokens import TokenIssuer
from tallyport.identity.v1 import (
    organizations_pb2,
    organizations_pb2_grpc,
    people_pb2,
    people_pb2_grpc,
    sessions_pb2,
    sessions_pb2_grpc,
    test_clocks_pb2,
    test_clocks_pb2_grpc,
)

Context = Any
"""Servicers leave gRPC's context to the boundary."""


class Organizations(organizations_pb2_grpc.OrganizationsServicer):
    """Organizations and their brand."""

    def __init__(self, db: Database, hasher: Hasher) -> None:
        self._db = db
        self._hasher = hasher

    async def CreateOrganization(
        self, request: organizations_pb2.CreateOrganizationRequest, context: Context
    ) -> organizations_pb2.Organization:
        organization = translate.from_proto_new_organization(request, now=self._db.clock.now())
        owner = create_organization.Owner(
            name=request.owner_name, email=request.owner_email, password=request.owner_password
        )
        created = await create_organization.create_organization(self._db, self._hasher, organization, owner)
        return translate.to_proto_organization(created)

    async def GetOrganization(
        self, request: organizations_pb2.GetOrganizationRequest, context: Context
    ) -> organizations_pb2.Organization:
        organization = await get_organization.get_organization(self._db, current_call().organization_id)
        return translate.to_proto_organization(organization)

    async def UpdateOrganization(
        self, request: organizations_pb2.UpdateOrganizationRequest, context: Context
    ) -> organizations_pb2.Organization:
        organization = await update_organization.update_organization(
            self._db, current_call().organization_id, lambda before: translate.apply_update(before, request)
        )
        return translate.to_proto_organization(organization)

    async def GetBrand(
        self, request: organizations_pb2.GetBrandRequest, context: Context
    ) -> organizations_pb2.Brand:
        return translate.to_proto_brand(await get_organization.find_organization(self._db, request.slug))


class People(people_pb2_grpc.PeopleServicer):
    """People and their roles."""

    def __init__(self, db: Database, hasher: Hasher) -> None:
        self._db = db
        self._hasher = hasher

    async def CreatePerson(
        self, request: people_pb2.CreatePersonRequest, context: Context
    ) -> people_pb2.Person:
        now = await self._db.now_of(current_call().organization_id)
        person = translate.from_proto_new_person(request, current_call().organization_id, now=now)
        create_person.check_new_person(person, request.password)
        password_hash = await self._hasher.hash(request.password)

        async def create(tx: WriteTx) -> people_pb2.Person:
            await create_person.create_person(tx, person, password_hash=password_hash)
            return translate.to_proto_person(person)

        return await idempotency.once(self._db, people_pb2.Person, create)

    async def GetPerson(self, request: people_pb2.GetPersonRequest, context: Context) -> people_pb2.Person:
        person = await read_people.get_person(self._db, current_call().organization_id, request.person_id)
        return translate.to_proto_person(person)

    async def ListPeople(
        self, request: people_pb2.ListPeopleRequest, context: Context
    ) -> people_pb2.ListPeopleResponse:
        found, next_page_token = await read_people.list_people(
            self._db,
            current_call().organization_id,
            customer_id=request.customer_id,
            page_size=request.page_size,
            page_token=request.page_token,
            staff_only=request.staff_only,
        )
        people = [translate.to_proto_person(person) for person in found]
        return people_pb2.ListPeopleResponse(people=people, next_page_token=next_page_token)

    async def ListColleagues(
        self, request: people_pb2.ListColleaguesRequest, context: Context
    ) -> people_pb2.ListColleaguesResponse:
        call = current_call()
        found = await read_people.list_colleagues(
            self._db, call.organization_id, call.caller.customer_id or ""
        )
        return people_pb2.ListColleaguesResponse(
            colleagues=[translate.to_proto_colleague(person) for person in found]
        )

    async def DeactivatePerson(
        self, request: people_pb2.DeactivatePersonRequest, context: Context
    ) -> people_pb2.Person:
        person = await deactivate_person.deactivate_person(
            self._db, current_call().organization_id, request.person_id, reason=request.reason
        )
        return translate.to_proto_person(person)

    async def ChangePassword(
        self, request: people_pb2.ChangePasswordRequest, context: Context
    ) -> people_pb2.ChangePasswordResponse:
        await change_password.change_password(
            self._db,
            self._hasher,
            current_call().organization_id,
            current_password=request.current_password,
            new_password=request.new_password,
        )
        return people_pb2.ChangePasswordResponse()


class PeopleChecks(people_pb2_grpc.PeopleChecksServicer):
    """What other services ask about people."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def IsStaff(self, request: people_pb2.IsStaffRequest, context: Any) -> people_pb2.IsStaffResponse:
        staff = await read_people.is_staff(self._db, request.organization_id, request.person_id)
        return people_pb2.IsStaffResponse(staff=staff)

    async def FindColleagues(
        self, request: people_pb2.FindColleaguesRequest, context: Any
    ) -> people_pb2.FindColleaguesResponse:
        found = await read_people.list_colleagues(
            self._db, request.organization_id, request.customer_id, person_ids=request.person_ids
        )
        return people_pb2.FindColleaguesResponse(person_ids=[person.person_id for person in found])


class ApiKeys(people_pb2_grpc.ApiKeysServicer):
    """Keys of programs."""

    def __init__(self, db: Database, issuer: TokenIssuer) -> None:
        self._db = db
        self._issuer = issuer

    async def CreateApiKey(
        self, request: people_pb2.CreateApiKeyRequest, context: Context
    ) -> people_pb2.CreateApiKeyResponse:
        role = translate.from_proto_role(request.role)
        key, secret = await manage_api_keys.create_api_key(
            self._db, current_call().organization_id, name=request.name, role=role
        )
        return people_pb2.CreateApiKeyResponse(api_key=translate.to_proto_api_key(key), secret=secret)

    async def ListApiKeys(
        self, request: people_pb2.ListApiKeysRequest, context: Context
    ) -> people_pb2.ListApiKeysResponse:
        keys = await manage_api_keys.list_api_keys(self._db, current_call().organization_id)
        return people_pb2.ListApiKeysResponse(api_keys=[translate.to_proto_api_key(key) for key in keys])

    async def RevokeApiKey(
        self, request: people_pb2.RevokeApiKeyRequest, context: Context
    ) -> people_pb2.ApiKey:
        key = await manage_api_keys.revoke_api_key(
            self._db, current_call().organization_id, request.api_key_id
        )
        return translate.to_proto_api_key(key)

    async def ExchangeApiKey(
        self, request: people_pb2.ExchangeApiKeyRequest, context: Context
    ) -> people_pb2.AccessTokenForKey:
        access = await exchange_api_key.exchange_api_key(self._db, self._issuer, request.secret)
        expires_at = translate.to_proto_timestamp(access.expires_at)
        return people_pb2.AccessTokenForKey(token=access.token, expires_at=expires_at)


class Sessions(sessions_pb2_grpc.SessionsServicer):
    """Signing in and out."""

    def __init__(self, db: Database, hasher: Hasher, issuer: TokenIssuer) -> None:
        self._db = db
        self._hasher = hasher
        self._issuer = issuer

    async def Login(self, request: sessions_pb2.LoginRequest, context: Context) -> sessions_pb2.SessionTokens:
        credentials = translate.from_proto_credentials(request)
        signed_in = await login.login(self._db, self._hasher, self._issuer, credentials)
        return translate.to_proto_session_tokens(signed_in)

    async def RefreshSession(
        self, request: sessions_pb2.RefreshSessionRequest, context: Context
    ) -> sessions_pb2.SessionTokens:
        signed_in = await refresh_session.refresh_session(self._db, self._issuer, request.refresh_token)
        return translate.to_proto_session_tokens(signed_in)

    async def Logout(
        self, request: sessions_pb2.LogoutRequest, context: Context
    ) -> sessions_pb2.LogoutResponse:
        await end_session.logout(self._db, current_call().organization_id)
        return sessions_pb2.LogoutResponse()

    async def ListSessions(
        self, request: sessions_pb2.ListSessionsRequest, context: Context
    ) -> sessions_pb2.ListSessionsResponse:
        call = current_call()
        found = await list_sessions.list_sessions(self._db, call.organization_id)
        return translate.to_proto_sessions(found, call.caller)

    async def RevokeSession(
        self, request: sessions_pb2.RevokeSessionRequest, context: Context
    ) -> sessions_pb2.RevokeSessionResponse:
        await end_session.revoke_session(self._db, current_call().organization_id, request.session_id)
        return sessions_pb2.RevokeSessionResponse()

    async def GetMe(self, request: sessions_pb2.GetMeRequest, context: Context) -> sessions_pb2.Me:
        return translate.to_proto_me(await get_me.get_me(self._db, current_call().organization_id))

    async def MintPayLinkToken(
        self, request: sessions_pb2.MintPayLinkTokenRequest, context: Context
    ) -> sessions_pb2.AccessToken:
        access = await mint_pay_link_token.mint_pay_link_token(
            self._db,
            self._issuer,
            request.organization_id,
            customer_id=request.customer_id,
            invoice_id=request.invoice_id,
            pay_link_id=request.pay_link_id,
        )
        return translate.to_proto_access_token(access)


class TestClocks(test_clocks_pb2_grpc.TestClocksServicer):
    """Test clocks, where they are allowed."""

    __test__ = False

    def __init__(self, db: Database) -> None:
        self._db = db

    async def CreateTestClock(
        self, request: test_clocks_pb2.CreateTestClockRequest, context: Context
    ) -> test_clocks_pb2.TestClock:
        return await manage_test_clocks.create_test_clock(
            self._db,
            current_call().organization_id,
            name=request.name,
            begins_at=request.frozen_time.ToDatetime(tzinfo=UTC),
        )

    async def GetTestClock(
        self, request: test_clocks_pb2.GetTestClockRequest, context: Context
    ) -> test_clocks_pb2.TestClock:
        clock = await manage_test_clocks.get_test_clock(
            self._db, current_call().organization_id, request.test_clock_id
        )
        return translate.to_proto_test_clock(clock)

    async def ListTestClocks(
        self, request: test_clocks_pb2.ListTestClocksRequest, context: Context
    ) -> test_clocks_pb2.ListTestClocksResponse:
        clock = await manage_test_clocks.find_test_clock(self._db, current_call().organization_id)
        found = [] if clock is None else [translate.to_proto_test_clock(clock)]
        return test_clocks_pb2.ListTestClocksResponse(test_clocks=found)

    async def GetTestTime(
        self, request: test_clocks_pb2.GetTestTimeRequest, context: Context
    ) -> test_clocks_pb2.TestTime:
        clock = await manage_test_clocks.find_test_clock(self._db, current_call().organization_id)
        return translate.to_proto_test_time(clock)

    async def AdvanceTestClock(
        self, request: test_clocks_pb2.AdvanceTestClockRequest, context: Context
    ) -> test_clocks_pb2.TestClock:
        return await manage_test_clocks.advance_test_clock(
            self._db,
            current_call().organization_id,
            request.test_clock_id,
            to=request.frozen_time.ToDatetime(tzinfo=UTC),
        )

    async def StopTestClock(
        self, request: test_clocks_pb2.StopTestClockRequest, context: Context
    ) -> test_clocks_pb2.TestClock:
        return await manage_test_clocks.stop_test_clock(
            self._db, current_call().organization_id, request.test_clock_id
        )

    async def DeleteTestClock(
        self, request: test_clocks_pb2.DeleteTestClockRequest, context: Context
    ) -> test_clocks_pb2.TestClock:
        return await manage_test_clocks.delete_test_clock(
            self._db, current_call().organization_id, request.test_clock_id
        )


def servicers(db: Database, hasher: Hasher, issuer: TokenIssuer) -> Sequence[tuple[Any, object]]:
    """What the server serves; test clocks only where they are allowed."""
    clocks = [(test_clocks_pb2_grpc.add_TestClocksServicer_to_server, TestClocks(db))]
    return (
        *(clocks if db.has_test_clocks else ()),
        (
            organizations_pb2_grpc.add_OrganizationsServicer_to_server,
            Organizations(db, hasher),
        ),
        (people_pb2_grpc.add_PeopleServicer_to_server, People(db, hasher)),
        (people_pb2_grpc.add_PeopleChecksServicer_to_server, PeopleChecks(db)),
        (people_pb2_grpc.add_ApiKeysServicer_to_server, ApiKeys(db, issuer)),
        (sessions_pb2_grpc.add_SessionsServicer_to_server, Sessions(db, hasher, issuer)),
    )
