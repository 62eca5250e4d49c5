"""Models and items as the library's jobs take them, which choose groups and may write a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Optional, Sequence

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import Bounds, Engine, Items, Layout, read_items
from ._functions import Function
from ._models import Model
from ._morphscape import InputError

FIRST_ITEMS = 64
"""Items whose answers tell one callable from another when a run is resumed."""


@dataclass
class JobOf:
    """A model and its items."""

    network: _morphscape.Network
    data: Any
    """A place, or arrays with their labels and names."""
    classes: list[str]
    """Classes of the first groups, `9,4,5` each."""
    is_rows: bool
    notes: list[str]


def count_groups(groups: Optional[int], classes: Sequence[Sequence[Any]]) -> int:
    """How many groups there are, of which the first have these classes."""
    for three in classes:
        if len(three) != 3:
            raise InputError(f"classes: expected three of each group, found {list(three)}")
    number = groups if groups is not None else (len(classes) or 5)
    if number < 1 or len(classes) > number:
        raise InputError(f"groups: expected at least {max(1, len(classes))}, found {number}")
    return number


def job_of(
    model: Model,
    items: Any,
    labels: Any,
    classes: Sequence[Sequence[Any]],
    *,
    bounds: Bounds,
    layout: Layout,
    engine: Engine,
) -> JobOf:
    """Asks the model for the first items, where these are arrays, and numbers labels and classes."""
    if isinstance(items, (str, os.PathLike)):
        if labels is not None:
            raise InputError("labels: images in files have their own; leave labels out")
        if isinstance(model._kind, Function):
            raise InputError("items: a callable is asked for arrays, whose units it knows; give arrays and labels")
        texts = [",".join(str(each) for each in three) for three in classes]
        return JobOf(model._kind, os.fspath(items), texts, False, [])
    if labels is None:
        raise InputError("labels: expected one for each item, since groups are drawn by class; found none")
    given = read_items(items, bounds=bounds, layout=layout)
    asked = model._ask(given, range(min(len(given), FIRST_ITEMS)), engine)
    numbers = asked.labels(labels, len(given)).tolist()
    texts = [",".join(str(each) for each in asked.class_numbers(three)) for three in classes]
    data: Any
    if given.view.is_rows:
        features = [str(name) for name in given.view.features]
        data = (given.levels(range(len(given))), numbers, asked.class_names, features)
    else:
        data = (_levels_of(given), numbers, asked.network.class_names)
    return JobOf(asked.network, data, texts, given.view.is_rows, asked.notes)


def _levels_of(items: Items) -> npt.NDArray[Any]:
    """Levels of all images, as bytes where they came as bytes."""
    view = items.view
    if items.values.dtype != np.uint8 or view.bounds != (0.0, 255.0):
        return items.levels(range(len(items)))
    values = items.values.transpose(0, 2, 3, 1) if view.layout == "CHW" else items.values
    return np.ascontiguousarray(values).reshape(-1, *view.image_shape)
