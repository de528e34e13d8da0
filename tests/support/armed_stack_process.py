"""`python -m tests.support.armed_stack_process HOME PUBLIC_PORT BASE_PORT`: the supervisor of an armed stack."""

import asyncio
import sys
from pathlib import Path

from devstack import supervisor
from devstack.layout import Layout
from devstack.ports import Ports
from devstack.stack import EXPECTED_ERRORS, Options, Stack
from tests.support.armed_stack import extra_variables


def main() -> int:
    """Runs until SIGTERM."""
    # Whoever dies this often on purpose would otherwise be left alone for longer and longer.
    supervisor._LONGEST_PAUSE_SECONDS = 0.4
    home, public, base = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    options = Options(ports=Ports(public, base), without=frozenset({"nats"}), extra=extra_variables(home))
    try:
        asyncio.run(Stack(Layout(home), options).run(lambda _: None))
    except EXPECTED_ERRORS as error:
        print(f"not started: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
