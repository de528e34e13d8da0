"""Files in disputes: whatever their name and content, only four kinds come in, under harmless names."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ServiceError
from services.invoicing.domain.evidence import MOST_BYTES, safe_name, sniff

_ALLOWED = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "text/plain": ".txt"}


@given(st.text(max_size=2_000), st.sampled_from(sorted(_ALLOWED)))
def test_a_name_is_always_one_harmless_part_with_the_right_ending(name: str, media_type: str) -> None:
    safe = safe_name(name, media_type)
    assert safe.endswith(_ALLOWED[media_type])
    assert not set(safe) & set("/\\:*?\"<>|\r\n\0%;'")
    assert not safe.startswith(".")
    assert 4 < len(safe) <= 130
    assert safe.isprintable()


@given(st.binary(max_size=300))
def test_content_is_one_of_the_four_kinds_or_refused(content: bytes) -> None:
    media_type = ""
    with suppress(ServiceError):
        media_type = sniff(content)
    assert media_type in {"", *_ALLOWED}
    if media_type == "text/plain":
        assert "\0" not in content.decode()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7 ...", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        ("Die Kartons waren naß".encode(), "text/plain"),
        (b"<script>alert(1)</script>", "text/plain"),
    ],
)
def test_content_tells_what_it_is(content: bytes, media_type: str) -> None:
    assert sniff(content) == media_type


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04\x00\x00",
        b"MZ\x90\x00",
        b"GIF89a\x01\x00\xff",
        b"\xff\xfe<\x00",
        b"x" * (MOST_BYTES + 1),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(ServiceError) as refused:
        sniff(content)
    assert refused.value.reason == "EVIDENCE_NOT_ALLOWED"


def test_names_keep_what_people_wrote() -> None:
    assert (
        safe_name("C:\\Users\\ada\\Foto vom Karton (2).JPG.exe", "image/jpeg")
        == "Foto vom Karton (2).JPG.jpg"
    )
    assert safe_name("صورة.png", "image/png") == "صورة.png"
    assert safe_name("....", "text/plain") == "file.txt"
