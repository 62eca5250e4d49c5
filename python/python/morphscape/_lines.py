"""The lines between many pairs of items."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, cast

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import AnyPath, Bounds, Engine, Layout, read_items
from ._jobs import job_of, levels_of
from ._lists import frame_of
from ._models import as_model
from ._morphscape import InputError
from ._say import Progress

Interval = tuple[float, float, str]


@dataclass(frozen=True, repr=False)
class Lines:
    """The class intervals on the straight lines between many pairs of items; a line leads from A, at 0, to B, at 1."""

    intervals: tuple[tuple[Interval, ...], ...]
    """Of each line, from, to and class of each stretch on which one class is predicted."""
    found: tuple[str, ...]
    """Of each line how they were found: ``exact``, ``certified``, or ``sampled`` between the points."""
    items: tuple[tuple[str, str], ...]
    """Names of A and B of each line."""
    pairs: Optional[npt.NDArray[np.intp]]
    """Their positions ``(lines, 2)``, where the items are an array."""
    classes: tuple[str, ...]
    """Name of every class."""
    missed: Optional[int]
    """Lines of which the points miss a class interval, where all lines are exact."""
    findings: tuple[str, ...]
    """What all lines say, in sentences."""
    sections: tuple[dict[str, Any], ...]
    """Everything that ``sections.json`` of a run says of each line."""
    notes: tuple[str, ...]
    """What was assumed."""
    path: Optional[Path]
    """The folder they are written to."""
    table: tuple[dict[str, Any], ...]
    """A row for each line as ``lines.csv`` has it, classes by name."""

    @property
    def crossings(self) -> tuple[tuple[float, ...], ...]:
        """For each line, where the class changes."""
        return tuple(tuple(begin for begin, _, _ in line[1:]) for line in self.intervals)

    @property
    def margins(self) -> npt.NDArray[np.float64]:
        """For each line, how far A can be moved towards B before its class changes; NaN if not known exactly."""
        found = [row["margin"] for row in self.table]
        return np.array([np.nan if margin is None else margin for margin in found], dtype=np.float64)

    def rows(self) -> list[dict[str, Any]]:
        """``table``, to be changed."""
        return [dict(row) for row in self.table]

    def to_frame(self) -> Any:
        """``table`` as a DataFrame: of polars if polars is imported and pandas is not, else of pandas."""
        return frame_of(self.rows())

    def __len__(self) -> int:
        return len(self.intervals)

    def __repr__(self) -> str:
        return f"<Lines: {len(self)}, {self.findings[0]}>"

    def _repr_html_(self) -> str:
        return "".join(f"<p>{finding}</p>" for finding in self.findings)


def lines(
    model: Any,
    items: Any,
    pairs: Any = None,
    *,
    labels: Any = None,
    count: int = 100,
    directions: int = 1,
    seed: int = 1,
    steps: int = 21,
    exact: bool = True,
    max_pieces: int = 1_000_000,
    connect: bool = False,
    bounds: Bounds = None,
    layout: Layout = "auto",
    out: Optional[AnyPath] = None,
    force: bool = False,
    engine: Engine = "auto",
    show_progress: Optional[bool] = None,
) -> Lines:
    """The class intervals on the straight lines between pairs of items, as ``morphscape lines`` computes them.

    Parameters
    ----------
    items : array-like, DataFrame, or path
        As in :func:`morphscape.landscapes`; or a place that the command line's ``--data`` takes.
    pairs : array-like, optional
        Integers ``(n, 2)``, positions of A and B among ``items``; without them ``seed`` draws ``count`` items, and for
        each ``directions`` others, the same as on the command line.
    labels : array-like, optional
        One for each item; by default an item's class is the one that the model predicts.
    steps : int
        Points of a sampled line; for an exact line, the rows say what so many points would miss.
    exact : bool
        As in :func:`morphscape.line`.
    max_pieces : int
        A line with more pieces than this is an error.
    connect : bool
        Whether to seek a path from A to B that meets only their two classes, bent around others; only for exact
        lines.
    out : path, optional
        A folder that is written as ``morphscape lines`` writes it, and resumed if it holds part of the same lines.
    force : bool
        Whether to start over in a folder that holds something else.
    """
    if not 2 <= steps <= 1_000_000:
        raise InputError(f"steps: expected 2 to 1000000 points, found {steps}")
    if not 1 <= count <= 1_000_000:
        raise InputError(f"count: expected 1 to 1000000 items, found {count}")
    if not 1 <= directions <= 1000:
        raise InputError(f"directions: expected 1 to 1000 lines from each item, found {directions}")
    asked = as_model(model)
    notes: list[str] = []
    listed: Optional[list[tuple[int, int]]] = None
    positions: Optional[npt.NDArray[np.intp]] = None
    if isinstance(items, (str, os.PathLike)):
        if pairs is not None:
            raise InputError("pairs: positions are those of an array; leave pairs out, or give the items as an array")
        job = job_of(asked, items, labels, (), bounds=bounds, layout=layout, engine=engine)
        network, data = job.network, job.data
    else:
        given = read_items(items, bounds=bounds, layout=layout)
        if pairs is None:
            positions = np.array(_morphscape.draw_pairs(len(given), count, directions, seed), dtype=np.intp).reshape(-1, 2)
        else:
            listed = _pairs(pairs, len(given))
            positions = np.array(listed, dtype=np.intp).reshape(-1, 2)
        used = np.unique(positions)
        if not len(used):
            raise InputError("items: expected at least 2 items and one pair of them")
        known = asked._ask(given, used.tolist(), engine)
        network, notes = known.network, known.notes
        if labels is None:
            # Nobody looks at the others.
            numbers = np.zeros(len(given), dtype=np.intp)
            numbers[used] = known.predicted
            notes = [*notes, "without labels, an item's class is the one that the model predicts"]
        else:
            numbers = known.labels(labels, len(given))
        data = levels_of(given, numbers.tolist(), known.class_names, network)
    with Progress(count * directions if positions is None else len(positions), show_progress, "line") as progress:
        parts = _morphscape.lines(
            network, data, pairs=listed, count=count, directions=directions, seed=seed, steps=steps, exact=exact,
            max_pieces=max_pieces, connect=connect, out=None if out is None else os.fspath(out), force=force,
            engine=engine, progress=progress,
        )  # fmt: skip
    return lines_of(parts, positions, tuple(notes), None if out is None else Path(out))


def lines_of(
    parts: _morphscape._Cut, pairs: Optional[npt.NDArray[np.intp]], notes: tuple[str, ...], path: Optional[Path]
) -> Lines:
    """What was cut, as a user has it."""
    text, rows, missed, findings, classes, heard = parts
    sections: list[dict[str, Any]] = json.loads(text)
    table: list[dict[str, Any]] = json.loads(rows)
    for row in table:
        for end in ("class_a", "class_b"):
            row[end] = classes[row[end]]
    found = [[(each["from"], each["to"], classes[each["class"]]) for each in line["intervals"]] for line in sections]
    if pairs is not None:
        pairs.flags.writeable = False
    return Lines(
        intervals=tuple(tuple(line) for line in found),
        found=tuple(line["label"]["kind"] for line in sections),
        items=tuple(cast("tuple[str, str]", tuple(line["items"])) for line in sections),
        pairs=pairs,
        classes=tuple(classes),
        missed=missed,
        findings=tuple(findings),
        sections=tuple(sections),
        notes=(*notes, *(note for note in heard if note not in notes)),
        path=path,
        table=tuple(table),
    )


def _pairs(pairs: Any, items: int) -> list[tuple[int, int]]:
    chosen = np.asarray(pairs)
    if chosen.ndim != 2 or chosen.shape[1] != 2 or chosen.dtype.kind not in "iu":
        raise InputError(f"pairs: expected integers of shape (n, 2), found {chosen.dtype} of shape {chosen.shape}")
    if len(chosen) and not (0 <= chosen.min() and chosen.max() < items):
        wrong = chosen.min() if chosen.min() < 0 else chosen.max()
        raise InputError(f"pairs: expected positions from 0 to {items - 1}, found {wrong}")
    return [(int(i), int(j)) for i, j in chosen]
