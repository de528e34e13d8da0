"""Stand-in for identity."""

from typing import Any

from chassis.caller import Audience, current_call
from chassis.errors import Kind, ServiceError, not_found
from tallyport.identity.v1 import organizations_pb2 as organizations
from tallyport.identity.v1 import people_pb2 as people
from tallyport.identity.v1 import sessions_pb2 as sessions
from tallyport.identity.v1.organizations_pb2_grpc import (
    OrganizationsServicer,
    add_OrganizationsServicer_to_server,
)
from tallyport.identity.v1.people_pb2_grpc import PeopleServicer, add_PeopleServicer_to_server
from tallyport.identity.v1.sessions_pb2_grpc import SessionsServicer, add_SessionsServicer_to_server
from tests.support.mesh import Mesh
from tests.support.stage.data import CUSTOMER_ID, EMAIL, ORGANIZATION_ID, PASSWORD, STAFF_EMAIL, Stage

CUSTOMER_PERMISSIONS = ("invoices.read", "payments.create", "payments.read", "customers.read")
STAFF_PERMISSIONS = (
    "invoices.read", "invoices.write", "customers.read", "customers.write", "items.read", "items.write",
    "payments.read", "payments.record", "messages.read", "messages.write", "people.read", "people.write",
    "organization.write", "api_keys.write",
)  # fmt: skip


class Identity(OrganizationsServicer, SessionsServicer, PeopleServicer):
    """Two people: one of the customer, one of the staff."""

    def __init__(self, stage: Stage, mesh: Mesh) -> None:
        self._stage = stage
        self._mesh = mesh
        self._round = 0
        self.used: set[str] = set()

    async def GetBrand(self, request: Any, context: Any) -> organizations.Brand:
        self._stage.calls.append("GetBrand")
        if request.slug != "harbor-supply":
            raise not_found("brand")
        return self._stage.brand()

    async def GetOrganization(self, request: Any, context: Any) -> organizations.Organization:
        return self._stage.organization()

    async def Login(self, request: Any, context: Any) -> sessions.SessionTokens:
        kinds = {EMAIL: Audience.CUSTOMER, STAFF_EMAIL: Audience.STAFF}
        if request.email not in kinds or request.password != PASSWORD:
            raise ServiceError(Kind.UNAUTHENTICATED, "LOGIN_FAILED", "Wrong e-mail address or password.")
        return self._tokens(kinds[request.email])

    async def RefreshSession(self, request: Any, context: Any) -> sessions.SessionTokens:
        self._stage.calls.append("RefreshSession")
        if request.refresh_token in self.used:
            raise ServiceError(Kind.UNAUTHENTICATED, "SESSION_ENDED", "Please sign in again.")
        self.used.add(request.refresh_token)
        staff = request.refresh_token.startswith("staff")
        return self._tokens(Audience.STAFF if staff else Audience.CUSTOMER)

    async def Logout(self, request: Any, context: Any) -> sessions.LogoutResponse:
        self._stage.calls.append("Logout")
        return sessions.LogoutResponse()

    async def ListSessions(self, request: Any, context: Any) -> sessions.ListSessionsResponse:
        firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
        answer = sessions.ListSessionsResponse(
            sessions=[
                sessions.Session(
                    session_id="ses_1", device=firefox, network_address="203.0.113.7", current=True
                ),
                sessions.Session(session_id="ses_2", device=safari, network_address="198.51.100.20"),
            ]
        )
        for session in answer.sessions:
            session.created_at.GetCurrentTime()
            session.last_seen_at.GetCurrentTime()
        return answer

    async def RevokeSession(self, request: Any, context: Any) -> sessions.RevokeSessionResponse:
        self._stage.calls.append(f"RevokeSession {request.session_id}")
        return sessions.RevokeSessionResponse()

    async def ChangePassword(self, request: Any, context: Any) -> people.ChangePasswordResponse:
        if request.current_password != PASSWORD:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "WRONG_PASSWORD", "The current password is not right."
            )
        return people.ChangePasswordResponse()

    async def GetMe(self, request: Any, context: Any) -> sessions.Me:
        return self._me(current_call().caller.audience)

    async def MintPayLinkToken(self, request: Any, context: Any) -> sessions.AccessToken:
        token = self._mesh.token(
            Audience.PAY_LINK,
            seconds=self._stage.access_seconds,
            subject_id=request.pay_link_id,
            customer_id=request.customer_id,
            invoice_id=request.invoice_id,
            permissions=frozenset(CUSTOMER_PERMISSIONS),
        )
        return self._access(token)

    def _me(self, kind: Audience) -> sessions.Me:
        staff = kind is Audience.STAFF
        return sessions.Me(
            subject_id="per_2" if staff else "per_1",
            name="Grace Hopper" if staff else "Ada Lovelace",
            email=STAFF_EMAIL if staff else EMAIL,
            kind=kind.value,
            organization_id=ORGANIZATION_ID,
            customer_id="" if staff else CUSTOMER_ID,
            permissions=STAFF_PERMISSIONS if staff else CUSTOMER_PERMISSIONS,
        )

    def _tokens(self, kind: Audience) -> sessions.SessionTokens:
        self._round += 1
        me = self._me(kind)
        claims: dict[str, Any] = {
            "subject_id": me.subject_id,
            "name": me.name,
            "permissions": frozenset(me.permissions),
        }
        if kind is Audience.CUSTOMER:
            claims["customer_id"] = CUSTOMER_ID
        token = self._mesh.token(kind, seconds=self._stage.access_seconds, session_id="ses_1", **claims)
        tokens = sessions.SessionTokens(
            access=self._access(token), refresh_token=f"{kind.value}-refresh-{self._round:020}", me=me
        )
        tokens.idle_expires_at.FromSeconds(self._stage.expires_at() + 1800)
        tokens.expires_at.FromSeconds(self._stage.expires_at() + 40_000)
        return tokens

    def _access(self, token: str) -> sessions.AccessToken:
        access = sessions.AccessToken(token=token)
        access.expires_at.FromSeconds(self._stage.expires_at())
        return access


def servicers(identity: Identity) -> list[tuple[Any, object]]:
    """As a server takes them."""
    return [
        (add_OrganizationsServicer_to_server, identity),
        (add_SessionsServicer_to_server, identity),
        (add_PeopleServicer_to_server, identity),
    ]
