"""The service over the tiny town, and travel times read without the matcher."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tiny_study import write_study
from vroom_town import NETWORK, Json

from api.http.app import create_app
from api.settings import Settings
from routing.model.policy import Policy
from routing.proof.reference_paths import ReferencePaths


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = write_study(tmp_path_factory.mktemp("study") / "out")
    with TestClient(create_app(folder, settings=Settings())) as client:
        yield client


@pytest.fixture(scope="module")
def travel_s() -> Callable[[Json, tuple[float, float], tuple[float, float]], float]:
    ways: dict[str, ReferencePaths] = {}

    def seconds(vehicle: Json, here: tuple[float, float], there: tuple[float, float]) -> float:
        profile: str = vehicle.get("profile", "car")
        mode = "bike" if profile == "bicycle" else profile
        plain = ways.setdefault(mode, ReferencePaths(NETWORK, mode, Policy()))
        a, b = (NETWORK.snap(np.array([one]), mode) for one in (here, there))
        return plain.fastest_ms(a, b) / float(vehicle.get("speed_factor", 1.0)) / 1000

    return seconds
