"""Templates: Jinja with autoescape, our components, and words, money and dates in the reader's language."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined

from chassis.money import Money
from services.gateway.web import languages
from services.gateway.web.icons import icon
from services.gateway.web.pictures import stacked_bar, trend
from services.gateway.web.statuses import (
    invoice_status,
    method_state,
    payment_status,
    run_status,
    skip_reason,
)
from services.gateway.web.typed import amount_field, number_field
from tallyport.common.v1.money_pb2 import Money as MoneyMessage

_GATEWAY = Path(__file__).parent.parent
_TEMPLATE_FOLDERS = (
    _GATEWAY / "web" / "templates",
    _GATEWAY / "portal" / "templates",
    _GATEWAY / "console" / "templates",
)


def money_of(message: MoneyMessage) -> Money:
    """The contract's money as ours."""
    return Money(message.minor_units, message.currency)


def _money(value: Money | MoneyMessage | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, MoneyMessage):
        if not value.currency:
            return "–"
        value = money_of(value)
    return languages.money_text(value)


def _instant(value: Any, zone: str = "UTC", style: languages.Style = "medium") -> str:
    if value is None or (hasattr(value, "seconds") and not value.seconds):
        return "–"
    moment = value if isinstance(value, datetime) else value.ToDatetime(tzinfo=UTC)
    return languages.instant_text(moment, zone, style)


def _sources(folders: Sequence[Path]) -> dict[str, str]:
    """Every template by its name, read once: newer files under a running process would want names it does not have."""
    files = (
        (file.relative_to(folder).as_posix(), file)
        for folder in reversed(folders)
        for file in folder.rglob("*.html")
    )
    return {name: file.read_text("utf-8") for name, file in files}


class Templates:
    """The template environment of one process."""

    def __init__(
        self,
        address_of: Callable[[str], str],
        folders: Sequence[Path] = _TEMPLATE_FOLDERS,
        *,
        compile_now: bool = False,
    ) -> None:
        """`compile_now` takes a second or two, and nobody waits for the first page of its kind later."""
        environment = Environment(
            loader=DictLoader(_sources(folders)),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            auto_reload=False,
            cache_size=-1,
        )
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            languages.gettext,
            languages.ngettext,
            newstyle=True,
            pgettext=languages.pgettext,
            npgettext=languages.npgettext,
        )
        environment.filters.update(
            money=_money,
            plain=amount_field,
            number=number_field,
            day=languages.date_text,
            instant=_instant,
            listed=languages.list_text,
            quantity=languages.quantity_text,
        )
        environment.globals.update(
            icon=icon,
            asset=address_of,
            stacked_bar=stacked_bar,
            trend=trend,
            invoice_status=invoice_status,
            payment_status=payment_status,
            method_state=method_state,
            run_status=run_status,
            skip_reason=skip_reason,
            language_names=languages.NAMES,
        )
        for name in environment.list_templates() if compile_now else ():
            environment.get_template(name)
        self._environment = environment

    def render(self, template: str, language: languages.Language, **data: Any) -> str:
        """The page as text."""
        with languages.speaking(language):
            return self._environment.get_template(template).render(language=language, **data)
