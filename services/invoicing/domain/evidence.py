"""Files that people show in a dispute: what they may be is told by their content, never by their name."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import Kind, ServiceError
from services.invoicing.domain.dispute import Side

MOST_FILES = 10
MOST_BYTES = 5 * 1024 * 1024
_MOST_NAME = 120
_ENDINGS = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "text/plain": ".txt"}
_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
_KEPT = frozenset(" -_().,")
_TEXT_CONTROLS = frozenset("\t\n\r\f")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file of a dispute."""

    evidence_id: str
    file_name: str
    media_type: str
    size_bytes: int
    side: Side
    created_at: datetime


def sniff(content: bytes) -> str:
    """The media type of allowed content. EVIDENCE_NOT_ALLOWED for anything else, and for too much."""
    if not content or len(content) > MOST_BYTES:
        raise _refused("A file may have 5 MB at most, and must not be empty.")
    for signature, media_type in _SIGNATURES:
        if content.startswith(signature):
            return media_type
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused("Only PDF, PNG, JPEG and plain text can be added.") from None
    if any(unicodedata.category(sign) == "Cc" and sign not in _TEXT_CONTROLS for sign in text):
        raise _refused("Only PDF, PNG, JPEG and plain text can be added.")
    return "text/plain"


def safe_name(name: str, media_type: str) -> str:
    """The last part of a name, with letters, digits and few signs only, and the ending of what it really is."""
    last = name.replace("\\", "/").rpartition("/")[2]
    last = unicodedata.normalize("NFC", last)
    clean = "".join(sign if sign.isalnum() or sign in _KEPT else "_" for sign in last)
    stem = clean.rpartition(".")[0] if "." in clean.strip(". ") else clean
    stem = stem.strip(". _")[:_MOST_NAME].strip(". _") or "file"
    return stem + _ENDINGS[media_type]


def _refused(message: str) -> ServiceError:
    return ServiceError(Kind.INVALID_ARGUMENT, "EVIDENCE_NOT_ALLOWED", message)
