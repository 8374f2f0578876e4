"""Made riders on a real street network, with the truth kept."""

from geo.synthetic.files import write_fleet_csv, write_fleet_parquet
from geo.synthetic.made_fleet import FleetOptions, SyntheticFleet
from geo.synthetic.make import make_fleet
from geo.synthetic.samples import TASK_KINDS, CivicTasks, Snapshot, civic_tasks, existing_stations, snapshot

__all__ = [
    "TASK_KINDS",
    "CivicTasks",
    "FleetOptions",
    "Snapshot",
    "SyntheticFleet",
    "civic_tasks",
    "existing_stations",
    "make_fleet",
    "snapshot",
    "write_fleet_csv",
    "write_fleet_parquet",
]
