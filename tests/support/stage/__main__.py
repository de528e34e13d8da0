"""`python -m tests.support.stage PORT`: the gateway with stand-ins behind it, to look at pages."""

import asyncio
import sys
import tempfile
from pathlib import Path

import uvicorn

from tests.support.stage.theatre import theatre


async def _main(port: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with theatre(Path(folder), public_url=f"http://localhost:{port}") as house:
            config = uvicorn.Config(
                house.app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"
            )
            await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
