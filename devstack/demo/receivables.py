"""Receivables that run themselves, for the demo: a family, schedules, instalments, a promise, credit and late fees."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Protocol

FAMILY: Final = "Brightwater Group"
FAMILY_LOGIN: Final = "morgan@brightwater.example"
IN_PLAN: Final = "Tidewater Ceramics"
IN_PLAN_LOGIN: Final = "robin@tidewater-ceramics.example"
LOGINS: Final = ((f"Customer ({FAMILY})", FAMILY_LOGIN), (f"Customer ({IN_PLAN})", IN_PLAN_LOGIN))
"""Pairs of role and login."""
_WAITING: Final = "Seagrass Weavers"
_SEGMENT: Final = "charter"
_TAX: Final = "harbour-services"
_LAST: Final = "DEMO-TRIAL"
"""External id of what is made last."""
_MONTH: Final = timedelta(days=30)


class Door(Protocol):
    """The public API with somebody's token."""

    async def get(self, path: str, **query: Any) -> dict[str, Any]: ...

    async def post(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]: ...

    async def put(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """Staff at the public API, how somebody else signs in there, and the day on which everything is dated."""

    staff: Door
    signed_in: Callable[[str], Awaitable[Door]]
    password: str
    today: date

    def days_ago(self, days: int) -> str:
        return (self.today - timedelta(days=days)).isoformat()

    async def customer(self, name: str, external_id: str, **more: Any) -> str:
        """A customer in Portsmouth; the id."""
        host = name.lower().replace(" ", "-")
        address = {"lines": ["2 Dock Road"], "city": "Portsmouth", "region": "NH", "postal_code": "03801"}
        body = {
            "name": name,
            "email": f"office@{host}.example",
            "external_id": external_id,
            "billing_address": {**address, "country": "US"},
            **more,
        }
        made = await self.staff.post("/v1/customers", body, key=f"demo-{external_id}")
        found: str = made["customer_id"]
        return found

    async def person(self, name: str, email: str, customer_id: str) -> None:
        body = {"name": name, "email": email, "password": self.password, "role": "payer"}
        await self.staff.post("/v1/people", {**body, "customer_id": customer_id}, key=f"demo-{email}")

    async def invoice(
        self, customer_id: str, name: str, lines: list[dict[str, Any]], **more: Any
    ) -> dict[str, Any]:
        """A finalized invoice; `name` tells it from the customer's others."""
        key = f"demo-invoice-{customer_id}-{name}"
        body = {"customer_id": customer_id, "lines": lines, **more}
        draft = await self.staff.post("/v1/invoices", body, key=key)
        return await self.staff.post(f"/v1/invoices/{draft['invoice_id']}:finalize", {}, key=f"{key}-final")


async def add(loader: Loader) -> None:
    """Make all of it, once."""
    found = await loader.staff.get("/v1/schedules", external_id=_LAST)
    if found["schedules"]:
        return
    tax, _, _ = await asyncio.gather(_add_taxed_items(loader), _add_late_fees(loader), _add_reminders(loader))
    await asyncio.gather(_add_family(loader, tax), _add_plan(loader), _add_waiting_request(loader))


def _usd(minor_units: int) -> dict[str, Any]:
    return {"minor_units": minor_units, "currency": "USD"}


def _line(description: str, minor_units: int, **more: Any) -> dict[str, Any]:
    return {"description": description, "unit_price": _usd(minor_units), **more}


async def _add_taxed_items(loader: Loader) -> dict[str, str]:
    """A tax code of two taxes, and items that use it. Ids of the items by SKU."""
    rate = {
        "name": "Harbour services",
        "valid_from": f"{loader.today.year - 2}-01-01",
        "taxes": [
            {"name": "State services tax", "category": "standard", "rate_percent": "6.25"},
            {"name": "Port district", "category": "standard", "rate_percent": "1.5"},
        ],
    }
    await loader.staff.put(f"/v1/tax_rates/{_TAX}", rate, key="demo-tax-code")
    items = (
        {"sku": "BERTH-M", "name": "Berth, month", "unit_price": _usd(48_000), "unit_code": "MON"},
        {"sku": "POWER", "name": "Shore power, kWh", "unit_price": _usd(38), "unit_code": "KWH"},
        {"sku": "WATER", "name": "Fresh water, m3", "unit_price": _usd(620), "unit_code": "MTQ"},
    )
    made = await asyncio.gather(
        *(
            loader.staff.post("/v1/items", {**one, "tax_code": _TAX}, key=f"demo-item-{one['sku']}")
            for one in items
        )
    )
    return {one["sku"]: one["item_id"] for one in made}


async def _add_late_fees(loader: Loader) -> None:
    """For the charter business alone: what the histories owe late is not to change by itself."""
    policy = {
        "name": "Charter customers",
        "segment": _SEGMENT,
        "currency": "USD",
        "flat": _usd(1_500),
        "percent": "1",
        "percent_per": "period",
        "grace_days": 5,
        "cap": _usd(10_000),
        "min_due": _usd(2_500),
        "repeat_every": 1,
        "repeat": "months",
        "active": True,
    }
    await loader.staff.post("/v1/late_fee_policies", {"policy": policy}, key="demo-late-fees")


async def _add_reminders(loader: Loader) -> None:
    """Likewise for the charter business alone, as the plain preset has them."""
    presets = (await loader.staff.get("/v1/dunning_presets"))["presets"]
    plain = next(one["policy"] for one in presets if one["preset"] == "plain")
    policy = {**plain, "name": "Charter customers", "segment": _SEGMENT, "active": True}
    await loader.staff.post("/v1/dunning_policies", {"policy": policy}, key="demo-reminders")


async def _add_family(loader: Loader, items: dict[str, str]) -> None:
    """A company above two others, who have schedules, a credit note and a discount for paying early."""
    group, marina, yachts = await asyncio.gather(
        loader.customer(FAMILY, "GROUP-0"),
        loader.customer(
            "Brightwater Marina",
            "GROUP-1",
            payment_terms={"days": 30, "early_discount_percent": "2", "early_discount_days": 10},
        ),
        loader.customer("Brightwater Yachts", "GROUP-2", segments=[_SEGMENT]),
    )
    # One after the other: both change the same company above.
    for child in (marina, yachts):
        await loader.staff.post(
            f"/v1/customers/{child}:set_parent", {"parent_customer_id": group}, key=f"demo-parent-{child}"
        )
    delivery = [
        {"item_id": items["WATER"], "quantity": "42"},
        _line("Pump-out, three boats", 13_500),
    ]
    _, _, credited, towed = await asyncio.gather(
        loader.person("Morgan Vale", FAMILY_LOGIN, group),
        loader.invoice(
            marina, "early", [{"item_id": items["BERTH-M"], "quantity": "3"}], invoice_date=loader.days_ago(3)
        ),
        loader.invoice(yachts, "credited", delivery, invoice_date=loader.days_ago(9)),
        loader.invoice(yachts, "late", [_line("Tow from the bar", 42_000)], invoice_date=loader.days_ago(44)),
    )
    note = {
        "invoice_id": credited["invoice_id"],
        "lines": [{"line_no": 1, "quantity": "12"}],
        "reason": "Twelve cubic metres were not delivered",
        "reason_code": "not_as_agreed",
    }
    await asyncio.gather(
        loader.staff.post("/v1/credit_notes", note, key="demo-credit-note"),
        _add_dispute(loader, towed),
        _add_einvoice_news(loader, credited),
        _add_schedules(loader, marina, yachts, items),
    )


async def _add_einvoice_news(loader: Loader, invoice: dict[str, Any]) -> None:
    """The boat yard's system received the invoice and rejected it, as its access point reports."""
    day = loader.days_ago(1)
    received: dict[str, Any] = {
        "external_id": "demo-received",
        "code": "acknowledged",
        "occurred_at": f"{day}T09:00:00Z",
    }
    rejected: dict[str, Any] = {
        "external_id": "demo-rejected",
        "code": "rejected",
        "occurred_at": f"{day}T09:20:00Z",
        "reasons": [{"code": "QTY", "text": "Only 30 m3 of fresh water were delivered"}],
        "actions": [{"code": "NIN"}],
    }
    where = {"document": invoice["number"], "network": "peppol", "recipient": "0088:4012345000009"}
    for report in (received, rejected):
        await loader.staff.post("/v1/einvoice_statuses", {**where, **report}, key=report["external_id"])


async def _add_dispute(loader: Loader, invoice: dict[str, Any]) -> None:
    """The company above objects to a part of an invoice."""
    payer = await loader.signed_in(FAMILY_LOGIN)
    dispute = {
        "invoice_id": invoice["invoice_id"],
        "amount": _usd(12_000),
        "reason": "wrong_amount",
        "text": "The tow took one hour, not two. The harbour log has it.",
    }
    await payer.post("/v1/disputes", dispute, key="demo-dispute")


async def _add_schedules(loader: Loader, marina: str, yachts: str, items: dict[str, str]) -> None:
    """Monthly in advance, quarterly in arrears by what was used, and one that begins with a trial."""
    monthly = {
        "customer_id": marina,
        "name": "Berths, monthly",
        "rule": {"unit": "month", "every": 1},
        "lines": [{"item_id": items["BERTH-M"], "quantity": "2"}],
        "timing": "advance",
        "upcoming_notice_days": 3,
        "external_id": "DEMO-MONTHLY",
    }
    began = loader.today - 2 * _MONTH
    quarterly = {
        "customer_id": yachts,
        "name": "Shore power, quarterly",
        "rule": {"unit": "month", "every": 3, "starts_on": began.isoformat()},
        "lines": [
            {
                "item_id": items["POWER"],
                "metered": True,
                "tiers": [{"up_to": "1000", "unit_price": _usd(38)}, {"unit_price": _usd(31)}],
            }
        ],
        "timing": "arrears",
        "external_id": "DEMO-QUARTERLY",
    }
    schedules = await asyncio.gather(
        loader.staff.post("/v1/schedules", quarterly, key="demo-schedule-quarterly"),
        loader.staff.post("/v1/schedules", monthly, key="demo-schedule-monthly"),
    )
    records = [
        {
            "external_id": f"meter-{number}",
            "line_no": 1,
            "quantity": quantity,
            "used_at": f"{(began + timedelta(days=7 * number)).isoformat()}T16:00:00Z",
        }
        for number, quantity in enumerate(("184.5", "201", "176.25", "240", "198", "223.5"), start=1)
    ]
    await loader.staff.post(
        f"/v1/schedules/{schedules[0]['schedule_id']}/usage", {"records": records}, key="demo-usage"
    )
    trial = {
        "customer_id": yachts,
        "name": "Weather routing",
        "rule": {"unit": "month", "every": 1, "trial_days": 30},
        "lines": [_line("Weather routing, one boat", 2_900, quantity="4", tax_rate_percent="6.25")],
        "timing": "advance",
        "customer_may_cancel": True,
        "external_id": _LAST,
    }
    await loader.staff.post("/v1/schedules", trial, key="demo-schedule-trial")


async def _add_plan(loader: Loader) -> None:
    """A plan in four instalments whose first is paid, and a promise for what is not in it."""
    customer_id = await loader.customer(IN_PLAN, "PLAN-1")
    await loader.person("Robin Ash", IN_PLAN_LOGIN, customer_id)
    owed = await asyncio.gather(
        loader.invoice(
            customer_id, "kiln", [_line("Kiln transport", 186_000)], invoice_date=loader.days_ago(37)
        ),
        loader.invoice(
            customer_id, "freight", [_line("Clay, 14 pallets", 74_400)], invoice_date=loader.days_ago(33)
        ),
        loader.invoice(customer_id, "storage", [_line("Storage", 31_200)], invoice_date=loader.days_ago(31)),
    )
    payer = await loader.signed_in(IN_PLAN_LOGIN)
    wish = {
        "customer_id": customer_id,
        "invoice_ids": [one["invoice_id"] for one in owed[:2]],
        "choice": {"instalments": 4, "interval": "month", "first_due_on": loader.today.isoformat()},
    }
    plan = await payer.post("/v1/instalment_plans", wish, key="demo-plan")
    path = f"/v1/instalment_plans/{plan['plan_id']}"
    plan = await loader.staff.post(f"{path}:approve", {}, key="demo-plan-approve")
    accept = {"terms_hash": plan["terms"]["hash"], "note": ""}
    plan = await payer.post(f"{path}:accept", accept, key="demo-plan-accept")
    # The plan asks for its first instalment, spread over its invoices.
    parts = [
        {"invoice_id": one["invoice_id"], "amount": one["asked_now"]}
        for one in plan["invoices"]
        if one["asked_now"]["minor_units"]
    ]
    card = {"card_token": {"token": "tok_visa"}}
    await payer.post("/v1/payments", {"parts": parts, **card}, key="demo-plan-first")


async def _add_waiting_request(loader: Loader) -> None:
    """A request in hardship that waits for an answer, and a promise, written down by staff on the telephone."""
    customer_id = await loader.customer(_WAITING, "PLAN-2")
    owed = await loader.invoice(
        customer_id, "loom", [_line("Loom, crane and transport", 128_000)], invoice_date=loader.days_ago(35)
    )
    wish = {
        "customer_id": customer_id,
        "invoice_ids": [owed["invoice_id"]],
        "choice": {"instalments": 5, "interval": "month"},
        "hardship": True,
        "reasons": ["business"],
        "message": "The mill burned down in September. The insurance pays in spring.",
    }
    promise = {
        "customer_id": customer_id,
        "amount": _usd(20_000),
        "promised_on": (loader.today + timedelta(days=9)).isoformat(),
        "note": "From the first market after the fire",
    }
    await asyncio.gather(
        loader.staff.post("/v1/instalment_plans", wish, key="demo-plan-waiting"),
        loader.staff.post("/v1/payment_promises", promise, key="demo-promise"),
    )
