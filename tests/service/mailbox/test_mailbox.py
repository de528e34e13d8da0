"""The mailbox process: mails go in by SMTP and come out as pages and JSON."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest

from tests.support.programs import Program, free_address, running

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n%%EOF\n"
PIXEL = b"\x89PNG\r\n\x1a\n" + b"0" * 32
HTML = '<p>Pay <a href="http://pay.example/p/abc">here</a></p><img src="cid:logo"><script>alert(1)</script>'


@dataclass
class Mailbox:
    """A running mailbox."""

    program: Program
    smtp_port: int

    @property
    def http(self) -> httpx.AsyncClient:
        return self.program.http

    async def send(self, mail: EmailMessage, *recipients: str) -> None:
        """Hand a mail over by SMTP."""
        await aiosmtplib.send(
            mail,
            hostname="127.0.0.1",
            port=self.smtp_port,
            recipients=list(recipients) or None,
            use_tls=False,
            start_tls=False,
        )

    async def find(self, **query: Any) -> list[dict[str, Any]]:
        """Summaries from the API."""
        answer = await self.http.get("/api/messages", params=query)
        assert answer.status_code == 200, answer.text
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages


@asynccontextmanager
async def started(folder: Path) -> AsyncGenerator[Mailbox]:
    smtp, web = free_address(), free_address()
    environment = {
        "MAILBOX_SMTP_LISTEN": smtp,
        "MAILBOX_HTTP_LISTEN": web,
        "MAILBOX_DATA_FILE": str(folder / "mail.sqlite"),
    }
    async with running("devstack.mailbox", environment, http_address=web, folder=folder) as program:
        yield Mailbox(program, int(smtp.rpartition(":")[2]))


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncGenerator[Mailbox]:
    async with started(tmp_path) as mailbox:
        yield mailbox


def mail(to: str = "ann@northwind.example", subject: str = "Invoice HF-17", number: int = 1) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Harbor Freight <billing@harbor.example>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{number}@harbor.example>"
    message.set_content("Grüße, your invoice: http://pay.example/p/abc")
    message.add_alternative(HTML, subtype="html")
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="Rechnung ä.pdf")
    message.add_attachment(PIXEL, maintype="image", subtype="png", filename="logo.png", cid="<logo>")
    return message


async def test_a_mail_is_kept_with_all_its_parts(mailbox: Mailbox) -> None:
    await mailbox.send(mail(subject="Grüße über Rechnung"))
    (found,) = await mailbox.find(to="Ann@Northwind.example")
    whole = (await mailbox.http.get(f"/api/messages/{found['id']}")).json()
    assert whole["subject"] == "Grüße über Rechnung"
    assert whole["text"].strip() == "Grüße, your invoice: http://pay.example/p/abc"
    assert "<script>" in whole["html"]
    assert whole["links"] == ["http://pay.example/p/abc"]
    assert ["Message-ID", "<1@harbor.example>"] in whole["headers"]
    assert [
        (item["filename"], item["content_type"], item["size_bytes"]) for item in whole["attachments"]
    ] == [
        ("Rechnung ä.pdf", "application/pdf", len(PDF)),
        ("logo.png", "image/png", len(PIXEL)),
    ]
    file = await mailbox.http.get(whole["attachments"][0]["url"])
    assert (file.content, file.headers["content-type"]) == (PDF, "application/pdf")
    assert file.headers["content-disposition"].startswith("inline;")


async def test_the_same_mail_to_the_same_person_is_kept_once_and_counted(mailbox: Mailbox) -> None:
    for _ in range(3):
        await mailbox.send(mail(), "ann@northwind.example", "bob@northwind.example")
    await mailbox.send(mail(), "ann@northwind.example")
    await mailbox.send(mail(number=2), "ann@northwind.example")
    counted = {(item["to"], item["message_id"]): item["deliveries"] for item in await mailbox.find()}
    assert counted == {
        ("ann@northwind.example", "<1@harbor.example>"): 4,
        ("bob@northwind.example", "<1@harbor.example>"): 3,
        ("ann@northwind.example", "<2@harbor.example>"): 1,
    }


async def test_mails_are_found_newest_first_by_recipient_subject_and_text(mailbox: Mailbox) -> None:
    await mailbox.send(mail("ann@northwind.example", "Invoice 1", 1))
    await mailbox.send(mail("joann@northwind.example", "Receipt 100% paid", 2))
    await mailbox.send(mail("ann@northwind.example", "Invoice 3", 3))
    assert [item["subject"] for item in await mailbox.find(to="ann@northwind.example")] == [
        "Invoice 3",
        "Invoice 1",
    ]
    assert len(await mailbox.find(subject="invoice")) == 2
    assert len(await mailbox.find(q="100%")) == 1
    assert len(await mailbox.find(q="0_p")) == 0
    assert len(await mailbox.find(q="pay.example")) == 3
    newest = (await mailbox.find(limit=1))[0]["id"]
    assert await mailbox.find(after_id=newest) == []
    assert (await mailbox.http.get("/api/messages", params={"limit": "x"})).status_code == 400


async def test_a_test_can_wait_for_a_mail(mailbox: Mailbox) -> None:
    waiting = asyncio.create_task(mailbox.find(to="ann@northwind.example", wait_seconds=10))
    two = asyncio.create_task(mailbox.find(wait_seconds=10, count=2))
    await mailbox.send(mail("bob@northwind.example", number=1))
    await mailbox.send(mail("ann@northwind.example", number=2))
    assert [item["to"] for item in await waiting] == ["ann@northwind.example"]
    assert len(await two) == 2
    assert await mailbox.find(to="nobody@northwind.example", wait_seconds="0.1") == []


async def test_the_pages_show_a_mail_without_running_anything_in_it(mailbox: Mailbox) -> None:
    assert "No mail yet" in (await mailbox.http.get("/")).text
    await mailbox.send(mail(subject="<b>bold</b>"))
    number = (await mailbox.find())[0]["id"]
    inbox = (await mailbox.http.get("/", params={"q": "northwind"})).text
    assert "&lt;b&gt;bold&lt;/b&gt;" in inbox
    assert "ann@northwind.example" in inbox
    page = (await mailbox.http.get(f"/messages/{number}")).text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "<script>" not in page
    frame = await mailbox.http.get(f"/messages/{number}/html")
    assert frame.headers["content-security-policy"].startswith("sandbox allow-popups ")
    assert "allow-scripts" not in frame.headers["content-security-policy"]
    assert f'src="/messages/{number}/attachments/2"' in frame.text
    for part, words in (("text", "your invoice"), ("headers", "Message-ID"), ("source", "boundary")):
        assert words in (await mailbox.http.get(f"/messages/{number}", params={"part": part})).text
    assert (await mailbox.http.get("/messages/999")).status_code == 404
    assert (await mailbox.http.get(f"/messages/{number}/attachments/9")).status_code == 404


async def test_a_web_page_in_an_attachment_is_saved_and_not_opened(mailbox: Mailbox) -> None:
    message = mail()
    message.add_attachment("<script>alert(1)</script>", subtype="html", filename="evil.html")
    await mailbox.send(message)
    number = (await mailbox.find())[0]["id"]
    file = await mailbox.http.get(f"/messages/{number}/attachments/3")
    assert file.headers["content-disposition"].startswith("attachment;")
    assert file.headers["x-content-type-options"] == "nosniff"


async def test_a_malformed_mail_is_kept_all_the_same(mailbox: Mailbox) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=mailbox.smtp_port) as smtp:
        raw = b"Subject: =?utf-8?q?broken\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xff\xfe hello\r\n"
        await smtp.sendmail("a@b.example", ["c@d.example"], raw)
        await smtp.sendmail("a@b.example", ["c@d.example"], raw)
    found = await mailbox.find(to="c@d.example")
    assert len(found) == 2
    assert "hello" in (await mailbox.http.get(f"/api/messages/{found[0]['id']}")).json()["text"]
    assert (await mailbox.http.get(f"/messages/{found[0]['id']}")).status_code == 200


async def test_mails_survive_a_killed_process_and_can_be_deleted(tmp_path: Path) -> None:
    async with started(tmp_path) as mailbox:
        await mailbox.send(mail())
        await mailbox.program.stop(signal.SIGKILL)
    async with started(tmp_path) as mailbox:
        assert len(await mailbox.find()) == 1
        foreign = await mailbox.http.post("/clear", headers={"sec-fetch-site": "cross-site"})
        assert foreign.status_code == 403
        assert (await mailbox.http.delete("/api/messages")).json() == {"deleted": 1}
        assert await mailbox.find() == []


async def test_it_stops_at_once_though_somebody_waits_and_a_sender_is_connected(mailbox: Mailbox) -> None:
    waiting = asyncio.create_task(mailbox.http.get("/api/messages", params={"wait_seconds": 30}))
    smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=mailbox.smtp_port)
    await smtp.connect()
    assert await asyncio.wait_for(mailbox.program.stop(), 5) == 0
    smtp.close()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_taken_port_is_a_clear_error(mailbox: Mailbox, tmp_path: Path) -> None:
    taken = f"127.0.0.1:{mailbox.smtp_port}"
    web = free_address()
    environment = {
        "MAILBOX_SMTP_LISTEN": taken,
        "MAILBOX_HTTP_LISTEN": web,
        "MAILBOX_DATA_FILE": str(tmp_path / "other.sqlite"),
    }
    folder = tmp_path / "second"
    folder.mkdir()
    with pytest.raises(RuntimeError, match=f"MAILBOX_SMTP_LISTEN: cannot listen on {taken}"):
        async with running("devstack.mailbox", environment, http_address=web, folder=folder):
            pass


async def test_memory_stays_small(mailbox: Mailbox) -> None:
    for number in range(20):
        await mailbox.send(mail(number=number))
    await mailbox.http.get("/")
    with open(f"/proc/{mailbox.program.process.pid}/status") as status:
        kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    assert kilobytes < 45 * 1024
