"""How stays of each kind look: the tables of `geo.stays.classify`, in parts per thousand.

Counted on synthetic days (`geo.synthetic.make`) of three training cities: Beijing Haidian, Nanjing and Porto,
120 riders, 3 days, at 10, 20 and 45 s between points. Tables about places are only where a city starts
from: `geo.stays.classify` goes on with what the fleet itself shows. Cities, seeds
and days of the reported confusion matrices had no part in it.

The tables are counted, and the confusion matrices of kinds scored, on the same simulator: the matrices show
how well it is inverted on other cities and days, not how well kinds are found in real traces.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.stays.detect import KINDS

__all__ = ["FEATURES", "PRIOR_STAYS", "TABLES", "WEIGHTS"]

#: Edges between the bins of each feature (`geo.stays.features`); a value on an edge belongs above it.
#: ``session``: own home + 2 if a session begins here + 4 if one ends.
FEATURES: Final[dict[str, tuple[float, ...]]] = {
    "duration_s": (80, 100, 130, 170, 220, 300, 400, 550, 750, 1000, 1200, 1400, 1800, 2700, 3600, 5400),
    "hour": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23),
    "food_m": (15, 30, 50, 80, 150),
    "leisure_m": (15, 30, 50, 80, 150),
    "home_m": (15, 30, 50, 80, 150),
    "gate_m": (10, 20, 35, 60, 150),
    "street_m": (4, 8, 12, 18, 25, 40),
    "junction_m": (6, 10, 15, 22, 35, 50),
    "usual_s": (0.5, 80, 100, 130, 170, 220, 300, 400, 550, 750, 1000, 1500),
    "visitors": (1, 2, 3, 6, 11),
    "habit_s": (0.5, 80, 100, 130, 170, 220, 300, 400, 550, 750, 1000, 1500),
    "next_m": (30, 80, 150, 250, 400, 500),
    "session": (1, 2, 3, 4, 5, 6, 7),
}

#: Features hang together, so each counts for less than its own evidence.
WEIGHTS: Final = {
    "duration_s": 1.0,
    "usual_s": 0.7,
    "home_m": 0.6,
    "food_m": 0.6,
    "leisure_m": 0.6,
    "street_m": 0.4,
    "junction_m": 0.4,
    "gate_m": 0.8,
    "session": 1.0,
    "hour": 0.5,
    "visitors": 0.4,
    "habit_s": 0.7,
    "next_m": 0.5,
}

#: How many stays of the fleet weigh as much as the training cities; the other tables stay as they are.
PRIOR_STAYS: Final = {
    "usual_s": 400,
    "home_m": 150,
    "food_m": 150,
    "leisure_m": 150,
    "street_m": 300,
    "junction_m": 300,
    "gate_m": 150,
    "visitors": 300,
    "habit_s": 400,
}

_PARTS: Final = {
    "duration_s": {
        "rest": "1 2 2 4 6 75 145 166 119 88 44 65 100 139 17 27 1",
        "pickup": "28 84 68 131 131 188 145 127 62 26 7 2 1 0 0 0 0",
        "dropoff": "77 207 163 209 147 127 63 6 1 0 0 0 0 0 0 0 0",
        "gate": "22 72 60 133 161 219 162 126 40 3 0 0 0 0 0 0 0",
        "traffic": "572 241 98 52 23 11 1 0 0 0 0 0 0 0 0 0 0",
        "off_shift": "4 12 12 28 46 110 150 206 221 156 49 5 2 1 0 0 0",
    },
    "hour": {
        "rest": "32 12 3 0 0 0 0 22 89 105 92 45 23 43 61 55 71 68 29 15 37 71 73 55",
        "pickup": "20 8 2 0 0 0 0 4 39 54 66 80 81 71 47 29 24 66 86 91 83 66 50 33",
        "dropoff": "22 11 3 1 0 0 0 1 27 50 60 75 83 78 55 37 21 52 79 93 90 72 55 36",
        "gate": "33 19 6 2 0 0 0 3 34 50 63 73 68 62 55 40 33 57 77 77 76 66 55 51",
        "traffic": "31 15 5 1 0 0 0 6 42 53 65 70 69 64 52 41 31 65 74 74 72 66 58 45",
        "off_shift": "75 59 27 7 1 0 0 119 103 35 16 0 0 13 38 71 180 106 14 2 4 10 60 60",
    },
    "food_m": {
        "rest": "29 55 155 80 319 362",
        "pickup": "701 275 23 1 0 0",
        "dropoff": "18 37 64 136 276 468",
        "gate": "24 45 114 43 271 504",
        "traffic": "73 210 170 162 184 201",
        "off_shift": "16 34 54 115 290 492",
    },
    "leisure_m": {
        "rest": "196 67 81 142 176 338",
        "pickup": "56 115 159 184 256 230",
        "dropoff": "7 17 43 109 309 515",
        "gate": "14 15 26 35 407 503",
        "traffic": "32 78 147 225 238 281",
        "off_shift": "5 24 55 111 293 512",
    },
    "home_m": {
        "rest": "157 167 179 84 115 298",
        "pickup": "31 63 101 143 269 392",
        "dropoff": "691 278 29 1 0 0",
        "gate": "87 120 290 158 136 208",
        "traffic": "50 141 179 155 233 242",
        "off_shift": "828 163 9 0 0 0",
    },
    "gate_m": {
        "rest": "18 19 32 61 277 593",
        "pickup": "11 27 62 136 299 464",
        "dropoff": "7 16 37 66 243 632",
        "gate": "545 71 18 44 123 199",
        "traffic": "32 54 92 120 276 427",
        "off_shift": "3 10 26 54 214 693",
    },
    "street_m": {
        "rest": "317 264 124 81 92 69 52",
        "pickup": "141 131 126 175 163 188 75",
        "dropoff": "120 123 127 188 168 188 86",
        "gate": "735 211 42 11 1 0 0",
        "traffic": "703 224 55 16 2 0 0",
        "off_shift": "85 98 112 177 169 206 153",
    },
    "junction_m": {
        "rest": "122 251 174 63 88 129 173",
        "pickup": "40 53 81 127 238 220 242",
        "dropoff": "21 32 55 98 208 198 387",
        "gate": "367 262 165 137 45 2 23",
        "traffic": "501 294 142 51 12 0 0",
        "off_shift": "12 21 44 84 198 212 429",
    },
    "usual_s": {
        "rest": "0 26 62 1 7 10 43 118 151 480 82 18 1",
        "pickup": "0 25 41 22 56 227 589 36 4 1 0 0 0",
        "dropoff": "1 21 36 144 579 155 40 9 9 6 0 0 0",
        "gate": "1 19 17 50 80 217 602 10 2 2 1 0 0",
        "traffic": "3 503 408 25 26 17 9 6 1 2 0 0 0",
        "off_shift": "0 12 12 33 390 299 164 56 23 12 0 0 0",
    },
    "visitors": {
        "rest": "2 4 4 16 45 930",
        "pickup": "0 0 1 13 19 967",
        "dropoff": "1 1 2 16 40 940",
        "gate": "1 2 2 7 22 966",
        "traffic": "3 3 3 7 10 975",
        "off_shift": "3 3 4 28 62 899",
    },
    "habit_s": {
        "rest": "117 18 26 15 10 13 37 89 169 170 126 129 80",
        "pickup": "293 36 41 39 85 115 197 105 60 19 6 2 1",
        "dropoff": "493 43 80 91 111 76 58 27 10 6 2 2 1",
        "gate": "166 29 42 48 98 174 278 112 41 7 3 1 1",
        "traffic": "163 431 258 70 28 16 13 8 6 3 2 1 1",
        "off_shift": "1 0 0 0 2 4 60 234 419 241 37 1 0",
    },
    "next_m": {
        "rest": "23 19 51 56 64 25 762",
        "pickup": "14 47 83 103 82 29 643",
        "dropoff": "4 39 99 122 98 30 608",
        "gate": "5 97 141 128 107 22 498",
        "traffic": "1 42 120 148 134 51 504",
        "off_shift": "38 38 47 68 53 17 738",
    },
    "session": {
        "rest": "979 20 0 0 0 0 0 0",
        "pickup": "997 3 0 0 0 0 0 0",
        "dropoff": "961 39 0 0 0 0 0 0",
        "gate": "972 28 0 0 0 0 0 0",
        "traffic": "992 8 0 0 0 0 0 0",
        "off_shift": "1 312 0 346 0 341 0 0",
    },
}


def _table(rows: dict[str, str]) -> NDArray[np.float64]:
    parts = np.array([[float(p) for p in rows[kind].split()] for kind in KINDS]) + 0.3
    return np.asarray(parts / parts.sum(axis=1, keepdims=True))


#: (kinds, bins) shares of each feature.
TABLES: Final = {name: _table(rows) for name, rows in _PARTS.items()}
