"""Access tokens: short-lived, signed, saying who may do what."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.caller import Audience
from chassis.clock import Clock
from chassis.rpc.tokens import Claims, TokenSigner
from services.identity.domain.api_key import ApiKey
from services.identity.domain.person import Person
from services.identity.domain.role import PAY_LINK_PERMISSIONS, PERMISSIONS
from services.identity.domain.session import ACCESS_TOKEN_LIFETIME, PAY_LINK_TOKEN_LIFETIME, Session


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A JWT and when it stops working."""

    token: str
    expires_at: datetime


class TokenIssuer:
    """Makes the tokens of people, API keys and pay links."""

    def __init__(self, signer: TokenSigner, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock

    def for_person(self, person: Person, session: Session) -> AccessToken:
        """Ends with the session at the latest."""
        expires_at = min(self._end(ACCESS_TOKEN_LIFETIME), session.expires_at.replace(microsecond=0))
        return self._sign(
            Claims(
                subject_id=person.person_id,
                organization_id=person.organization_id,
                kind=person.audience,
                expires_at_seconds=int(expires_at.timestamp()),
                customer_id=person.customer_id or None,
                permissions=PERMISSIONS[person.role],
                name=person.name,
                session_id=session.session_id,
                authenticated_at_seconds=int(session.created_at.timestamp()),
            ),
            expires_at,
        )

    def for_api_key(self, key: ApiKey) -> AccessToken:
        expires_at = self._end(ACCESS_TOKEN_LIFETIME)
        return self._sign(
            Claims(
                subject_id=key.api_key_id,
                organization_id=key.organization_id,
                kind=Audience.STAFF,
                expires_at_seconds=int(expires_at.timestamp()),
                permissions=PERMISSIONS[key.role],
                name=key.name,
            ),
            expires_at,
        )

    def for_pay_link(
        self, *, organization_id: str, customer_id: str, invoice_id: str, pay_link_id: str
    ) -> AccessToken:
        """One invoice only."""
        expires_at = self._end(PAY_LINK_TOKEN_LIFETIME)
        return self._sign(
            Claims(
                subject_id=pay_link_id,
                organization_id=organization_id,
                kind=Audience.PAY_LINK,
                expires_at_seconds=int(expires_at.timestamp()),
                customer_id=customer_id,
                invoice_id=invoice_id,
                permissions=PAY_LINK_PERMISSIONS,
            ),
            expires_at,
        )

    def _end(self, lifetime: timedelta) -> datetime:
        return (self._clock.now() + lifetime).replace(microsecond=0)

    def _sign(self, claims: Claims, expires_at: datetime) -> AccessToken:
        return AccessToken(self._signer.sign(claims), expires_at)
