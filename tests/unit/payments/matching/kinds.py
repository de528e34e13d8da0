"""Kinds of lines with their share of all, in per mille of what is drawn. Over a tenth cannot be decided by anybody."""

from collections.abc import Callable

from services.payments.domain.matching import OpenItem
from tests.unit.payments.matching.statements import _OTHERS, Maker
from tests.unit.payments.matching.world import HOLDING


def whole_number(make: Maker) -> None:
    item = make.one()
    make.add("number as printed", [item], make.phrase(item.number, item))


def creditor_reference(make: Maker) -> None:
    item = make.one()
    reference = _creditor_reference(item.number.replace("-", ""))
    spaced = " ".join(reference[i : i + 4] for i in range(0, len(reference), 4))
    if make.world.random.random() < 0.5:
        make.add("creditor reference", [item], "", reference=reference)
    else:
        make.add("creditor reference", [item], f"/ROC/{spaced}")


def other_writing(make: Maker) -> None:
    item, random = make.one(), make.world.random
    digits = item.number.removeprefix("INV-")
    written = random.choice(
        (
            item.number.lower(), f"INV {digits}", f"Inv {digits[:3]} {digits[3:]}", f"INV{digits}", f"inv. {digits}",
            f"INV-{int(digits)}", f"Inv#{int(digits)}", digits, f"Nr. {int(digits)}", f"invoice no. {int(digits)}",
            f"INV_{digits}", f"INV/{digits}", f"RE{digits}", f"{digits}.",
        )
    )  # fmt: skip
    make.add("number written otherwise", [item], make.phrase(written, item))


def purchase_order(make: Maker) -> None:
    items = [item for item in make.world.untouched() if item.purchase_order]
    item = make.world.random.choice(items)
    make.add("purchase order number", [item], f"our order {item.purchase_order}")


def many(make: Maker) -> None:
    items, random = make.some(2, 6), make.world.random
    style = random.random()
    if style < 0.5:
        text = random.choice((", ", " ", " + ", "; ")).join(item.number for item in items)
    elif style < 0.75:
        text = items[0].number + "".join(f"/{item.number[-4:]}" for item in items[1:])
    else:
        text = "INV " + " ".join(item.number.removeprefix("INV-") for item in items)
    make.add("many invoices named", items, text)


def cut_list(make: Maker) -> None:
    items = make.some(3, 9)
    text = (
        "Sammelzahlung Rechnungen laut Avis vom 20.11.2026 Danke fuer Ihre Lieferung gerne wieder "
        + ", ".join(f"Rechnung {item.number}" for item in items)
    )
    make.add("list cut at 140 characters", items, text)


def instalment(make: Maker) -> None:
    item = make.one()
    first = make.world.due[item.invoice_id] * make.world.random.choice((30, 50, 40)) // 100
    if make.world.random.random() < 0.5:
        rest = make.world.due[item.invoice_id] - first
        make.add("instalment", [item], f"Rate 1 {item.number}", parts=[(item.invoice_id, first)])
        make.add("instalment", [item], f"Rate 2 {item.number}", parts=[(item.invoice_id, rest)])
    else:
        make.add("part payment", [item], make.phrase(item.number, item), parts=[(item.invoice_id, first)])


def cash_discount(make: Maker) -> None:
    item = make.one()
    paid = make.world.due[item.invoice_id] * make.world.random.choice((98, 97)) // 100
    text = make.phrase(item.number, item) + make.world.random.choice(("", " abzgl. 2% Skonto", " less 3%"))
    make.add("cash discount taken", [item], text, parts=[(item.invoice_id, paid)])


def overpayment(make: Maker) -> None:
    item = make.one()
    due = make.world.due[item.invoice_id]
    more = make.world.random.choice((1, 100, 1000, due // 10 + 1))
    make.add("overpayment", [item], make.phrase(item.number, item), amount=due + more)


def nothing_written(make: Maker) -> None:
    item = make.one()
    same = [
        each for each in make.world.open_of(item.customer_id)
        if each.due == item.due and each.invoice_id != item.invoice_id
    ]  # fmt: skip
    make.add("no reference", [item], make.empty(), is_decidable=not same)


def sum_without_reference(make: Maker) -> None:
    make.add("sum without reference", make.some(2, 4), make.empty())


def typing_error(make: Maker) -> None:
    item = make.one()
    number = item.number[:4] + make.typo("x" + item.number[4:] + "x").strip("x")
    make.add("typing error in the number", [item], make.phrase(number, item))


def misread(make: Maker) -> None:
    item = make.one()
    make.add("zero read as O", [item], make.phrase(item.number.replace("0", "O", 2), item))


def parent_pays(make: Maker) -> None:
    world = make.world
    items = [item for item in world.untouched() if item.customer_id in world.parents]
    if not items:
        return
    item = world.random.choice(items)
    text = make.phrase(item.number, item)
    make.add("parent company pays", [item], text, name=world.parents[item.customer_id], account="DE00999")


def stranger_pays(make: Maker) -> None:
    item = make.one()
    make.add(
        "somebody else pays, number named",
        [item],
        make.phrase(item.number, item),
        name="J. Doe",
        account="XX1",
    )


def wrong_number(make: Maker) -> None:
    """The payer names somebody else's invoice."""
    item, other = make.one(), make.one()
    if item.customer_id != other.customer_id:
        make.add("another's number named", [item], make.phrase(other.number, other), is_decidable=False)


def own_other_number(make: Maker) -> None:
    """The payer names another invoice of its own than the one whose sum it pays."""
    item, other = make.some(2, 2)
    make.add("own other number named", [item], make.phrase(other.number, item), is_decidable=False)


def part_without_reference(make: Maker) -> None:
    item = make.one()
    part = make.world.due[item.invoice_id] // 3
    text = make.empty()
    make.add("part without reference", [item], text, parts=[(item.invoice_id, part)], is_decidable=False)


def equal_sums(make: Maker) -> None:
    """A price that many owe, from an account and a name that nobody knows."""
    items = [item for item in make.world.untouched() if item.due.minor_units in (4900, 9900, 19900)]
    item: OpenItem = make.world.random.choice(items)
    name = make.world.random.choice(("", "A. Weber", "Sparkasse", HOLDING))
    make.add("equal sums, unknown payer", [item], make.empty(), name=name, account="", is_decidable=False)


def paid_already(make: Maker) -> None:
    item = make.world.random.choice(make.world.paid)
    units, text = item.total.minor_units, make.phrase(item.number, item)
    name, account = make.name(item.customer_id), make.world.accounts[item.customer_id]
    make.add(
        "number of a paid invoice", [], text, amount=units, name=name, account=account, is_decidable=False
    )


def paid_twice(make: Maker) -> None:
    """The same again: the first of the two pays the invoice, the second is for nothing."""
    whole = [each for each in make.made if each.parts and each.kind == "number as printed"]
    if whole:
        line = make.world.random.choice(whole).line
        make.add(
            "paid twice", [], line.text, amount=line.amount.minor_units, name=line.name, account=line.account,
            currency=line.amount.currency, after=line, is_decidable=False,
        )  # fmt: skip


def unrelated(make: Maker) -> None:
    random = make.world.random
    name, text = random.choice(_OTHERS)
    units = make.one().due.minor_units if random.random() < 0.3 else random.randint(500, 400_000)
    if random.random() < 0.3:
        text += f" {random.randint(1, 4500):06d}"
    account = f"DE7{random.randint(0, 9)}"
    make.add("unrelated money", [], text, amount=units, name=name, account=account, is_decidable=False)


def customers_other_money(make: Maker) -> None:
    """A customer sends money that is for none of its invoices: a deposit, an order of its own."""
    item, random = make.one(), make.world.random
    make.add(
        "customer's other money", [], random.choice(("deposit", "Kaution", "Bestellung 88123", "Angebot 2026-77")),
        amount=random.randint(1_000, 500_000), name=make.world.names[item.customer_id],
        account=make.world.accounts[item.customer_id], is_decidable=False,
    )  # fmt: skip


def other_currency(make: Maker) -> None:
    item = make.one()
    other = "EUR" if item.total.currency == "USD" else "USD"
    units = item.due.minor_units
    make.add(
        "other currency", [], make.phrase(item.number, item), amount=units, currency=other,
        name=make.world.names[item.customer_id], is_decidable=False,
    )  # fmt: skip


PLAN: tuple[tuple[Callable[[Maker], None], int], ...] = (
    (whole_number, 400), (creditor_reference, 70), (other_writing, 140), (purchase_order, 8), (many, 60),
    (cut_list, 6), (instalment, 25), (cash_discount, 20), (overpayment, 10), (nothing_written, 60),
    (sum_without_reference, 12), (typing_error, 20), (misread, 10), (parent_pays, 20), (stranger_pays, 10),
    (wrong_number, 4), (own_other_number, 3), (part_without_reference, 8), (equal_sums, 12), (paid_already, 14),
    (paid_twice, 14), (unrelated, 50), (customers_other_money, 14), (other_currency, 8),
)  # fmt: skip


def _creditor_reference(body: str) -> str:
    number = "".join(str(int(sign, 36)) for sign in f"{body}RF00")
    return f"RF{98 - int(number) % 97:02d}{body}"
