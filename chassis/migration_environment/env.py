"""Alembic's entry, shared by all services: it runs on the connection that `chassis.migrations` hands over."""

from typing import Any

from alembic import context


def include_name(name: str | None, type_: str, parent_names: Any) -> bool:
    return not (type_ == "table" and name == "alembic_version")


def run() -> None:
    attributes = context.config.attributes
    context.configure(
        connection=attributes.get("connection"),
        url=context.config.get_main_option("sqlalchemy.url"),
        target_metadata=attributes.get("target_metadata"),
        include_name=include_name,
        literal_binds=context.is_offline_mode(),
        dialect_opts={"paramstyle": "named"},
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
