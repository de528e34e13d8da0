"""`python -m devstack up`: the supervisor itself, light enough to stay; `tallyport up` becomes it."""

import argparse
import asyncio
import importlib
import os
import sys
from dataclasses import replace

from devstack.announcement import announcement
from devstack.environment import Environment
from devstack.layout import Layout
from devstack.ports import DEFAULT_BASE_PORT, DEFAULT_PUBLIC_PORT, Ports
from devstack.stack import EXPECTED_ERRORS, Options, Stack

_OWN_VARIABLES = ("TALLYPORT_HOME", "TALLYPORT_POSTGRES_BIN", "TALLYPORT_DEFAULT_ORGANIZATION")


def main() -> int:
    """Exit status 0 after an orderly stop, 1 with one plain message when the stack cannot start."""
    parser = argparse.ArgumentParser(prog="devstack")
    parser.add_argument("verb", choices=("up", "load-demo"))
    parser.add_argument("--port", type=int, default=DEFAULT_PUBLIC_PORT)
    parser.add_argument("--base-port", type=int, default=DEFAULT_BASE_PORT)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--no-preload", action="store_true")
    parser.add_argument("--without", action="append", default=[], metavar="NAME")
    arguments = parser.parse_args()
    layout = Layout.chosen()
    ports = Ports(arguments.port, arguments.base_port)
    try:
        if arguments.verb == "load-demo":
            _load_demo(Environment(layout, ports))
        else:
            without = frozenset(arguments.without)
            options = Options(ports=ports, fresh=arguments.fresh, demo=arguments.demo, without=without)
            if arguments.no_preload:
                options = replace(options, preload=False)
            asyncio.run(Stack(layout, options).run(_announce))
    except EXPECTED_ERRORS as error:
        print(f"tallyport: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def _announce(stack: Stack) -> None:
    print(announcement(stack), flush=True)


def _load_demo(environment: Environment) -> None:
    for name in _OWN_VARIABLES:
        os.environ.pop(name, None)  # the demo reads service settings, which refuse keys that are not theirs
    demo = importlib.import_module("devstack.demo")  # heavy, and most starts do without it
    asyncio.run(demo.load(environment))


if __name__ == "__main__":
    sys.exit(main())
