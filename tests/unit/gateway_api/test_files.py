"""A file that is streamed keeps its bytes, and its first piece names it."""

from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from services.gateway.api.app import Api
from tallyport.invoicing.v1.invoices_pb2 import Document


async def pieces() -> AsyncIterator[Document]:
    yield Document(file_name="invoices 2026.csv", media_type="text/csv; charset=utf-8", content=b"a,b\r\n")
    yield Document(content=b"1,2\r\n")


async def test_pieces_go_out_as_they_come_under_the_name_of_the_first() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def send(event: MutableMapping[str, Any]) -> None:
        sent.append(event)

    api = object.__new__(Api)
    assert await api._file(pieces(), send, "req_1") == (0, [], b"")
    headers = dict(sent[0]["headers"])
    assert headers[b"content-type"] == b"text/csv; charset=utf-8"
    assert headers[b"content-disposition"] == b'attachment; filename="invoices-2026.csv"'
    assert b"".join(event["body"] for event in sent[1:]) == b"a,b\r\n1,2\r\n"
    assert "more_body" not in sent[-1]
