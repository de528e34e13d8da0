"""Fixtures that all tests may ask for: real servers and migrated databases, started on first use."""

from tests.support.database import databases
from tests.support.node_ids import pytest_collection_modifyitems
from tests.support.servers import nats_server, postgres
from tests.support.stack import stack

__all__ = ["databases", "nats_server", "postgres", "pytest_collection_modifyitems", "stack"]
