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
from ._models import Asked, Model
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
            raise InputError("labels: data in files have their own; leave labels out")
        texts = [",".join(str(each) for each in three) for three in classes]
        place = os.fspath(items)
        return JobOf(file_of(model), place, texts, _morphscape.place_has_rows(place), [])
    if labels is None:
        raise InputError("labels: expected one for each item, since groups are drawn by class; found none")
    given = read_items(items, bounds=bounds, layout=layout)
    asked = ask_first(model, given, engine)
    numbers = asked.labels(labels, len(given)).tolist()
    texts = [",".join(str(each) for each in asked.class_numbers(three)) for three in classes]
    data = levels_of(given, numbers, asked.class_names, asked.network)
    return JobOf(asked.network, data, texts, given.view.is_rows, asked.notes)


def file_of(model: Model) -> _morphscape.Network:
    """A model that is asked for the items of a place, which must be one in a file."""
    if isinstance(model._kind, Function):
        raise InputError("items: a callable is asked for arrays, whose units it knows; give arrays and labels")
    return model._kind


def ask_first(model: Model, items: Items, engine: Engine) -> Asked:
    """A model asked for the first of many items."""
    return model._ask(items, range(min(len(items), FIRST_ITEMS)), engine)


def levels_of(items: Items, labels: list[int], class_names: list[str], network: _morphscape.Network) -> Any:
    """Items as a job takes them, with their labels and names."""
    if items.view.is_rows:
        features = [str(name) for name in items.view.features]
        return items.levels(range(len(items))), labels, class_names, features
    return _levels_of(items), labels, network.class_names


def _levels_of(items: Items) -> npt.NDArray[Any]:
    """Levels of all images, as bytes where they came as bytes."""
    view = items.view
    if items.values.dtype != np.uint8 or view.bounds != (0.0, 255.0):
        return items.levels(range(len(items)))
    values = items.values.transpose(0, 2, 3, 1) if view.layout == "CHW" else items.values
    return np.ascontiguousarray(values).reshape(-1, *view.image_shape)
