"""The calls that compute landscapes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any, Literal, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import AnyPath, Bounds, Engine, Items, Layout, read_items, stacked
from ._jobs import count_groups, job_of
from ._landscape import Given, Landscape
from ._lists import LandscapeList, open_run
from ._models import Model, as_model
from ._morphscape import InputError
from ._say import Progress, warn_of_engines

Kind = Literal["morph", "plane", "triangle"]
Mode = Literal["morph", "cross-fade", "published"]
Sampling = Literal["cubic", "linear"]


STEPS = {"morph": 21, "plane": 51, "triangle": 51}
"""Points a side of each kind where nothing is said."""
RANGE = (0.1, 0.1)


@dataclass(frozen=True)
class _How:
    """How landscapes are computed."""

    kind: Kind
    steps: Optional[int]
    range: tuple[float, float]
    clipped: bool
    grid: int
    mode: Mode
    sampling: Sampling
    keep_frames: bool
    engine: Engine
    show_progress: Optional[bool]

    def checked(self, is_rows: bool) -> _How:
        """The same for images or rows, with a number of points."""
        if self.kind not in STEPS:
            raise InputError(f'kind: expected "morph", "plane" or "triangle", found {self.kind!r}')
        steps = STEPS[self.kind] if self.steps is None else self.steps
        if not 2 <= steps <= 1001:
            raise InputError(f"steps: expected 2 to 1001 points a side, found {steps}")
        if (self.mode, self.sampling) != ("morph", "cubic"):
            if is_rows:
                raise InputError("mode: rows are mixed, not morphed; leave mode and sampling out")
            if self.kind != "morph":
                raise InputError(f"mode: a {self.kind} is not morphed; leave mode and sampling out")
        if self.kind != "plane" and tuple(self.range) != RANGE:
            raise InputError("range: only a plane has a box around its items; leave range out")
        if self.clipped and (self.kind != "plane" or is_rows):
            raise InputError("clipped: only the points of a plane of images can leave their range; leave clipped out")
        if len(self.range) != 2 or not all(0 <= share <= 100 for share in self.range):
            raise InputError(f"range: expected two shares of the box's sides, from 0 to 100, found {self.range}")
        return replace(self, steps=int(steps))

    @property
    def points(self) -> int:
        """Of a landscape."""
        assert self.steps is not None
        return self.steps * (self.steps + 1) // 2 if self.kind == "triangle" else self.steps**2


def landscape(
    model: Any,
    a: Any,
    b: Any,
    c: Any,
    *,
    labels: Any = None,
    kind: Kind = "morph",
    steps: Optional[int] = None,
    range: tuple[float, float] = RANGE,
    clipped: bool = False,
    grid: int = 3,
    mode: Mode = "morph",
    sampling: Sampling = "cubic",
    bounds: Bounds = None,
    layout: Layout = "auto",
    keep_frames: bool = False,
    engine: Engine = "auto",
    show_progress: Optional[bool] = None,
) -> Landscape:
    """The landscape between three items: A and B are mixed, and the mixes led into C.

    Parameters
    ----------
    model : path, estimator, module of a framework, function of a batch, Model, or None
        What is asked; None is the bundled model of Fashion-MNIST.
    a, b, c : array-like, tensor or DataFrame of one row
        Images of one shape, ``(height, width)``, ``(height, width, channels)`` or ``(channels, height,
        width)``, or rows: ``(features,)`` or ``(1, features)``.
    labels : three labels, optional
        The items' classes; without them those that the model predicts.
    kind : {"morph", "plane", "triangle"}
        What lies between the items: mixes of A and B led into C; the plane through the three, alpha along A to B
        and beta at right angles to it; or all mixtures of the three.
    steps : int
        Points a side: 21, of planes and triangles 51.
    range : (below, above)
        How much wider than its items the box of a plane is, as shares of each side.
    clipped : bool
        Whether the values of a plane's points are clipped to the items' bounds; they leave them otherwise.
    grid : int
        Feature cells a side of an image.
    mode : {"morph", "cross-fade", "published"}
        How images are mixed; ``"published"`` as the paper's tool does.
    sampling : {"cubic", "linear"}
        How a morph samples its images.
    bounds : (black, white), optional
        (0, 255) of uint8 and (0, 1) of floats where nothing is said.
    layout : {"auto", "HWC", "CHW"}
        Where the channels stand, where both ends could be.
    keep_frames : bool
        Whether ``frames`` holds the images in between. Rows are always kept.
    engine : {"auto", "gpu", "cpu"}
        What computes.
    show_progress : bool, optional
        A bar of tqdm; by default when the call takes longer than two seconds.
    """
    how = _How(kind, steps, range, clipped, grid, mode, sampling, keep_frames, engine, show_progress)
    three = stacked([a, b, c], bounds=bounds, layout=layout)
    return _compute(as_model(model), three, [("0", 3, (0, 1, 2))], labels, how)[0]


def landscapes(
    model: Any,
    items: Any,
    triples: Any,
    *,
    labels: Any = None,
    kind: Kind = "morph",
    steps: Optional[int] = None,
    range: tuple[float, float] = RANGE,
    clipped: bool = False,
    grid: int = 3,
    mode: Mode = "morph",
    sampling: Sampling = "cubic",
    bounds: Bounds = None,
    layout: Layout = "auto",
    keep_frames: bool = False,
    engine: Engine = "auto",
    show_progress: Optional[bool] = None,
) -> LandscapeList:
    """A landscape for each of ``triples``, integers ``(m, 3)``: the positions of A, B and C among ``items``.

    Items are ``(n, height, width)``, ``(n, height, width, channels)``, ``(n, channels, height, width)``, or rows
    ``(n, features)`` or a DataFrame; ``labels`` are one for each. The rest is as in :func:`landscape`.
    """
    how = _How(kind, steps, range, clipped, grid, mode, sampling, keep_frames, engine, show_progress)
    given = read_items(items, bounds=bounds, layout=layout)
    chosen = [(str(n), 3, three) for n, three in enumerate(_positions(triples, len(given)))]
    return _compute(as_model(model), given, chosen, labels, how)


def sweep(
    model: Any,
    items: Any,
    labels: Any = None,
    *,
    groups: Optional[int] = None,
    seed: int = 1,
    classes: Sequence[Sequence[Any]] = (),
    kind: Kind = "morph",
    steps: Optional[int] = None,
    range: tuple[float, float] = RANGE,
    clipped: bool = False,
    grid: int = 3,
    mode: Mode = "morph",
    sampling: Sampling = "cubic",
    bounds: Bounds = None,
    layout: Layout = "auto",
    keep_frames: bool = False,
    out: Optional[AnyPath] = None,
    force: bool = False,
    report: bool = True,
    engine: Engine = "auto",
    show_progress: Optional[bool] = None,
) -> LandscapeList:
    """The landscapes between items that a seed chooses, as the command line chooses and names them.

    Parameters
    ----------
    items, labels
        As in :func:`landscapes`. With ``out`` items may also be a path, or ``"fashion-mnist"``, as for
        ``morphscape sweep --data``; such have labels of their own.
    groups : int
        Groups of three classes, 5 where nothing is said; of images each has two triples of items, of rows one,
        and each triple three landscapes.
    seed : int
        Chooses classes and items: the same seed on the same data gives the same landscapes as the command line.
    classes : sequence of three classes, by number or name
        Of the first groups; the other groups draw theirs.
    out : path, optional
        A folder that is written as ``morphscape sweep`` and ``morphscape interpolate`` write it, and resumed
        where it holds a part of the same run. The result is then a :class:`Run`.
    force : bool
        Whether a folder that holds something else is written over.
    report : bool
        Whether figures and the report are drawn in the folder.

    The rest is as in :func:`landscape`.
    """
    how = _How(kind, steps, range, clipped, grid, mode, sampling, keep_frames, engine, show_progress)
    number = count_groups(groups, classes)
    if out is not None:
        job = job_of(as_model(model), items, labels, classes, bounds=bounds, layout=layout, engine=engine)
        how = how.checked(job.is_rows)
        assert how.steps is not None
        landscapes_a_group = (1 if job.is_rows else 2) * (3 if how.kind == "morph" else 1)
        with Progress(landscapes_a_group * number * how.points, show_progress) as progress:
            heard = _morphscape.run_sweep(
                job.network, job.data, groups=number, classes=job.classes, seed=seed, steps=how.steps, grid=grid,
                mode=mode, sampling=sampling, kind=kind, range=range, clipped=clipped, out=os.fspath(out), force=force,
                keep_frames=keep_frames, report=report, engine=engine, progress=progress,
            )  # fmt: skip
        return open_run(os.fspath(out), (*job.notes, *(note for note in heard if note not in job.notes)))
    if isinstance(items, (str, os.PathLike)):
        raise InputError("items: images in files are swept into a folder; say which with out=")
    if labels is None:
        raise InputError("labels: expected one for each item, since groups are drawn by class; found none")
    asked_model, given = as_model(model), read_items(items, bounds=bounds, layout=layout)
    how = how.checked(given.view.is_rows)
    # One item tells the classes; all that are chosen are asked before their grids are.
    asked = asked_model._ask(given, [0], engine)
    drawn = _morphscape.choose(
        asked.labels(labels, len(given)).tolist(),
        num_classes=len(asked.class_names),
        groups=number,
        classes=[asked.class_numbers(three) for three in classes],
        seed=seed,
        rows=given.view.is_rows,
        kind=kind,
    )
    chosen = [(name, permutation, positions) for name, permutation, positions, _ in drawn]
    return _compute(asked_model, given, chosen, labels, how)


def _positions(triples: Any, items: int) -> list[tuple[int, int, int]]:
    chosen = np.asarray(triples)
    if chosen.ndim != 2 or chosen.shape[1] != 3 or chosen.dtype.kind not in "iu":
        raise InputError(f"triples: expected integers of shape (m, 3), found {chosen.dtype} of shape {chosen.shape}")
    if len(chosen) and not (0 <= chosen.min() and chosen.max() < items):
        wrong = chosen.min() if chosen.min() < 0 else chosen.max()
        raise InputError(f"triples: expected positions from 0 to {items - 1}, found {wrong}")
    return [(int(i), int(j), int(k)) for i, j, k in chosen]


def _compute(
    model: Model, items: Items, chosen: list[tuple[str, int, tuple[int, int, int]]], labels: Any, how: _How
) -> LandscapeList:
    """Landscapes by name, number of the permutation, and positions of A, B and C among all items."""
    how = how.checked(items.view.is_rows)
    # The points of a plane leave the bounds unless they are clipped, which the engine does.
    view = replace(items.view, clips=how.kind == "morph")
    items = replace(items, view=view)
    used, at = np.unique([positions for _, _, positions in chosen], return_inverse=True)
    asked = model._ask(items, used.tolist(), how.engine)
    predicted, notes = asked.predicted, list(asked.notes)
    if labels is None:
        of_items = predicted
        notes.append("without labels, an item's class is the one that the model predicts")
    else:
        of_items = asked.labels(labels, len(items))[used]
        right = int((of_items == predicted).sum())
        notes.append(f"the model classifies {right} of {len(used)} items as labelled")
    grids = []
    for (name, permutation, _), (i, j, k) in zip(chosen, at.reshape(-1, 3).tolist()):
        grids.append((name, permutation, (i, j, k), (int(of_items[i]), int(of_items[j]), int(of_items[k]))))
    levels, names = items.levels(used.tolist()), [f"items#{position}" for position in used.tolist()]
    features = [str(name) for name in view.features]
    with Progress(len(grids) * how.points, how.show_progress) as progress:
        known: dict[str, Any] = {
            "item_names": names, "class_names": asked.class_names, "steps": how.steps, "engine": how.engine,
            "progress": progress,
        }  # fmt: skip
        if how.kind != "morph":
            files = _morphscape.flat_grids(
                asked.network, levels.reshape(len(levels), -1), grids, features=features, kind=how.kind,
                image_shape=None if view.is_rows else view.image_shape, range=how.range, clipped=how.clipped,
                keep_frames=how.keep_frames, **known,
            )  # fmt: skip
        elif view.is_rows:
            files = _morphscape.row_grids(asked.network, levels, grids, features=features, **known)
        else:
            files = _morphscape.image_grids(
                asked.network, levels, grids, grid=how.grid, mode=how.mode, sampling=how.sampling,
                keep_frames=how.keep_frames, **known,
            )  # fmt: skip
    made = []
    # Frames are shown as numpy arrays, whatever the items came in.
    shown = replace(view, container="numpy", device=None)
    for file, (_, _, of, _) in zip(files, grids):
        a, b, c = (asked.class_names[int(predicted[n])] for n in of)
        made.append(Landscape(file, Given(shown, items.values[used[list(of)]], (a, b, c), tuple(notes))))
    return LandscapeList(made, tuple(notes))


def morph(
    a: Any,
    b: Any,
    *,
    alphas: Union[int, Sequence[float]] = 21,
    grid: int = 3,
    mode: Mode = "morph",
    sampling: Sampling = "cubic",
    bounds: Bounds = None,
    layout: Layout = "auto",
    engine: Engine = "auto",
) -> npt.NDArray[Any]:
    """The frames that lead image A into image B, ``(alphas, *a.shape)`` in the images' units, without a model.

    ``alphas`` is a number of frames, A and B among them, or the weights of B. The rest is as in :func:`landscape`.
    """
    pair = stacked([a, b], bounds=bounds, layout=layout)
    if pair.view.is_rows:
        raise InputError("a: expected an image, found a row of features")
    if isinstance(alphas, (int, np.integer)):
        if alphas < 2:
            raise InputError(f"alphas: expected at least 2 frames, found {alphas}")
        weights = np.linspace(0.0, 1.0, int(alphas))
    else:
        weights = np.asarray(alphas, dtype=np.float64)
        if weights.ndim != 1 or not ((weights >= 0) & (weights <= 1)).all():
            raise InputError(f"alphas: expected weights from 0 to 1, found {alphas}")
    left, right = pair.levels([0, 1])
    frames = _morphscape.morph_frames(
        left, right, weights.tolist(), grid=grid, mode=mode, sampling=sampling, engine=engine
    )
    warn_of_engines()
    shown = replace(pair.view, container="numpy", device=None)
    return shown.arrays(frames.reshape(len(frames), -1), own=True)
