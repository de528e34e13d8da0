"""A business with customers and invoices, made up from a seed: families of similar names, prices that repeat."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from chassis.money import Money
from services.payments.domain.matching import OpenItem

TODAY = date(2026, 11, 22)
_FIRST_WORDS = (
    "Nordwind Hansa Alpen Rhein Baltic Lumen Vector Orbit Delta Sigma Falke Adler Bergmann Krüger Müller Schäfer"
    " Lefèvre Dubois García Núñez Rossi Bianchi Kowalski Novák Jansen Visser Smith Johnson Patel Singh Chen Tanaka"
    " Okafor Haddad Larsen Sørensen Virtanen Papadakis Silva Costa Evergreen Bluebird Redwood Granite Summit Harbor"
    " Maple Cedar Atlas Phoenix Polar Aurora Zenith Nimbus Quartz Cobalt Saffron Indigo Meridian Keystone"
)
_SECOND_WORDS = (
    "Logistik Handel Bau Technik Services Software Medical Foods Textiles Motors Energy Consulting Media Print Optics"
    " Plastics Tools Chemie Pharma Design Transport Immobilien Gastro Events Robotics Security Water Paper Glass Metals"
)
_FIRST, _SECOND = _FIRST_WORDS.split(), _SECOND_WORDS.split()
_FORMS = (
    "GmbH",
    "AG",
    "Ltd",
    "Inc.",
    "LLC",
    "S.A.",
    "B.V.",
    "GmbH & Co. KG",
    "SARL",
    "S.p.A.",
    "e.K.",
    "Corp.",
)
_PRICES = (4900, 9900, 19900, 29900, 49900, 100000)
HOLDING = "Holding AG"


@dataclass
class World:
    """Customers, their accounts at banks, and what they owe. `due` falls as lines are made."""

    random: Random
    names: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    items: dict[str, OpenItem] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    paid: list[OpenItem] = field(default_factory=list)
    history: dict[str, Counter[str]] = field(default_factory=dict)

    def open_of(self, customer_id: str) -> list[OpenItem]:
        """What nobody has paid or begun to pay, in one currency."""
        return [
            item
            for item in self.items.values()
            if item.customer_id == customer_id and self.due[item.invoice_id] == item.due.minor_units
        ]

    def untouched(self) -> list[OpenItem]:
        return [item for item in self.items.values() if self.due[item.invoice_id] == item.due.minor_units]

    def as_open_items(self) -> list[OpenItem]:
        return [*self.items.values(), *self.paid]


def make_world(seed: int, *, customers: int = 400, invoices: int = 4000) -> World:
    """The business on the day on which its bank statements arrive."""
    world = World(Random(seed))
    random = world.random
    used: set[str] = set()
    while len(world.names) < customers:
        name = f"{random.choice(_FIRST)} {random.choice(_SECOND)}"
        if random.random() < 0.12:
            name = random.choice(_FIRST) + (f" & {random.choice(_FIRST)}" if random.random() < 0.5 else "")
        if name in used:
            continue
        used.add(name)
        customer_id = f"cus_{len(world.names):04d}"
        world.names[customer_id] = f"{name} {random.choice(_FORMS)}"
        world.accounts[customer_id] = f"DE{random.randrange(10**19, 10**20)}"
        if random.random() < 0.06:
            world.parents[customer_id] = f"{name.split()[0]} {HOLDING}"
    _remember(world)
    ids = list(world.names)
    for index in range(invoices):
        _add_invoice(world, index, random.choice(ids), paid=random.random() < 0.06)
    return world


def _remember(world: World) -> None:
    """Two customers in three have paid before; now and then one account pays for two."""
    ids = list(world.names)
    for customer_id in ids:
        if world.random.random() < 0.65:
            world.history[world.accounts[customer_id]] = Counter({customer_id: world.random.randint(1, 9)})
        if world.random.random() < 0.03:
            other = world.random.choice(ids)
            world.accounts[other] = world.accounts[customer_id]
            world.history[world.accounts[customer_id]] = Counter({customer_id: 2, other: 2})


def _add_invoice(world: World, index: int, customer_id: str, *, paid: bool) -> None:
    random = world.random
    units = random.choice(_PRICES) if random.random() < 0.3 else random.randint(1_000, 900_000)
    if random.random() < 0.15:
        units = units // 1000 * 1000 or 1000
    currency = "USD" if random.random() < 0.03 else "EUR"
    day = TODAY - timedelta(days=random.randint(1, 90))
    item = OpenItem(
        invoice_id=f"inv_{index:05d}",
        number=f"INV-{index + 1:06d}",
        customer_id=customer_id,
        customer_name=world.names[customer_id],
        due=Money(0 if paid else units, currency),
        total=Money(units, currency),
        due_on=day + timedelta(days=14),
        purchase_order=f"PO-{random.randint(1000, 99999)}" if random.random() < 0.2 else "",
    )
    if paid:
        world.paid.append(item)
    else:
        world.items[item.invoice_id] = item
        world.due[item.invoice_id] = units
