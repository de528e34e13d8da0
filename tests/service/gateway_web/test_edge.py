"""Headers, errors, webhooks and static files: what holds for every page."""

from pathlib import Path

import httpx
import pytest

from services.gateway.webhooks import MAX_BODY_BYTES
from tests.support.stage.theatre import Theatre

PAGES = (
    "/",
    "/invoices",
    "/invoices?show=paid&page=0",
    "/invoices?q=PO-77",
    "/invoices/inv_1",
    "/pay?select=open",
    "/payments",
    "/methods",
    "/autopay",
    "/pay?select=other",
    *(f"/payments/pay_{number}" for number in range(1, 9)),
    "/account",
    "/_components",
)


@pytest.mark.parametrize("language", ["en", "de", "ar"])
async def test_every_page_opens_in_every_language_with_nothing_inline(house: Theatre, language: str) -> None:
    async with house.signed_in(**{"accept-language": language}) as browser:
        for address in PAGES:
            answer = await browser.get(address)
            assert answer.status_code == 200, address
            assert f'<html lang="{language}' in answer.text
            assert " style=" not in answer.text
            assert "<style" not in answer.text
            assert " onclick=" not in answer.text
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "form-action 'self' https://checkout.test" in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert len(answer.content) < 60_000


async def test_what_does_not_exist_and_what_is_not_yours_look_the_same(house: Theatre) -> None:
    async with house.signed_in() as browser:
        nowhere = await browser.get("/no/such/page")
        foreign = await browser.get("/invoices/inv_of_somebody_else")
        assert nowhere.status_code == foreign.status_code == 404
        for answer in (nowhere, foreign):
            assert "There is nothing here, or it is not yours to see." in answer.text
            assert answer.headers["x-request-id"] in answer.text


async def test_a_request_id_is_kept_when_it_is_harmless(house: Theatre) -> None:
    async with house.browser() as browser:
        kept = await browser.get("/login", headers={"x-request-id": "abcdefgh-12345678"})
        assert kept.headers["x-request-id"] == "abcdefgh-12345678"
        replaced = await browser.get("/login", headers={"x-request-id": "<script>"})
        assert replaced.headers["x-request-id"] != "<script>"


async def test_a_language_and_a_look_once_chosen_stay(house: Theatre) -> None:
    async with house.browser() as browser:
        await browser.get("/login?lang=ar&theme=dark")
        page = (await browser.get("/login")).text
        assert 'lang="ar" dir="rtl" data-theme="dark"' in page
        assert "تسجيل الدخول" in page


async def test_static_files_are_kept_for_a_year_under_their_version_and_are_small(house: Theatre) -> None:
    async with house.browser() as browser:
        page = (await browser.get("/login")).text
        address = page.split('rel="stylesheet" href="', 1)[1].split('"', 1)[0]
        answer = await browser.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].startswith("text/css")
        assert int(answer.headers["content-length"]) < 12_000
        unchanged = await browser.get(address, headers={"if-none-match": answer.headers["etag"]})
        assert unchanged.status_code == 304
        assert (await browser.get("/static/../settings.py")).status_code == 404


async def test_a_brand_has_its_stylesheet_and_an_unknown_one_has_none(house: Theatre) -> None:
    async with house.browser() as browser:
        answer = await browser.get("/brand/harbor-supply.css")
        assert "--brand:#0f6b62" in answer.text
        assert (await browser.get("/brand/nobody.css")).status_code == 404


async def test_webhooks_go_through_as_they_came_and_the_answer_tells_the_truth(house: Theatre) -> None:
    body = b'{"type": "charge.succeeded",   "odd": "\xc3\xa9"}'
    async with house.browser(**{"sec-fetch-site": "cross-site"}) as provider:
        good = {"webhook-signature": "v1,good", "content-type": "application/json"}
        first = await provider.post("/webhooks/simulator", content=body, headers=good)
        again = await provider.post("/webhooks/simulator", content=body, headers=good)
        assert (first.status_code, first.text) == (200, "stored\n")
        assert (again.status_code, again.text) == (200, "duplicate\n")
        assert house.stage.webhooks[0] == body
        forged = await provider.post(
            "/webhooks/simulator", content=body, headers={"webhook-signature": "v1,bad"}
        )
        assert forged.status_code == 401
        huge = await provider.post("/webhooks/simulator", content=b"x" * (MAX_BODY_BYTES + 1), headers=good)
        assert huge.status_code == 413


async def test_a_pdf_comes_as_a_file_that_cannot_do_anything(house: Theatre) -> None:
    async with house.signed_in() as browser:
        answer: httpx.Response = await browser.get("/invoices/inv_1/pdf")
        assert answer.headers["content-type"] == "application/pdf"
        assert (
            answer.headers["content-disposition"]
            == "attachment; filename=\"INV-2041.pdf\"; filename*=UTF-8''INV-2041.pdf"
        )
        assert answer.headers["content-security-policy"] == "sandbox"
        xml = await browser.get("/invoices/inv_1/xml")
        assert (xml.headers["content-type"], xml.content) == ("application/xml", b"<Invoice/>")
        note = await browser.get("/credit-notes/crn_1/pdf")
        assert note.headers["content-disposition"].startswith('attachment; filename="crn_1.pdf"')


async def test_the_api_answers_beside_the_pages(house: Theatre) -> None:
    async with house.browser() as browser:
        assert (await browser.get("/openapi.json")).json()["openapi"].startswith("3.1")
        answer = await browser.get("/v1/me")
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("application/problem+json")


async def test_the_file_that_proves_the_domain_to_apple_is_served_where_one_is_set(
    house: Theatre, tmp_path: Path
) -> None:
    address = "/.well-known/apple-developer-merchantid-domain-association"
    async with house.browser() as browser:
        assert (await browser.get(address)).status_code == 404
        file = tmp_path / "association"
        file.write_text("7B227073704964223A")
        object.__setattr__(house.settings, "apple_pay_domain_file", file)
        answer = await browser.get(address)
        object.__setattr__(house.settings, "apple_pay_domain_file", None)
    assert (answer.status_code, answer.text) == (200, "7B227073704964223A")
