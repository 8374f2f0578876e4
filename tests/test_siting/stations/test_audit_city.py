"""The audit on real maps: stations put away from rest, and sane ones on the spots where riders rest."""

import dataclasses
import datetime
import functools
from pathlib import Path

import pytest

from geo.osm.read import read_osm
from geo.synthetic.make import FleetOptions, existing_stations, make_fleet
from siting.inputs import StudyInputs, StudySettings
from siting.results import AuditFinding, Study
from siting.stations.kinds import ExistingStation
from siting.stations.pickup_inputs import PickupRules
from siting.study import run_study

AWAY = 3


@functools.cache
def audited(path: Path) -> tuple[Study, dict[str, AuditFinding]]:
    """A study of three stations away from rest, one on the busiest hot spot, and a worse twin of it."""
    network, places = read_osm(path)
    options = FleetOptions(riders=60, days=3, seed=31, first_day=datetime.date(2026, 3, 2))
    fleet = make_fleet(network, places, options)
    old = existing_stations(network, fleet, AWAY, 31)
    inputs = StudyInputs(
        network=network,
        places=places,
        stays=fleet.stays,
        riders=60,
        existing=tuple(
            ExistingStation(name, (float(x), float(y)), "8:00-18:00")
            for name, (x, y) in zip(old.names, old.lonlat, strict=True)
        ),
        settings=StudySettings(
            timezone="Asia/Shanghai", new_sites=2, limit_s=120, k=5, held_out_days=1, draws=0,
            random_draws=1, pickups=PickupRules(most=0),
        ),
    )  # fmt: skip
    spot = run_study(inputs).hot_spots[0].lonlat
    good = (
        ExistingStation("on the spot", spot, "24/7"),
        ExistingStation("its twin", (spot[0] + 3e-4, spot[1]), "8:00-18:00"),
    )
    study = run_study(dataclasses.replace(inputs, existing=inputs.existing + good))
    names = {site.site_id: site.name for site in study.sites}
    return study, {names[finding.site_id]: finding for finding in study.audit}


@pytest.fixture(params=["helsinki", "nanjing-xinjiekou.osm.pbf"])
def result(request: pytest.FixtureRequest) -> tuple[Study, dict[str, AuditFinding]]:
    if request.param == "helsinki":
        return audited(request.getfixturevalue("helsinki_pbf"))
    return audited(request.getfixturevalue("shared_data") / "osm" / request.param)


def test_a_sane_station_on_a_hot_spot_is_kept_and_its_worse_twin_merges(
    result: tuple[Study, dict[str, AuditFinding]],
) -> None:
    study, audit = result
    kept, twin = audit["on the spot"], audit["its twin"]
    assert kept.action == "keep"
    assert kept.visits_a_day is not None
    assert kept.visitors_a_day is not None
    assert kept.visitors_a_day <= kept.visits_a_day
    assert kept.busiest_half_hours
    assert kept.gain_rest_hours_a_day is None
    assert (twin.action, twin.overlap_site_id) == ("merge", kept.site_id)
    # Withheld where it would tell, with other figures, of fewer than k riders.
    if twin.overlap_share is None:
        assert twin.reason == ("audit_merge_hidden", ())
    else:
        assert twin.reason == ("audit_merge", (("share", f"{100 * twin.overlap_share:.0f}"),))
    assert sorted(finding.rank for finding in study.audit) == list(range(1, AWAY + 3))


def test_stations_away_from_rest_are_not_kept_unless_riders_reach_them(
    result: tuple[Study, dict[str, AuditFinding]],
) -> None:
    study, audit = result
    hot = study.hot_spots[0].rest_min_a_day or 0.0
    for name, finding in audit.items():
        if name in ("on the spot", "its twin"):
            continue
        reached = sum(v or 0 for v in finding.rest_min_within_reach_by_hour)
        # nobody rests at their doors, as they were put away from rest
        assert finding.visits_a_day is None
        if finding.action in ("move", "close"):
            assert reached < hot
        else:
            # within two minutes of much rest: then only the hours are wrong
            assert finding.action in ("open_longer", "merge")
            assert reached > 0
        if finding.action == "move":
            assert finding.move_to is not None
            # None: withheld, as it would tell with other figures of fewer than k riders.
            assert finding.gain_rest_hours_a_day is None or finding.gain_rest_hours_a_day > 0
