"""Dunning policies to begin with: a plain one, and those that keep to the laws of Germany and Norway.

Germany. A debtor is in default after a reminder when payment is due (BGB section 286 (1)), and without one 30 days
after the due date and receipt of the invoice, a consumer only if the invoice says so (section 286 (3)). Interest on
default is five points above the base rate a year (section 288 (1)), nine in contracts without consumers (section 288
(2)), where the creditor may ask for 40 EUR once as well (section 288 (5)). What a reminder costs is damage of the
default: the letter that puts in default is free, later ones may bear what they cost in paper and postage, staff and
software not (BGH, VIII ZR 95/18). So consumers pay no fee here, and businesses the 40 EUR with the letter after the
default.

Norway. A fee for a reminder may be asked for when it is in writing, sent 14 days after the due date at the earliest,
and names the claim; it is a twentieth of the collection rate (inkassoforskriften section 1-2). There are two at most,
for two reminders or one reminder and the warning of collection, and the second one only when the first gave 14 days
that were missed (section 1-3). Before collection a warning gives 14 days (inkassoloven section 9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis.money import Money
from services.invoicing.domain.dunning import DunningPolicy, DunningText, Level
from services.invoicing.domain.legal_rates import DE_BASE_RATE, NO_COLLECTION_RATE, LegalRates


@dataclass(frozen=True, slots=True)
class Preset:
    """A policy to begin with, and which law it follows."""

    name: str
    policy: DunningPolicy
    source: str


_PLAIN = DunningPolicy(
    "",
    "Friendly, then firm",
    (
        Level(
            days_after_due=3,
            deadline_days=7,
            texts=(
                DunningText(
                    "en",
                    "Payment reminder",
                    "Invoice {number} was due on {due_date}, and {amount} is still open. It may have slipped"
                    " your mind:"
                    " please pay by {deadline}. If something is wrong with the invoice, or paying is hard just"
                    " now,"
                    " tell us and we find a way.",
                ),
                DunningText(
                    "de",
                    "Zahlungserinnerung",
                    "Rechnung {number} war am {due_date} fällig, und {amount} sind noch offen. Sicher ist es"
                    " Ihnen nur"
                    " entgangen: Bitte zahlen Sie bis {deadline}. Stimmt etwas nicht, oder fällt das Zahlen gerade"
                    " schwer, sagen Sie es uns, und wir finden einen Weg.",
                ),
                DunningText(
                    "ar",
                    "تذكير بالدفع",
                    "كانت الفاتورة {number} مستحقة في {due_date}، وما زال {amount} غير مدفوع. يرجى الدفع حتى"
                    " {deadline}."
                    " إن كان هناك خطأ أو كان الدفع صعبًا، فأخبرونا لنجد حلًا.",
                ),
            ),
        ),
        Level(
            days_after_due=14,
            deadline_days=10,
            texts=(
                DunningText(
                    "en",
                    "Second reminder",
                    "We have not received {amount} for invoice {number}, due on {due_date}, though we reminded"
                    " you."
                    " Please pay by {deadline}.",
                ),
                DunningText(
                    "de",
                    "Zweite Zahlungserinnerung",
                    "Trotz unserer Erinnerung sind für Rechnung {number}, fällig am {due_date}, {amount} nicht"
                    " eingegangen. Bitte zahlen Sie bis {deadline}.",
                ),
                DunningText(
                    "ar",
                    "تذكير ثانٍ",
                    "لم نستلم {amount} عن الفاتورة {number} المستحقة في {due_date} رغم تذكيركم. يرجى الدفع حتى"
                    " {deadline}.",
                ),
            ),
        ),
        Level(
            days_after_due=30,
            deadline_days=14,
            letter=True,
            texts=(
                DunningText(
                    "en",
                    "Final notice",
                    "{amount} for invoice {number}, due on {due_date}, is still unpaid. This is our last reminder."
                    " Unless we receive the money by {deadline}, we may pass the claim on for collection.",
                ),
                DunningText(
                    "de",
                    "Letzte Mahnung",
                    "{amount} für Rechnung {number}, fällig am {due_date}, sind immer noch offen. Dies ist"
                    " unsere letzte"
                    " Mahnung. Geht das Geld nicht bis {deadline} ein, geben wir die Forderung zum Einzug ab.",
                ),
                DunningText(
                    "ar",
                    "إشعار أخير",
                    "ما زال {amount} عن الفاتورة {number} المستحقة في {due_date} غير مدفوع. هذا آخر تذكير: إن"
                    " لم نستلم"
                    " المبلغ حتى {deadline} فقد نحيل المطالبة إلى التحصيل.",
                ),
            ),
        ),
    ),
)
_DE_FIRST = Level(
    days_after_due=5,
    deadline_days=10,
    texts=(
        DunningText(
            "de",
            "Zahlungserinnerung",
            "sicher ist Ihnen entgangen, dass Rechnung {number} am {due_date} fällig war. Offen sind {amount}."
            " Bitte überweisen Sie den Betrag bis {deadline}. Hat sich dieses Schreiben mit Ihrer Zahlung"
            " überschnitten, betrachten Sie es bitte als gegenstandslos.",
        ),
        DunningText(
            "en",
            "Payment reminder",
            "Invoice {number} was due on {due_date}; {amount} is open. Please pay by {deadline}.",
        ),
    ),
)


def _de_default(points: str, paragraph: int, points_en: str) -> Level:
    """The letter that puts in default; it is free."""
    return Level(
        days_after_due=18,
        deadline_days=10,
        letter=True,
        texts=(
            DunningText(
                "de",
                "1. Mahnung",
                "auf Rechnung {number}, fällig am {due_date}, haben wir {amount} noch nicht erhalten. Wir mahnen"
                " die Zahlung hiermit an und setzen eine Frist bis {deadline}. Mit dieser Mahnung geraten Sie"
                " spätestens in Verzug (§ 286 BGB); vom Verzug an ist der Betrag mit "
                f"{points} Prozentpunkten über dem Basiszinssatz im Jahr zu verzinsen (§ 288 Abs. {paragraph} BGB).",
            ),
            DunningText(
                "en",
                "First notice of default",
                "We have not received {amount} for invoice {number}, due on {due_date}. Please pay by {deadline}."
                " With this notice you are in default at the latest (section 286 BGB). From then on it bears"
                f" interest of {points_en} points above the base rate a year (section 288 ({paragraph}) BGB).",
            ),
        ),
    )


_GERMANY = DunningPolicy(
    "",
    "Zahlungserinnerung, 1. und 2. Mahnung",
    (
        _DE_FIRST,
        _de_default("fünf", 1, "five"),
        Level(
            days_after_due=32,
            deadline_days=10,
            letter=True,
            texts=(
                DunningText(
                    "de",
                    "2. und letzte Mahnung",
                    "trotz Mahnung sind {amount} auf Rechnung {number}, fällig am {due_date}, offen. Sie sind in"
                    " Verzug. Wir setzen eine letzte Frist bis {deadline}. Geht der Betrag bis dahin nicht ein,"
                    " beantragen wir einen gerichtlichen Mahnbescheid; dessen Kosten und die Verzugszinsen (§ 288"
                    " Abs. 1 BGB) kommen dann hinzu.",
                ),
                DunningText(
                    "en",
                    "Second and last notice",
                    "{amount} for invoice {number}, due on {due_date}, is still open, and you are in default. The"
                    " last date to pay is {deadline}. After it we go to court, the cost of which and interest on"
                    " default (section 288 (1) BGB) are then to be paid as well.",
                ),
            ),
        ),
    ),
)
_GERMANY_BUSINESS = DunningPolicy(
    "",
    "Zahlungserinnerung, 1. und 2. Mahnung an Unternehmen",
    (
        _DE_FIRST,
        _de_default("neun", 2, "nine"),
        Level(
            days_after_due=32,
            deadline_days=10,
            letter=True,
            fee=Money(4_000, "EUR"),
            texts=(
                DunningText(
                    "de",
                    "2. und letzte Mahnung",
                    "trotz Mahnung sind {amount} auf Rechnung {number}, fällig am {due_date}, offen. Sie sind in"
                    " Verzug. Wir setzen eine letzte Frist bis {deadline}. Verzugspauschale nach § 288 Abs. 5 BGB:"
                    " {fee}. Geht der Betrag bis dahin nicht ein, beantragen wir einen gerichtlichen Mahnbescheid;"
                    " dessen Kosten und die Verzugszinsen (§ 288 Abs. 2 BGB) kommen dann hinzu.",
                ),
                DunningText(
                    "en",
                    "Second and last notice",
                    "{amount} for invoice {number}, due on {due_date}, is still open, and you are in default. The"
                    " last date to pay is {deadline}. Lump sum by section 288 (5) BGB: {fee}. After that date we go"
                    " to court, the cost of which and interest on default (section 288 (2) BGB) are then to be paid"
                    " as well.",
                ),
            ),
        ),
    ),
)


def _norway(fee: Money) -> DunningPolicy:
    return DunningPolicy(
        "",
        "Purring og inkassovarsel",
        (
            Level(
                days_after_due=14,
                deadline_days=14,
                fee=fee,
                texts=(
                    DunningText(
                        "nb",
                        "Purring",
                        "Vi kan ikke se å ha mottatt {amount} for faktura {number}, som forfalt {due_date}."
                        " Vennligst betal innen {deadline}. Purregebyr: {fee}. Ved forsinket betaling kan det"
                        " kreves forsinkelsesrente etter forsinkelsesrenteloven.",
                    ),
                    DunningText(
                        "en",
                        "Reminder",
                        "We have not received {amount} for invoice {number}, due on {due_date}. Please pay by"
                        " {deadline}. Reminder fee: {fee}. Interest on late payment may be asked for by law.",
                    ),
                ),
            ),
            Level(
                days_after_due=29,
                deadline_days=14,
                fee=fee,
                letter=True,
                texts=(
                    DunningText(
                        "nb",
                        "Inkassovarsel",
                        "Faktura {number}, som forfalt {due_date}, er fortsatt ubetalt: {amount}. Dette er et"
                        " varsel etter inkassoloven § 9. Betales ikke kravet innen {deadline}, sendes det til"
                        " inkasso uten ytterligere varsel. Gebyr: {fee}. Forsinkelsesrente kan kreves fra forfall."
                        " Har du innsigelser mot kravet, gi oss beskjed innen fristen.",
                    ),
                    DunningText(
                        "en",
                        "Warning of debt collection",
                        "Invoice {number}, due on {due_date}, is still unpaid: {amount}. This is a warning under"
                        " section 9 of the Debt Collection Act. Unless it is paid by {deadline}, it goes to"
                        " collection without further notice. Fee: {fee}. Interest may be asked for from the due"
                        " date. If you object to the claim, tell us before then.",
                    ),
                ),
            ),
        ),
    )


def reminder_fee_in_norway(rates: LegalRates, day: date) -> Money:
    """A twentieth of the collection rate, to the øre, never above it (inkassoforskriften section 1-2)."""
    rate = rates.on(NO_COLLECTION_RATE, day).value
    return Money(int(rate * 100 / 20), "NOK")


def presets(rates: LegalRates, today: date) -> Sequence[Preset]:
    """Those that are offered, in their order, with the amounts of a day."""
    return (
        Preset("plain", _PLAIN, "No law in particular. Have the last notice read by somebody who knows yours."),
        Preset(
            "germany", _GERMANY,
            "For consumers: BGB sections 286 and 288 (1), without fees. Set interest as a late fee policy of five"
            " points over the base rate. Consumers are in default after 30 days only if the invoice says so."
            f" {_told(rates, DE_BASE_RATE, today)}",
        ),
        Preset(
            "germany_business", _GERMANY_BUSINESS,
            "Where no consumer takes part: BGB sections 286 and 288 (2) and (5), 40 EUR once after the default. Set"
            f" interest as a late fee policy of nine points over the base rate. {_told(rates, DE_BASE_RATE, today)}",
        ),
        Preset(
            "norway", _norway(reminder_fee_in_norway(rates, today)),
            "Inkassoloven section 9, inkassoforskriften sections 1-2 and 1-3: 14 days each, two fees at most, each a"
            f" twentieth of the collection rate. {_told(rates, NO_COLLECTION_RATE, today)}",
        ),
    )  # fmt: skip


def _told(rates: LegalRates, name: str, today: date) -> str:
    """Which rate this rests on, and whether to look it up."""
    rate = rates.on(name, today)
    told = f"Rate: {rate.value.normalize():f} since {rate.valid_from.isoformat()} ({rate.source})."
    return f"{told} It may have changed since: please check." if name in rates.to_check(today) else told
