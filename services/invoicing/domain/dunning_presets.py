"""Dunning policies to begin with: a plain one, and those that keep to the laws of Germany and Norway.

Germany: a debtor is in default after a reminder, or 30 days after due date and invoice (BGB section 286); interest on
default is five points above the base rate, nine between businesses, which may also ask for 40 EUR once (BGB section
288). Fees are therefore not set here: what a level costs beyond postage is no damage that courts grant.

Norway: a fee for a reminder (purregebyr) may be asked for when it is sent 14 days after the due date at the earliest
and gives 14 days to pay, for two reminders at most and within a twentieth of the collection rate (inkassoforskriften
sections 1-2 and 1-3); before collection a written warning (inkassovarsel) gives 14 days (inkassoloven section 9).
"""

from dataclasses import dataclass
from typing import Final

from chassis.money import Money
from services.invoicing.domain.dunning import DunningPolicy, DunningText, Level


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
_GERMANY = DunningPolicy(
    "",
    "Zahlungserinnerung, 1. und 2. Mahnung",
    (
        Level(
            days_after_due=5,
            deadline_days=10,
            texts=(
                DunningText(
                    "de",
                    "Zahlungserinnerung",
                    "sicher ist Ihnen entgangen, dass Rechnung {number} am {due_date} fällig war. Offen sind"
                    " {amount}."
                    " Bitte überweisen Sie den Betrag bis {deadline}. Hat sich dieses Schreiben mit Ihrer Zahlung"
                    " überschnitten, betrachten Sie es bitte als gegenstandslos.",
                ),
                DunningText(
                    "en",
                    "Payment reminder",
                    "Invoice {number} was due on {due_date}; {amount} is open. Please pay by {deadline}.",
                ),
            ),
        ),
        Level(
            days_after_due=18,
            deadline_days=10,
            letter=True,
            texts=(
                DunningText(
                    "de",
                    "1. Mahnung",
                    "auf Rechnung {number}, fällig am {due_date}, haben wir {amount} noch nicht erhalten. Wir"
                    " mahnen die"
                    " Zahlung hiermit an und setzen eine Frist bis {deadline}. Mit dieser Mahnung geraten Sie"
                    " spätestens in Verzug (§ 286 Abs. 1 BGB).",
                ),
                DunningText(
                    "en",
                    "First notice of default",
                    "We have not received {amount} for invoice {number}, due on {due_date}. Please pay by"
                    " {deadline}."
                    " With this notice you are in default at the latest (section 286 BGB).",
                ),
            ),
        ),
        Level(
            days_after_due=32,
            deadline_days=10,
            letter=True,
            texts=(
                DunningText(
                    "de",
                    "2. und letzte Mahnung",
                    "trotz Mahnung sind {amount} auf Rechnung {number}, fällig am {due_date}, offen. Wir"
                    " setzen eine"
                    " letzte Frist bis {deadline}. Danach machen wir Verzugszinsen geltend: fünf Prozentpunkte"
                    " über dem"
                    " Basiszinssatz, unter Unternehmen neun, sowie unter Unternehmen die Pauschale von 40 Euro"
                    " (§ 288 BGB), und leiten das gerichtliche Mahnverfahren ein.",
                ),
                DunningText(
                    "en",
                    "Second and last notice",
                    "{amount} for invoice {number}, due on {due_date}, is still open. The last date to pay is"
                    " {deadline}."
                    " After it we claim interest on default, nine points above the base rate between"
                    " businesses and"
                    " five otherwise, between businesses the lump sum of 40 euros (section 288 BGB), and go to"
                    " court.",
                ),
            ),
        ),
    ),
)
_NORWAY = DunningPolicy(
    "",
    "Purring og inkassovarsel",
    (
        Level(
            days_after_due=14,
            deadline_days=14,
            fee=Money(3_500, "NOK"),
            texts=(
                DunningText(
                    "nb",
                    "Purring",
                    "Vi kan ikke se å ha mottatt {amount} for faktura {number}, som forfalt {due_date}."
                    " Vennligst betal"
                    " innen {deadline}. Purregebyr: {fee}.",
                ),
                DunningText(
                    "en",
                    "Reminder",
                    "We have not received {amount} for invoice {number}, due on {due_date}. Please pay by"
                    " {deadline}."
                    " Reminder fee: {fee}.",
                ),
            ),
        ),
        Level(
            days_after_due=29,
            deadline_days=14,
            fee=Money(3_500, "NOK"),
            letter=True,
            texts=(
                DunningText(
                    "nb",
                    "Inkassovarsel",
                    "Faktura {number}, som forfalt {due_date}, er fortsatt ubetalt: {amount}. Dette er et"
                    " varsel etter"
                    " inkassoloven § 9. Betales ikke kravet innen {deadline}, sendes det til inkasso uten"
                    " ytterligere"
                    " varsel. Gebyr: {fee}. Har du innsigelser mot kravet, gi oss beskjed innen fristen.",
                ),
                DunningText(
                    "en",
                    "Warning of debt collection",
                    "Invoice {number}, due on {due_date}, is still unpaid: {amount}. This is a warning under"
                    " section 9 of"
                    " the Debt Collection Act. Unless it is paid by {deadline}, it goes to collection without"
                    " further"
                    " notice. Fee: {fee}. If you object to the claim, tell us before then.",
                ),
            ),
        ),
    ),
)
PRESETS: Final = (
    Preset("plain", _PLAIN, "No law in particular. Have the last notice read by somebody who knows yours."),
    Preset(
        "germany", _GERMANY,
        "BGB sections 286 and 288. Without fees: interest and the lump sum are set as a late fee policy. Base rate"
        " and wording are to be checked before use.",
    ),
    Preset(
        "norway", _NORWAY,
        "Inkassoloven section 9, inkassoforskriften sections 1-2 and 1-3: 14 days each, two fees at most. The rate"
        " changes by regulation; check it before use.",
    ),
)  # fmt: skip
"""In the order in which they are offered."""
