"""The calls: landscapes of items, sweeps, morphs."""

from __future__ import annotations

import importlib.util
import os
import time
import warnings
from dataclasses import replace
from typing import Any, Callable, Literal, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import Items, Layout, read_items, stacked
from ._models import Asked, Model, as_model
from ._morphscape import InputError
from ._objects import Given, Landscape, LandscapeList, Line, Run, _open_run

Mode = Literal["morph", "cross-fade", "published"]
Sampling = Literal["cubic", "linear"]
Engine = Literal["auto", "gpu", "cpu"]
Bounds = Optional[tuple[float, float]]
Path_ = Union[str, os.PathLike[str]]

_Grid = tuple[str, int, tuple[int, int, int], tuple[int, int, int]]

QUIET_S = 2.0
"""A call that takes no longer shows no progress unless it is asked for."""


def landscape(
    model: Any,
    a: Any,
    b: Any,
    c: Any,
    *,
    labels: Any = None,
    steps: int = 21,
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

    Items are images of one shape, ``(height, width)``, ``(height, width, channels)`` or ``(channels, height,
    width)``, or rows: ``(features,)``, ``(1, features)`` or a DataFrame of one row. ``labels`` are their
    classes; without them those that the model predicts.
    """
    three = stacked([a, b, c], bounds=bounds, layout=layout)
    [one] = landscapes(
        model,
        three,
        [(0, 1, 2)],
        labels=labels,
        steps=steps,
        grid=grid,
        mode=mode,
        sampling=sampling,
        keep_frames=keep_frames,
        engine=engine,
        show_progress=show_progress,
    )
    return one


def landscapes(
    model: Any,
    items: Any,
    triples: Any,
    *,
    labels: Any = None,
    steps: int = 21,
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
    ``(n, features)`` or a DataFrame.
    """
    asked_model, given = as_model(model), read_items(items, bounds=bounds, layout=layout)
    chosen = _triples(triples, len(given))
    used, at = np.unique(chosen, return_inverse=True)
    asked = asked_model._ask(given, used.tolist(), engine)
    predicted = asked.probabilities.argmax(axis=1)
    notes = list(asked.notes)
    if labels is None:
        classes = predicted
        notes.append("without labels, an item's class is the one that the model predicts")
    else:
        classes = asked.labels(labels, len(given))[used]
        right = int((classes == predicted).sum())
        notes.append(f"the model classifies {right} of {len(used)} items as labelled")
    grids: list[_Grid] = []
    for n, (i, j, k) in enumerate(at.reshape(-1, 3).tolist()):
        grids.append((str(n), 3, (i, j, k), (int(classes[i]), int(classes[j]), int(classes[k]))))
    return _compute(
        asked, given, used, grids, predicted, notes,
        steps=steps, grid=grid, mode=mode, sampling=sampling, keep_frames=keep_frames, engine=engine,
        show_progress=show_progress,
    )  # fmt: skip


def sweep(
    model: Any,
    items: Any,
    labels: Any = None,
    *,
    groups: Optional[int] = None,
    seed: int = 1,
    classes: Sequence[Sequence[Any]] = (),
    steps: int = 21,
    grid: int = 3,
    mode: Mode = "morph",
    sampling: Sampling = "cubic",
    bounds: Bounds = None,
    layout: Layout = "auto",
    keep_frames: bool = False,
    out: Optional[Path_] = None,
    force: bool = False,
    report: bool = True,
    engine: Engine = "auto",
    show_progress: Optional[bool] = None,
) -> LandscapeList:
    """The landscapes between items that a seed chooses, as ``morphscape sweep`` chooses and names them.

    For each of ``groups`` (5) three classes are drawn, or taken from ``classes``; of images two triples of their
    items a group, of rows one; of each triple three landscapes. ``items`` may be a path, or ``"fashion-mnist"``, as
    for ``--data``, if ``out`` is given too. ``out`` is a folder that is written as the command line writes it,
    and resumed where it holds a part of the same run; with it the result is a :class:`Run`.
    """
    if isinstance(items, (str, os.PathLike)):
        if out is None:
            raise InputError("items: images in files are swept into a folder; say which with out=")
        if labels is not None:
            raise InputError("labels: images in files have their own; leave labels out")
    elif labels is None:
        raise InputError("labels: expected one for each item, since groups are drawn by class; found none")
    for three in classes:
        if len(three) != 3:
            raise InputError(f"classes: expected three of each group, found {list(three)}")
    number = groups if groups is not None else (len(classes) or 5)
    if number < 1 or len(classes) > number:
        raise InputError(f"groups: expected at least {max(1, len(classes))}, found {number}")
    asked_model = as_model(model)
    if out is not None:
        return _sweep_into(
            asked_model, items, labels, groups=number, seed=seed, classes=classes, steps=steps, grid=grid, mode=mode,
            sampling=sampling, bounds=bounds, layout=layout, keep_frames=keep_frames, out=out, force=force,
            report=report, engine=engine, show_progress=show_progress,
        )  # fmt: skip
    given = read_items(items, bounds=bounds, layout=layout)
    # One item says how many classes there are; all that are used are asked below.
    known = asked_model._ask(given, [0], engine)
    numbers = known.labels(labels, len(given))
    drawn = _morphscape.choose(
        numbers.tolist(),
        num_classes=len(known.class_names),
        groups=number,
        classes=[_class_numbers(three, known) for three in classes],
        seed=seed,
        rows=given.view.is_rows,
    )
    used, at = np.unique([positions for _, _, positions, _ in drawn], return_inverse=True)
    asked = asked_model._ask(given, used.tolist(), engine)
    predicted = asked.probabilities.argmax(axis=1)
    right = int((numbers[used] == predicted).sum())
    notes = [*asked.notes, f"the model classifies {right} of {len(used)} items as labelled"]
    grids: list[_Grid] = []
    for (name, permutation, _, of), (i, j, k) in zip(drawn, at.reshape(-1, 3).tolist()):
        grids.append((name, permutation, (i, j, k), of))
    return _compute(
        asked, given, used, grids, predicted, notes,
        steps=steps, grid=grid, mode=mode, sampling=sampling, keep_frames=keep_frames, engine=engine,
        show_progress=show_progress,
    )  # fmt: skip


def _sweep_into(
    model: Model, items: Any, labels: Any, *, bounds: Bounds, layout: Layout, classes: Sequence[Sequence[Any]],
    out: Path_, steps: int, groups: int, show_progress: Optional[bool], engine: Engine, **rest: Any,
) -> Run:  # fmt: skip
    data: Any
    if isinstance(items, (str, os.PathLike)):
        if model._native is None:
            raise InputError("items: a callable is asked for arrays, whose units it knows; give arrays and labels")
        network, data, notes = model._native, os.fspath(items), []
        names = [",".join(str(each) for each in three) for three in classes]
    else:
        given = read_items(items, bounds=bounds, layout=layout)
        if given.view.is_rows:
            raise InputError("out: rows are swept in memory; leave out= away, or use morphscape interpolate")
        asked = model._ask(given, list(range(min(len(given), 64))), engine)
        numbers = asked.labels(labels, len(given)).tolist()
        network, notes = asked.network, asked.notes
        names = [",".join(str(each) for each in _class_numbers(three, asked)) for three in classes]
        data = (_levels_of(given), numbers, asked.class_names if asked.has_names else None)
    with _progress(6 * groups * steps * steps, show_progress) as progress:
        heard = _morphscape.run_sweep(
            network, data, groups=groups, classes=names, steps=steps, out=os.fspath(out), engine=engine,
            progress=progress, **rest,
        )  # fmt: skip
    _warn()
    return _open_run(os.fspath(out), (*notes, *(note for note in heard if note not in notes)))


def _levels_of(items: Items) -> npt.NDArray[Any]:
    """Levels of all items, as bytes where they came as bytes."""
    view = items.view
    if items.values.dtype != np.uint8 or view.bounds != (0.0, 255.0):
        return items.levels(range(len(items)))
    values = items.values.transpose(0, 2, 3, 1) if view.layout == "CHW" else items.values
    return np.ascontiguousarray(values).reshape(-1, *view.image_shape)


def _compute(
    asked: Asked,
    items: Items,
    used: npt.NDArray[np.intp],
    grids: list[_Grid],
    predicted: npt.NDArray[np.intp],
    notes: list[str],
    *,
    steps: int,
    grid: int,
    mode: Mode,
    sampling: Sampling,
    keep_frames: bool,
    engine: Engine,
    show_progress: Optional[bool],
) -> LandscapeList:
    """Landscapes between the items at ``used``, to which ``grids`` and ``predicted`` refer."""
    if not 2 <= steps <= 1001:
        raise InputError(f"steps: expected 2 to 1001 points a side, found {steps}")
    names = [f"items#{at}" for at in used.tolist()]
    levels = items.levels(used.tolist())
    with _progress(len(grids) * steps * steps, show_progress) as progress:
        if items.view.is_rows:
            if mode != "morph" or sampling != "cubic":
                raise InputError("mode: rows are mixed, not morphed; leave mode and sampling out")
            files = _morphscape.row_grids(
                asked.network, levels, grids, item_names=names, class_names=asked.class_names,
                features=[str(name) for name in items.view.features], steps=steps, engine=engine, progress=progress,
            )  # fmt: skip
        else:
            files = _morphscape.image_grids(
                asked.network, levels, grids, item_names=names, class_names=asked.class_names, steps=steps, grid=grid,
                mode=mode, sampling=sampling, keep_frames=keep_frames, engine=engine, progress=progress,
            )  # fmt: skip
    _warn()
    # Frames are shown as numpy arrays whatever the items came in.
    view = replace(items.view, container="numpy", device=None)
    made = []
    for file, (_, _, at, _) in zip(files, grids):
        i, j, k = (asked.class_names[int(predicted[n])] for n in at)
        three = items.values[used[list(at)]]
        made.append(Landscape(file, Given(view, three, (i, j, k), tuple(notes))))
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

    ``alphas`` is a number of frames, A and B among them, or the weights of B.
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
    _warn()
    view = replace(pair.view, container="numpy", device=None)
    return view.arrays(frames.reshape(len(frames), -1), own=True)


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
    looks at the points alone.
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
    _warn()
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


def open(path: Path_) -> Run:  # noqa: A001 - as numpy's and PIL's
    """A finished run in a folder, whoever made it."""
    return _open_run(os.fspath(path))


def read_landscape(path: Path_) -> Landscape:
    """A landscape from its ``.safetensors`` file."""
    return Landscape(_morphscape.LandscapeFile.read(os.fspath(path)))


def measures() -> dict[str, str]:
    """What each measure is, by its key."""
    return {key: text for key, _, text in _morphscape.columns()}


def fashion_mnist() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The test set of Fashion-MNIST that comes with the package: images ``(10000, 28, 28)`` and labels."""
    return _morphscape.fashion_mnist()


def _warn() -> None:
    """Says what engines have said: a device that is left for the CPU is never left in silence."""
    for message in _morphscape.engine_messages():
        warnings.warn(message, RuntimeWarning, stacklevel=4)


def _triples(triples: Any, items: int) -> npt.NDArray[np.intp]:
    chosen = np.asarray(triples)
    if chosen.ndim != 2 or chosen.shape[1] != 3 or chosen.dtype.kind not in "iu":
        raise InputError(f"triples: expected integers of shape (m, 3), found {chosen.dtype} of shape {chosen.shape}")
    if len(chosen) and not (0 <= chosen.min() and chosen.max() < items):
        wrong = chosen.min() if chosen.min() < 0 else chosen.max()
        raise InputError(f"triples: expected positions from 0 to {items - 1}, found {wrong}")
    return chosen.astype(np.intp)


def _class_numbers(three: Sequence[Any], asked: Asked) -> tuple[int, int, int]:
    def number(each: Any) -> int:
        if isinstance(each, str):
            lower = [name.lower() for name in asked.class_names]
            if each.lower() in lower:
                return lower.index(each.lower())
        elif not isinstance(each, bool) and isinstance(each, (int, np.integer)) and 0 <= each < len(asked.class_names):
            return int(each)
        raise InputError(
            f"classes: unknown class {each!r}; expected a number below {len(asked.class_names)} or one of "
            f"{', '.join(asked.class_names)}"
        )

    x, y, z = (number(each) for each in three)
    if len({x, y, z}) < 3:
        raise InputError(f"classes: expected three different classes, found {list(three)}")
    return x, y, z


class _progress:
    """A tqdm bar, where tqdm is installed: at once if it is asked for, else when a call takes long."""

    def __init__(self, total: int, show: Optional[bool]) -> None:
        self._total, self._show = total, show
        self._bar: Any = None
        self._begun = time.monotonic()

    def __enter__(self) -> Optional[Callable[[int], None]]:
        if self._show is False:
            return None
        if importlib.util.find_spec("tqdm") is None:
            if self._show:
                raise ImportError("show_progress=True shows a bar of tqdm, which is not installed: pip install tqdm")
            return None
        return self._told

    def _told(self, done: int) -> None:
        if self._bar is None:
            if not self._show and time.monotonic() - self._begun < QUIET_S:
                return
            from tqdm.auto import tqdm

            self._bar = tqdm(total=self._total, unit="frame")
        self._bar.update(done - self._bar.n)

    def __exit__(self, *_: Any) -> None:
        if self._bar is not None:
            self._bar.close()
