"""What a search reads and works in, handed to kernels as one thing.

A call with the hundred arrays themselves costs more than some searches: numba unpacks each one anew.
"""

from typing import Any

from numba import types
from numba.experimental import structref

from routing.fleet.kernels.tables import Columns, Graph, Work

__all__ = ["KernelContext"]

untyped: Any = structref


@structref.register
class HeldType(types.StructRef):
    """Numba's type of `KernelContext`."""


class KernelContext(structref.StructRefProxy):
    """A mode's graph, the columns of its riders, and the memory of one thread. Make it with `hold`."""

    graph: Graph
    c: Columns
    work: Work

    def __new__(cls, graph: Graph, c: Columns, work: Work) -> "KernelContext":
        """Return the three as one."""
        made: KernelContext = untyped.StructRefProxy.__new__(cls, graph, c, work)
        return made


untyped.define_proxy(KernelContext, HeldType, ["graph", "c", "work"])
