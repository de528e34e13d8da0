"""What a level of reminders says, in each language, with the letter as it would be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post

from chassis.errors import Kind, ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.dunning_pb2 import (
    DunningLetterPreview,
    DunningLevel,
    DunningPolicy,
    DunningText,
    ListDunningPoliciesRequest,
    PreviewDunningLetterRequest,
    PutDunningPolicyRequest,
)

_HERE = "/console/settings/dunning"
_MOST = 10
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_REFUSALS = (*REFUSALS, Kind.NOT_FOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A level of a policy that there is."""

    policy: DunningPolicy
    at: int

    @property
    def level(self) -> DunningLevel:
        return self.policy.levels[self.at]

    @property
    def address(self) -> str:
        return f"{_HERE}/texts?{urlencode({'segment': self.policy.segment, 'level': self.at + 1})}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEntry:
    """The text of a language as typed."""

    locale: str = ""
    title: str = ""
    text: str = ""

    @property
    def empty(self) -> bool:
        return not (self.locale or self.title or self.text)


async def _place(page: Page) -> Place:
    answer = await page.call(page.to.dunning.ListDunningPolicies, ListDunningPoliciesRequest())
    number = page.query("level", "1")
    at = int(number) - 1 if number.isdecimal() and len(number) < 3 else -1
    for policy in answer.policies:
        if policy.segment == page.query("segment") and 0 <= at < len(policy.levels):
            return Place(policy=policy, at=at)
    raise ServiceError(Kind.NOT_FOUND, "NOT_FOUND", _("There is no such level."))


@get("/settings/dunning/texts", name="console.settings.dunning.texts")
async def show(page: Page) -> Response[str]:
    """Each language, and room for another one."""
    place = await _place(page)
    entries = [TextEntry(locale=one.locale, title=one.title, text=one.text) for one in place.level.texts]
    return _page(page, place, entries)


@post("/settings/dunning/texts", name="console.settings.dunning.texts.save")
async def save(page: Page) -> Response[Any]:
    """Saves them; or shows what a reader gets, as text or as the letter, and keeps nothing."""
    require(page, "organization.write")
    place, entries, do = await _place(page), _typed(page.form), page.form.text("do")
    written = [one for one in entries if not one.empty]
    wrong = _mistakes(entries)
    if wrong:
        return _page(page, place, entries, errors=wrong)
    level = DunningLevel()
    level.CopyFrom(place.level)
    del level.texts[:]
    level.texts.extend(DunningText(locale=one.locale, title=one.title, text=one.text) for one in written)
    try:
        if do == "preview":
            shown = [await _preview(page, level, one.locale) for one in written]
            return _page(page, place, written, shown=shown)
        name, _separator, locale = do.partition(":")
        if name == "letter":
            letter = (await _preview(page, level, locale)).letter
            return page.document(letter.content, media_type=letter.media_type, file_name=letter.file_name)
        place.level.CopyFrom(level)
        await page.call(page.to.dunning.PutDunningPolicy, PutDunningPolicyRequest(policy=place.policy))
    except ServiceError as error:
        if error.kind not in _REFUSALS:
            raise
        return _page(page, place, entries, errors=_named(error), refused=_words(error))
    page.flash("good", _("Saved. It holds for every letter from now on."))
    return page.redirect(place.address)


async def _preview(page: Page, level: DunningLevel, locale: str) -> DunningLetterPreview:
    request = PreviewDunningLetterRequest(level=level, locale=locale)
    return await page.call(page.to.dunning.PreviewDunningLetter, request)


def _typed(form: Form) -> list[TextEntry]:
    columns = [form.all(name)[:_MOST] for name in ("locale", "title", "text")]
    return [
        TextEntry(locale=locale[:20], title=title[:120], text=text[:4000].replace("\r\n", "\n"))
        for locale, title, text in zip_longest(*columns, fillvalue="")
    ]


def _mistakes(entries: Sequence[TextEntry]) -> FieldErrors:
    wrong, seen = FieldErrors(), set()
    for at, one in enumerate(entries):
        if one.empty:
            continue
        if not _LOCALE.fullmatch(one.locale):
            wrong[f"locale-{at}"] = _("A language like en, de or pt-BR.")
        elif one.locale.lower() in seen:
            wrong[f"locale-{at}"] = _("This language is there already.")
        seen.add(one.locale.lower())
        for name in ("title", "text"):
            if not getattr(one, name):
                wrong[f"{name}-{at}"] = _("Please fill this in.")
    if not seen:
        wrong["text-0"] = _("A level needs a text in one language at least.")
    return wrong


def _named(error: ServiceError) -> FieldErrors:
    """Under the names of the form; what is empty in between does not shift them, since it comes last."""
    found = FieldErrors()
    for field, words in FieldErrors.of(error).items():
        if match := re.search(r"texts\[(\d+)\]\.(\w+)$", field):
            found[f"{match[2]}-{match[1]}"] = words
    return found


def _words(error: ServiceError) -> str:
    if error.reason == "INVOICE_NOT_FOUND":
        return _("There is no invoice yet that a letter could be shown with.")
    return "" if error.fields else problems.sentence(error)


def _page(
    page: Page,
    place: Place,
    entries: Sequence[TextEntry],
    *,
    errors: FieldErrors | None = None,
    refused: str = "",
    shown: Sequence[DunningLetterPreview] = (),
) -> Response[str]:
    has_room = not errors and len(entries) < _MOST and all(not one.empty for one in entries)
    room = [TextEntry()] if has_room else []
    return page.render(
        "console_dunning_texts.html",
        status=422 if errors or refused else 200,
        place=place,
        entries=[*entries, *room],
        shown=shown,
        may_change=page.may("organization.write"),
        errors=errors or FieldErrors(),
        refused=refused,
    )


SETTINGS: list[Any] = [show, save]
