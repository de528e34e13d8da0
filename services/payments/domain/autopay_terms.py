"""What a payer agrees to with automatic payments, all of it, in the payer's own language."""

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.money import format_money
from services.payments.domain.autopay import AutopaySettings, Scope

FALLBACK = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """The sentences of one language. `opening` tells it from the others."""

    opening: str
    whole: str
    all_invoices: str
    some_invoices: str
    on_day: str
    before: str
    after: str
    when_due: str
    cap: str
    comma: str = ", "


_WORDS: Mapping[str, _Words] = {
    "en": _Words(
        opening="I allow ",
        whole="I allow {name} to charge {method} for {which}, {when}. I am told by mail {notice} days before each"
        " payment.{cap} If a payment fails it may be tried again up to three times within 30 days. I can skip a"
        " payment, pause, or turn this off at any time until a payment starts.",
        all_invoices="all invoices",
        some_invoices="invoices whose number or purchase order number begins with {prefixes}",
        on_day="on day {day} of each month, whatever is due until then",
        before="{days} days before each due date",
        after="{days} days after each due date",
        when_due="when due",
        cap=" A payment of more than {amount} is made only if I agree to it.",
    ),
    "de": _Words(
        opening="Ich erlaube ",
        whole="Ich erlaube {name}, {which} von {method} abzubuchen, und zwar {when}. {notice} Tage vor jeder Zahlung"
        " werde ich per E-Mail benachrichtigt.{cap} Schlägt eine Zahlung fehl, darf sie innerhalb von 30 Tagen bis zu"
        " dreimal wiederholt werden. Ich kann jederzeit, bis eine Zahlung beginnt, einzelne Zahlungen auslassen,"
        " pausieren oder alles ausschalten.",
        all_invoices="alle Rechnungen",
        some_invoices="Rechnungen, deren Nummer oder Bestellnummer mit {prefixes} beginnt,",
        on_day="am {day}. jedes Monats alles, was bis dahin fällig ist",
        before="{days} Tage vor jeder Fälligkeit",
        after="{days} Tage nach jeder Fälligkeit",
        when_due="bei Fälligkeit",
        cap=" Eine Zahlung von mehr als {amount} erfolgt nur, wenn ich ihr zustimme.",
    ),
    "ar": _Words(
        opening="أسمح ",
        whole="أسمح لـ {name} بالسحب من {method} لسداد {which}، {when}. أُبلَّغ بالبريد الإلكتروني قبل كل دفعة بـ"
        " {notice} يوم.{cap} إذا فشلت دفعة فيجوز إعادة المحاولة حتى ثلاث مرات خلال 30 يومًا. يمكنني تخطي دفعة أو"
        " الإيقاف المؤقت أو إيقاف الدفع التلقائي في أي وقت قبل أن تبدأ الدفعة.",
        all_invoices="جميع الفواتير",
        some_invoices="الفواتير التي يبدأ رقمها أو رقم أمر الشراء فيها بـ {prefixes}",
        on_day="في اليوم {day} من كل شهر عن كل ما يستحق حتى ذلك اليوم",
        before="قبل كل تاريخ استحقاق بـ {days} يوم",
        after="بعد كل تاريخ استحقاق بـ {days} يوم",
        when_due="عند الاستحقاق",
        cap=" لا تُنفَّذ دفعة تزيد على {amount} إلا بموافقتي.",
        comma="، ",
    ),
}


def terms_of(settings: AutopaySettings, *, name: str, method: str, locale: str) -> str:
    """The text for a payer who reads `locale`; in English where it is not written in that language."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    words = _WORDS.get(language)
    if words is None:
        words, locale = _WORDS[FALLBACK], FALLBACK
    cap = words.cap.format(amount=format_money(settings.cap, locale)) if settings.cap is not None else ""
    return words.whole.format(
        name=name, method=method, which=_which(settings, words), when=_when(settings, words),
        notice=settings.notice_days, cap=cap,
    )  # fmt: skip


def language_of(terms: str) -> str:
    """The language in which terms were agreed to."""
    return next((code for code, words in _WORDS.items() if terms.startswith(words.opening)), FALLBACK)


def _which(settings: AutopaySettings, words: _Words) -> str:
    if settings.scope is Scope.ALL:
        return words.all_invoices
    return words.some_invoices.format(prefixes=words.comma.join(settings.prefixes))


def _when(settings: AutopaySettings, words: _Words) -> str:
    if settings.day_of_month:
        return words.on_day.format(day=settings.day_of_month)
    if settings.days_before_due == 0:
        return words.when_due
    way = words.before if settings.days_before_due > 0 else words.after
    return way.format(days=abs(settings.days_before_due))
