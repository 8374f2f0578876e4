"""How stays of each kind look: the tables of `geo.staykinds`, in parts per thousand.

Counted on synthetic days (`geo.synthetic`) of three training cities: Beijing Haidian, Nanjing and Porto,
120 riders, 3 days, at 10, 20 and 45 s between points. Tables about places are only where a city starts
from: `geo.staykinds` goes on with what the fleet itself shows. Cities, seeds
and days of the reported confusion matrices had no part in it.
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
        "rest": "1 2 2 3 5 50 146 178 132 92 43 62 101 142 18 24 0",
        "pickup": "20 67 58 122 132 194 156 139 69 30 7 3 1 0 0 0 0",
        "dropoff": "51 171 151 219 164 151 80 11 2 0 0 0 0 0 0 0 0",
        "gate": "7 46 40 128 149 241 184 149 50 5 0 0 0 0 0 0 0",
        "traffic": "451 341 111 62 21 13 1 0 0 0 0 0 0 0 0 0 0",
        "off_shift": "5 9 10 28 40 96 144 208 222 173 54 5 3 1 0 0 0",
    },
    "hour": {
        "rest": "29 12 3 1 0 0 0 20 86 105 95 48 21 44 66 58 69 69 31 17 35 67 68 56",
        "pickup": "20 9 2 1 0 0 0 3 36 54 67 82 85 73 50 33 24 64 82 88 81 64 51 32",
        "dropoff": "23 11 4 1 0 0 0 1 25 50 62 75 86 81 56 38 23 52 76 88 88 71 54 35",
        "gate": "32 15 6 2 1 0 0 4 35 50 65 74 73 73 54 43 32 59 69 75 73 66 54 45",
        "traffic": "32 15 5 1 0 0 0 4 38 53 65 71 70 66 54 43 33 64 74 73 71 67 57 44",
        "off_shift": "79 51 30 9 2 0 0 110 111 43 20 0 0 9 38 72 167 112 16 2 2 12 54 61",
    },
    "food_m": {
        "rest": "24 42 102 127 319 386",
        "pickup": "691 283 25 1 0 0",
        "dropoff": "25 46 60 125 273 471",
        "gate": "32 59 68 42 305 495",
        "traffic": "65 204 166 159 193 213",
        "off_shift": "17 30 58 120 281 494",
    },
    "leisure_m": {
        "rest": "153 42 56 117 239 392",
        "pickup": "55 112 159 188 259 226",
        "dropoff": "8 16 34 89 269 584",
        "gate": "21 11 34 49 298 588",
        "traffic": "32 78 120 221 236 313",
        "off_shift": "12 19 31 93 262 584",
    },
    "home_m": {
        "rest": "50 120 148 125 131 427",
        "pickup": "18 40 78 95 168 601",
        "dropoff": "468 203 45 23 38 224",
        "gate": "69 116 92 191 189 342",
        "traffic": "35 120 121 127 199 398",
        "off_shift": "573 123 28 21 37 217",
    },
    "gate_m": {
        "rest": "25 25 25 49 211 664",
        "pickup": "12 28 62 133 286 480",
        "dropoff": "6 12 22 52 277 631",
        "gate": "548 91 29 53 96 184",
        "traffic": "29 51 72 110 298 441",
        "off_shift": "3 7 16 46 269 659",
    },
    "street_m": {
        "rest": "379 255 113 74 60 56 64",
        "pickup": "140 133 129 182 168 182 66",
        "dropoff": "126 128 136 189 169 176 78",
        "gate": "722 214 51 11 2 0 0",
        "traffic": "676 241 62 18 2 0 0",
        "off_shift": "91 98 119 185 165 182 159",
    },
    "junction_m": {
        "rest": "150 248 172 69 69 116 175",
        "pickup": "47 56 84 127 236 213 237",
        "dropoff": "17 28 52 95 207 190 410",
        "gate": "381 225 171 147 50 1 25",
        "traffic": "450 302 163 67 17 1 0",
        "off_shift": "11 17 41 84 193 197 457",
    },
    "usual_s": {
        "rest": "1 6 110 18 9 4 24 93 123 473 126 10 3",
        "pickup": "0 9 58 27 34 149 650 67 5 0 0 0 0",
        "dropoff": "1 15 47 76 487 269 75 17 8 5 0 0 0",
        "gate": "2 29 41 12 29 102 703 68 4 3 7 0 0",
        "traffic": "2 321 577 54 20 13 8 2 1 2 0 0 0",
        "off_shift": "0 6 16 15 202 360 242 103 42 13 0 0 0",
    },
    "visitors": {
        "rest": "1 3 6 12 38 941",
        "pickup": "0 0 1 6 29 963",
        "dropoff": "1 3 4 30 83 879",
        "gate": "2 2 1 6 26 962",
        "traffic": "2 2 2 6 9 979",
        "off_shift": "4 5 8 47 123 813",
    },
    "habit_s": {
        "rest": "115 13 31 17 12 14 30 86 179 179 132 124 68",
        "pickup": "272 26 46 36 75 113 206 131 65 21 7 2 1",
        "dropoff": "509 29 68 77 113 84 68 29 12 6 2 1 1",
        "gate": "191 30 32 25 65 140 302 140 54 12 6 3 1",
        "traffic": "139 321 370 91 31 14 14 8 6 3 1 1 1",
        "off_shift": "1 1 0 1 2 4 42 181 423 291 54 1 0",
    },
    "session": {
        "rest": "975 24 0 1 0 0 0 0",
        "pickup": "997 3 0 0 0 0 0 0",
        "dropoff": "965 35 0 0 0 0 0 0",
        "gate": "980 20 0 0 0 0 0 0",
        "traffic": "992 8 0 0 0 0 0 0",
        "off_shift": "1 304 0 347 0 348 0 0",
    },
}


def _table(rows: dict[str, str]) -> NDArray[np.float64]:
    parts = np.array([[float(p) for p in rows[kind].split()] for kind in KINDS]) + 0.3
    return np.asarray(parts / parts.sum(axis=1, keepdims=True))


#: (kinds, bins) shares of each feature.
TABLES: Final = {name: _table(rows) for name, rows in _PARTS.items()}
