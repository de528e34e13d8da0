"""The stack with single processes set differently: `python -m bench.stack_process HOME PUBLIC BASE JSON`."""

import asyncio
import json
import sys
from pathlib import Path

from devstack.layout import Layout
from devstack.ports import Ports
from devstack.stack import EXPECTED_ERRORS, Options, Stack


def main(arguments: list[str]) -> int:
    """Runs until it is told to stop. JSON has the fields of bench.stack.Wishes."""
    home, public, base, text = arguments
    wishes = json.loads(text)
    options = Options(
        ports=Ports(int(public), int(base)),
        without=frozenset(wishes["without"]),
        extra=wishes["extra"],
        shared_buffers_megabytes=wishes["shared_buffers_megabytes"],
    )
    try:
        asyncio.run(Stack(Layout(Path(home)), options).run(lambda _: None))
    except EXPECTED_ERRORS as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
