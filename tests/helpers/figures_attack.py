"""An attack on published figures: sums and differences of them, and whom they tell something of."""

import itertools

import numpy as np
import numpy.typing as npt

from siting.demand.asked import Asked

K = 10
FloatArray = npt.NDArray[np.float64]


def behind(asked: Asked) -> dict[str, set[int]]:
    """Riders behind every figure that was asked for, told by the rows that it counts."""
    figures = asked.figures
    rider = np.concatenate(figures._riders)
    out: dict[str, set[int]] = {path: set(riders) for path, (riders, _) in figures._groups.items()}
    names = list(figures._paths)
    for number, rows, _ in figures._entries:
        who = set(rider[rows].tolist())
        path = names[figures._of[number]]
        # a share tells several sums: the smallest that is not nobody
        if path not in out or (who and len(who) < len(out[path])) or not out[path]:
            out[path] = who
    return out


def system(*runs: tuple[Asked, frozenset[str]]) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The published sums as rows over the raw rows, equal columns of one rider taken together."""
    rows: list[FloatArray] = []
    rider = np.empty(0, dtype=np.int64)
    for asked, shown in runs:
        figures = asked.figures
        rider = np.concatenate(figures._riders)
        names = list(figures._paths)
        for number, members, times in figures._entries:
            if names[figures._of[number]] in shown:
                row = np.zeros(len(rider))
                row[members] = times
                rows.append(row / max(1.0, float(np.abs(times).max(initial=1))))
    if not rows:
        return np.zeros((0, len(rider))), rider
    both = np.unique(np.vstack([np.array(rows), rider]).T, axis=0).T
    return both[:-1], both[-1].astype(np.int64)


def assert_nothing_told(matrix: FloatArray, rider: npt.NDArray[np.int64], groups: list[set[int]]) -> None:
    """No combination of the rows is of one of the groups of riders alone."""
    if len(matrix) == 0:
        return
    # of an orthonormal basis the part on some columns has a singular value of 1 only where a combination
    # is zero on all others
    _, size, basis = np.linalg.svd(matrix, full_matrices=False)
    basis = basis[size > 1e-10 * size[0]]
    for group in groups:
        part = basis[:, np.isin(rider, sorted(group))]
        most = float(np.linalg.norm(part, 2)) if part.size else 0.0
        assert most < 1 - 1e-9, f"something is told of {sorted(group)} alone"


def suspects(asked: Asked) -> list[set[int]]:
    """Whom an attacker goes for: riders of small figures, of the differences of any two, single ones."""
    found = [who for who in behind(asked).values() if who]
    small = {frozenset(who) for who in found if len(who) < K}
    for one, other in itertools.permutations({frozenset(who) for who in found}, 2):
        if one < other and len(other - one) < K:
            small.add(other - one)
    everyone = sorted({r for who in found for r in who})
    small |= {frozenset({r}) for r in everyone[:20]}
    rng = np.random.default_rng(1)
    for _ in range(30):
        small.add(frozenset(rng.choice(everyone, min(K - 1, len(everyone)), replace=False).tolist()))
    return [set(who) for who in sorted(small, key=sorted)][:150]
