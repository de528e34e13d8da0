"""What staff do: issue, void, link, record, retry, import. All of it without a script."""

import httpx

from tests.support.back_office.office import Office, value_of

LINE = {
    "item_id": "", "description": "Berth", "quantity": "2", "unit_price": "480.50", "tax_rate_percent": "8",
}  # fmt: skip


async def fields_of(browser: httpx.AsyncClient, address: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    text = (await browser.get(address)).text
    return {name: value_of(text, name) for name in ("csrf", "key")}


async def draft(house: Office, browser: httpx.AsyncClient) -> str:
    """Writes a draft and gives the address of its review."""
    hidden = await fields_of(browser, "/console/invoices/new?customer=cus_3")
    form = hidden | LINE | {"customer_id": "cus_3", "action": "review"}
    answer = await browser.post("/console/invoices/new", data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_customer_is_found_by_a_part_of_the_name(house: Office) -> None:
    text = (await (await house.signed_in()).get("/console/invoices/new?q=cliff+boat")).text
    assert "/console/invoices/new?customer=cus_3" in text
    assert "Anchor" not in text


async def test_a_line_is_added_without_saving_anything(house: Office) -> None:
    browser = await house.signed_in()
    hidden = await fields_of(browser, "/console/invoices/new?customer=cus_3")
    answer = await browser.post(
        "/console/invoices/new", data=hidden | LINE | {"customer_id": "cus_3", "action": "add"}
    )
    assert answer.status_code == 200
    assert answer.text.count('name="description"') == 2
    assert value_of(answer.text, "key") == hidden["key"]
    assert 'value="480.50"' in answer.text
    assert "CreateInvoice" not in house.books.calls


async def test_a_mistake_is_shown_at_its_line_with_everything_still_there(house: Office) -> None:
    browser = await house.signed_in()
    hidden = await fields_of(browser, "/console/invoices/new?customer=cus_3")
    form = hidden | LINE | {"customer_id": "cus_3", "unit_price": "a lot", "action": "review"}
    answer = await browser.post("/console/invoices/new", data=form)
    assert answer.status_code == 422
    assert 'id="unit_price-0-error"' in answer.text
    assert 'value="a lot"' in answer.text


async def test_the_review_shows_what_will_be_sent_and_sends_it(house: Office) -> None:
    browser = await house.signed_in()
    review = await draft(house, browser)
    text = (await browser.get(review)).text
    assert "$1,037.88" in text
    assert "accounts@cliff-boatworks.test" in text
    hidden = await fields_of(browser, review)
    answer = await browser.post(review.replace("/review", "/finalize"), data=hidden)
    assert answer.status_code == 303
    shown = (await browser.get(answer.headers["location"])).text
    assert "is finalized and on its way" in shown
    assert "Mailed to accounts@cliff-boatworks.test" in shown


async def test_sending_the_same_form_twice_makes_one_invoice(house: Office) -> None:
    browser = await house.signed_in()
    hidden = await fields_of(browser, "/console/invoices/new?customer=cus_3")
    form = hidden | LINE | {"customer_id": "cus_3", "action": "draft"}
    before = len(house.books.invoices)
    first = await browser.post("/console/invoices/new", data=form)
    second = await browser.post("/console/invoices/new", data=form)
    assert first.headers["location"] == second.headers["location"]
    assert len(house.books.invoices) == before + 1


async def test_a_draft_is_changed_and_a_finalized_invoice_is_not(house: Office) -> None:
    browser = await house.signed_in()
    edit = (await draft(house, browser)).replace("/review", "/edit")
    hidden = await fields_of(browser, edit)
    answer = await browser.post(edit, data=hidden | LINE | {"quantity": "3", "action": "draft"})
    assert answer.status_code == 303
    assert house.books.invoices[edit.split("/")[3]].subtotal.minor_units == 144_150
    assert (await browser.get("/console/invoices/inv_285/edit")).status_code == 303


async def test_voiding_asks_why(house: Office) -> None:
    browser = await house.signed_in()
    hidden = await fields_of(browser, "/console/invoices/inv_285")
    answer = await browser.post("/console/invoices/inv_285/void", data=hidden | {"reason": " "})
    assert answer.status_code == 422
    assert "Please say why" in answer.text
    answer = await browser.post("/console/invoices/inv_285/void", data=hidden | {"reason": "Ordered twice"})
    assert answer.status_code == 303
    assert "is void" in (await browser.get("/console/invoices/inv_285")).text


async def test_a_pay_link_is_on_no_page_until_it_is_asked_for(house: Office) -> None:
    browser = await house.signed_in()
    page = (await browser.get("/console/invoices/inv_285")).text
    assert "/l/" not in page
    answer = await browser.post("/console/invoices/inv_285/pay-link", data={"csrf": value_of(page, "csrf")})
    assert f"{house.settings.public_url}/l/{house.books.pay_links['inv_285']}" in answer.text
    await browser.post("/console/invoices/inv_285/pay-link/revoke", data={"csrf": value_of(page, "csrf")})
    assert "inv_285" not in house.books.pay_links


async def test_recorded_money_goes_to_the_oldest_first_and_the_rest_is_credit(house: Office) -> None:
    browser = await house.signed_in()
    owes = [
        one for one in house.books.invoices.values() if one.customer_id == "cus_13" and one.status in (2, 3)
    ]
    total = sum(one.amount_due.minor_units for one in owes)
    hidden = await fields_of(browser, "/console/payments/record?customer=cus_13")
    form = hidden | {"customer_id": "cus_13", "amount": f"{(total + 5_000) / 100:.2f}", "method": "2"}
    spread = (await browser.post("/console/payments/record", data=form | {"action": "spread"})).text
    for invoice in owes:
        name = f"part_{invoice.invoice_id}"
        form[name] = f"{invoice.amount_due.minor_units / 100:.2f}"
        assert f'name="{name}" id="{name}" value="{form[name]}"' in spread
    review = await browser.post("/console/payments/record", data=form | {"action": "review"})
    assert "$50.00 is more than what it is put to" in review.text
    assert "RecordPayment" not in house.books.calls
    done = await browser.post("/console/payments/record", data=form | {"action": "record"})
    again = await browser.post("/console/payments/record", data=form | {"action": "record"})
    assert done.status_code == 303
    assert again.headers["location"] == done.headers["location"]
    assert "The payment is recorded" in (await browser.get(done.headers["location"])).text
    assert all(one.amount_due.minor_units == 0 for one in owes)


async def test_a_mail_that_failed_comes_first_and_is_sent_again(house: Office) -> None:
    browser = await house.signed_in()
    text = (await browser.get("/console/messages")).text
    assert text.index("550 5.1.1") < text.index("Sent")
    form = {"csrf": value_of(text, "csrf"), "key": value_of(text, "key"), "back": "/console/messages"}
    answer = await browser.post("/console/messages/msg_3/retry", data=form)
    assert answer.headers["location"] == "/console/messages"
    assert house.books.messages["msg_3"].last_error == ""


async def test_asking_the_provider_settles_what_was_unknown(house: Office) -> None:
    browser = await house.signed_in()
    unknown = next(one for one in house.books.payments.values() if one.status == 6)
    address = f"/console/payments/{unknown.payment_id}"
    page = (await browser.get(address)).text
    assert "nobody knows yet whether the card was charged" in page
    answer = await browser.post(f"{address}/refresh", data={"csrf": value_of(page, "csrf")})
    assert answer.status_code == 303
    assert "The money is there" in (await browser.get(address)).text


async def test_a_customer_is_added_and_the_work_goes_on(house: Office) -> None:
    browser = await house.signed_in()
    hidden = await fields_of(browser, "/console/customers/new?next=/console/invoices/new")
    form = hidden | {
        "name": "Zenith Yachts", "email": "pay@zenith.test", "currency": "USD", "locale": "en",
        "payment_terms_days": "14", "address": "1 Quay\nBath", "next": "/console/invoices/new",
    }  # fmt: skip
    answer = await browser.post("/console/customers/new", data=form | {"payment_terms_days": "soon"})
    assert answer.status_code == 422
    answer = await browser.post("/console/customers/new", data=form)
    assert answer.headers["location"].startswith("/console/invoices/new?customer=cus_")


async def test_an_import_is_looked_at_started_and_watched(house: Office) -> None:
    browser = await house.signed_in()
    hidden = await fields_of(browser, "/console/import")
    rows = "\n".join(f"A-{number},C-1,2026-11-01,2026-12-01,12.50" for number in range(20))
    content = f"invoice number,customer id,invoice date,due date,amount\n{rows}\n".encode()
    answer = await browser.post(
        "/console/import",
        data=hidden | {"date_order": "ymd"},
        files={"file": ("november.csv", content, "text/csv")},
    )
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    preview = (await browser.get(address)).text
    assert "This is what would happen" in preview
    assert "is not an amount" in preview
    start = {"csrf": value_of(preview, "csrf"), "key": value_of(preview, "key")}
    assert (await browser.post(f"{address}/start", data=start)).status_code == 303
    running = (await browser.get(address)).text
    assert '<meta http-equiv="refresh" content="2">' in running
    progress = (await browser.get(f"{address}/progress")).json()
    assert progress == {"state": "running", "handled_rows": 14, "total_rows": 20}
    done = (await browser.get(address)).text
    assert "The import is done" in done
    assert "DueDate" in (await browser.get(f"{address}/errors.csv")).text
    undo = {"csrf": value_of(done, "csrf"), "key": value_of(done, "key"), "reason": "Wrong file"}
    assert (await browser.post(f"{address}/undo", data=undo)).status_code == 303
    assert "The import is undone" in (await browser.get(address)).text
    assert "november.csv" in (await browser.get("/console/import")).text


async def test_columns_of_a_file_are_chosen(house: Office) -> None:
    browser = await house.signed_in()
    hidden = await fields_of(browser, "/console/import")
    content = b"invoice number,customer id,invoice date,due date,amount\nA-1,C-1,2026-11-01,2026-12-01,1\n"
    files = {"file": ("a.csv", content, "text/csv")}
    answer = await browser.post("/console/import", data=hidden | {"kind": "invoices"}, files=files)
    address = answer.headers["location"]
    preview = (await browser.get(address)).text
    form = {
        "csrf": value_of(preview, "csrf"), "key": value_of(preview, "key"), "column.external_id": "DueDate",
        "date_order": "dmy", "decimal_sign": "comma",
    }  # fmt: skip
    assert (await browser.post(f"{address}/revise", data=form)).status_code == 303
    assert '<option value="DueDate" selected>' in (await browser.get(address)).text


async def test_an_import_without_a_file_is_told_what_to_do(house: Office) -> None:
    browser = await house.signed_in()
    hidden = await fields_of(browser, "/console/import")
    answer = await browser.post("/console/import", data=hidden | {"date_order": "dmy"})
    assert answer.status_code == 422
    assert "Please choose a file" in answer.text


async def test_a_refund_of_a_line_names_the_line_and_how_many(house: Office) -> None:
    browser, address = await house.signed_in(), "/console/payments/pay_7/refund"
    hidden = await fields_of(browser, address)
    part = house.books.payments["pay_7"].parts[0]
    field = f"line_{part.invoice_id}_1"
    form = hidden | {"what": "lines", "reason": "Broken", "destination": "method", "effect": "forgive"}
    answer = await browser.post(address, data=form | {field: "13", "action": "review"})
    assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True)
    review = await browser.post(address, data=form | {field: "1,5", "action": "review"})
    assert "Marine plywood, 18 mm, full sheets × 1.5" in review.text
    answer = await browser.post(address, data=form | {field: "1,5", "action": "refund"})
    assert answer.status_code == 303, answer.text
    (asked,) = house.books.refunds
    assert [(line.invoice_id, line.line_no, line.quantity) for line in asked.lines] == [
        (part.invoice_id, 1, "1.5")
    ]
    assert not asked.HasField("amount")
    assert not asked.parts


async def test_a_rejected_e_invoice_is_a_task_until_somebody_decides(house: Office) -> None:
    browser = await house.signed_in()
    assert "1 e-invoice was rejected or queried" in (await browser.get("/console")).text
    page = (await browser.get("/console/invoices/inv_285")).text
    assert "The order number is unknown" in page
    csrf = {"csrf": value_of(page, "csrf")}
    await browser.post("/console/einvoices/inv_285/uphold", data=csrf)
    assert "Please say why" in (await browser.get("/console/invoices/inv_285")).text
    answer = await browser.post("/console/einvoices/inv_285/uphold", data=csrf | {"reason": "It is right"})
    assert answer.status_code == 303
    assert "Reminders go on" in (await browser.get("/console/invoices/inv_285")).text
    assert "e-invoice was rejected" not in (await browser.get("/console")).text
