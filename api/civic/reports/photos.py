"""Photos are never kept as sent: they are read as pictures, turned upright, made smaller and written anew.

So nothing survives but pixels: no place or device in EXIF, no second file hidden behind the first, no script.
"""

import dataclasses
import hashlib
import io

from PIL import Image, ImageOps

from geo.errors import InputError

__all__ = ["LARGEST_BYTES", "Photo", "written_anew"]

LARGEST_BYTES = 10_000_000
MOST_PIXELS = 60_000_000
"""A picture with more is refused before any of it is unpacked; phones take up to some 50 million."""
MOST_PLAIN_PIXELS = 25_000_000
"""The same for formats that can only be unpacked whole: 100 MB of memory."""
LONGEST_SIDE = 1_600
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")


@dataclasses.dataclass(frozen=True, slots=True)
class Photo:
    """A JPEG picture, fit to be shown."""

    body: bytes
    digest: str
    """SHA-256, hexadecimal."""
    width: int
    height: int


def written_anew(sent: bytes) -> Photo:
    """Return the picture in a file.

    Parameters
    ----------
    sent : bytes
        JPEG, PNG or WebP, whatever it is called.

    Raises
    ------
    InputError
        When it is too large, too many pixels, or no picture.
    """
    if len(sent) > LARGEST_BYTES:
        raise InputError(f"the photo has {len(sent)} bytes; allowed are {LARGEST_BYTES}")
    try:
        picture = _small(sent)
    except InputError:
        raise
    except Exception as error:
        # Decoders raise whatever comes to hand on broken files; a warning may have been made an error.
        raise InputError("the photo cannot be read: send a JPEG, PNG or WebP picture") from error
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, optimize=True)
    body = out.getvalue()
    return Photo(body, hashlib.sha256(body).hexdigest(), *picture.size)


def _small(sent: bytes) -> Image.Image:
    """Return upright pixels without anything else."""
    with Image.open(io.BytesIO(sent), formats=FORMATS) as opened:
        pixels = opened.width * opened.height
        most = MOST_PIXELS if opened.format == "JPEG" else MOST_PLAIN_PIXELS
        if pixels > most:
            raise InputError(f"the photo has {pixels} pixels; allowed are {most}")
        if opened.format == "JPEG":
            # Unpacked to a half, a quarter or an eighth: as large as is needed and no larger.
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        upright = ImageOps.exif_transpose(opened)
        if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
            flat = upright.convert("RGBA")
            ground = Image.new("RGBA", flat.size, "white")
            upright = Image.alpha_composite(ground, flat)
        plain = upright.convert("RGB")
        plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        # A new picture with the pixels alone: what hangs on the old one (profiles, comments) is left behind.
        bare = Image.new("RGB", plain.size)
        bare.paste(plain)
        return bare
