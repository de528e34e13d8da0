"""One armed stack for the long tests."""

from tests.support.armed_fixtures import http, mesh, open_a_shop, shop

__all__ = ["http", "mesh", "open_a_shop", "shop"]
