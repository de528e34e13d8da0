"""The terms of an instalment plan, word for word as they are agreed to, in the customer's language."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from babel.dates import format_date

from chassis.money import Money, format_money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.instalment_plan import InstalmentPlan
from services.invoicing.domain.organization import Organization

LANGUAGES: Final = ("en", "de", "ar")

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "parties": "{customer} and {organization} agree that {customer} pays {total} in instalments.",
        "invoices": "The plan covers these invoices: {invoices}.",
        "discount": (
            "{organization} reduces the debt by {discount}, once the plan begins. The reduction stays, "
            "also if the plan ends early."
        ),
        "instalments": "The instalments are:",
        "line": "{number}. {amount} by {day}",
        "free": (
            "Paying in instalments costs nothing: there is no fee and no interest. Paying earlier, or "
            "more, is possible at any time; what is paid on top counts towards the next instalments."
        ),
        "stops": "While the plan is kept: {stops}.",
        "dunning": "no reminders are sent for these invoices",
        "late_fees": "no late fees are charged for them",
        "autopay": "automatic payments leave these invoices out",
        "autopay_on": "automatic payments, if they are set up, pay the instalments",
        "break": (
            "An instalment may be paid up to {grace} days late. If {missed} instalments are not paid by "
            "then, the plan ends and all that is left is due at once."
        ),
        "break_one": (
            "An instalment may be paid up to {grace} days late. If one is not paid by then, the plan ends "
            "and all that is left is due at once."
        ),
        "talk": "If paying becomes harder, please tell {organization} before an instalment is due.",
    },
    "de": {
        "parties": "{customer} und {organization} vereinbaren, dass {customer} {total} in Raten zahlt.",
        "invoices": "Der Plan umfasst diese Rechnungen: {invoices}.",
        "discount": (
            "{organization} ermäßigt die Schuld um {discount}, sobald der Plan beginnt. Die Ermäßigung "
            "bleibt, auch wenn der Plan vorzeitig endet."
        ),
        "instalments": "Die Raten sind:",
        "line": "{number}. {amount} bis zum {day}",
        "free": (
            "Die Ratenzahlung kostet nichts: weder Gebühr noch Zinsen. Früher oder mehr zu zahlen ist "
            "jederzeit möglich; was darüber hinaus gezahlt wird, zählt für die nächsten Raten."
        ),
        "stops": "Solange der Plan eingehalten wird: {stops}.",
        "dunning": "werden zu diesen Rechnungen keine Mahnungen verschickt",
        "late_fees": "werden dafür keine Verzugsgebühren berechnet",
        "autopay": "lassen automatische Zahlungen diese Rechnungen aus",
        "autopay_on": "zahlen automatische Zahlungen, falls eingerichtet, die Raten",
        "break": (
            "Eine Rate darf bis zu {grace} Tage verspätet gezahlt werden. Sind {missed} Raten dann nicht "
            "gezahlt, endet der Plan, und der ganze Rest ist sofort fällig."
        ),
        "break_one": (
            "Eine Rate darf bis zu {grace} Tage verspätet gezahlt werden. Ist eine dann nicht gezahlt, "
            "endet der Plan, und der ganze Rest ist sofort fällig."
        ),
        "talk": "Wird das Zahlen schwerer, sagen Sie es {organization} bitte, bevor eine Rate fällig ist.",
    },
    "ar": {
        "parties": "يتفق {customer} و{organization} على أن يسدد {customer} مبلغ {total} على أقساط.",
        "invoices": "تشمل الخطة هذه الفواتير: {invoices}.",
        "discount": (
            "يخفض {organization} الدين بمقدار {discount} عند بدء الخطة، ويبقى التخفيض حتى لو انتهت الخطة "
            "مبكرًا."
        ),
        "instalments": "الأقساط هي:",
        "line": "{number}. {amount} حتى {day}",
        "free": (
            "السداد على أقساط مجاني: لا رسوم ولا فوائد. يمكن السداد مبكرًا أو بمبلغ أكبر في أي وقت، وما "
            "يزيد يُحسب من الأقساط التالية."
        ),
        "stops": "ما دامت الخطة ملتزمًا بها: {stops}.",
        "dunning": "لا تُرسل تذكيرات بشأن هذه الفواتير",
        "late_fees": "لا تُحسب عليها رسوم تأخير",
        "autopay": "تستثني الدفعات التلقائية هذه الفواتير",
        "autopay_on": "تسدد الدفعات التلقائية، إن كانت مفعّلة، الأقساط",
        "break": (
            "يجوز سداد القسط متأخرًا حتى {grace} أيام. إذا لم تُسدد {missed} أقساط حتى ذلك الحين تنتهي "
            "الخطة ويستحق كل المتبقي فورًا."
        ),
        "break_one": (
            "يجوز سداد القسط متأخرًا حتى {grace} أيام. إذا لم يُسدد قسط حتى ذلك الحين تنتهي الخطة ويستحق "
            "كل المتبقي فورًا."
        ),
        "talk": "إذا صار السداد أصعب فيرجى إبلاغ {organization} قبل استحقاق القسط.",
    },
}
_COMMA: Final = {"en": "; ", "de": "; ", "ar": "؛ "}


@dataclass(frozen=True, slots=True)
class Terms:
    """Words, their SHA-256, and their language."""

    text: str
    hash: str
    locale: str


def terms_text(plan: InstalmentPlan, customer: Customer, organization: Organization, locale: str) -> Terms:
    """The terms in a language, English where we do not speak it. The same plan gives the same words."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    language = language if language in LANGUAGES else "en"
    # Digits and days as readers of the plain language write them: the hash must not depend on a region.
    words = _WORDS[language]
    names = {"customer": customer.name, "organization": organization.display_name or organization.name}

    def money(amount: Money) -> str:
        return format_money(amount, language)

    def day(one: date) -> str:
        return format_date(one, "long", locale=language)

    numbers = (f"{one.number} ({money(one.at_start)})" for one in plan.invoices)
    paragraphs = [
        words["parties"].format(total=money(plan.schedule.total), **names),
        words["invoices"].format(invoices=_COMMA[language].join(numbers)),
    ]
    if not plan.discount.is_zero:
        paragraphs.append(words["discount"].format(discount=money(plan.discount), **names))
    lines = [
        words["line"].format(number=one.number, amount=money(one.amount), day=day(one.due_on))
        for one in plan.schedule.instalments
    ]
    paragraphs += ["\n".join([words["instalments"], *lines]), words["free"], _stops(plan, language)]
    missed = plan.rules.missed_to_break
    pattern = words["break_one" if missed == 1 else "break"]
    paragraphs += [
        pattern.format(grace=plan.rules.grace_days, missed=missed),
        words["talk"].format(**names),
    ]
    text = "\n\n".join(paragraphs)
    return Terms(text, hashlib.sha256(text.encode()).hexdigest(), language)


def _stops(plan: InstalmentPlan, language: str) -> str:
    words, rules = _WORDS[language], plan.rules
    found = [
        words[name]
        for name, is_stopped in (("dunning", rules.stops_dunning), ("late_fees", rules.stops_late_fees))
        if is_stopped
    ]
    found.append(words["autopay"] if rules.stops_autopay else words["autopay_on"])
    return words["stops"].format(stops=_COMMA[language].join(found))
