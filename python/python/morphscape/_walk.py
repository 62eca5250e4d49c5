"""Random walks on landscapes and on surfaces of their own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal, Mapping, Optional, Union

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import AnyPath, Engine, Floats
from ._landscape import Landscape, read_only
from ._lists import frame_of
from ._morphscape import InputError
from ._say import Progress

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Walk:
    """The results of random walkers. Fields are ``(rows, columns)`` over the surface's points, or None."""

    facts: Mapping[str, str]
    """What was found, in words and numbers."""
    exponent: Optional[float]
    """Of ``MSD ~ n^a``: 1 for free diffusion."""
    exponent_error: Optional[float]
    """Its standard error, from the scatter about the line."""
    moments: Mapping[str, Numbers]
    """Over the steps: ``step, time, msd, msd_error, mean_distance, mean_x, mean_y, moving``."""
    potential: Optional[Floats]
    """Height of the surface."""
    occupation: Optional[Floats]
    """Share of the walkers at each point, over the second half of the walk."""
    stationary: Optional[Floats]
    """Share that they come to, ``e^(-U/T)``."""
    committor: Optional[Floats]
    """From each point, the probability to reach the second basin before the first; solved exactly."""
    passage_steps: Optional[Floats]
    """From each point, the mean number of steps to the second basin or the edge; solved exactly."""
    paths: Floats
    """Some walkers' ways, ``(paths, points, 2)``: x and y."""
    figures: Mapping[str, str]
    """``spread``, ``walkers`` and, where there are such, ``occupation`` and ``committor``, as SVG."""
    notes: tuple[str, ...] = ()
    """What was noted."""
    path: Optional[Path] = None
    """The folder it was written to."""

    def svg(self, kind: str = "spread") -> str:
        """One of ``figures``."""
        if kind not in self.figures:
            raise InputError(f'kind: expected one of {", ".join(self.figures)}, found "{kind}"')
        return self.figures[kind]

    def to_frame(self) -> Any:
        """``moments`` as a DataFrame: of polars if polars is imported and pandas is not, else of pandas."""
        names = list(self.moments)
        return frame_of([dict(zip(names, row)) for row in zip(*(self.moments[name].tolist() for name in names))])

    def __repr__(self) -> str:
        return f"<Walk: {self.facts['surface']}, exponent {self.facts['exponent']}>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{escape(key)}</td><td>{escape(value)}</td></tr>" for key, value in self.facts.items())
        return f"<table>{rows}</table>{self.svg()}"


def walk(
    on: Union[Landscape, Literal["flat", "bowl", "fractal"]] = "flat",
    *,
    walk: Literal["lattice", "langevin"] = "lattice",
    temperature: float = 1.0,
    dt: Optional[float] = None,
    walkers: int = 20_000,
    length: int = 1000,
    start: Union[Literal["minimum", "uniform"], tuple[float, float], None] = None,
    edges: Literal["reflecting", "absorbing"] = "reflecting",
    basins: str = "AB",
    seed: int = 1,
    potential: Literal["class", "margin"] = "class",
    class_name: Union[str, int, None] = None,
    steps: Optional[int] = None,
    drift: float = 0.0,
    bowl: tuple[float, float] = (1.0, 1.0),
    hurst: float = 0.5,
    height: float = 1.0,
    out: Optional[AnyPath] = None,
    force: bool = False,
    report: bool = True,
    engine: Engine = "auto",
    show_progress: Optional[bool] = None,
) -> Walk:
    """Runs random walks on a landscape, or on another surface, as ``morphscape walk`` does.

    Parameters
    ----------
    on : Landscape or {"flat", "bowl", "fractal"}
        A landscape, an endless plane, ``a x^2 + b y^2``, or a fractal surface.
    walk : {"lattice", "langevin"}
        To one of four neighbours a step, accepted as Metropolis does; or downhill with jitter, in steps of ``dt``.
    temperature : float
        In the unit of the surface's height; at 1, walkers on ``-ln p`` end up distributed as ``p``.
    dt : float, optional
        Time step of the Langevin walk; by default a quarter of the largest that is accepted.
    walkers, length : int
        How many walkers, and the steps of each.
    start : {"minimum", "uniform"} or (x, y), optional
        By default uniform on fractals and landscapes, else the minimum.
    edges : {"reflecting", "absorbing"}
        What the edges of a grid do.
    basins : str
        On a landscape, the two items whose basins a lattice walk is to reach.
    potential, class_name
        On a landscape: ``-ln p`` of a class, by default that of C, or minus the logit margin.
    steps : int, optional
        Points a side; by default those of the landscape, else 101.
    drift, bowl, hurst, height
        For the flat surface, for the bowl (a, b), and both for the fractal.
    out : path, optional
        A folder that is written as ``morphscape walk`` writes it. A walk on a landscape of a run in a folder is also
        shown in that run's report.
    force : bool
        Whether to start over in a folder that holds something else.
    report : bool
        Whether figures and the report are drawn in the folder; ``figures`` has none otherwise.
    """
    for name, count, most in (("walkers", walkers, 10**9), ("length", length, 2**24)):
        if not 1 <= count <= most:
            raise InputError(f"{name}: expected 1 to {most}, found {count}")
    if steps is not None and not 2 <= steps <= 1001:
        raise InputError(f"steps: expected 2 to 1001 points a side, found {steps}")
    for name, word, known in (
        ("walk", walk, ("lattice", "langevin")),
        ("edges", edges, ("reflecting", "absorbing")),
        ("potential", potential, ("class", "margin")),
    ):
        if word not in known:
            raise InputError(f"{name}: expected one of {', '.join(known)}, found {word!r}")
    if potential == "margin" and class_name is not None:
        raise InputError("class_name: the margin is that of the predicted class; leave class_name out")
    pair = ["ABC".find(letter) for letter in str(basins).upper()]
    if len(set(pair)) != 2 or len(pair) != 2 or -1 in pair:
        raise InputError(f'basins: expected two different items of A, B and C, such as "AB", found {basins!r}')
    landscape, surface = _surface(on, potential, class_name, steps, drift, bowl, hurst, height)
    if out is not None and isinstance(on, Landscape) and on._given.path is not None and os.path.exists(on._given.path):
        # A run shows the walks on its landscapes, which it is told by their folders.
        landscape, surface["folder"] = None, on._given.path
    job = {
        "surface": surface, "walk": walk, "temperature": float(temperature), "dt": None if dt is None else float(dt),
        "walkers": int(walkers), "length": int(length),
        "start": start if start is None or isinstance(start, str) else ",".join(repr(float(at)) for at in start),
        "edges": edges, "basins": pair, "seed": int(seed),
    }  # fmt: skip
    # How long walkers take to their basins is known when they are there.
    with Progress(None, show_progress, " walker-steps") as progress:
        found = _morphscape.walk(
            json.dumps(job), landscape, out=None if out is None else os.fspath(out), force=force, report=report,
            engine=engine, progress=progress,
        )  # fmt: skip
    fields = {name: read_only(values) for name, values in found["fields"].items()}
    alpha, error = found["exponent"] or (None, None)
    return Walk(
        facts=dict(found["facts"]),
        exponent=alpha,
        exponent_error=error,
        moments={name: read_only(values) for name, values in found["moments"].items()},
        figures=found["figures"],
        potential=fields.get("potential"),
        occupation=fields.get("occupation"),
        stationary=fields.get("stationary"),
        committor=fields.get("committor"),
        passage_steps=fields.get("passage_steps"),
        paths=fields["paths"],
        notes=tuple(found["noted"]),
        path=None if out is None else Path(out),
    )


def _surface(
    on: Any, potential: str, class_name: Union[str, int, None], steps: Optional[int], drift: float,
    bowl: tuple[float, float], hurst: float, height: float,
) -> tuple[Optional[_morphscape.LandscapeFile], dict[str, Any]]:  # fmt: skip
    """The landscape, if it is one, and the surface as a walk's plan has it."""
    points = None if steps is None else int(steps)
    if isinstance(on, Landscape):
        name = None if class_name is None else str(class_name)
        height_of = {"class": name} if potential == "class" else "margin"
        return on._file, {"kind": "landscape", "folder": "", "potential": height_of, "steps": points}
    surfaces = {
        "flat": {"kind": "flat", "drift": float(drift)},
        "bowl": {"kind": "bowl", "curvature": [float(each) for each in bowl], "steps": points or 101},
        "fractal": {"kind": "fractal", "hurst": float(hurst), "height": float(height), "steps": points or 101},
    }
    if not isinstance(on, str) or on not in surfaces:
        raise InputError(f'on: expected a Landscape, "flat", "bowl" or "fractal", found {on!r}')
    return None, surfaces[on]
