"""A byte stream decoded into blocks of whole lines of text."""

import codecs
import io
from collections.abc import Iterator
from typing import IO, Final

__all__ = ["text_blocks"]

_BLOCK_BYTES: Final = 8_000_000


def text_blocks(stream: IO[bytes], encoding: str, head: bytes = b"") -> Iterator[str]:
    """Cut a text into blocks of whole lines; bytes that fit no character become U+FFFD.

    `head` was read from the stream before.
    """
    decode = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)("replace"), translate=True)
    rest = ""
    data = head or stream.read(_BLOCK_BYTES)
    while data:
        piece = decode.decode(data)
        cut = piece.rfind("\n") + 1
        if cut == 0 and len(rest) < 2 * _BLOCK_BYTES:
            rest += piece
        else:
            yield rest + piece[:cut]
            rest = piece[cut:]
        data = stream.read(_BLOCK_BYTES)
    rest += decode.decode(b"", final=True)
    if rest:
        yield rest
