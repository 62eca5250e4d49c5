"""The calls that compute landscapes."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import AnyPath, Bounds, Engine, Items, Layout, read_items, stacked
from ._jobs import count_groups, job_of
from ._landscape import Given, Landscape
from ._lists import LandscapeList, open_run
from ._models import Model, as_model
from ._morphscape import InputError
from ._options import LandscapeOptions, Mode, Sampling, checked, points, settings, takes
from ._say import Progress, warn_of_engines

if TYPE_CHECKING:
    from ._options import Unpack


@takes(LandscapeOptions)
def landscape(
    model: Any, a: Any, b: Any, c: Any, *, labels: Any = None, **options: Unpack[LandscapeOptions]
) -> Landscape:
    """The landscape between three items: A and B are mixed, and each mix is led into C.

    Parameters
    ----------
    model : path, estimator, module of a framework, function of a batch, Model, or None
        The classifier; None is the bundled model of Fashion-MNIST.
    a, b, c : array-like, tensor or DataFrame of one row
        Images of one shape, ``(height, width)``, ``(height, width, channels)`` or ``(channels, height,
        width)``, or rows: ``(features,)`` or ``(1, features)``.
    labels : three labels, optional
        The items' classes; by default those that the model predicts.
    {options}
    """
    three = stacked([a, b, c], bounds=options.get("bounds"), layout=options.get("layout", "auto"))
    return _compute(as_model(model), three, [("0", 3, (0, 1, 2))], labels, options)[0]


@takes(LandscapeOptions)
def landscapes(
    model: Any, items: Any, triples: Any, *, labels: Any = None, **options: Unpack[LandscapeOptions]
) -> LandscapeList:
    """A landscape for each of ``triples``, integers ``(m, 3)``: the positions of A, B and C among ``items``.

    Items are ``(n, height, width)``, ``(n, height, width, channels)``, ``(n, channels, height, width)``, or rows
    ``(n, features)`` or a DataFrame; ``labels`` are one for each.

    Parameters
    ----------
    {options}
    """
    given = read_items(items, bounds=options.get("bounds"), layout=options.get("layout", "auto"))
    chosen = [(str(n), 3, three) for n, three in enumerate(_positions(triples, len(given)))]
    return _compute(as_model(model), given, chosen, labels, options)


@takes(LandscapeOptions)
def sweep(
    model: Any,
    items: Any,
    labels: Any = None,
    *,
    groups: Optional[int] = None,
    seed: int = 1,
    classes: Sequence[Sequence[Any]] = (),
    out: Optional[AnyPath] = None,
    force: bool = False,
    report: bool = True,
    **options: Unpack[LandscapeOptions],
) -> LandscapeList:
    """The landscapes between items that a seed chooses, as the command line chooses and names them.

    Parameters
    ----------
    items, labels
        As in :func:`landscapes`. With ``out`` items may also be a path of images, ``"fashion-mnist"``, or a table of
        the paper (``"iris"``), as for ``--data``; these have labels of their own.
    groups : int
        Groups of three classes, 5 by default. A group of images has two triples of items, a group of rows one, and
        each triple has three landscapes.
    seed : int
        Chooses classes and items: the same seed on the same data gives the same landscapes as the command line.
    classes : sequence of three classes, by number or name
        The classes of the first groups; the other groups draw theirs.
    out : path, optional
        A folder that is written as ``morphscape sweep`` and ``morphscape interpolate`` write it, and resumed if it
        holds part of the same run. The result is then a :class:`Run`.
    force : bool
        Whether to start over in a folder that holds something else.
    report : bool
        Whether figures and the report are drawn in the folder.
    {options}
    """
    number = count_groups(groups, classes)
    bounds, layout, engine = options.get("bounds"), options.get("layout", "auto"), options.get("engine", "auto")
    if out is not None:
        job = job_of(as_model(model), items, labels, classes, bounds=bounds, layout=layout, engine=engine)
        how = checked(options, job.is_rows)
        with Progress(count_points(how, job.is_rows, number), how["show_progress"]) as progress:
            heard = _morphscape.run_sweep(
                job.network, job.data, groups=groups, classes=job.classes, seed=seed, settings=settings(how),
                out=os.fspath(out), force=force, keep_frames=how["keep_frames"], report=report, engine=engine,
                progress=progress,
            )  # fmt: skip
        return open_run(os.fspath(out), (*job.notes, *(note for note in heard if note not in job.notes)))
    if isinstance(items, (str, os.PathLike)):
        raise InputError("items: data in files are swept into a folder; say which with out=")
    if labels is None:
        raise InputError("labels: expected one for each item, since groups are drawn by class; found none")
    asked_model, given = as_model(model), read_items(items, bounds=bounds, layout=layout)
    how = checked(options, given.view.is_rows)
    # One item tells the classes; all that are chosen are asked before their grids are.
    asked = asked_model._ask(given, [0], engine)
    drawn = _morphscape.choose(
        asked.labels(labels, len(given)).tolist(),
        num_classes=len(asked.class_names),
        groups=number,
        classes=[asked.class_numbers(three) for three in classes],
        seed=seed,
        rows=given.view.is_rows,
        kind=how["kind"],
    )
    chosen = [(name, permutation, positions) for name, permutation, positions, _ in drawn]
    return _compute(asked_model, given, chosen, labels, options)


def count_points(how: LandscapeOptions, is_rows: bool, groups: int) -> int:
    """Of all landscapes of so many groups."""
    return groups * (1 if is_rows else 2) * (3 if how["kind"] == "morph" else 1) * points(how)


def _positions(triples: Any, items: int) -> list[tuple[int, int, int]]:
    chosen = np.asarray(triples)
    if chosen.ndim != 2 or chosen.shape[1] != 3 or chosen.dtype.kind not in "iu":
        raise InputError(f"triples: expected integers of shape (m, 3), found {chosen.dtype} of shape {chosen.shape}")
    if len(chosen) and not (0 <= chosen.min() and chosen.max() < items):
        wrong = chosen.min() if chosen.min() < 0 else chosen.max()
        raise InputError(f"triples: expected positions from 0 to {items - 1}, found {wrong}")
    return [(int(i), int(j), int(k)) for i, j, k in chosen]


def _compute(
    model: Model,
    items: Items,
    chosen: list[tuple[str, int, tuple[int, int, int]]],
    labels: Any,
    options: LandscapeOptions,
) -> LandscapeList:
    """Landscapes by name, number of the permutation, and positions of A, B and C among all items."""
    how = checked(options, items.view.is_rows)
    kind, engine = how["kind"], how["engine"]
    # The points of a plane leave the bounds unless they are clipped, which the engine does.
    view = replace(items.view, clips=kind == "morph")
    items = replace(items, view=view)
    used, at = np.unique([positions for _, _, positions in chosen], return_inverse=True)
    asked = model._ask(items, used.tolist(), engine)
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
    with Progress(len(grids) * points(how), how["show_progress"]) as progress:
        known: dict[str, Any] = {
            "item_names": names, "class_names": asked.class_names, "engine": engine, "progress": progress,
        }  # fmt: skip
        if kind != "morph":
            files = _morphscape.flat_grids(
                asked.network, levels.reshape(len(levels), -1), grids, features=features, settings=settings(how),
                image_shape=None if view.is_rows else view.image_shape, keep_frames=how["keep_frames"], **known,
            )  # fmt: skip
        elif view.is_rows:
            assert how["steps"] is not None
            files = _morphscape.row_grids(asked.network, levels, grids, features=features, steps=how["steps"], **known)
        else:
            files = _morphscape.image_grids(
                asked.network, levels, grids, settings=settings(how), keep_frames=how["keep_frames"], **known
            )
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

    ``alphas`` is the number of frames, A and B included, or the weights of B. The rest is as in :func:`landscape`.
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
    how = checked({"grid": grid, "mode": mode, "sampling": sampling}, is_rows=False)
    frames = _morphscape.morph_frames(left, right, weights.tolist(), settings=settings(how), engine=engine)
    warn_of_engines()
    shown = replace(pair.view, container="numpy", device=None)
    return shown.arrays(frames.reshape(len(frames), -1), own=True)
