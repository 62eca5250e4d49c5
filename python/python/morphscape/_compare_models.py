"""Several models on the same landscapes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Mapping, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import AnyPath, Items, read_items
from ._jobs import ask_first, count_groups, file_of, job_of
from ._landscape import read_only
from ._landscapes import count_points
from ._lists import frame_of
from ._models import Model, as_model
from ._morphscape import InputError
from ._options import DEFAULTS, GridOptions, checked, settings, takes
from ._say import Progress

if TYPE_CHECKING:
    from ._options import Unpack

Table = Literal["pairs", "landscapes", "models", "classes", "items", "series"]
ALIKE = {"agreement": 1.0, "kappa": 1.0, "jaccard": 1.0}
"""What a model and itself have in common; the other measures are distances."""
MEASURES = (*ALIKE, "hausdorff", "hausdorff_95", "boundary_distance", "variation_distance")


@dataclass(frozen=True)
class Shortfall:
    """Two models that are less alike than was asked for."""

    models: tuple[str, str]
    class_name: Optional[str]
    """The class whose Jaccard index falls short; None where the agreement does."""
    found: float
    wanted: float


class Models:
    """The results of a comparison of models.

    ``tables`` has a row for each pair of models (``pairs``, means over triples), each pair on each landscape
    (``landscapes``), each model (``models``), each class of a pair (``classes``), each item (``items``), and each
    model along a series (``series``).
    """

    def __init__(
        self, file: _morphscape.ComparedModels, notes: tuple[str, ...] = (), path: Optional[Path] = None
    ) -> None:
        self._file = file
        self._tables: dict[str, list[dict[str, Any]]] = file.tables()
        self.notes = notes
        self.path = path

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models."""
        return tuple(self._file.names)

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of every class, in the order of the first model."""
        return tuple(self._file.class_names)

    @property
    def landscapes(self) -> tuple[str, ...]:
        """Names of the landscapes."""
        return tuple(self._file.landscapes)

    @property
    def predicted(self) -> npt.NDArray[np.int32]:
        """The class of every point by each model, ``(models, landscapes, steps, steps)``; -1 where there is none."""
        steps, kind = self._file.grid
        drawn = self._file.predicted().reshape(len(self.landscapes), len(self.names), steps, steps)
        if kind in ("plane", "triangle"):
            # As it is drawn alpha goes to the right and beta upwards; here alpha is the row.
            drawn = drawn[..., ::-1, :].swapaxes(2, 3)
        return read_only(np.ascontiguousarray(drawn.swapaxes(0, 1)))

    def rows(self, table: Table = "pairs") -> list[dict[str, Any]]:
        """A table's rows, numbers as numbers and None where there is none."""
        if table not in self._tables:
            raise InputError(f"table: expected one of {', '.join(self._tables)}, found {table!r}")
        return [dict(row) for row in self._tables[table]]

    def to_frame(self, table: Table = "pairs") -> Any:
        """A table as a DataFrame: of polars if polars is imported and pandas is not, else of pandas."""
        return frame_of(self.rows(table))

    def matrix(self, measure: str = "agreement") -> npt.NDArray[np.float64]:
        """A measure of each pair of models ``(models, models)``, its mean over the triples; NaN where it was not taken.

        ``agreement``, ``kappa`` and ``jaccard`` are 1 for models that do not differ; ``hausdorff``, ``hausdorff_95`` and
        ``boundary_distance`` (of the boundaries, in sides of the grid) and ``variation_distance`` are 0.
        """
        if measure not in MEASURES:
            raise InputError(f"measure: expected one of {', '.join(MEASURES)}, found {measure!r}")
        names = self.names
        found = np.full((len(names), len(names)), ALIKE.get(measure, 0.0))
        for at, row in zip(zip(*np.triu_indices(len(names), 1)), self._tables["pairs"]):
            found[at] = found[at[::-1]] = np.nan if row[measure] is None else row[measure]
        return found

    @property
    def agreement(self) -> npt.NDArray[np.float64]:
        """The share of points with equal labels, of each pair of models: ``matrix("agreement")``."""
        return self.matrix("agreement")

    def shortfalls(self, min_agreement: float, *, per_class: bool = False) -> tuple[Shortfall, ...]:
        """What falls short of a limit, 0 to 1; empty if nothing does, so ``assert not found.shortfalls(0.95)`` holds.

        The mean agreement of each pair of models is compared with it, and with ``per_class`` also the Jaccard index
        of each class over all landscapes, as ``morphscape models --min-agreement`` does.
        """
        if not 0 <= min_agreement <= 1:
            raise InputError(f"min_agreement: expected a share from 0 to 1, found {min_agreement}")
        short = self._file.shortfalls(min_agreement, per_class)
        return tuple(Shortfall((a, b), of, found, min_agreement) for (a, b), of, found in short)

    def svg(self, kind: str = "matrix") -> str:
        """A figure as SVG: ``matrix``, ``agreement`` (a point a triple), ``maps`` (where models differ most)."""
        return self._file.svg(kind)

    def report(self, path: AnyPath) -> Path:
        """Writes a page that shows all of it and needs no network, and returns its path."""
        Path(path).write_text(self._file.page(), encoding="utf-8")
        return Path(path)

    def __reduce__(self) -> Any:
        if self.path is None or not (self.path / "manifest.json").exists():
            raise TypeError("Models in memory do not pickle; compare them with out=, or pickle rows() and predicted")
        return open_models, (os.fspath(self.path), self.notes)

    def __repr__(self) -> str:
        return f"<Models: {', '.join(self.names)} on {len(self.landscapes)} landscapes>"

    def _repr_html_(self) -> str:
        return self.svg("matrix")


def open_models(path: str, notes: tuple[str, ...] = ()) -> Models:
    """The comparison in a folder."""
    return Models(_morphscape.ComparedModels.open(path), notes, Path(path))


@takes(GridOptions)
def models(
    models: Union[Mapping[str, Any], Sequence[Any]],
    items: Any = None,
    labels: Any = None,
    *,
    groups: Optional[int] = None,
    seed: int = 1,
    classes: Sequence[Sequence[Any]] = (),
    match: Literal["name", "order"] = "name",
    series: bool = False,
    margins: bool = False,
    baseline: Optional[AnyPath] = None,
    out: Optional[AnyPath] = None,
    force: bool = False,
    tensors: bool = True,
    report: bool = True,
    **options: Unpack[GridOptions],
) -> Models:
    """The same landscapes through several models, compared pair by pair, as ``morphscape models`` does.

    Parameters
    ----------
    models : mapping of names to models, or sequence of models
        Two or more, or one with ``baseline``; each as in :func:`morphscape.landscape`.
    items, labels
        As in :func:`morphscape.sweep`; items may also be a place that the command line's ``--data`` takes.
    groups, seed, classes
        As in :func:`morphscape.sweep`; classes are those of the first model.
    match : {"name", "order"}
        How the classes of the other models are matched to those of the first.
    series : bool
        Whether the models are checkpoints of one training, in order.
    margins : bool
        Whether dbViz's margins of the first 100 items are taken, for models that have exact lines.
    baseline : path, optional
        A finished run whose kept landscapes stand in for a first model; it sets data, triples and grids.
    out : path, optional
        A folder that is written as ``morphscape models`` writes it, and resumed if it holds part of the same run.
    force : bool
        Whether to start over in a folder that holds something else.
    tensors, report : bool
        Whether the folder keeps every landscape, and whether it gets figures and the report.
    {options}
    """
    if match not in ("name", "order"):
        raise InputError(f'match: expected "name" or "order", found {match!r}')
    names, given = _several(models)
    engine = options.get("engine", "auto")
    number = count_groups(groups, classes)
    if baseline is not None:
        said = {"items": items, "labels": labels, "groups": groups, "classes": classes or None}
        decided = [name for name, value in said.items() if value is not None]
        decided += [name for name in options if name not in ("engine", "show_progress")]
        if decided or seed != 1:
            raise InputError(f"{(decided or ['seed'])[0]}: the baseline decides it; leave it out")
        networks, notes = [file_of(model) for model in given], []
        data, texts, how, total = None, [], checked(DEFAULTS, False), None
    else:
        if items is None:
            raise InputError("items: expected arrays, rows or a place, found none")
        bounds, layout = options.get("bounds"), options.get("layout", "auto")
        if not isinstance(items, (str, os.PathLike)):
            items = read_items(items, bounds=bounds, layout=layout)
        job = job_of(given[0], items, labels, classes, bounds=bounds, layout=layout, engine=engine)
        networks, notes = [job.network], list(job.notes)
        for model in given[1:]:
            if isinstance(items, Items):
                asked = ask_first(model, items, engine)
                networks.append(asked.network)
                notes += asked.notes
            else:
                networks.append(file_of(model))
        data, texts, how = job.data, job.classes, checked(options, job.is_rows)
        total = len(networks) * count_points(how, job.is_rows, number)
    with Progress(total, options.get("show_progress")) as progress:
        file, heard = _morphscape.models(
            networks, names, data, groups=groups, classes=texts, seed=seed, settings=settings(how),
            by_name=match == "name", series=series, margins=margins,
            baseline=None if baseline is None else os.fspath(baseline), out=None if out is None else os.fspath(out),
            force=force, tensors=tensors, report=report, engine=engine, progress=progress,
        )  # fmt: skip
    return Models(file, tuple(dict.fromkeys([*notes, *heard])), None if out is None else Path(out))


def _several(models: Any) -> tuple[Optional[list[str]], list[Model]]:
    """Models, and their names where they were given."""
    if isinstance(models, Mapping):
        names, several = [str(name) for name in models], list(models.values())
    elif isinstance(models, (str, os.PathLike)) or not isinstance(models, Sequence):
        raise InputError(f"models: expected a mapping or a sequence of models, found {type(models).__name__}")
    else:
        names, several = None, list(models)
    if not several:
        raise InputError("models: expected at least two, found none")
    return names, [as_model(model) for model in several]

