"""Where the simulator's templates and style live."""

from pathlib import Path

from devstack.webkit.pages import Pages


def pages() -> Pages:
    """The page shell of the simulator."""
    return Pages(Path(__file__).parent, program="Card provider simulator")
