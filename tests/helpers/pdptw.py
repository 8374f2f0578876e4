"""Whole solutions of published pick-up and delivery problems, checked by the plan check of the program."""

from collections.abc import Callable, Iterable, Sequence

from routing.proof.verify import Visited, replay


def check_routes(
    routes: Sequence[Sequence[Visited]],
    leg: Callable[[str, str], float],
    depot: str,
    *,
    close: float,
    capacity: float,
    expected: Iterable[str],
    tolerance: float = 1e-6,
) -> tuple[str, ...]:
    """Check whole routes from and to a depot (Li & Lim pick-up and delivery): everybody once, pairs together.

    Parameters
    ----------
    routes : sequence of routes
    leg : callable
        Time from one name to another.
    depot : str
        Where every route starts at time 0 and must be back at `close`.
    close, capacity : float
    expected : iterable of str
        Every name must be visited exactly once, over all routes.
    tolerance : float
        For rounding in published solutions.

    Returns
    -------
    tuple of str
        Empty when the solution is feasible.
    """
    problems: list[str] = []
    visited: list[str] = []
    for route in routes:
        names = [visit.name for visit in route]
        visited += names
        legs = [leg(a, b) for a, b in zip([depot, *names], names, strict=False)]
        done = replay(route, legs, 0.0, capacity=capacity, tolerance=tolerance)
        problems += done.problems
        if names and done.leaves[-1] + leg(names[-1], depot) > close + tolerance:
            problems.append(f"the route that ends with {names[-1]} is back after {close}")
        carried = {visit.after for visit in route if visit.after is not None}
        open_ends = [v.name for v in route if v.load > 0 and v.name not in carried]
        problems += [f"{name} is picked up and never handed over" for name in open_ends]
    wanted = set(expected)
    for name in sorted(wanted - set(visited)):
        problems.append(f"{name} is not visited")
    for name in sorted({name for name in visited if visited.count(name) > 1 or name not in wanted}):
        problems.append(f"{name} is visited more than once or not known")
    return tuple(problems)
