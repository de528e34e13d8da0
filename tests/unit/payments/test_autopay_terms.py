"""Terms of automatic payments, in the language of whoever agrees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.payments.domain.autopay import AutopaySettings, Scope
from services.payments.domain.autopay_terms import language_of, terms_of

_SETTINGS = st.builds(
    AutopaySettings,
    customer_id=st.just("cus_1"),
    enabled=st.just(True),
    scope=st.sampled_from(Scope),
    prefixes=st.just(("BOAT", "DOCK")),
    days_before_due=st.integers(-14, 30),
    day_of_month=st.integers(0, 28),
    notice_days=st.integers(0, 14),
    cap=st.none() | st.just(Money(123_456, "EUR")),
)


@given(_SETTINGS, st.sampled_from(["en-US", "de", "de_AT", "ar", "fr", ""]))
def test_every_setting_is_said_in_every_language(settings: AutopaySettings, locale: str) -> None:
    text = terms_of(settings, name="Harbor {x}", method="Visa 4242", locale=locale)
    assert language_of(text) == {"de": "de", "ar": "ar"}.get(locale[:2], "en")
    said = ["Harbor {x}", "Visa 4242", str(settings.notice_days)]
    said += [str(settings.day_of_month)] if settings.day_of_month else []
    said += settings.prefixes if settings.scope is Scope.CHOSEN else []
    assert all(words in text for words in said)
    assert ("{" in text.replace("{x}", "")) is False
    assert ("234" in text or "٢٣٤" in text) is (settings.cap is not None)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("de-DE", "mehr als 1.234,56\xa0€ erfolgt nur, wenn ich ihr zustimme"),
        ("en-US", "more than €1,234.56 is made"),
    ],
)
def test_amounts_are_written_as_the_payer_writes_them(locale: str, words: str) -> None:
    settings = AutopaySettings(customer_id="cus_1", enabled=True, cap=Money(123_456, "EUR"))
    assert words in terms_of(settings, name="Hafen GmbH", method="Visa 4242", locale=locale)
