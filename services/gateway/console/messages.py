"""What was mailed, what could not be, and trying again."""

import asyncio

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.asking import REFUSALS
from services.gateway.console.words import WORDS
from services.gateway.web import problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page, local_path
from tallyport.notifications.v1.messages_pb2 import (
    ListMessagesRequest,
    Message,
    MessageState,
    RetryMessageRequest,
)

_STATES = {
    "all": MessageState.MESSAGE_STATE_UNSPECIFIED,
    "failed": MessageState.MESSAGE_STATE_FAILED,
    "queued": MessageState.MESSAGE_STATE_QUEUED,
    "sent": MessageState.MESSAGE_STATE_SENT,
}
_PAGE_SIZE = 50
_SHOWN_FAILED = 10


async def _list(
    page: Page, state: "MessageState.ValueType", *, size: int, token: str = ""
) -> tuple[list[Message], str]:
    request = ListMessagesRequest(state=state, page_size=size, page_token=token)
    answer = await page.call(page.to.messages.ListMessages, request)
    return list(answer.messages), answer.next_page_token


@get("/messages", name="console.messages")
async def show(page: Page) -> Response[str]:
    """Everything, the newest first, below what failed."""
    chosen = page.query("show", "all")
    chosen = chosen if chosen in _STATES else "all"
    first = chosen == "all" and not page.query("page")
    (found, next_token), (failed, _more), organization = await asyncio.gather(
        _list(page, _STATES[chosen], size=_PAGE_SIZE, token=page.query("page")),
        _list(page, MessageState.MESSAGE_STATE_FAILED, size=_SHOWN_FAILED),
        page.organization(),
    )
    if first:
        found = [one for one in found if one.state != MessageState.MESSAGE_STATE_FAILED]
    tabs = {"all": _("All"), "failed": _("Not delivered"), "queued": _("Waiting"), "sent": _("Sent")}
    return page.render(
        "console_messages.html",
        failed=failed if first else [],
        messages=found,
        next_token=next_token,
        chosen=chosen,
        tabs=[(page.with_query(show=name, page=""), word, name == chosen) for name, word in tabs.items()],
        zone=organization.time_zone or "UTC",
        key=page.new_key(),
        **WORDS,
    )


@post("/messages/{message_id:str}/retry", name="console.message.retry")
async def retry(page: Page, message_id: FromPath[str]) -> Response[str]:
    """Back to where the button was."""
    back = local_path(page.form.text("back"), "/console/messages")
    try:
        await page.call(
            page.to.messages.RetryMessage,
            RetryMessageRequest(message_id=message_id),
            idempotency_key=f"{page.form.text('key')}-{message_id}"[:200],
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        page.flash("bad", problems.sentence(error))
    else:
        page.flash("good", _("It is being sent again."))
    return page.redirect(back)
