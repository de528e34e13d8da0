"""Statements between domain and messages."""

from services.invoicing.domain.receivables import AgingBucket
from services.invoicing.domain.statement import (
    RowKind,
    Statement,
    StatementAccount,
    StatementRow,
    StatementWish,
)
from services.invoicing.translate.values import from_proto_day, to_proto_money, to_proto_time
from tallyport.invoicing.v1 import invoices_pb2
from tallyport.invoicing.v1 import statements_pb2 as pb

_KINDS = {kind: pb.StatementRowKind.Value(f"STATEMENT_ROW_KIND_{kind.name}") for kind in RowKind}


def from_proto_wish(request: pb.GetStatementRequest | pb.GetStatementPdfRequest) -> StatementWish:
    return StatementWish(
        customer_id=request.customer_id,
        first_day=from_proto_day("first_day", request.first_day),
        last_day=from_proto_day("last_day", request.last_day),
        include_children=request.include_children,
    )


def to_proto_statement(statement: Statement) -> pb.Statement:
    return pb.Statement(
        customer_id=statement.customer_id,
        customer_name=statement.names.get(statement.customer_id, ""),
        first_day=statement.first_day.isoformat(),
        last_day=statement.last_day.isoformat(),
        includes_children=statement.includes_children,
        accounts=[_account(account, statement.names) for account in statement.accounts],
        created_at=to_proto_time(statement.created_at),
    )


def _account(account: StatementAccount, names: dict[str, str]) -> pb.StatementAccount:
    standing = account.standing
    return pb.StatementAccount(
        opening=to_proto_money(standing.opening),
        rows=[_row(row, names) for row in account.rows],
        charged=to_proto_money(account.charged),
        settled=to_proto_money(account.settled),
        closing=to_proto_money(standing.closing),
        owed=to_proto_money(standing.owed),
        credit=to_proto_money(standing.credit),
        aging=[_bucket(bucket) for bucket in account.aging],
    )


def _row(row: StatementRow, names: dict[str, str]) -> pb.StatementRow:
    return pb.StatementRow(
        on=row.on.isoformat(),
        kind=_KINDS[row.kind],
        number=row.number,
        document_id=row.document_id,
        customer_id=row.customer_id,
        customer_name=names.get(row.customer_id, ""),
        amount=to_proto_money(row.amount),
        balance=to_proto_money(row.balance),
        due_date=row.due_date.isoformat() if row.due_date else "",
    )


def _bucket(bucket: AgingBucket) -> invoices_pb2.AgingBucket:
    return invoices_pb2.AgingBucket(
        name=bucket.name, amount=to_proto_money(bucket.amount), invoices=bucket.invoices
    )
