"""How stays of each kind look: the tables of `geo.staykinds`, in parts per thousand.

Counted on synthetic days (`geo.synthetic`) of three training cities: Beijing Haidian, Nanjing and Porto,
120 riders, 3 days, at 10, 20 and 45 s between points. Tables about places are only where a city starts
from: `geo.staykinds` goes on with
what the fleet itself shows. Cities, seeds and days of the reported confusion matrices had no part in it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.stays import KINDS

__all__ = ["FEATURES", "PRIOR_STAYS", "TABLES", "WEIGHTS"]

#: Edges between the bins of each feature (`geo.stayfeatures`); a value on an edge belongs above it.
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
        "rest": "1 1 1 1 3 46 155 180 131 87 43 62 102 143 21 23 0",
        "pickup": "30 39 88 117 124 186 162 139 72 31 8 3 1 0 0 0 0",
        "dropoff": "81 115 218 204 149 138 83 10 2 0 0 0 0 0 0 0 0",
        "gate": "17 32 72 134 136 226 188 135 55 4 1 0 0 0 0 0 0",
        "traffic": "530 259 127 53 18 11 1 0 0 0 0 0 0 0 0 0 0",
        "off_shift": "3 3 11 19 36 79 156 192 249 184 61 5 2 1 0 0 0",
    },
    "hour": {
        "rest": "31 14 2 1 0 0 0 20 86 101 93 49 18 44 66 59 69 73 30 17 31 69 69 59",
        "pickup": "20 10 2 0 0 0 0 3 35 52 65 80 84 73 51 33 24 63 81 89 83 66 52 33",
        "dropoff": "24 11 5 1 0 0 0 1 25 49 62 73 86 78 55 37 24 51 76 88 90 72 56 36",
        "gate": "29 17 8 1 1 0 0 3 37 53 60 67 74 69 55 39 32 66 67 77 78 67 54 45",
        "traffic": "32 16 6 1 0 0 0 4 39 52 64 72 68 66 54 43 32 66 73 73 69 68 57 44",
        "off_shift": "83 49 36 6 2 1 0 106 110 44 19 0 0 6 34 72 174 117 16 2 1 11 50 61",
    },
    "food_m": {
        "rest": "30 40 123 165 276 366",
        "pickup": "696 280 23 1 0 0",
        "dropoff": "22 44 58 126 265 486",
        "gate": "24 71 108 51 261 485",
        "traffic": "61 171 173 192 202 202",
        "off_shift": "23 33 67 112 267 498",
    },
    "leisure_m": {
        "rest": "147 21 72 67 232 459",
        "pickup": "52 110 158 193 254 233",
        "dropoff": "7 15 33 85 269 590",
        "gate": "11 16 49 51 306 566",
        "traffic": "38 77 106 220 263 296",
        "off_shift": "9 15 32 94 250 600",
    },
    "home_m": {
        "rest": "66 109 115 142 135 434",
        "pickup": "20 39 71 90 176 603",
        "dropoff": "468 203 44 23 37 224",
        "gate": "63 132 87 182 136 399",
        "traffic": "46 115 129 124 172 415",
        "off_shift": "604 109 21 13 37 217",
    },
    "gate_m": {
        "rest": "24 21 9 89 134 722",
        "pickup": "14 31 65 145 260 484",
        "dropoff": "5 11 20 48 263 652",
        "gate": "567 60 18 26 122 207",
        "traffic": "28 44 58 89 317 464",
        "off_shift": "2 6 14 60 246 671",
    },
    "street_m": {
        "rest": "408 201 81 96 62 32 121",
        "pickup": "135 131 130 184 174 176 70",
        "dropoff": "121 124 136 193 169 181 77",
        "gate": "727 211 51 9 2 0 0",
        "traffic": "665 247 65 20 2 0 0",
        "off_shift": "82 94 113 185 169 195 162",
    },
    "junction_m": {
        "rest": "166 259 144 80 65 104 181",
        "pickup": "45 54 88 132 238 210 234",
        "dropoff": "15 26 50 91 203 186 429",
        "gate": "366 218 191 167 49 1 7",
        "traffic": "425 303 176 76 20 1 0",
        "off_shift": "9 14 39 80 201 191 467",
    },
    "usual_s": {
        "rest": "0 9 125 5 11 2 21 82 132 511 87 11 2",
        "pickup": "0 20 55 39 41 162 593 83 7 1 0 0 0",
        "dropoff": "0 27 34 125 507 214 59 19 8 5 0 0 0",
        "gate": "3 77 48 22 31 108 682 22 2 5 0 0 0",
        "traffic": "2 395 507 61 15 10 6 2 1 1 0 0 0",
        "off_shift": "0 14 18 20 268 343 190 100 34 12 0 0 0",
    },
    "visitors": {
        "rest": "1 3 8 4 41 943",
        "pickup": "0 0 1 6 42 951",
        "dropoff": "0 2 2 26 93 876",
        "gate": "3 2 1 5 25 964",
        "traffic": "2 2 1 4 7 984",
        "off_shift": "8 4 4 22 126 836",
    },
    "habit_s": {
        "rest": "118 21 33 15 13 15 26 70 182 185 132 126 64",
        "pickup": "263 39 36 46 70 108 203 140 66 20 7 2 1",
        "dropoff": "493 42 53 104 113 77 62 31 12 7 2 2 2",
        "gate": "204 60 42 47 67 149 241 141 39 6 2 2 0",
        "traffic": "131 381 320 98 27 13 12 8 5 3 1 1 1",
        "off_shift": "1 1 0 3 2 1 22 170 393 345 61 2 0",
    },
    "session": {
        "rest": "977 22 0 1 0 0 0 0",
        "pickup": "996 4 0 0 0 0 0 0",
        "dropoff": "965 35 0 0 0 0 0 0",
        "gate": "981 18 0 0 0 0 0 0",
        "traffic": "993 7 0 0 0 0 0 0",
        "off_shift": "0 288 0 355 0 356 0 0",
    },
}


def _table(rows: dict[str, str]) -> NDArray[np.float64]:
    parts = np.array([[float(p) for p in rows[kind].split()] for kind in KINDS]) + 0.3
    return np.asarray(parts / parts.sum(axis=1, keepdims=True))


#: (kinds, bins) shares of each feature.
TABLES: Final = {name: _table(rows) for name, rows in _PARTS.items()}
