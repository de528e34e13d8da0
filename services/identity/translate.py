"""Between messages and domain objects."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from chassis.caller import Caller
from services.identity.domain.api_key import ApiKey
from services.identity.domain.organization import Brand, Organization, PostalAddress
from services.identity.domain.person import Person
from services.identity.domain.role import PERMISSIONS, Role, audience_of
from services.identity.domain.session import Session
from services.identity.domain.test_clock import ClockStatus, TestClock
from services.identity.operations.login import Credentials, SignedIn
from services.identity.tokens import AccessToken
from tallyport.identity.v1 import events_pb2, organizations_pb2, people_pb2, sessions_pb2, test_clocks_pb2

_PROTO_ROLES = {
    Role.OWNER: people_pb2.ROLE_OWNER,
    Role.ACCOUNTANT: people_pb2.ROLE_ACCOUNTANT,
    Role.AUDITOR: people_pb2.ROLE_AUDITOR,
    Role.PAYER: people_pb2.ROLE_PAYER,
    Role.VIEWER: people_pb2.ROLE_VIEWER,
    Role.APPROVER: people_pb2.ROLE_APPROVER,
    Role.COMPANY_ADMIN: people_pb2.ROLE_COMPANY_ADMIN,
}
_CLOCK_STATUSES = {
    ClockStatus.READY: test_clocks_pb2.TEST_CLOCK_STATUS_READY,
    ClockStatus.ADVANCING: test_clocks_pb2.TEST_CLOCK_STATUS_ADVANCING,
    ClockStatus.FAILED: test_clocks_pb2.TEST_CLOCK_STATUS_FAILED,
    ClockStatus.DELETING: test_clocks_pb2.TEST_CLOCK_STATUS_DELETED,
}
_ROLES: Mapping[int, Role] = {number: role for role, number in _PROTO_ROLES.items()}
_TEXTS = ("name", "time_zone", "locale", "tax_id", "contact_email", "contact_phone")


def from_proto_role(number: int) -> Role:
    """The contract's rules keep unknown numbers out."""
    return _ROLES[number]


def to_proto_timestamp(at: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp


def from_proto_new_organization(
    request: organizations_pb2.CreateOrganizationRequest, *, now: datetime
) -> Organization:
    """A new organization; the brand is its name in a neutral colour when none is given."""
    brand = from_proto_brand(request.brand)
    return Organization(
        organization_id=ids.new_id("org"),
        slug=request.slug,
        name=request.name,
        currency=request.currency,
        time_zone=request.time_zone,
        locale=request.locale,
        address=from_proto_address(request.address),
        tax_id=request.tax_id,
        contact_email=request.contact_email,
        contact_phone=request.contact_phone,
        brand=brand if brand.display_name else replace(brand, display_name=request.name),
        live_mode=request.live_mode,
        created_at=now,
    )


def apply_update(
    organization: Organization, request: organizations_pb2.UpdateOrganizationRequest
) -> Organization:
    """The organization with the request's present fields."""
    given = {field.name for field, _ in request.ListFields()}
    texts = {name: getattr(request, name) for name in _TEXTS if name in given}
    changed = replace(organization, **texts)
    if request.HasField("address"):
        changed = replace(changed, address=from_proto_address(request.address))
    if request.HasField("brand"):
        brand = from_proto_brand(request.brand)
        if not brand.display_name:
            brand = replace(brand, display_name=organization.brand.display_name)
        changed = replace(changed, brand=brand)
    return changed


def from_proto_brand(message: organizations_pb2.Brand) -> Brand:
    brand = Brand(
        display_name=message.display_name, logo=message.logo, logo_media_type=message.logo_media_type
    )
    return replace(brand, primary_color=message.primary_color) if message.primary_color else brand


def from_proto_address(message: organizations_pb2.PostalAddress) -> PostalAddress:
    return PostalAddress(
        lines=tuple(message.lines),
        city=message.city,
        region=message.region,
        postal_code=message.postal_code,
        country=message.country,
    )


def to_proto_brand(organization: Organization) -> organizations_pb2.Brand:
    brand = organization.brand
    return organizations_pb2.Brand(
        organization_id=organization.organization_id,
        slug=organization.slug,
        display_name=brand.display_name,
        primary_color=brand.primary_color,
        logo=brand.logo,
        logo_media_type=brand.logo_media_type,
    )


def to_proto_organization(organization: Organization) -> organizations_pb2.Organization:
    address = organization.address
    return organizations_pb2.Organization(
        organization_id=organization.organization_id,
        slug=organization.slug,
        name=organization.name,
        currency=organization.currency,
        time_zone=organization.time_zone,
        locale=organization.locale,
        address=organizations_pb2.PostalAddress(
            lines=address.lines,
            city=address.city,
            region=address.region,
            postal_code=address.postal_code,
            country=address.country,
        ),
        tax_id=organization.tax_id,
        contact_email=organization.contact_email,
        contact_phone=organization.contact_phone,
        brand=to_proto_brand(organization),
        live_mode=organization.live_mode,
        created_at=to_proto_timestamp(organization.created_at),
    )


def to_proto_organization_changed(organization: Organization) -> events_pb2.OrganizationChanged:
    return events_pb2.OrganizationChanged(organization=to_proto_organization(organization))


def from_proto_new_person(
    request: people_pb2.CreatePersonRequest, organization_id: str, *, now: datetime
) -> Person:
    return Person(
        organization_id=organization_id,
        person_id=ids.new_id("per"),
        name=request.name,
        email=request.email.strip(),
        role=from_proto_role(request.role),
        customer_id=request.customer_id,
        locale=request.locale,
        active=True,
        created_at=now,
    )


def to_proto_person(person: Person) -> people_pb2.Person:
    return people_pb2.Person(
        person_id=person.person_id,
        name=person.name,
        email=person.email,
        role=_PROTO_ROLES[person.role],
        customer_id=person.customer_id,
        locale=person.locale,
        active=person.active,
        created_at=to_proto_timestamp(person.created_at),
    )


def to_proto_colleague(person: Person) -> people_pb2.Colleague:
    """Without the mail address: colleagues are known by name."""
    return people_pb2.Colleague(person_id=person.person_id, name=person.name, role=_PROTO_ROLES[person.role])


def to_proto_person_changed(person: Person) -> events_pb2.PersonChanged:
    return events_pb2.PersonChanged(
        person_id=person.person_id,
        name=person.name,
        email=person.email,
        customer_id=person.customer_id,
        locale=person.locale,
        active=person.active,
    )


def to_proto_session_ended(session_id: str, person_id: str) -> events_pb2.SessionEnded:
    return events_pb2.SessionEnded(session_id=session_id, person_id=person_id)


def to_proto_api_key_revoked(api_key_id: str) -> events_pb2.ApiKeyRevoked:
    return events_pb2.ApiKeyRevoked(api_key_id=api_key_id)


def to_proto_api_key(key: ApiKey) -> people_pb2.ApiKey:
    return people_pb2.ApiKey(
        api_key_id=key.api_key_id,
        name=key.name,
        hint=key.hint,
        role=_PROTO_ROLES[key.role],
        active=key.active,
        created_at=to_proto_timestamp(key.created_at),
    )


def to_proto_me(subject: Person | ApiKey) -> sessions_pb2.Me:
    """A person or an API key, with what its role may do."""
    me = sessions_pb2.Me(
        name=subject.name,
        kind=audience_of(subject.role).value,
        organization_id=subject.organization_id,
        permissions=sorted(PERMISSIONS[subject.role]),
    )
    if isinstance(subject, ApiKey):
        me.subject_id = subject.api_key_id
        return me
    me.subject_id = subject.person_id
    me.email = subject.email
    me.customer_id = subject.customer_id
    me.locale = subject.locale
    return me


def from_proto_credentials(request: sessions_pb2.LoginRequest) -> Credentials:
    return Credentials(
        organization_slug=request.organization_slug,
        email=request.email,
        password=request.password,
        device=request.device,
        network_address=request.network_address,
    )


def to_proto_access_token(access: AccessToken) -> sessions_pb2.AccessToken:
    return sessions_pb2.AccessToken(token=access.token, expires_at=to_proto_timestamp(access.expires_at))


def to_proto_session_tokens(signed_in: SignedIn) -> sessions_pb2.SessionTokens:
    session = signed_in.session
    return sessions_pb2.SessionTokens(
        access=to_proto_access_token(signed_in.access),
        refresh_token=signed_in.refresh_token,
        idle_expires_at=to_proto_timestamp(session.idle_expires_at),
        expires_at=to_proto_timestamp(session.expires_at),
        me=to_proto_me(signed_in.person),
    )


def to_proto_sessions(found: Iterable[Session], caller: Caller) -> sessions_pb2.ListSessionsResponse:
    """The caller's sessions, the one of this call marked."""
    return sessions_pb2.ListSessionsResponse(
        sessions=[
            sessions_pb2.Session(
                session_id=session.session_id,
                device=session.device,
                network_address=session.network_address,
                created_at=to_proto_timestamp(session.created_at),
                last_seen_at=to_proto_timestamp(session.last_seen_at),
                current=session.session_id == caller.session_id,
            )
            for session in found
        ]
    )


def to_proto_test_clock(clock: TestClock) -> test_clocks_pb2.TestClock:
    return test_clocks_pb2.TestClock(
        test_clock_id=clock.test_clock_id,
        name=clock.name,
        frozen_time=to_proto_timestamp(clock.frozen_at),
        status=_CLOCK_STATUSES[clock.status],
        target_time=to_proto_timestamp(clock.target_at),
        steps=clock.steps,
        failure=clock.failure,
        created_at=to_proto_timestamp(clock.created_at),
    )


def to_proto_test_time(clock: TestClock | None) -> test_clocks_pb2.TestTime:
    if clock is None:
        return test_clocks_pb2.TestTime()
    return test_clocks_pb2.TestTime(frozen_time=to_proto_timestamp(clock.frozen_at), advancing=clock.moves)
