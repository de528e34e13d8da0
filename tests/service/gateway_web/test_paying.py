"""From what is owed to the receipt, and every way it can go wrong."""

import re

import httpx

from tallyport.payments.v1.payments_pb2 import PaymentStatus
from tests.support.stage.theatre import Theatre, value_of


def fields(page: str) -> dict[str, list[str]]:
    """The fields of the pay form as a browser would send them."""
    form = page.split('data-figures="', 1)[1].split("</form>", 1)[0]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and ("radio" not in tag or " checked" in tag) and 'type="checkbox"' not in tag:
            found.setdefault(name[1], []).append(value[1])
    return found


async def paid(browser: httpx.AsyncClient, address: str, **changed: str) -> httpx.Response:
    """Opens the pay page, changes what is told, sends it."""
    page = await browser.get(address)
    assert page.status_code == 200, page.headers.get("location")
    form: dict[str, list[str] | str] = {**fields(page.text), **changed}
    return await browser.post("/pay", data=form)


async def follow(browser: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    """As a browser does, until a page."""
    while answer.status_code == 303:
        answer = await browser.get(answer.headers["location"])
    return answer


async def test_three_invoices_are_paid_with_one_payment_in_three_actions(house: Theatre) -> None:
    async with house.signed_in() as browser:
        assert "/pay?select=due" in (await browser.get("/")).text
        answer = await paid(browser, "/pay?invoice=inv_1&invoice=inv_2&invoice=inv_4")
        assert answer.status_code == 303
        page = await follow(browser, answer)
        assert "Paid. Thank you." in page.text
        assert page.text.count("Paid in full") == 3
        payment = house.stage.payments["pay_9"]
        assert [part.invoice_id for part in payment.parts] == ["inv_1", "inv_2", "inv_4"]
        assert payment.amount.minor_units == 184_250 + 42_400 + 248_000
        receipt = await browser.get("/payments/pay_9/receipt.pdf")
        assert receipt.headers["content-disposition"].startswith("attachment")


async def test_a_part_is_paid_and_the_rest_is_told(house: Theatre) -> None:
    async with house.signed_in() as browser:
        shown = await paid(browser, "/pay?invoice=inv_1", amount_inv_1="842.50")
        page = await follow(browser, await browser.post("/pay", data=fields(shown.text)))
        assert "$842.50" in page.text
        assert "$1,000.00" in page.text


async def test_an_amount_that_was_changed_is_shown_before_it_is_charged(house: Theatre) -> None:
    async with house.signed_in() as browser:
        shown = await paid(browser, "/pay?invoice=inv_1", amount_inv_1="1,000")
        assert shown.status_code == 200
        assert "$1,000.00</bdi>" in shown.text
        assert "Please check it, then pay." in shown.text
        assert not house.stage.payment_keys


async def test_enter_in_the_field_for_another_amount_places_it_and_charges_nothing(house: Theatre) -> None:
    async with house.signed_in() as browser:
        shown = await paid(browser, "/pay?invoice=inv_1&invoice=inv_2", other_amount="10", do="pay")
        assert shown.status_code == 200
        assert "$10.00</bdi>" in shown.text
        assert not house.stage.payment_keys


async def test_the_same_form_sent_twice_pays_once(house: Theatre) -> None:
    async with house.signed_in() as browser:
        form = fields((await browser.get("/pay?invoice=inv_1")).text)
        first = await browser.post("/pay", data=form)
        second = await browser.post("/pay", data=form)
        assert first.headers["location"] == second.headers["location"]
        assert len(house.stage.payment_keys) == 1


async def test_what_changed_since_it_was_shown_is_not_paid(house: Theatre) -> None:
    async with house.signed_in() as browser:
        form = fields((await browser.get("/pay?invoice=inv_1&invoice=inv_2")).text)
        house.stage.invoices["inv_2"].version += 1
        answer = await browser.post("/pay", data=form)
        assert answer.status_code == 409
        assert "Something changed meanwhile" in answer.text
        assert not house.stage.payment_keys


async def test_an_impossible_amount_comes_back_with_a_sentence_at_its_field(house: Theatre) -> None:
    async with house.signed_in() as browser:
        answer = await paid(browser, "/pay?invoice=inv_1", amount_inv_1="99999")
        assert answer.status_code == 422
        assert 'aria-describedby="amount_inv_1-error"' in answer.text
        assert "At most $1,842.50 can be paid." in answer.text
        assert value_of(answer.text, "invoice") == "inv_1"
        assert 'value="99999"' in answer.text


async def test_one_invoice_is_taken_off_the_form_and_the_others_keep_their_amounts(house: Theatre) -> None:
    async with house.signed_in() as browser:
        answer = await paid(browser, "/pay?invoice=inv_1&invoice=inv_2", amount_inv_2="5", remove="inv_1")
        assert answer.status_code == 200
        assert fields(answer.text)["invoice"] == ["inv_2"]
        assert fields(answer.text)["amount_inv_2"] == ["5"]


async def test_a_declined_card_says_why_in_words_and_can_be_tried_again(house: Theatre) -> None:
    house.stage.outcome = PaymentStatus.PAYMENT_STATUS_FAILED
    async with house.signed_in() as browser:
        page = await follow(browser, await paid(browser, "/pay?invoice=inv_1&invoice=inv_2"))
        assert "There is not enough money on the card." in page.text
        assert "Nothing was charged." in page.text
        assert (
            "/pay?invoice=inv_1&amp;invoice=inv_2" in page.text
            or "/pay?invoice=inv_1&invoice=inv_2" in page.text
        )
        assert (await browser.get("/pay?invoice=inv_1&invoice=inv_2")).status_code == 200


async def test_an_unknown_outcome_says_not_to_pay_again_and_watches(house: Theatre) -> None:
    house.stage.outcome = PaymentStatus.PAYMENT_STATUS_UNKNOWN
    async with house.signed_in() as browser:
        page = await follow(browser, await paid(browser, "/pay?invoice=inv_1"))
        assert "Please do not pay again." in page.text
        assert '<noscript><meta http-equiv="refresh"' in page.text
        assert 'data-watch="/payments/pay_9/state"' in page.text
        state = await browser.get("/payments/pay_9/state")
        assert state.json() == {"state": "PAYMENT_STATUS_UNKNOWN"}


async def test_coming_back_while_payments_is_away_still_ends_on_the_result_page(house: Theatre) -> None:
    async with house.signed_in() as browser:
        answer = await paid(browser, "/pay?invoice=inv_1")
        house.stage.away.add("RefreshPayment")
        page = await follow(browser, answer)
        assert page.status_code == 200
        assert "One step is left" in page.text


async def test_a_payment_that_waits_can_be_canceled(house: Theatre) -> None:
    async with house.signed_in() as browser:
        page = await browser.get("/payments/pay_8")
        answer = await browser.post("/payments/pay_8/cancel", data={"csrf": value_of(page.text, "csrf")})
        assert "Payment canceled" in (await follow(browser, answer)).text


async def test_an_invoice_on_which_a_payment_is_on_its_way_is_not_offered_again(house: Theatre) -> None:
    invoice = house.stage.invoices["inv_1"]
    invoice.amount_processing.CopyFrom(invoice.amount_due)
    async with house.signed_in() as browser:
        answer = await browser.get("/pay?invoice=inv_1")
        assert answer.headers["location"] == "/invoices/inv_1"
        assert "on its way already" in (await follow(browser, answer)).text


async def test_going_back_from_the_card_page_one_can_pay_again(house: Theatre) -> None:
    async with house.signed_in() as browser:
        await paid(browser, "/pay?invoice=inv_1&invoice=inv_2")
        again = await browser.get("/pay?invoice=inv_1")
        assert "A payment was begun for this invoice." in again.text
        assert fields(again.text)["amount_inv_1"] == ["1842.50"]
        assert "/pay?select=due" in (await browser.get("/")).text


async def test_a_payment_that_was_only_begun_is_not_on_its_way(house: Theatre) -> None:
    async with house.signed_in() as browser:
        await paid(browser, "/pay?invoice=inv_1")
        assert house.stage.invoices["inv_1"].amount_processing.minor_units == 184_250
        invoice = (await browser.get("/invoices/inv_1")).text
        assert "Payment on its way" not in invoice
        assert "You began a payment of $1,842.50" in invoice
        assert "Continue or cancel it" in invoice
        home = (await browser.get("/")).text
        assert "You began a payment of $1,842.50" in home
        assert "Payments being settled" not in home


async def test_a_link_does_not_call_on_its_way_what_was_only_begun(house: Theatre) -> None:
    async with house.browser() as browser:
        await browser.get("/l/plt_" + "a" * 40)
        form = fields((await browser.get("/l/invoice")).text)
        assert (await browser.post("/l/pay", data=form)).status_code == 303
        page = (await browser.get("/l/invoice")).text
        assert "Payment on its way" not in page
        assert "A payment was begun for this invoice." in page


async def test_a_tab_left_open_is_told_that_the_invoice_is_paid(house: Theatre) -> None:
    async with house.signed_in() as browser:
        form = fields((await browser.get("/pay?invoice=inv_1")).text)
        await follow(browser, await paid(browser, "/pay?invoice=inv_1"))
        answer = await follow(browser, await browser.post("/pay", data=form))
        assert 'role="alert"' in answer.text
        assert "Nothing is left to pay on what you chose" in answer.text
        assert len(house.stage.payment_keys) == 1


async def test_a_pay_link_pays_one_invoice_without_signing_in_and_is_never_used_up(house: Theatre) -> None:
    link = "/l/plt_" + "a" * 40
    async with house.browser() as browser:
        for _ in range(3):
            answer = await browser.get(link)
            assert (answer.status_code, answer.headers["location"]) == (303, "/l/invoice")
            assert answer.headers["referrer-policy"] == "no-referrer"
        page = await browser.get("/l/invoice")
        assert "plt_" not in page.text
        form: dict[str, list[str] | str] = {**fields(page.text), "amount_inv_1": "842.50"}
        shown = await browser.post("/l/pay", data=form)
        assert not house.stage.payment_keys
        result = await follow(browser, await browser.post("/l/pay", data=fields(shown.text)))
        assert "Paid. Thank you." in result.text
        assert "$1,000.00" in result.text
        assert 'href="/invoices' not in result.text


async def test_a_pay_link_opens_nothing_else(house: Theatre) -> None:
    async with house.browser() as browser:
        await browser.get("/l/plt_" + "a" * 40)
        for address in ("/", "/invoices", "/invoices/inv_1", "/payments", "/account"):
            assert (await browser.get(address)).headers["location"].startswith("/login")
        page = await browser.get("/l/invoice")
        form = fields(page.text)
        form["invoice"] = ["inv_2"]
        assert (await browser.post("/l/pay", data=form)).headers["location"] == "/l/invoice"
        assert "CreatePayment" not in house.stage.calls


async def test_a_dead_link_says_so_kindly(house: Theatre) -> None:
    async with house.browser() as browser:
        answer = await browser.get("/l/plt_" + "b" * 40)
        assert answer.status_code == 404
        assert "This link does not work any more" in answer.text
        assert (await browser.get("/l/invoice")).status_code == 401


async def test_a_sum_is_placed_on_the_oldest_and_the_rest_is_shown_as_paid_in_advance(house: Theatre) -> None:
    async with house.signed_in() as browser:
        form = fields((await browser.get("/pay?invoice=inv_1")).text)
        placed = await browser.post("/pay", data={**form, "other_amount": "1900", "do": "place"})
        assert fields(placed.text)["invoice"] == ["inv_1", "inv_2"]
        assert fields(placed.text)["amount_inv_2"] == ["57.50"]
        answer = await browser.post("/pay", data=fields(placed.text))
        assert answer.status_code == 303
        assert house.stage.payments["pay_9"].amount.minor_units == 190_000


async def test_a_disputed_invoice_is_left_out_and_the_page_says_why(house: Theatre) -> None:
    async with house.signed_in() as browser:
        page = (await browser.get("/pay?invoice=inv_1&invoice=inv_3")).text
        assert fields(page)["invoice"] == ["inv_1"]
        assert "you object to this invoice" in page


async def test_figures_follow_the_amounts_for_the_script(house: Theatre) -> None:
    async with house.signed_in() as browser:
        form = fields((await browser.get("/pay?invoice=inv_1")).text)
        answer = await browser.post("/pay/figures", data={**form, "amount_inv_1": "12.34"})
        assert answer.status_code == 200
        assert "$12.34" in answer.text
        assert "<html" not in answer.text
        assert (await browser.post("/pay/figures", data={**form, "amount_inv_1": "x"})).status_code == 422
