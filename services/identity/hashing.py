"""Argon2id in a bounded number of threads, so that many sign-ins at once cannot exhaust memory or cores."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from chassis.errors import Kind, ServiceError

MEMORY_KIBIBYTES: Final = 19_456
TIME_COST: Final = 2
PARALLELISM: Final = 1
MAX_WAITING: Final = 64

R = TypeVar("R")


class Hasher:
    """Makes and checks password hashes. Raises ServiceError SIGN_IN_BUSY when too many are waiting."""

    def __init__(self, threads: int = 2) -> None:
        self._argon2 = PasswordHasher(
            time_cost=TIME_COST, memory_cost=MEMORY_KIBIBYTES, parallelism=PARALLELISM, type=Type.ID
        )
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobody = self._argon2.hash(secrets.token_urlsafe(32))

    async def hash(self, password: str) -> str:
        """The encoded hash to keep."""
        return await self._run(self._argon2.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right. Without a hash (nobody there) it costs the same and is False."""
        matches = await self._run(self._verify, password_hash or self._nobody, password)
        return matches and password_hash is not None

    def needs_rehash(self, password_hash: str) -> bool:
        """True when it was made with weaker settings than today's."""
        return self._argon2.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., R], *arguments: str) -> R:
        if self._waiting >= MAX_WAITING:
            raise ServiceError(
                Kind.RESOURCE_EXHAUSTED,
                "SIGN_IN_BUSY",
                "Many people are signing in right now. Please try again in a moment.",
                retry_after_seconds="2",
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        finally:
            self._waiting -= 1
