"""The same triples morphed in three ways: how much of a landscape's roughness is the morph tool's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Optional, Sequence

from . import _morphscape
from ._data import AnyPath, Bounds, Engine, Layout
from ._jobs import count_groups, job_of
from ._lists import frame_of
from ._models import as_model
from ._morphscape import InputError
from ._say import Progress


@dataclass(frozen=True, repr=False)
class Comparison:
    """The results of a comparison of modes."""

    finding: str
    """What was found, in a sentence."""
    shares: list[dict[str, Any]]
    """For each measure and mode, the share of published roughness that the mode has not, and its 95 % interval."""
    triples: list[dict[str, Any]]
    """For each triple, every measure in every mode, over the paths on which no frame failed."""
    figure: str
    """One panel a measure, one point a triple, as SVG."""
    notes: tuple[str, ...]
    """What was assumed."""

    def to_frame(self) -> Any:
        """``triples`` as a DataFrame: of polars if polars is imported and pandas is not, else of pandas."""
        return frame_of(self.triples)

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.triples)} triples: {self.finding}>"

    def _repr_html_(self) -> str:
        return f"<p>{self.finding}</p>{self.figure}"


def compare(
    model: Any,
    items: Any,
    labels: Any = None,
    *,
    groups: Optional[int] = None,
    seed: int = 1,
    classes: Sequence[Sequence[Any]] = (),
    steps: int = 21,
    grid: int = 3,
    bounds: Bounds = None,
    layout: Layout = "auto",
    out: Optional[AnyPath] = None,
    force: bool = False,
    engine: Engine = "auto",
    show_progress: Optional[bool] = None,
) -> Comparison:
    """Compares modes, as ``morphscape compare`` does: published, clean, and cross-faded.

    Items, groups, seed and classes are as in :func:`morphscape.sweep`; ``out`` is a folder that is written as the
    command line writes it.
    """
    number = count_groups(groups, classes)
    job = job_of(as_model(model), items, labels, classes, bounds=bounds, layout=layout, engine=engine)
    if job.is_rows:
        raise InputError("items: expected images, found rows, which are mixed in one way alone")
    with Progress(3 * 6 * number * steps * steps, show_progress) as progress:
        finding, shares, triples, figure, heard = _morphscape.compare_modes(
            job.network, job.data, groups=groups, classes=job.classes, seed=seed, steps=steps, grid=grid,
            out=None if out is None else os.fspath(out), force=force, engine=engine, progress=progress,
        )  # fmt: skip
    notes = (*job.notes, *(note for note in heard if note not in job.notes))
    return Comparison(finding, shares, triples, figure, notes)
