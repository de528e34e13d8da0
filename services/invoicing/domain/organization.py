"""What invoicing knows of the organization: a copy that follows identity's events."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """The business that sends invoices. Days begin and invoices fall due in its `time_zone` (IANA)."""

    organization_id: str
    name: str
    display_name: str
    currency: str
    time_zone: str
    locale: str
    address_lines: tuple[str, ...]
    city: str
    region: str
    postal_code: str
    country: str
    tax_id: str
    contact_email: str
    contact_phone: str
    brand_color: str
    logo: bytes
    logo_media_type: str
    version: int

    def date_of(self, at: datetime) -> date:
        """The calendar day of a moment in the organization's zone."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()

    def start_of(self, day: date) -> datetime:
        """The moment at which a day begins in the organization's zone."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.time_zone))
