"""Reconciliation: bank statements, the lines that wait, rules, payouts."""

from typing import Any

from services.gateway.console.reconciliation import (
    accounts,
    claims,
    line,
    lines,
    overview,
    payouts,
    rules,
    statements,
)

STAFF: list[Any] = [
    overview.show,
    claims.proof,
    claims.close,
    statements.show,
    statements.preview,
    statements.columns,
    statements.submit,
    accounts.new,
    accounts.create,
    lines.show,
    line.show,
    line.match,
    line.ignore,
    line.undo,
    line.split,
    line.assign,
    rules.show,
    rules.new,
    rules.create,
    rules.delete,
    payouts.show,
    payouts.one,
    payouts.match,
]
