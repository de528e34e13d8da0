"""Keeps what identity tells about an organization."""

from chassis.database import WriteTx
from services.notifications.domain.brand import Brand
from services.notifications.store import brands


async def keep_brand(tx: WriteTx, brand: Brand) -> None:
    """Older versions than the kept one change nothing."""
    await brands.keep_brand(tx, brand)
