"""What is warmed up at start is what the live service needs later."""

from pathlib import Path
from typing import Any

import pytest
from tiny_study import write_study

from api.http.offload import warm
from api.study.finished import load_finished
from routing.dispatch import City
from routing.refusal import relaxations


def test_the_first_refusal_in_a_large_fleet_finds_its_machine_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    passing: Any = relaxations._passing_m
    accepted: Any = City.accept

    def noted(*given: Any) -> object:  # noqa: ANN401
        called.append("passing")
        return passing(*given)

    def yes(*given: Any) -> object:  # noqa: ANN401
        called.append("accepted")
        return accepted(*given)

    monkeypatch.setattr(relaxations, "_passing_m", noted)
    monkeypatch.setattr(City, "accept", yes)
    warm.warm_up(load_finished(write_study(tmp_path / "out")), ("live",))
    assert called == ["accepted", "accepted", "passing"]
