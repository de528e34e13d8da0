"""Servicer of bank accounts and statements: translate, call one operation, translate back."""

from collections.abc import Sequence
from typing import Any

from services.payments.desk import Desk
from services.payments.operations.import_bank_statement import ImportWish, import_bank_statement
from services.payments.operations.list_bank_statements import list_bank_statements
from services.payments.operations.manage_bank_accounts import (
    create_bank_account,
    list_bank_accounts,
    list_csv_mappings,
    save_csv_mapping,
)
from services.payments.translate.bank import (
    from_proto_account,
    from_proto_format,
    from_proto_mapping,
    to_proto_account,
    to_proto_mapping,
    to_proto_statement,
)
from tallyport.payments.v1 import bank_statements_pb2 as pb
from tallyport.payments.v1 import bank_statements_pb2_grpc

Context = Any


class BankStatements(bank_statements_pb2_grpc.BankStatementsServicer):
    """Bank accounts and statements."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def CreateBankAccount(
        self, request: pb.CreateBankAccountRequest, context: Context
    ) -> pb.BankAccount:
        return await create_bank_account(self._desk, from_proto_account(request))

    async def ListBankAccounts(
        self, request: pb.ListBankAccountsRequest, context: Context
    ) -> pb.ListBankAccountsResponse:
        accounts = await list_bank_accounts(self._desk)
        return pb.ListBankAccountsResponse(bank_accounts=[to_proto_account(one) for one in accounts])

    async def ImportBankStatement(
        self, request: pb.ImportBankStatementRequest, context: Context
    ) -> pb.BankStatementImport:
        wish = ImportWish(
            file_name=request.file_name,
            content=request.content,
            format=from_proto_format(request.format),
            csv_mapping=request.csv_mapping,
            bank_account_id=request.bank_account_id,
            dry_run=request.dry_run,
        )
        return await import_bank_statement(self._desk, wish)

    async def ListBankStatements(
        self, request: pb.ListBankStatementsRequest, context: Context
    ) -> pb.ListBankStatementsResponse:
        page = await list_bank_statements(
            self._desk,
            bank_account_id=request.bank_account_id,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return pb.ListBankStatementsResponse(
            statements=[to_proto_statement(one) for one in page.statements],
            next_page_token=page.next_page_token,
        )

    async def SaveCsvMapping(self, request: pb.SaveCsvMappingRequest, context: Context) -> pb.CsvMapping:
        mapping = from_proto_mapping(request.name, request.mapping)
        return to_proto_mapping(await save_csv_mapping(self._desk, mapping))

    async def ListCsvMappings(
        self, request: pb.ListCsvMappingsRequest, context: Context
    ) -> pb.ListCsvMappingsResponse:
        mappings = await list_csv_mappings(self._desk)
        return pb.ListCsvMappingsResponse(mappings=[to_proto_mapping(one) for one in mappings])


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return ((bank_statements_pb2_grpc.add_BankStatementsServicer_to_server, BankStatements(desk)),)
