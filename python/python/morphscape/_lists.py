"""Several landscapes: of a call, or of a run in a folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Iterator, Optional, Union, overload

import numpy as np

from . import _morphscape
from ._data import Floats
from ._landscape import SHOWN, Given, Landscape, read_only
from ._morphscape import InputError

SHOWN_ROWS = 20
"""Landscapes that a list shows in a notebook."""


class LandscapeList(Sequence[Landscape]):
    """Landscapes in order, by position or by name."""

    def __init__(self, landscapes: Sequence[Landscape], notes: tuple[str, ...] = ()) -> None:
        self._landscapes = list(landscapes)
        self.notes = notes

    def _at(self, position: int) -> Landscape:
        return self._landscapes[position]

    def __len__(self) -> int:
        return len(self._landscapes)

    def __iter__(self) -> Iterator[Landscape]:
        return (self._at(position) for position in range(len(self)))

    @overload
    def __getitem__(self, at: int) -> Landscape: ...
    @overload
    def __getitem__(self, at: slice) -> LandscapeList: ...
    @overload
    def __getitem__(self, at: str) -> Landscape: ...
    def __getitem__(self, at: Union[int, slice, str]) -> Union[Landscape, LandscapeList]:
        if isinstance(at, slice):
            return LandscapeList([self._at(position) for position in range(len(self))[at]], self.notes)
        if isinstance(at, str):
            if at not in self.names:
                raise KeyError(at)
            return self._at(self.names.index(at))
        return self._at(range(len(self))[at])

    @property
    def names(self) -> tuple[str, ...]:
        """Of the landscapes."""
        return tuple(landscape.name for landscape in self._landscapes)

    @property
    def probabilities(self) -> Floats:
        """``(landscapes, steps, steps, classes)``."""
        return read_only(np.stack([landscape.probabilities for landscape in self]))

    def rows(self) -> list[dict[str, Any]]:
        """A row for each landscape as ``summary.csv`` has it, numbers as numbers."""
        return [landscape._file.row() for landscape in self]

    def to_frame(self) -> Any:
        """The rows as a DataFrame: of polars if polars is imported and pandas is not, else of pandas."""
        return frame_of(self.rows())

    def top(self, by: str = "total_variation", n: int = 10) -> LandscapeList:
        """The ``n`` landscapes with the largest measure; those without it come last."""
        known = _morphscape.columns()
        if by not in [key for key, _, _ in known]:
            raise InputError(f"by: expected a measure, one of {', '.join(key for key, _, _ in known)}; found {by!r}")
        values = [row[by] for row in self.rows()]
        order = sorted(range(len(values)), key=lambda at: (values[at] is None, -(values[at] or 0)))
        return LandscapeList([self._at(at) for at in order[:n]], self.notes)

    def report(self, path: Union[str, os.PathLike[str]]) -> Path:
        """Writes a page that shows them and needs no network, and returns its path."""
        _morphscape.write_report(os.fspath(path), [landscape._file for landscape in self])
        return Path(path)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} landscapes>"

    def _repr_html_(self) -> str:
        rows = self.rows()
        keys = ["landscape", "class_a", "class_b", "class_c", *SHOWN]
        head = "".join(f"<th>{key}</th>" for key in keys)
        body = ""
        for row in rows[:SHOWN_ROWS]:
            body += "<tr>" + "".join(f"<td>{_cell(row.get(key))}</td>" for key in keys) + "</tr>"
        more = f"<p>{len(rows)} landscapes in all</p>" if len(rows) > SHOWN_ROWS else ""
        return f"<table><tr>{head}</tr>{body}</table>{more}"


class Run(LandscapeList):
    """A finished run in a folder; its landscapes are read when they are used."""

    def __init__(self, folder: _morphscape.RunFolder, notes: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._names = tuple(folder.names())
        self.notes = notes

    def _at(self, position: int) -> Landscape:
        name = self._names[position]
        return Landscape(self._folder.landscape(name), Given(notes=self.notes, path=os.fspath(self.path / name)))

    def __len__(self) -> int:
        return len(self._names)

    @property
    def path(self) -> Path:
        """Its folder."""
        return Path(self._folder.path)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @property
    def manifest(self) -> dict[str, Any]:
        """The run's ``manifest.json``."""
        manifest: dict[str, Any] = json.loads(self._folder.manifest())
        return manifest

    def rows(self) -> list[dict[str, Any]]:
        return self._folder.rows()

    def report(self, path: Optional[Union[str, os.PathLike[str]]] = None) -> Path:
        """Draws the run's own report and returns its path; with ``path``, writes one elsewhere."""
        return Path(self._folder.report()) if path is None else super().report(path)

    def __repr__(self) -> str:
        return f"<Run of {len(self)} landscapes in {self.path}>"

    def __reduce__(self) -> Any:
        return open_run, (os.fspath(self.path), self.notes)


def open_run(path: str, notes: tuple[str, ...] = ()) -> Run:
    return Run(_morphscape.RunFolder.open(path), notes)


def frame_of(rows: list[dict[str, Any]]) -> Any:
    """A DataFrame of rows."""
    if "polars" in sys.modules and "pandas" not in sys.modules:
        return sys.modules["polars"].DataFrame(rows, infer_schema_length=None)
    try:
        import pandas
    except ImportError:
        raise ImportError("to_frame() makes a DataFrame, and neither pandas nor polars is there: pip install pandas") from None
    return pandas.DataFrame(rows)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return escape(value) if isinstance(value, str) else f"{value:.3g}"
