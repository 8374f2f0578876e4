"""The forms of studies as jobs."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from api.forms import Language, Schema

__all__ = [
    "FolderStudyIn",
    "ProgressOut",
    "PublishIn",
    "ResultFile",
    "ResultFiles",
    "ServedStudies",
    "ServedStudy",
    "StudyOut",
    "StudyPage",
    "StudyState",
]

StudyState = Literal["registered", "queued", "running", "done", "failed", "cancelled"]
StudyName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
ServedName = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class FolderStudyIn(Schema):
    """A study whose files are on the server already."""

    name: StudyName
    folder: Annotated[str, Field(min_length=1, max_length=400)]
    start: bool = True


class ProgressOut(Schema):
    """How far a study is."""

    stage: str
    done: int
    total: int


class StudyOut(Schema):
    """A study and what has become of it."""

    study_id: str
    name: str
    state: StudyState
    source: Literal["upload", "folder"]
    title: str
    city: str
    created: AwareDatetime
    started: AwareDatetime | None
    ended: AwareDatetime | None
    progress: ProgressOut | None
    error: str | None
    published: str | None


class StudyPage(Schema):
    """Studies in the order in which they were registered; `next` asks for the page after."""

    studies: list[StudyOut]
    next: str | None


class ResultFile(Schema):
    """One file of a result."""

    path: str
    bytes: int


class ResultFiles(Schema):
    """The files of a result, by name."""

    files: list[ResultFile]


class PublishIn(Schema):
    """The name under which a result is served."""

    name: ServedName | None


class ServedStudy(Schema):
    """A study that this service shows to everybody."""

    name: str | None
    address: str
    titles: dict[Language, str]
    cities: dict[Language, str]
    timezone: str
    period: tuple[str, str]


class ServedStudies(Schema):
    """All studies that this service shows, the one without a name first."""

    studies: list[ServedStudy]
