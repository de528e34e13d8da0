"""Period locks, freezes and checks of the books."""

from chassis.tables import books_tables
from services.payments.tables.base import metadata

books_state, period_locks = books_tables(metadata)
