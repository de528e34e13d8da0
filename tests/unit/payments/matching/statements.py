"""Bank statements with the truth beside them: what payers do to texts, names and sums, made up from a seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from chassis.money import Money
from services.payments.domain.matching import IncomingLine, OpenItem
from tests.unit.payments.matching.world import TODAY, World

SEPA_CHARACTERS = 140
_PHRASES = (
    "{n}", "Invoice {n}", "payment for {n}", "Rechnung {n}", "RE {n} vielen Dank", "Facture {n} merci", "{n} thank you",
    "EREF+{r} MREF+NOTPROVIDED SVWZ+{n}", "Your invoice {n} dated {d}", "Zahlung {n} vom {d}", "fattura {n} del {d}",
    "{c} // {n}", "Kundennr {k} Rg. {n}", "AMT EUR {a} {n}", "pago {n}",
)  # fmt: skip
_EMPTY = (
    "",
    "Zahlung",
    "payment",
    "invoice",
    "Überweisung",
    "thanks",
    "virement",
    "as agreed",
    "NOTPROVIDED",
    "{d}",
)
_OTHERS = (
    ("Finanzamt Hamburg", "UST ERSTATTUNG 2026/10 STNR 22/123/45678"),
    ("Stadtwerke", "Guthaben Abrechnung 2025"),
    ("Allianz Versicherung", "Schaden 4711-2026-88 Erstattung"),
    ("Max Mustermann", "Rückzahlung Darlehen"),
    ("AMAZON PAYMENTS EUROPE", "302-1234567 refund"),
    ("", "ZINSEN 3. QUARTAL"),
    ("Deutsche Telekom", "Gutschrift 60012345"),
    ("PAYPAL EUROPE", "1029384756/PP"),
    ("Krankenkasse", "AAG Erstattung 10/26"),
    ("Bundeskasse", "Fördermittel 20261015"),
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line with what it truly is. `parts` is empty for money that belongs to no open invoice."""

    line: IncomingLine
    kind: str
    customer_id: str = ""
    parts: tuple[tuple[str, int], ...] = ()
    is_decidable: bool = True
    """Whether a careful person could tell from the line and the books alone."""


@dataclass
class Maker:
    """Makes lines of a world; every invoice is paid by one line, or by instalments."""

    world: World
    made: list[Labelled] = field(default_factory=list)

    def add(
        self,
        kind: str,
        items: Sequence[OpenItem],
        text: str,
        *,
        amount: int | None = None,
        name: str | None = None,
        account: str | None = None,
        reference: str = "",
        parts: Sequence[tuple[str, int]] | None = None,
        currency: str = "",
        after: IncomingLine | None = None,
        is_decidable: bool = True,
    ) -> None:
        """A line; unless said otherwise it pays the items whole, from their customer's account."""
        customer_id = items[0].customer_id if items else ""
        if parts is None:
            parts = [(item.invoice_id, self.world.due[item.invoice_id]) for item in items]
        for invoice_id, units in parts:
            self.world.due[invoice_id] -= units
        units = sum(units for _, units in parts) if amount is None else amount
        booked_on = after.booked_on if after else TODAY - timedelta(days=self.world.random.randint(0, 5))
        self.made.append(
            Labelled(
                line=IncomingLine(
                    bank_line_id=f"bln_{len(self.made):05d}",
                    amount=Money(units, currency or (items[0].total.currency if items else "EUR")),
                    booked_on=booked_on,
                    name=self.name(customer_id) if name is None else name,
                    account=(self.world.accounts.get(customer_id, "") if account is None else account),
                    text=text[:SEPA_CHARACTERS],
                    reference=reference,
                ),
                kind=kind,
                customer_id=customer_id,
                parts=tuple(sorted(parts)),
                is_decidable=is_decidable,
            )
        )

    def name(self, customer_id: str) -> str:
        """How the customer's bank prints its name."""
        random, name = self.world.random, self.world.names.get(customer_id, "")
        style = random.random()
        if style < 0.30:
            return name.upper()
        if style < 0.40:
            return " ".join(name.split()[:2])
        if style < 0.46:
            return name[:27]
        if style < 0.52:
            return " ".join(word[:5] for word in name.split())
        if style < 0.58:
            return self.typo(name)
        if style < 0.61:
            return " ".join(reversed(name.split()))
        if style < 0.65:
            return name.encode("ascii", "replace").decode().replace("?", "")
        if style < 0.68:
            return f"{random.choice(('Anna', 'Jan', 'Maria', 'Tom'))} {random.choice(('Weber', 'Lopez', 'Brown'))}"
        return name

    def typo(self, text: str) -> str:
        random = self.world.random
        if len(text) < 4:
            return text
        at = random.randrange(1, len(text) - 1)
        match random.randrange(3):
            case 0:
                return text[:at] + text[at + 1 :]
            case 1:
                return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
            case _:
                wrong = random.choice("0123456789") if text[at].isdigit() else random.choice("aeinrst")
                return text[:at] + wrong + text[at + 1 :]

    def phrase(self, number: str, item: OpenItem) -> str:
        random = self.world.random
        day = item.due_on - timedelta(days=14)
        return random.choice(_PHRASES).format(
            n=number,
            d=random.choice((day.isoformat(), day.strftime("%d.%m.%Y"), day.strftime("%d%m%y"))),
            c=self.world.names[item.customer_id],
            k=random.randint(10000, 99999),
            a=f"{item.total.minor_units / 100:,.2f}",
            r=random.randrange(10**8, 10**9),
        )

    def empty(self) -> str:
        return self.world.random.choice(_EMPTY).format(d=TODAY.isoformat())

    def one(self) -> OpenItem:
        return self.world.random.choice(self.world.untouched())

    def some(self, least: int, most: int) -> list[OpenItem]:
        """Several open invoices of one customer in one currency."""
        random = self.world.random
        while True:
            items = [i for i in self.world.open_of(self.one().customer_id) if i.total.currency == "EUR"]
            if len(items) >= least:
                return random.sample(items, random.randint(least, min(most, len(items))))

    def make(self, plan: Sequence[tuple[Callable[["Maker"], None], int]], lines: int) -> list[Labelled]:
        """About that many lines, the kinds mixed by weight."""
        kinds, weights = zip(*plan, strict=True)
        while len(self.made) < lines:
            self.world.random.choices(kinds, weights)[0](self)
        return self.made
