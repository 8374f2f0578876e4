"""A byte stream as blocks of whole lines in UTF-8, whatever its encoding.

The encoding ``auto`` is settled over the whole file, not by its beginning: as long as bytes fit UTF-8 they
are taken so. The first block that does not fit is asked line by line: where lines that fit only GB 18030
(which includes GBK and GB 2312) are the rule the file goes on in it, where they are the exception they are
damage, and each damaged character becomes U+FFFD.
"""

import codecs
import io
from collections.abc import Iterator
from typing import IO, Final

__all__ = ["Decoder", "utf8_blocks"]

_BLOCK_BYTES: Final = 8_000_000
_LONGEST_LINE: Final = 4 * _BLOCK_BYTES
_UTF8: Final = ("utf-8", "utf8", "utf-8-sig")
_GB: Final = ("gb2312", "gb-2312", "gbk", "cp936", "gb18030")
_DAMAGE_SHARE: Final = 0.1


class Decoder:
    """Brings blocks of whole lines to UTF-8; remembers what the blocks before were."""

    def __init__(self, declared: str) -> None:
        word = declared.lower().replace("_", "-")
        # Files that say GB 2312 or GBK hold characters of GB 18030, which includes both.
        self.declared = "gb18030" if word in _GB else word
        self.utf8_lines = self.gb_lines = self.damaged_lines = 0

    @property
    def name(self) -> str:
        """The encoding so far, in words."""
        if self.declared != "auto":
            return self.declared
        if self.gb_lines == 0:
            return "utf-8"
        return "gb18030" if self.utf8_lines == 0 else "utf-8 and gb18030"

    def block(self, data: bytes) -> bytes:
        """Return one block in UTF-8."""
        if self.declared in _UTF8 or self.declared == "auto":
            if data.isascii():
                return data
            try:
                data.decode("utf-8")
            except UnicodeDecodeError:
                return self._by_lines(data) if self.declared == "auto" else _replaced(data, "utf-8")
            self.utf8_lines += 1
            return data
        return _replaced(data, self.declared)

    def _by_lines(self, data: bytes) -> bytes:
        if self.gb_lines and not self.utf8_lines and _fits(data, "gb18030"):
            self.gb_lines += 1
            return _replaced(data, "gb18030")
        lines = data.split(b"\n")
        kinds = bytearray(len(lines))  # 0 ASCII, 1 UTF-8, 2 GB 18030, 3 neither
        for i, line in enumerate(lines):
            if not line.isascii():
                kinds[i] = 1 if _fits(line, "utf-8") else 2 if _fits(line, "gb18030") else 3
        utf8, gb = kinds.count(1), kinds.count(2)
        if self.gb_lines > self.utf8_lines + utf8 or gb > 4 * (self.utf8_lines + utf8):
            # A few short lines of GB 18030 fit UTF-8 by chance.
            self.gb_lines += gb + utf8
            return _replaced(data, "gb18030")
        self.utf8_lines += utf8
        mixed = gb > _DAMAGE_SHARE * (utf8 + gb)
        self.gb_lines += gb if mixed else 0
        self.damaged_lines += kinds.count(3) + (0 if mixed else gb)
        for i, kind in enumerate(kinds):
            if kind > 1:
                lines[i] = _replaced(lines[i], "gb18030" if kind == 2 and mixed else "utf-8")
        return b"\n".join(lines)


def _fits(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _replaced(data: bytes, encoding: str) -> bytes:
    return data.decode(encoding, "replace").encode("utf-8", "replace")


def _wide(head: bytes, declared: str) -> str | None:
    """Return the encoding where a line feed may be part of another character, or None."""
    if declared != "auto":
        codec = codecs.lookup(declared).name
        return declared if codec.startswith(("utf-16", "utf-32", "utf-7", "hz", "iso2022")) else None
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    sample = head[:4096]
    if len(sample) > 8 and sample.count(0) > len(sample) // 4:
        return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
    return None


def utf8_blocks(
    stream: IO[bytes], decoder: Decoder, block_bytes: int = _BLOCK_BYTES, ends: bytes = b"\n"
) -> Iterator[bytes]:
    """Cut a stream into blocks of whole lines in UTF-8, without byte order mark and carriage returns.

    Parameters
    ----------
    stream
        The bytes.
    decoder
        Its encoding, declared or to be found.
    block_bytes
        How much to read at a time.
    ends
        Byte after which may be cut; ``>`` for XML.
    """
    data = stream.read(block_bytes)
    wide = _wide(data, decoder.declared)
    if wide is not None:
        decoder.declared = wide
        yield from _wide_blocks(stream, data, wide, block_bytes)
        return
    data = data.removeprefix(b"\xef\xbb\xbf")
    rest: list[bytes] = []
    held = 0
    carriage = False
    while data:
        coming = stream.read(block_bytes)
        carriage = carriage or b"\r" in data
        cut = data.rfind(ends) + 1
        if cut == 0 and carriage and ends == b"\n":
            # Lines that end with a carriage return alone; not the last byte, a line feed may follow it.
            cut = data.rfind(b"\r", 0, len(data) - 1) + 1
        if not coming:
            cut = 0
        if cut == 0 and held + len(data) < _LONGEST_LINE:
            rest.append(data)
            held += len(data)
        else:
            cut = cut or len(data)
            yield decoder.block(_line_feeds(b"".join([*rest, memoryview(data)[:cut]]), carriage))
            rest, held = [data[cut:]], len(data) - cut
        data = coming
    last = b"".join(rest)
    if last:
        yield decoder.block(_line_feeds(last, carriage))


def _line_feeds(data: bytes, carriage: bool) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if carriage else data


def _wide_blocks(stream: IO[bytes], data: bytes, encoding: str, block_bytes: int) -> Iterator[bytes]:
    decode = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)("replace"), translate=True)
    rest = ""
    while data:
        piece = rest + decode.decode(data)
        cut = piece.rfind("\n") + 1
        if cut == 0 and len(piece) > _LONGEST_LINE:
            cut = len(piece)
        if cut:
            yield piece[:cut].removeprefix("\ufeff").encode("utf-8", "replace")
        rest = piece[cut:]
        data = stream.read(block_bytes)
    rest += decode.decode(b"", final=True)
    if rest:
        yield rest.encode("utf-8", "replace")
