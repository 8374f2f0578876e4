"""Study files for studies as jobs: one of seconds, one that runs long enough to be interrupted."""

__all__ = ["LONG", "STUDY"]

STUDY = """
title = "Small town"
city = "Town"
timezone = "Asia/Shanghai"
language = "en"
seed = 3
held_out_days = 1
k = 5
[map]
file = "city.osm"
[synthetic]
riders = 12
days = 2
interval_s = 60
datum = "gcj02"
existing_stations = 1
[siting]
sites = 2
draws = 2
flows = false
pickups = 2
[matching]
tasks = 3
"""
LONG = STUDY.replace("riders = 12", "riders = 400").replace("days = 2", "days = 10").replace("= 60", "= 20")
