"""A file between preview and import: kept in the form itself, so that what was looked at is what is imported."""

import base64
import binascii
import zlib

from services.gateway.web.page import Page

FIELD = "held"
LARGEST_FILE_BYTES = 8 * 1024 * 1024
_LARGEST_FIELD_CHARACTERS = 9 * 1024 * 1024


def pack(content: bytes) -> str | None:
    """For a hidden field; None for a file that cannot be made small enough to come back with a form."""
    text = base64.b64encode(zlib.compress(content, 6)).decode()
    return text if len(text) <= _LARGEST_FIELD_CHARACTERS else None


def unpack(text: str) -> bytes | None:
    """The file again; None for what is none of ours, or would become larger than a file may be."""
    try:
        inflater = zlib.decompressobj()
        content = inflater.decompress(base64.b64decode(text, validate=True), LARGEST_FILE_BYTES + 1)
    except (binascii.Error, zlib.error, ValueError):
        return None
    return content if inflater.eof and 0 < len(content) <= LARGEST_FILE_BYTES else None


async def held_file(page: Page) -> bytes | None:
    """What the form brought back: read past the limit that fields typed by people have."""
    found = (await page.request.form()).get(FIELD)
    return unpack(found) if isinstance(found, str) else None
