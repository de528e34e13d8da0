"""Identity's organizations."""

from services.invoicing.domain.organization import Organization
from tallyport.identity.v1 import organizations_pb2 as pb


def from_proto_organization(message: pb.Organization, version: int) -> Organization:
    """The copy that invoicing keeps; `version` is the event's."""
    address, brand = message.address, message.brand
    return Organization(
        organization_id=message.organization_id,
        name=message.name,
        display_name=brand.display_name or message.name,
        currency=message.currency,
        time_zone=message.time_zone,
        locale=message.locale,
        address_lines=tuple(address.lines),
        city=address.city,
        region=address.region,
        postal_code=address.postal_code,
        country=address.country,
        tax_id=message.tax_id,
        contact_email=message.contact_email,
        contact_phone=message.contact_phone,
        brand_color=brand.primary_color,
        logo=brand.logo,
        logo_media_type=brand.logo_media_type,
        version=version,
    )
