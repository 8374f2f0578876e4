"""Photos: only pixels come through, whatever is sent; nothing large is ever unpacked."""

import contextlib
import io
import random
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from api.civic.reports.photos import LARGEST_BYTES, LONGEST_SIDE, written_anew
from geo.errors import InputError

SCRIPT = b"<script>alert(document.cookie)</script>"
WHERE = "116.3974E-39.9087N"


def sent(form: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **more: object) -> bytes:
    out = io.BytesIO()
    noise = random.Random(1).randbytes(size[0] * size[1] * len(Image.new(mode, (1, 1)).tobytes()))
    Image.frombytes(mode, size, noise).save(out, form, **more)
    return out.getvalue()


def kept(body: bytes) -> Image.Image:
    photo = written_anew(body)
    shown = Image.open(io.BytesIO(photo.body), formats=("JPEG",))
    assert shown.size == (photo.width, photo.height)
    shown.load()
    return shown


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, rows: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_place_time_device_comment_and_profile_are_left_behind() -> None:
    exif = Image.Exif()
    exif[0x010F] = WHERE
    exif[0x9003] = "2026:03:04 12:00:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (39.0, 54.0, 31.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngInfo()
    text.add_text("Comment", WHERE)
    text.add_itxt("XML:com.adobe.xmp", f"<x>{WHERE}</x>")
    bodies = [
        sent(exif=exif, comment=WHERE.encode(), icc_profile=profile),
        sent("PNG", pnginfo=text, exif=exif),
        sent("WEBP", exif=exif, xmp=f"<x>{WHERE}</x>".encode()),
    ]
    for body in bodies:
        assert WHERE.encode() in body
        photo = written_anew(body)
        assert WHERE.encode() not in photo.body
        assert b"Exif" not in photo.body
        shown = kept(body)
        assert not shown.getexif()
        assert set(shown.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("form", ["WEBP", "PNG"])
def test_of_a_moving_picture_one_still_is_kept_without_its_place(form: str) -> None:
    """Lurker 516: animated pictures went through as they were, place and all."""
    exif = Image.Exif()
    exif[0x010F] = WHERE
    frames = [Image.new("RGB", (32, 24), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], exif=exif)
    assert WHERE.encode() in out.getvalue()
    assert kept(out.getvalue()).format == "JPEG"
    assert WHERE.encode() not in written_anew(out.getvalue()).body


@pytest.mark.parametrize("turn", range(1, 9))
def test_photos_are_turned_upright_before_what_says_so_is_thrown_away(turn: int) -> None:
    """As in FixMyStreet 5892: portrait photos came out lying."""
    exif = Image.Exif()
    exif[0x0112] = turn
    assert kept(sent(size=(80, 40), exif=exif)).size == ((40, 80) if turn > 4 else (80, 40))


@pytest.mark.parametrize(
    "body",
    [
        SCRIPT,
        b"GIF89a" + SCRIPT,
        b"%PDF-1.4\n" + SCRIPT,
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"",
        b"\xff\xd8\xff\xe0",
        sent("GIF", mode="L"),
        sent("TIFF"),
        sent("BMP"),
        sent()[:200],
        sent("PNG")[:200],
        b"PK\x03\x04" + sent(),
    ],
    ids=["script", "gif", "pdf", "svg", "empty", "head", "realgif", "tiff", "bmp", "cut", "cutpng", "zip"],
)
def test_what_is_no_picture_is_refused_in_one_sentence(body: bytes) -> None:
    with pytest.raises(InputError, match="send a JPEG, PNG or WebP picture"):
        written_anew(body)


def test_a_second_file_behind_the_picture_does_not_come_through() -> None:
    """Polyglots: a picture that is also a page, an archive or a script."""
    for tail in (SCRIPT, b"PK\x05\x06" + bytes(18), b"%PDF-1.4", b"<?php system($_GET[0]);"):
        for form in ("JPEG", "PNG", "WEBP"):
            photo = written_anew(sent(form) + tail)
            assert tail not in photo.body
            assert photo.body.startswith(b"\xff\xd8")
            assert photo.body.endswith(b"\xff\xd9")
    commented = sent(comment=b"*/=" + SCRIPT + b"/*")
    assert SCRIPT not in written_anew(commented).body


def test_bombs_are_refused_before_they_are_unpacked() -> None:
    bombs = [
        png(30_000, 30_000, zlib.compress(bytes(1_000_000), 9)),
        png(6_000, 6_000, zlib.compress(bytes(100_000_000), 9)),
        png(2**31 - 1, 1, b""),
    ]
    tracemalloc.start()
    for bomb in bombs:
        assert len(bomb) < 200_000
        with pytest.raises(InputError):
            written_anew(bomb)
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()
    text = chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(200_000_000), 9))
    loaded = sent("PNG")
    with pytest.raises(InputError):
        written_anew(loaded[:33] + text + loaded[33:])
    with pytest.raises(InputError, match="allowed are 10000000"):
        written_anew(bytes(LARGEST_BYTES + 1))


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        ("PNG", "1"), ("PNG", "L"), ("PNG", "LA"), ("PNG", "P"), ("PNG", "RGBA"), ("PNG", "I;16"),
        ("JPEG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGBA"),
    ],
)  # fmt: skip
def test_every_sort_of_pixels_becomes_a_plain_picture(form: str, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (30, 20)).save(out, form)
    shown = kept(out.getvalue())
    assert (shown.mode, shown.size) == ("RGB", (30, 20))


def test_what_is_see_through_stands_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(out, "PNG")
    assert kept(out.getvalue()).getpixel((4, 4)) == (255, 255, 255)


def test_large_photos_are_made_smaller_and_small_ones_stay() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8_000, 6_000), "green").save(out, "JPEG")
    assert kept(out.getvalue()).size == (LONGEST_SIDE, LONGEST_SIDE * 3 // 4)
    assert kept(sent(size=(1, 1))).size == (1, 1)
    assert kept(sent("PNG", (3_000, 1))).size == (LONGEST_SIDE, 1)


GOOD = [sent(), sent("PNG"), sent("WEBP"), sent("JPEG", progressive=True)]


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), max_size=12),
    st.integers(0, 4_000),
    st.binary(max_size=40),
)
def test_broken_files_give_a_picture_or_one_sentence(
    good: bytes, changes: list[tuple[int, int]], cut: int, tail: bytes
) -> None:
    body = bytearray(good)
    for at, value in changes:
        body[at % len(body)] = value
    mangled = bytes(body[: max(len(body) - cut, 0)]) + tail
    with contextlib.suppress(InputError):
        photo = written_anew(mangled)
        assert photo.body[:2] == b"\xff\xd8"
        assert max(photo.width, photo.height) <= LONGEST_SIDE


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_any_bytes_give_one_sentence(body: bytes) -> None:
    with pytest.raises(InputError):
        written_anew(body)
