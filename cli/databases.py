"""Which databases an operator's verb means: the one in DATABASE_URL, else those of the running dev stack."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, ParamSpec, TypeVar
from urllib.parse import urlsplit

import typer

from devstack.layout import Layout
from devstack.ports import SERVICES
from devstack.state import read_state

if TYPE_CHECKING:
    from chassis.database import Database

_P = ParamSpec("_P")
_T = TypeVar("_T")
_POOL_SIZE = 2


def _known(service: str | None) -> str | None:
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"{service!r} is not one of {', '.join(SERVICES)}")
    return service


Service = Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.", callback=_known)]
MaybeService = Annotated[
    str | None, typer.Option("--service", help="Only this service; all by default.", callback=_known)
]


def urls(service: str | None = None) -> dict[str, str]:
    """URL of the app role by service: of `service`, or of all that can be reached. Exits with 1 where none can."""
    if url := os.environ.get("DATABASE_URL"):
        return {service or (urlsplit(url).username or "").removesuffix("_app"): url}
    from devstack.postgres import Postgres

    layout = Layout.chosen()
    state = read_state(layout.state_file) if layout.in_use else None
    server = next((one for one in state.processes if one.name == "postgres"), None) if state else None
    if server is None:
        fail(f"DATABASE_URL is not set, and no stack with a database runs from {layout.home}")
    postgres = Postgres(layout.data / "postgres", int(server.address.rpartition(":")[2]))
    return {name: postgres.app_url(name) for name in SERVICES if service in (None, name)}


@asynccontextmanager
async def opened(service: str, url: str) -> "AsyncIterator[Database]":
    """The service's database as its app role, so that row-level security binds the operator too."""
    from chassis.clock import SystemClock
    from chassis.database import Database

    db = Database(url, pool_size=_POOL_SIZE, name=f"{service}-operator", clock=SystemClock())
    await db.open()
    try:
        yield db
    finally:
        await db.close()


def run(work: Callable[_P, Coroutine[Any, Any, _T]], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run a verb's coroutine; what is wrong with a database is said in one line instead of a traceback."""
    from sqlalchemy.exc import DBAPIError

    from chassis.database import UnsafeDatabaseError
    from chassis.errors import ServiceError

    try:
        return asyncio.run(work(*args, **kwargs))
    except (DBAPIError, ServiceError, UnsafeDatabaseError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        fail(str(cause).strip() or type(error).__name__)


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with 1."""
    typer.echo(f"tallyport: {message}", err=True)
    raise typer.Exit(1)
