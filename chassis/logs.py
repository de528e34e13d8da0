"""Log lines as JSON on standard error, with the call they belong to and without secrets or personal data."""

import logging
import sys
import traceback
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any, Final

import structlog
from google.protobuf.message import Message
from opentelemetry import trace

from chassis.caller import current_call_or_none
from chassis.contract import redacted

REDACTED: Final = "[redacted]"
_SECRET_WORDS: Final = ("password", "secret", "token", "authorization", "cookie", "api_key", "private_key")
_PERSONAL_KEYS: Final = frozenset({"email", "phone", "address", "name", "subject_name", "display_name"})
_MAX_FRAMES: Final = 30
_PLAIN_TYPES: Final = frozenset({str, int, float, bool, type(None)})

EventDict = dict[str, Any]


def configure_logging(service: str, level: str) -> None:
    """Routes structlog and the standard library's loggers to one JSON line a message."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_call(service),
        _redact,
        _render_exception,
    ]
    render = structlog.processors.JSONRenderer(default=str, ensure_ascii=False)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        logger_factory=lambda *_: _StandardError(),
        cache_logger_on_first_use=True,
    )
    handler = _StandardErrorHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


class _StandardError:
    """Writes each line at once, to whatever standard error is at that moment."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = exception = log = msg


class _StandardErrorHandler(logging.Handler):
    """The same for loggers of the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _StandardError().msg(self.format(record))
        except Exception:
            self.handleError(record)


def _add_call(service: str) -> structlog.typing.Processor:
    def add(_logger: object, _name: str, event: Any) -> Any:
        event["service"] = service
        call = current_call_or_none()
        if call is not None:
            event.setdefault("request_id", call.request_id)
            event.setdefault("organization_id", call.caller.organization_id)
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"] = f"{context.trace_id:032x}"
        return event

    return add


def _redact(_logger: object, _name: str, event: Any) -> Any:
    for key, value in event.items():
        if _is_private(key):
            if value is not None:
                event[key] = REDACTED
        elif type(value) in _PLAIN_TYPES:
            continue
        elif isinstance(value, Message):
            event[key] = redacted(value)
        elif isinstance(value, Mapping):
            event[key] = _redact(None, "", dict(value))
    return event


@lru_cache(maxsize=4096)
def _is_private(key: str) -> bool:
    return key in _PERSONAL_KEYS or any(word in key for word in _SECRET_WORDS)


def _render_exception(_logger: object, _name: str, event: Any) -> Any:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else None
    if error is not None:
        event["exception"] = describe_exception(error)
    return event


def describe_exception(error: BaseException) -> str:
    """Types, first lines and frames of an exception and its causes.

    Only the first line of each message: drivers and validators put the offending values on the later ones.
    """
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < 5:
        first_line = str(current).split("\n", 1)[0][:300]
        parts.append(f"{type(current).__module__}.{type(current).__qualname__}: {first_line}")
        parts[-1] += _frames(current.__traceback__)
        if isinstance(current, BaseExceptionGroup):
            parts.extend(describe_exception(inner) for inner in current.exceptions[:5])
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\ncaused by ".join(parts)


def _frames(tb: TracebackType | None) -> str:
    frames = traceback.extract_tb(tb, limit=-_MAX_FRAMES)
    return "".join(f"\n  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
