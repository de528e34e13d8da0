"""Makes the token of a pay link's holder. That the link is good is invoicing's knowledge."""

from chassis.database import Database
from services.identity.operations.get_organization import get_organization
from services.identity.tokens import AccessToken, TokenIssuer


async def mint_pay_link_token(
    db: Database,
    issuer: TokenIssuer,
    organization_id: str,
    *,
    customer_id: str,
    invoice_id: str,
    pay_link_id: str,
) -> AccessToken:
    """Raises ORGANIZATION_NOT_FOUND."""
    await get_organization(db, organization_id)
    return issuer.for_pay_link(
        organization_id=organization_id,
        customer_id=customer_id,
        invoice_id=invoice_id,
        pay_link_id=pay_link_id,
    )
