"""One armed stack for all tests of the whole mesh."""

from tests.support.armed_fixtures import http, mesh, open_a_shop, shop

__all__ = ["http", "mesh", "open_a_shop", "shop"]
