"""What the organization sells: the list, and a form for one."""

from dataclasses import dataclass, field

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from chassis.money import Money
from services.gateway.console.allowed import require
from services.gateway.console.amounts import renamed
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import (
    amount_field,
    amount_words,
    number_field,
    plain_number,
    read_amount,
    to_message,
)
from tallyport.common.v1.money_pb2 import Money as MoneyMessage
from tallyport.invoicing.v1.items_pb2 import (
    CreateItemRequest,
    GetItemRequest,
    Item,
    ListItemsRequest,
    UpdateItemRequest,
)
from tallyport.invoicing.v1.taxes_pb2 import ListTaxRatesRequest

_PERMISSION = "items.write"
_PAGE_SIZE = 50
_SPARE_PRICES = 2
"""Rows for prices in further currencies, besides those there are."""
_NAMES = {"tax_rate_percent": "tax_code"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields:
    """An item as its form shows it; `prices` are (currency, amount) besides the first."""

    sku: str = ""
    name: str = ""
    description: str = ""
    currency: str = ""
    price: str = ""
    prices: list[tuple[str, str]] = field(default_factory=list)
    includes_tax: bool = False
    tax_code: str = ""
    tax_rate: str = ""
    unit_code: str = "C62"
    archived: bool = False
    version: int = 0


def _stored(item: Item) -> _Fields:
    return _Fields(
        sku=item.sku, name=item.name, description=item.description, currency=item.unit_price.currency,
        price=_plain(item.unit_price), prices=[(one.currency, _plain(one)) for one in item.other_prices],
        includes_tax=item.price_includes_tax, tax_code=item.tax_code,
        tax_rate="" if item.tax_code else number_field(item.tax_rate_percent), unit_code=item.unit_code,
        archived=item.archived, version=item.version,
    )  # fmt: skip


def _typed(page: Page) -> _Fields:
    form = page.form
    prices = zip(form.all("other_currency"), form.all("other_price"), strict=False)
    return _Fields(
        sku=form.text("sku"), name=form.text("name"), description=form.text("description"),
        currency=form.text("currency").upper()[:3], price=form.text("price"),
        prices=[(currency.strip().upper()[:3], price) for currency, price in prices if currency.strip()],
        includes_tax=form.checked("includes_tax"), tax_code=form.text("tax_code"),
        tax_rate=form.text("tax_rate"), unit_code=form.text("unit_code").upper() or "C62",
        archived=form.checked("archived"),
        version=int(form.text("version")) if form.text("version").isdecimal() else 0,
    )  # fmt: skip


def _plain(amount: MoneyMessage) -> str:
    return amount_field(amount)


@get("/items", name="console.items")
async def show(page: Page) -> Response[str]:
    """By name, page by page."""
    words = page.query("q")[:200]
    request = ListItemsRequest(
        query=words, page_size=_PAGE_SIZE, page_token=page.query("page"), with_archived=bool(words)
    )
    answer = await page.call(page.to.items.ListItems, request)
    return page.render(
        "console_items.html", items=answer.items, next_token=answer.next_page_token, words=words
    )


@get("/items/new", name="console.item.new")
async def new(page: Page) -> Response[str]:
    """An empty form, in the organization's currency."""
    require(page, _PERMISSION)
    return await _form(page, _Fields(currency=(await page.organization()).currency))


@post("/items/new", name="console.item.create")
async def create(page: Page) -> Response[str]:
    """The item, or the form with what is wrong."""
    return await _submitted(page, None)


@get("/items/{item_id:str}/edit", name="console.item.edit")
async def edit(page: Page, item_id: FromPath[str]) -> Response[str]:
    """The form as the item is; invoices that were made keep what they say."""
    require(page, _PERMISSION)
    item = await page.call(page.to.items.GetItem, GetItemRequest(item_id=item_id))
    return await _form(page, _stored(item), item_id=item_id)


@post("/items/{item_id:str}/edit", name="console.item.update")
async def update(page: Page, item_id: FromPath[str]) -> Response[str]:
    """The item as it is then, or the form with what is wrong."""
    return await _submitted(page, item_id)


async def _submitted(page: Page, item_id: str | None) -> Response[str]:
    require(page, _PERMISSION)
    fields, key = _typed(page), page.form.text("key")
    errors = _mistakes(fields)
    if errors:
        return await _form(page, fields, item_id=item_id, errors=errors, key=key)
    try:
        if item_id is None:
            await page.call(page.to.items.CreateItem, _creation(fields), idempotency_key=key)
        else:
            await page.call(page.to.items.UpdateItem, _change(fields, item_id))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        errors = FieldErrors(renamed(FieldErrors.of(error), _NAMES))
        return await _form(page, fields, item_id=item_id, errors=errors, refused=problems.sentence(error))
    page.flash("good", _("The item is saved. Invoices that were made keep what they say."))
    return page.redirect("/console/items")


async def _form(
    page: Page,
    fields: _Fields,
    *,
    item_id: str | None = None,
    errors: FieldErrors | None = None,
    refused: str = "",
    key: str = "",
) -> Response[str]:
    rates = (await page.call(page.to.taxes.ListTaxRates, ListTaxRatesRequest())).tax_rates
    codes = {rate.code: rate.name for rate in rates}
    return page.render(
        "console_item_form.html",
        status=422 if errors or refused else 200,
        fields=fields,
        rows=[*fields.prices, *[("", "")] * _SPARE_PRICES],
        codes=[("", _("Another rate")), *((code, f"{name} ({code})") for code, name in codes.items())],
        item_id=item_id,
        errors=errors or FieldErrors(),
        refused=refused,
        key=key or page.new_key(),
    )


def _mistakes(fields: _Fields) -> FieldErrors:
    errors = FieldErrors()
    if not fields.sku:
        errors["sku"] = _("Please give it a number.")
    if not fields.name:
        errors["name"] = _("Please give it a name.")
    if _amount(fields.price, fields.currency) is None:
        errors["price"] = amount_words(fields.price, fields.currency)
    for at, (currency, price) in enumerate(fields.prices):
        if _amount(price, currency) is None:
            errors[f"other_price-{at}"] = amount_words(price, currency)
    return errors


def _amount(text: str, currency: str) -> Money | None:
    return read_amount(text, currency) if text else None


def _messages(fields: _Fields) -> list[MoneyMessage]:
    amounts = (_amount(price, currency) for currency, price in fields.prices)
    return [to_message(amount) for amount in amounts if amount is not None]


def _creation(fields: _Fields) -> CreateItemRequest:
    price = _amount(fields.price, fields.currency)
    return CreateItemRequest(
        sku=fields.sku[:60], name=fields.name[:200], description=fields.description[:2000],
        unit_price=to_message(price) if price else None, other_prices=_messages(fields),
        price_includes_tax=fields.includes_tax, tax_code=fields.tax_code,
        tax_rate_percent="" if fields.tax_code else plain_number(fields.tax_rate), unit_code=fields.unit_code,
    )  # fmt: skip


def _change(fields: _Fields, item_id: str) -> UpdateItemRequest:
    price = _amount(fields.price, fields.currency)
    return UpdateItemRequest(
        item_id=item_id, sku=fields.sku[:60], name=fields.name[:200], description=fields.description[:2000],
        unit_price=to_message(price) if price else None, other_prices=_messages(fields),
        price_includes_tax=fields.includes_tax, tax_code=fields.tax_code,
        tax_rate_percent=None if fields.tax_code else plain_number(fields.tax_rate) or "0",
        unit_code=fields.unit_code, archived=fields.archived, expected_version=fields.version,
    )  # fmt: skip
