"""The line between two items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import Bounds, Engine, Floats, Layout, stacked
from ._models import as_model
from ._morphscape import InputError
from ._say import warn_of_engines


@dataclass(frozen=True, repr=False)
class Line:
    """A classifier's answers on the straight line from item A, at 0, to item B, at 1."""

    t: npt.NDArray[np.float64]
    """The points that were looked at, ``(steps,)``."""
    logits: Floats
    """``(steps, classes)``."""
    probabilities: Floats
    """``(steps, classes)``."""
    classes: tuple[str, ...]
    """Name of every class."""
    intervals: tuple[tuple[float, float, str], ...]
    """From, to and class of each stretch on which one class is predicted."""
    found: str
    """How: ``exact``, ``certified``, or ``sampled`` between the points."""
    distance: float
    """From A to B, the root of the summed squares in the items' units."""
    notes: tuple[str, ...]
    """What was assumed."""

    @property
    def crossings(self) -> tuple[float, ...]:
        """Where the class changes."""
        return tuple(begin for begin, _, _ in self.intervals[1:])

    @property
    def predicted(self) -> npt.NDArray[np.int32]:
        """The most probable class of each point."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int32)

    def __repr__(self) -> str:
        names = " | ".join(name for _, _, name in self.intervals)
        return f"<Line: {names}, {self.found}>"


def line(
    model: Any,
    a: Any,
    b: Any,
    *,
    steps: int = 101,
    exact: bool = True,
    bounds: Bounds = None,
    layout: Layout = "auto",
    engine: Engine = "auto",
) -> Line:
    """The straight line from A to B, value by value: answers at ``steps`` points, and where the class changes.

    The changes are found exactly for a network in a file whose layers are piecewise linear, in certified brackets
    where they are smooth, and between the points for everything else; ``Line.found`` says which. ``exact=False``
    uses the points alone.
    """
    if not 2 <= steps <= 1_000_000:
        raise InputError(f"steps: expected 2 to 1000000 points, found {steps}")
    pair = stacked([a, b], bounds=bounds, layout=layout)
    ends = pair.levels([0, 1]).reshape(2, -1)
    if (ends[0] == ends[1]).all():
        raise InputError("b: expected another item than a, found the same values")
    asked = as_model(model)._ask(pair, [0, 1], engine)
    t = np.linspace(0.0, 1.0, steps)
    wide = ends.astype(np.float64)
    points = (wide[0] + t[:, None] * (wide[1] - wide[0])).astype(np.float32)
    logits, probabilities = asked.network.answers(points, engine)
    found, intervals = _morphscape.line_intervals(
        asked.network,
        ends,
        class_names=asked.class_names,
        rows=pair.view.is_rows,
        steps=steps,
        exact=exact,
        engine=engine,
    )
    warn_of_engines()
    names = asked.class_names
    return Line(
        t=t,
        logits=logits,
        probabilities=probabilities,
        classes=tuple(names),
        intervals=tuple((begin, end, names[label]) for begin, end, label in intervals),
        found=found,
        distance=float(np.linalg.norm(pair.values[1].astype(np.float64) - pair.values[0].astype(np.float64))),
        notes=tuple(asked.notes),
    )


