"""`portal.invoice_list`: the list of invoices as a customer who has signed in sees it."""

import re
import secrets
from collections.abc import Mapping

import httpx

from bench import bare_page, pages, processor_time
from bench.results import Figure, NothingPrintedError, median
from bench.seed import OWNER_PASSWORD, Bill, Organization
from bench.stack import BenchStack
from devstack.ports import HOST

_PASSWORD = secrets.token_urlsafe(24)
_CSRF = re.compile(r'name="csrf"\s+value="([^"]+)"')
_BROWSER = {"accept-language": "en-US", "sec-fetch-site": "same-origin", "accept": "text/html"}


async def measure(
    stack: BenchStack, organization: Organization, bill: Bill, *, rounds: int, seconds: float
) -> tuple[Figure, str]:
    """Turn and turn about with the bare page, so that both have the same weather."""
    email = f"pat@{organization.slug}.example"
    # By the bare address: PostgreSQL aside, everything listens there, and no name has to be looked up.
    address = f"http://{HOST}:{stack.environment.ports['gateway']}"
    async with httpx.AsyncClient(base_url=address, headers=_BROWSER, timeout=30) as browser:
        await _create_payer(browser, organization, bill.customer_id, email)
        await _sign_in(browser, organization, email)
        answer = await browser.get("/invoices")
        if answer.status_code != 200 or "INV-" not in answer.text:
            raise NothingPrintedError(
                f"/invoices shows no invoices: {answer.status_code} {answer.text[:300]}"
            )
        headers = _BROWSER | {"cookie": "; ".join(f"{c.name}={c.value}" for c in browser.cookies.jar)}
    ours, bare = [], []
    async with bare_page.serving(answer.content, stack.layout.logs) as bare_url:
        await pages.per_second(f"{address}/invoices", headers, seconds=1)
        note = await _look_closely(stack, f"{address}/invoices", headers, seconds)
        for _ in range(rounds):
            ours.append(await pages.per_second(f"{address}/invoices", headers, seconds=seconds))
            bare.append(await pages.per_second(bare_url, headers, seconds=seconds))
    figure = Figure(
        name="portal.invoice_list",
        value=round(median(ours), 1),
        unit="pages/s",
        baseline=f"a bare ASGI page of the same {len(answer.content):,} bytes under the same uvicorn",
        baseline_value=round(median(bare), 1),
        command=f"{pages.method()} GET /invoices with a session cookie, median of {rounds} x {seconds:g} s",
    )
    return figure, note


async def _look_closely(stack: BenchStack, url: str, headers: Mapping[str, str], seconds: float) -> str:
    before = processor_time.by_process(stack)
    rate = await pages.per_second(url, headers, seconds=seconds)
    count = max(1, round(rate * seconds))
    spent = processor_time.microseconds_per(count, before, processor_time.by_process(stack))
    return f"Processor time of one page of `portal.invoice_list`: {processor_time.in_words(spent)}."


async def _create_payer(
    browser: httpx.AsyncClient, organization: Organization, customer_id: str, email: str
) -> None:
    login = {
        "organization_slug": organization.slug,
        "email": organization.owner_email,
        "password": OWNER_PASSWORD,
    }
    owner = _checked(await browser.post("/v1/sessions", json=login)).json()
    person = {
        "name": "Pat Payer",
        "email": email,
        "password": _PASSWORD,
        "role": "payer",
        "customer_id": customer_id,
    }
    headers = {
        "authorization": f"Bearer {owner['access']['token']}",
        "idempotency-key": f"bench-{customer_id}",
    }
    _checked(await browser.post("/v1/people", json=person, headers=headers))


async def _sign_in(browser: httpx.AsyncClient, organization: Organization, email: str) -> None:
    form = await browser.get("/login", params={"org": organization.slug})
    csrf = _CSRF.search(form.text)
    if csrf is None:
        raise NothingPrintedError(f"the sign-in page has no form: {form.status_code}")
    fields = {"csrf": csrf[1], "organization": organization.slug, "email": email, "password": _PASSWORD}
    answer = await browser.post("/login", data=fields)
    if answer.status_code not in (302, 303):
        raise NothingPrintedError(f"the customer cannot sign in: {answer.status_code}")


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        raise NothingPrintedError(f"{answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
    return answer
