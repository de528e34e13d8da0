"""A page with every component, to look at while developing; not there in production."""

from litestar import Response, get

from chassis.money import Money
from services.gateway.web import icons
from services.gateway.web.page import Page
from services.gateway.web.pictures import Share
from services.gateway.web.statuses import Status

_AGING = (1_840_000, 920_000, 410_000, 130_000, 275_000)
_AGES = ("Current", "1–30", "31–60", "61–90", "90+")


@get("/_components", name="components")
async def show(page: Page) -> Response[str]:
    """All components side by side."""
    shares = [
        Share(age, units, str(Money(units, "USD")), f"aging-{index}")
        for index, (age, units) in enumerate(zip(_AGES, _AGING, strict=True))
    ]
    statuses = [
        Status("Open", "dot", "info"),
        Status("Paid", "check-circle", "good"),
        Status("Overdue", "alert", "bad"),
        Status("Being checked", "clock", "warn"),
        Status("Draft", "pencil", "neutral"),
    ]
    days = [12, 40, 0, 22, 31, 55, 8, 0, 0, 61, 35, 18, 44, 29, 70]
    return page.render(
        "components.html",
        shares=shares,
        statuses=statuses,
        days=days,
        icons=icons.names(),
        amount=Money(1_234_567, "USD"),
    )
