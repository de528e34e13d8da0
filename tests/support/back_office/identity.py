"""Stand-in for identity: an owner, an accountant and an auditor."""

import secrets
import time
from typing import Any

from chassis.caller import Audience
from chassis.errors import Kind, ServiceError, not_found
from services.identity.domain.role import PERMISSIONS, Role
from tallyport.identity.v1 import organizations_pb2 as organizations
from tallyport.identity.v1 import people_pb2 as people
from tallyport.identity.v1 import sessions_pb2 as sessions
from tallyport.identity.v1.organizations_pb2_grpc import (
    OrganizationsServicer,
    add_OrganizationsServicer_to_server,
)
from tallyport.identity.v1.people_pb2_grpc import PeopleServicer, add_PeopleServicer_to_server
from tallyport.identity.v1.sessions_pb2_grpc import SessionsServicer, add_SessionsServicer_to_server
from tests.support.back_office.books import ACCOUNTANT, AUDITOR, ORGANIZATION_ID, OWNER, PASSWORD, Books
from tests.support.mesh import Mesh

_ACCESS_SECONDS, _SESSION_SECONDS = 300, 3600
_PEOPLE = {
    OWNER: ("per_1", "Grace Hopper", Role.OWNER),
    ACCOUNTANT: ("per_2", "Luca Pacioli", Role.ACCOUNTANT),
    AUDITOR: ("per_3", "Emmy Noether", Role.AUDITOR),
    "buyer@anchor.test": ("per_4", "Ada Lovelace", Role.PAYER),
}


class Identity(OrganizationsServicer, SessionsServicer, PeopleServicer):
    """Signs people in with the permissions that identity itself gives their roles."""

    def __init__(self, books: Books, mesh: Mesh) -> None:
        self._books = books
        self._mesh = mesh

    async def GetBrand(self, request: Any, context: Any) -> organizations.Brand:
        if request.slug != "harbor-supply":
            raise not_found("brand")
        return self._books.brand()

    async def GetOrganization(self, request: Any, context: Any) -> organizations.Organization:
        return self._books.organization()

    async def Login(self, request: Any, context: Any) -> sessions.SessionTokens:
        if request.email not in _PEOPLE or request.password != PASSWORD:
            raise ServiceError(Kind.UNAUTHENTICATED, "LOGIN_FAILED", "Wrong e-mail address or password.")
        return self._tokens(request.email)

    async def RefreshSession(self, request: Any, context: Any) -> sessions.SessionTokens:
        return self._tokens(request.refresh_token.partition(":")[2])

    async def Logout(self, request: Any, context: Any) -> sessions.LogoutResponse:
        self._books.calls.append("Logout")
        return sessions.LogoutResponse()

    async def ListSessions(self, request: Any, context: Any) -> sessions.ListSessionsResponse:
        session = sessions.Session(
            session_id="ses_1", device="Firefox on Linux", network_address="203.0.113.7", current=True
        )
        session.created_at.GetCurrentTime()
        session.last_seen_at.GetCurrentTime()
        return sessions.ListSessionsResponse(sessions=[session])

    async def ChangePassword(self, request: Any, context: Any) -> people.ChangePasswordResponse:
        if request.current_password != PASSWORD:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "WRONG_PASSWORD", "The current password is not right."
            )
        return people.ChangePasswordResponse()

    async def ListPeople(self, request: Any, context: Any) -> people.ListPeopleResponse:
        known = [
            people.Person(person_id=subject_id, name=name, email=email)
            for email, (subject_id, name, role) in _PEOPLE.items()
            if role is not Role.PAYER
        ]
        return people.ListPeopleResponse(people=known)

    def _tokens(self, email: str) -> sessions.SessionTokens:
        subject_id, name, role = _PEOPLE[email]
        kind = Audience.CUSTOMER if role is Role.PAYER else Audience.STAFF
        permissions = PERMISSIONS[role]
        token = self._mesh.token(
            kind,
            seconds=_ACCESS_SECONDS,
            subject_id=subject_id,
            name=name,
            permissions=permissions,
            session_id="ses_1",
        )
        me = sessions.Me(
            subject_id=subject_id,
            name=name,
            email=email,
            kind=kind.value,
            organization_id=ORGANIZATION_ID,
            permissions=sorted(permissions),
        )
        tokens = sessions.SessionTokens(refresh_token=f"{secrets.token_hex(8)}:{email}", me=me)
        tokens.access.token = token
        now = int(time.time())
        tokens.access.expires_at.FromSeconds(now + _ACCESS_SECONDS)
        tokens.idle_expires_at.FromSeconds(now + _SESSION_SECONDS)
        tokens.expires_at.FromSeconds(now + _SESSION_SECONDS)
        return tokens


def servicers(identity: Identity) -> list[tuple[Any, object]]:
    """As a server takes them."""
    return [
        (add_OrganizationsServicer_to_server, identity),
        (add_SessionsServicer_to_server, identity),
        (add_PeopleServicer_to_server, identity),
    ]
