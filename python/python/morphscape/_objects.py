"""Landscapes as a user holds them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Iterator, Optional, Union, overload

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import Floats, View
from ._morphscape import InputError

if TYPE_CHECKING:
    from ._display import LandscapeDisplay

SHOWN = ("intrusion", "confident_intrusion", "total_variation", "label_changes", "regions_4", "mean_entropy")
"""Measures that stand beside the map, of those that there are."""


SMALL_MAP = 64
"""Points a side of the map in a notebook at most."""


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array = array.view()
    array.flags.writeable = False
    return array


@dataclass(frozen=True)
class Given:
    """What a call knows of a landscape's items beyond its file."""

    view: Optional[View] = None
    items: Optional[npt.NDArray[Any]] = None
    item_predicted: Optional[tuple[str, str, str]] = None
    notes: tuple[str, ...] = ()


class Landscape:
    """A classifier's answers on the grid between three items.

    Row ``i`` mixes A and B, column ``j`` leads the mix into C. Arrays are read-only.
    """

    def __init__(self, file: _morphscape.LandscapeFile, given: Given = Given()) -> None:
        self._file = file
        self._given = given

    @property
    def name(self) -> str:
        """Its name, e.g. ``1A.3``."""
        return self._file.name

    @property
    def steps(self) -> int:
        """Points a side."""
        return self._file.steps

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of every class."""
        return tuple(self._file.class_names)

    @property
    def logits(self) -> Floats:
        """``(steps, steps, classes)``; NaN where a frame failed."""
        return _read_only(self._file.logits())

    @property
    def probabilities(self) -> Floats:
        """``(steps, steps, classes)``; NaN where a frame failed."""
        return _read_only(self._file.probabilities())

    @property
    def predicted(self) -> npt.NDArray[np.int32]:
        """The most probable class of each point, ``(steps, steps)``; -1 where a frame failed."""
        return _read_only(self._file.predicted().reshape(self.steps, self.steps))

    @property
    def frames(self) -> Optional[npt.NDArray[Any]]:
        """The inputs themselves ``(steps, steps, *item.shape)`` in the items' units, where they were kept."""
        levels = self._file.inputs()
        if levels is None:
            return None
        levels = levels.reshape(self.steps, self.steps, -1)
        if self._given.view is not None:
            return _read_only(self._given.view.arrays(levels, own=False))
        shape = self._file.image_shape
        if shape is None:
            return _read_only(levels)
        height, width, channels = shape
        side = (height, width) if channels == 1 else shape
        return _read_only(levels.reshape(self.steps, self.steps, *side))

    @property
    def items(self) -> Optional[npt.NDArray[Any]]:
        """A, B and C as they were given, ``(3, *item.shape)``; None of a landscape from a file."""
        return None if self._given.items is None else _read_only(self._given.items)

    @property
    def item_names(self) -> tuple[str, str, str]:
        """What A, B and C are called."""
        a, b, c = self._file.item_names
        return a, b, c

    @property
    def item_labels(self) -> tuple[str, str, str]:
        """The classes of A, B and C."""
        a, b, c = (self.classes[label] for label in self._file.item_classes)
        return a, b, c

    @property
    def item_predicted(self) -> tuple[str, str, str]:
        """What the model takes A, B and C for."""
        if self._given.item_predicted is not None:
            return self._given.item_predicted
        corners = self.predicted[[0, -1, 0], [0, 0, -1]]
        a, b, c = (self.classes[label] if label >= 0 else "" for label in corners)
        return a, b, c

    @property
    def measures(self) -> Mapping[str, Optional[float]]:
        """Every measure by its key, as in ``summary.csv``; :func:`morphscape.measures` explains them."""
        return MappingProxyType(self._file.measures())

    @property
    def intruders(self) -> tuple[str, ...]:
        """Classes of none of the items that are predicted somewhere, the most frequent first."""
        return tuple(self.classes[label] for label in self._file.intruders)

    @property
    def settings(self) -> dict[str, Any]:
        """How its grid was made."""
        settings: dict[str, Any] = json.loads(self._file.settings)
        return settings

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed when it was computed."""
        return self._given.notes

    def svg(self, kind: str = "map") -> str:
        """A figure as SVG: map, line, surface, ternary, scatter; with kept frames paths, sheet, mesh."""
        return self._file.svg(kind)

    def surface(self) -> Any:
        """The probabilities as surfaces in a ``plotly.graph_objects.Figure``, which shows itself."""
        try:
            import plotly.graph_objects as go
        except ImportError:
            raise ImportError("surface() draws with plotly, which is not installed: pip install plotly") from None
        return go.Figure(json.loads(self._file.plotly()))

    def plot(self, kind: str = "map", ax: Any = None) -> LandscapeDisplay:
        """Draws with matplotlib, into ``ax`` where one is given: ``map``, ``line``, ``ternary`` or ``surface``."""
        from ._display import LandscapeDisplay

        return LandscapeDisplay(self).plot(kind, ax=ax)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes a ``.safetensors`` file that :func:`morphscape.read_landscape` and other readers open."""
        self._file.save(os.fspath(path))

    def __repr__(self) -> str:
        a, b, c = self.item_labels
        return f"<Landscape {self.name}: {a}, {b} into {c}, {self.steps} x {self.steps}, {len(self.classes)} classes>"

    def _repr_html_(self) -> str:
        rows = []
        for key, value in list(self.measures.items()):
            if key in SHOWN:
                text = "–" if value is None else f"{value:.3g}"
                rows.append(f"<tr><td>{key}</td><td>{text}</td></tr>")
        return f'<div style="display:flex;gap:1em">{self._small_map()}<table>{"".join(rows)}</table></div>'

    def _small_map(self) -> str:
        """The predicted classes as SVG without fonts or scripts, a rectangle for each run of equal points."""
        step = -(-self.steps // SMALL_MAP)
        predicted = self.predicted[::step, ::step]
        colors = _morphscape.class_colors(len(self.classes))
        cell = 240 / len(predicted)
        shapes = []
        for i, row in enumerate(predicted.tolist()):
            ends = [j for j in range(1, len(row)) if row[j] != row[j - 1]]
            for begin, end in zip([0, *ends], [*ends, len(row)]):
                color = colors[row[begin]] if row[begin] >= 0 else "none"
                shapes.append(
                    f'<rect x="{begin * cell:.2f}" y="{i * cell:.2f}" width="{(end - begin) * cell + 0.1:.2f}" '
                    f'height="{cell + 0.1:.2f}" fill="{color}"/>'
                )
        for n, label in enumerate(np.unique(predicted[predicted >= 0])[:12].tolist()):
            y = 12 + 20 * n
            shapes.append(f'<rect x="256" y="{y - 10}" width="12" height="12" fill="{colors[label]}"/>')
            shapes.append(f'<text x="274" y="{y}" font-size="12" fill="currentColor">{escape(self.classes[label])}</text>')
        a, b, c = (escape(label) for label in self.item_labels)
        caption = f'<text x="0" y="258" font-size="12" fill="currentColor">{a} (top) to {b}, into {c} (right)</text>'
        return f'<svg width="420" height="266" viewBox="0 0 420 266">{"".join(shapes)}{caption}</svg>'

    def __getstate__(self) -> tuple[bytes, Given]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "landscape.safetensors")
            self.save(path)
            return path.read_bytes(), self._given

    def __setstate__(self, state: tuple[bytes, Given]) -> None:
        content, self._given = state
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "landscape.safetensors")
            path.write_bytes(content)
            self._file = _morphscape.LandscapeFile.read(os.fspath(path))


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


class LandscapeList(Sequence[Landscape]):
    """Landscapes in order; also by their names."""

    def __init__(self, landscapes: Sequence[Landscape], notes: tuple[str, ...] = ()) -> None:
        self._landscapes = list(landscapes)
        self.notes = notes

    @overload
    def __getitem__(self, at: int) -> Landscape: ...
    @overload
    def __getitem__(self, at: slice) -> LandscapeList: ...
    @overload
    def __getitem__(self, at: str) -> Landscape: ...
    def __getitem__(self, at: Union[int, slice, str]) -> Union[Landscape, LandscapeList]:
        if isinstance(at, slice):
            return LandscapeList(self._landscapes[at], self.notes)
        if isinstance(at, str):
            for landscape in self._landscapes:
                if landscape.name == at:
                    return landscape
            raise KeyError(at)
        return self._landscapes[at]

    def __len__(self) -> int:
        return len(self._landscapes)

    def __iter__(self) -> Iterator[Landscape]:
        return iter(self._landscapes)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the landscapes."""
        return tuple(landscape.name for landscape in self)

    @property
    def probabilities(self) -> Floats:
        """``(landscapes, steps, steps, classes)``."""
        return _read_only(np.stack([landscape.probabilities for landscape in self]))

    def rows(self) -> list[dict[str, Any]]:
        """A row for each landscape as ``summary.csv`` has it, numbers as numbers."""
        return [_row(landscape) for landscape in self]

    def to_frame(self) -> Any:
        """The rows as a DataFrame: of polars if that is imported and pandas is not, else of pandas."""
        return _frame(self.rows())

    def top(self, by: str = "total_variation", n: int = 10) -> LandscapeList:
        """The ``n`` landscapes with the largest measure; those without it come last."""
        return LandscapeList(_top(self, by, n), self.notes)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} landscapes>"


class Run(LandscapeList):
    """A finished run in a folder, whose landscapes are read when they are looked at."""

    def __init__(self, folder: _morphscape.RunFolder, notes: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._names = folder.names()
        self.notes = notes

    @property
    def path(self) -> Path:
        """Its folder."""
        return Path(self._folder.path)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._names)

    @property
    def manifest(self) -> dict[str, Any]:
        """What the run says of itself."""
        manifest: dict[str, Any] = json.loads(self._folder.manifest())
        return manifest

    @overload
    def __getitem__(self, at: int) -> Landscape: ...
    @overload
    def __getitem__(self, at: slice) -> LandscapeList: ...
    @overload
    def __getitem__(self, at: str) -> Landscape: ...
    def __getitem__(self, at: Union[int, slice, str]) -> Union[Landscape, LandscapeList]:
        if isinstance(at, slice):
            return LandscapeList([self[name] for name in self._names[at]], self.notes)
        if not isinstance(at, str):
            at = self._names[at]
        elif at not in self._names:
            raise KeyError(at)
        return Landscape(self._folder.landscape(at), Given(notes=self.notes))

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Landscape]:
        return (self[name] for name in self._names)

    def rows(self) -> list[dict[str, Any]]:
        return self._folder.rows()

    def report(self) -> Path:
        """Draws the run's report, a page that needs no network, and gives its path."""
        return Path(self._folder.report())

    def __repr__(self) -> str:
        return f"<Run of {len(self)} landscapes in {self.path}>"

    def __reduce__(self) -> Any:
        return _open_run, (os.fspath(self.path), self.notes)


def _open_run(path: str, notes: tuple[str, ...] = ()) -> Run:
    return Run(_morphscape.RunFolder.open(path), notes)


def _row(landscape: Landscape) -> dict[str, Any]:
    row: dict[str, Any] = {"landscape": landscape.name}
    row.update(zip(("item_a", "item_b", "item_c"), landscape.item_names))
    row.update(zip(("class_a", "class_b", "class_c"), landscape.item_labels))
    row.update(landscape.measures)
    row["intruders"] = "; ".join(landscape.intruders)
    return row


def _frame(rows: list[dict[str, Any]]) -> Any:
    import sys

    if "polars" in sys.modules and "pandas" not in sys.modules:
        return sys.modules["polars"].DataFrame(rows, infer_schema_length=None)
    try:
        import pandas
    except ImportError:
        raise ImportError("to_frame() makes a DataFrame, and neither pandas nor polars is there: pip install pandas") from None
    return pandas.DataFrame(rows)


def _top(landscapes: LandscapeList, by: str, n: int) -> list[Landscape]:
    rows = landscapes.rows()
    known = [key for key, _, _ in _morphscape.columns()]
    if by not in known:
        raise InputError(f"by: expected a measure, one of {', '.join(known)}; found {by!r}")

    def rank(at: int) -> tuple[bool, float]:
        value = rows[at][by]
        return (value is None, 0.0 if value is None else -value)

    return [landscapes[at] for at in sorted(range(len(rows)), key=rank)[:n]]
