"""Whatever colour an organization has, its pages can be read."""

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.web.brand import stylesheet
from services.gateway.web.colors import DEFAULT, contrast, shades

COLORS = st.integers(min_value=0, max_value=0xFFFFFF).map(lambda value: f"#{value:06x}")


@given(COLORS)
def test_text_on_buttons_and_links_on_pages_reach_their_contrast(color: str) -> None:
    light, dark = shades(color)
    for shade in (light, dark):
        assert contrast(shade.on_fill, shade.fill) >= 4.5
    for background in ("#ffffff", "#f5f6f8"):
        assert contrast(light.text, background) >= 4.5
    for background in ("#0f1217", "#171b22", "#1c2129"):
        assert contrast(dark.text, background) >= 4.5


@given(COLORS)
def test_text_stays_readable_on_a_button_under_the_pointer(color: str) -> None:
    for shade in shades(color):
        assert contrast(shade.on_fill, shade.fill_strong) >= 4.5


def test_contrast_is_what_the_guidelines_say() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21.0
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


def test_what_is_not_a_colour_becomes_the_default_and_never_reaches_the_stylesheet() -> None:
    assert shades("red;}body{display:none") == shades(DEFAULT)
    assert "display" not in stylesheet("#fff}body{display:none")
