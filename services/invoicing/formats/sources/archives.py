"""Archives whose sizes are known before anything in them is unpacked."""

import io
import zipfile
from collections.abc import Iterator

from services.invoicing.formats.sources.reading import UnreadableFile

MAX_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
MAX_RATIO = 200
_SMALL_BYTES = 256 * 1024
"""Below this no ratio is suspicious."""
_CHUNK_BYTES = 64 * 1024
_OVERLAP_BYTES = 64
_REFUSED = (b"<!DOCTYPE", b"<!ENTITY")
_BROKEN = (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError, RuntimeError, LookupError)


def open_archive(content: bytes) -> zipfile.ZipFile:
    """The archive; UnreadableFile if it is broken, encrypted, or would unpack to more than it may.

    Python unpacks no more of a member than the directory of the archive announces, so that these sizes hold.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except _BROKEN:
        raise UnreadableFile("The archive is broken. Save the file again.") from None
    if len(members) > MAX_MEMBERS:
        raise UnreadableFile(f"The archive holds more than {MAX_MEMBERS} files. Split it.")
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableFile("The file is encrypted. Save it without a password.")
    unpacked = sum(member.file_size for member in members)
    suspicious = any(
        member.file_size > _SMALL_BYTES and member.file_size > MAX_RATIO * max(1, member.compress_size)
        for member in members
    )
    if unpacked > MAX_UNPACKED_BYTES or suspicious:
        raise UnreadableFile("The file unpacks to far more than it may. Split it.")
    return archive


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member; UnreadableFile if it is broken."""
    try:
        return archive.read(name)
    except (*_BROKEN, zipfile.zlib.error):  # type: ignore[attr-defined]
        raise UnreadableFile(f"“{name[:80]}” in the archive is broken. Save the file again.") from None


def refuse_entities(archive: zipfile.ZipFile) -> None:
    """UnreadableFile if an XML file in the archive has a document type: a parser must not even begin with it."""
    for member in archive.infolist():
        if member.filename.lower().endswith((".xml", ".rels", ".vml")) and any(
            word in chunk for chunk in _chunks(archive, member) for word in _REFUSED
        ):
            raise UnreadableFile(
                "The file holds XML with a document type. Save it again as an Excel workbook."
            )


def _chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member piece by piece, in capitals and without the zeros of UTF-16; a word may span two pieces."""
    rest = b""
    try:
        with archive.open(member) as opened:
            while piece := opened.read(_CHUNK_BYTES):
                chunk = rest + piece.replace(b"\0", b"").upper()
                yield chunk
                rest = chunk[-_OVERLAP_BYTES:]
    except (*_BROKEN, zipfile.zlib.error):  # type: ignore[attr-defined]
        raise UnreadableFile("The archive is broken. Save the file again.") from None
