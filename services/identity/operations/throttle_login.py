"""Slows down guessing: counts each try as failed before its password is looked at."""

import hashlib
import math

from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from services.identity.domain.person import normal_email
from services.identity.domain.throttle import AccountThrottle, network_of
from services.identity.store import throttles


async def count_try(tx: WriteTx, *, email: str, network_address: str) -> None:
    """Raises LOGIN_THROTTLED (RESOURCE_EXHAUSTED) with `retry_after_seconds`; then nothing is counted."""
    now, account_hash, network = tx.machine_now(), _account_hash(email), network_of(network_address)
    account = await throttles.lock_account(tx, account_hash)
    wait_seconds = account.wait_seconds(now)
    bucket = await throttles.lock_network(tx, network) if network is not None else None
    if bucket is not None:
        wait_seconds = max(wait_seconds, bucket.wait_seconds(now))
    if wait_seconds > 0:
        raise ServiceError(
            Kind.RESOURCE_EXHAUSTED,
            "LOGIN_THROTTLED",
            "Too many tries. Please wait a moment and try again.",
            retry_after_seconds=str(math.ceil(wait_seconds)),
        )
    await throttles.keep_account(tx, account_hash, account.with_try(now))
    if bucket is not None and network is not None:
        await throttles.keep_network(tx, network, bucket.with_try(now))


async def forgive_tries(tx: WriteTx, *, email: str, network_address: str) -> None:
    """After a right password: the account starts anew, and the network gets its try back."""
    await throttles.keep_account(tx, _account_hash(email), AccountThrottle())
    network = network_of(network_address)
    if network is not None:
        bucket = await throttles.lock_network(tx, network)
        await throttles.keep_network(tx, network, bucket.with_success())


def _account_hash(email: str) -> bytes:
    return hashlib.sha256(normal_email(email).encode()).digest()
