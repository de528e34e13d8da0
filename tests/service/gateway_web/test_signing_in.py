"""Signing in, staying in, signing out."""

import asyncio

from tests.support.stage.data import EMAIL, PASSWORD, STAFF_EMAIL
from tests.support.stage.theatre import Theatre, token_of


async def test_a_customer_signs_in_and_goes_where_they_wanted(house: Theatre) -> None:
    async with house.browser() as browser:
        asked = await browser.get("/invoices?show=overdue")
        assert asked.status_code == 303
        page = await browser.get(asked.headers["location"])
        form = {
            "csrf": token_of(page.text),
            "email": EMAIL,
            "password": PASSWORD,
            "next": "/invoices?show=overdue",
        }
        answer = await browser.post("/login", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/invoices?show=overdue")
        assert (await browser.get("/invoices?show=overdue")).status_code == 200


async def test_a_wrong_password_says_no_more_than_that_something_is_wrong(house: Theatre) -> None:
    async with house.browser() as browser:
        token = token_of((await browser.get("/login")).text)
        answer = await browser.post("/login", data={"csrf": token, "email": EMAIL, "password": "wrong"})
        unknown = await browser.post(
            "/login", data={"csrf": token, "email": "no@one.test", "password": "wrong"}
        )
        assert answer.status_code == unknown.status_code == 422
        assert "The e-mail address or the password is not right." in answer.text
        assert "The e-mail address or the password is not right." in unknown.text
        assert "wrong" not in answer.text


async def test_staff_do_not_enter_by_the_customers_door(house: Theatre) -> None:
    async with house.browser() as browser:
        token = token_of((await browser.get("/login")).text)
        answer = await browser.post(
            "/login", data={"csrf": token, "email": STAFF_EMAIL, "password": PASSWORD}
        )
        assert answer.status_code == 422
        assert (await browser.get("/")).status_code == 303


async def test_a_form_without_its_token_or_from_another_site_does_nothing(house: Theatre) -> None:
    form = {"email": EMAIL, "password": PASSWORD}
    async with house.browser() as browser:
        token = token_of((await browser.get("/login")).text)
        assert (await browser.post("/login", data=form)).status_code == 403
        elsewhere = {"sec-fetch-site": "cross-site"}
        refused = await browser.post("/login", data=form | {"csrf": token}, headers=elsewhere)
        assert refused.status_code == 403
    async with house.browser(**{"sec-fetch-site": "", "origin": "https://evil.test"}) as old_browser:
        token = token_of((await old_browser.get("/login")).text)
        assert (await old_browser.post("/login", data=form | {"csrf": token})).status_code == 403


async def test_a_token_near_its_end_is_renewed_once_for_requests_at_the_same_time(house: Theatre) -> None:
    house.stage.access_seconds = 20
    async with house.signed_in() as browser:
        answers = await asyncio.gather(*(browser.get("/payments") for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert house.stage.calls.count("RefreshSession") == 1


async def test_signing_out_ends_the_session_and_empties_the_browser(house: Theatre) -> None:
    async with house.signed_in() as browser:
        token = token_of((await browser.get("/account")).text)
        answer = await browser.post("/logout", data={"csrf": token})
        assert answer.status_code == 303
        assert "storage" in answer.headers["clear-site-data"]
        assert "Logout" in house.stage.calls
        assert (await browser.get("/")).headers["location"].startswith("/login")


async def test_a_stale_session_leads_to_the_sign_in_page_and_not_to_an_error(house: Theatre) -> None:
    async with house.browser() as browser:
        browser.cookies.set("sid", "garbage")
        answer = await browser.get("/invoices")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Finvoices")


async def test_the_password_must_be_long_and_the_old_one_right(house: Theatre) -> None:
    async with house.signed_in() as browser:
        token = token_of((await browser.get("/account")).text)
        short = {"csrf": token, "current_password": PASSWORD, "new_password": "short"}
        assert (await browser.post("/account/password", data=short)).status_code == 422
        wrong = {"csrf": token, "current_password": "wrong", "new_password": "a long enough sentence"}
        answer = await browser.post("/account/password", data=wrong)
        assert answer.status_code == 422
        assert "The current password is not right." in answer.text
        good = wrong | {"current_password": PASSWORD}
        assert (await browser.post("/account/password", data=good)).status_code == 303


async def test_other_sessions_can_be_ended_and_this_one_stays(house: Theatre) -> None:
    async with house.signed_in() as browser:
        token = token_of((await browser.get("/account")).text)
        await browser.post("/account/sessions/end-others", data={"csrf": token})
        assert [call for call in house.stage.calls if call.startswith("Revoke")] == ["RevokeSession ses_2"]


async def test_a_link_from_another_site_to_the_console_is_asked_again_from_here(house: Theatre) -> None:
    async with house.browser(**{"sec-fetch-site": "cross-site"}) as browser:
        answer = await browser.get("/console")
        if answer.status_code == 404:
            return
        assert 'http-equiv="refresh"' in answer.text
        assert "staff_sid=" not in answer.headers.get("set-cookie", "")
