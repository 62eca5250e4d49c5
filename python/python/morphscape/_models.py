"""Anything that classifies, as the engine asks it: a file on the engine, or a function of batches.

The items themselves are asked first. Their answers say how many classes there are, what answers are and
whether they can be used, before a grid begins.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from dataclasses import dataclass
from typing import Any, Callable, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import Floats, Items, View, read_items
from ._functions import Function, Output, as_answers, function_of, numbers_of, softmax, what_answers_are
from ._morphscape import InputError, ModelError
from ._say import warn_of_engines

BATCH = 256
"""Images a call where nothing is said."""
ROWS_BATCH = 4096
"""Rows of features a call where nothing is said."""


class Model:
    """A classifier, with settings that cannot be read off it.

    ``model`` is a path of a ``.keras``, ``.h5``, ``.safetensors`` or ``.onnx`` file, which runs on the
    engine of Morphscape; a scikit-learn estimator; a ``torch.nn.Module`` (a Hugging Face image
    classifier is one); a Keras model; or any function of a batch. ``None`` is the bundled model of
    Fashion-MNIST.

    Every function of this package takes such an object as it is; ``Model`` adds settings to it.

    Parameters
    ----------
    output : {"auto", "logits", "probabilities"}
        What a function answers. By default its answers to the items decide.
    class_names : sequence of str, optional
        One for each answer.
    batch_size : int, optional
        Most inputs to pass in one call; by default 256 images or 4096 rows.
    pad : bool
        Whether the last batch is filled up, for models that are compiled for one shape.
    scale : float, optional
        For files only: the factor that grey levels 0..255 are multiplied by before ``mean`` and ``std``.
    mean, std : float or sequence of float, optional
        The model gets ``(x - mean) / std``, one number or one a channel, in the items' units.
    device : str, optional
        Where a torch module is called; by default where its parameters are.
    name : str, optional
        What messages and files call it.
    """

    def __init__(
        self,
        model: Union[str, os.PathLike[str], Callable[[Any], Any], Any, None],
        *,
        output: Output = "auto",
        class_names: Optional[Sequence[str]] = None,
        batch_size: Optional[int] = None,
        pad: bool = False,
        scale: Optional[float] = None,
        mean: Union[float, Sequence[float], None] = None,
        std: Union[float, Sequence[float], None] = None,
        device: Optional[str] = None,
        name: Optional[str] = None,
    ) -> None:
        if output not in ("auto", "logits", "probabilities"):
            raise InputError(f'output: expected "auto", "logits" or "probabilities", found {output!r}')
        if batch_size is not None and batch_size < 1:
            raise InputError(f"batch_size: expected at least 1, found {batch_size}")
        self._class_names = None if class_names is None else [str(each) for each in class_names]
        self._output: Output = output
        self._batch_size, self._pad = batch_size, pad
        self._mean, self._std = numbers_of(mean, "mean"), numbers_of(std, "std")
        self._kind: Union[_morphscape.Network, Function]
        if model is None or isinstance(model, (str, os.PathLike)):
            for option, given in {"output": output != "auto", "pad": pad, "device": device, "batch_size": batch_size}.items():
                if given:
                    raise InputError(f"{option}: a model in a file runs on the engine; leave {option} out")
            if model is not None and not os.path.exists(model):
                raise FileNotFoundError(errno.ENOENT, "no model there", os.fspath(model))
            self._kind = _morphscape.Network.read(
                None if model is None else os.fspath(model),
                scale=scale,
                mean=self._mean,
                std=self._std,
                class_names=self._class_names,
            )
            self._name = name or self._kind.path
        else:
            if scale is not None:
                raise InputError("scale: only a model in a file is given grey levels; leave scale out")
            self._kind = function_of(model, device)
            self._name = name or self._kind.name

    def __repr__(self) -> str:
        return f"Model({self._name})"

    @property
    def classes(self) -> Optional[tuple[str, ...]]:
        """Names of the classes, where they are known before the model is asked."""
        if self._class_names is not None:
            names: Optional[Sequence[Any]] = self._class_names
        elif isinstance(self._kind, Function):
            names = self._kind.names or self._kind.labels
        else:
            names = self._kind.class_names
        return None if names is None else tuple(str(each) for each in names)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed about the model."""
        return tuple(self._kind.notes)

    def __call__(self, items: Any, *, bounds: Optional[tuple[float, float]] = None) -> Floats:
        """Logits ``(n, classes)`` of a batch of items."""
        given = read_items(items, bounds=bounds, layout="auto")
        logits = self._ask(given, range(len(given))).logits
        warn_of_engines()
        return logits

    def _ask(self, items: Items, at: Sequence[int], engine: str = "auto") -> Asked:
        """Asks for the items at some positions."""
        if isinstance(self._kind, Function):
            return self._ask_function(self._kind, items, at)
        return _ask_network(self._kind, items, at, engine)

    def _ask_function(self, function: Function, items: Items, at: Sequence[int]) -> Asked:
        batches = _Batches(self, function, items.view)
        levels = items.levels(at)
        levels = levels.reshape(len(levels), -1)
        try:
            raw = batches.all(levels)
        except BaseException as error:
            if sys.version_info >= (3, 11) and not isinstance(error, ModelError):
                error.add_note(f"while the model was asked for {len(at)} of the items")
            raise
        if not np.isfinite(raw).all():
            wrong = int(np.argwhere(~np.isfinite(raw))[0][0])
            raise ModelError(f"the model answers item {at[wrong]} with {raw[wrong]}; expected finite numbers")
        output, note = what_answers_are(raw, self._output, function.output)
        # From now on one number of two classes is two.
        batches.other_class = None if raw.shape[1] > 1 else output
        answers = batches.of_classes(raw)
        names = self.classes or tuple(str(n) for n in range(answers.shape[1]))
        if len(names) != answers.shape[1]:
            raise ModelError(f"class_names: expected {answers.shape[1]} names, one for each answer, found {len(names)}")
        # Two functions of one name are told apart by what they answer.
        digest = hashlib.sha256(levels.tobytes() + answers.tobytes()).hexdigest()
        network = _morphscape.Network.callable(
            batches,
            num_classes=len(names),
            probabilities=output == "probabilities",
            batch_size=batches.size,
            class_names=list(names),
            name=self._name,
            identity=f"callable {digest}",
        )
        probabilities = answers if output == "probabilities" else softmax(answers)
        logits = np.log(np.maximum(answers, np.float32(1e-38))) if output == "probabilities" else answers
        return Asked(network, list(names), function.labels, [*function.notes, note], logits, probabilities)


def _ask_network(network: _morphscape.Network, items: Items, at: Sequence[int], engine: str) -> Asked:
    shape, notes = network.input_shape, list(network.notes)
    if shape is not None and int(np.prod(shape)) != int(np.prod(items.view.shape)):
        raise InputError(
            f"items: expected inputs of shape {tuple(shape)} as {network.path} takes, found items of shape {items.view.shape}"
        )
    if not items.view.is_rows:
        network, note = network.fitted(items.view.image_shape)
        notes += [] if note is None else [note]
    levels = items.levels(at)
    logits, probabilities = network.answers(levels.reshape(len(levels), -1), engine)
    names = network.class_names or [str(n) for n in range(network.num_classes)]
    return Asked(network, names, None, notes, logits, probabilities)


class _Batches:
    """What the engine calls: flat inputs in, answers ``[n, classes]`` out, in the user's terms in between."""

    def __init__(self, model: Model, function: Function, view: View) -> None:
        self._function, self._view = function, view
        self._pad, self._mean, self._std = model._pad, model._mean, model._std
        self.size = model._batch_size or (ROWS_BATCH if view.is_rows else BATCH)
        self.other_class: Optional[Output] = None
        """Where one number stands for two classes: what it is."""

    def __call__(self, levels: Floats) -> Floats:
        raw = self._raw(levels)
        if self.other_class is not None and raw.shape[1] != 1:
            raise ModelError(f"expected one answer for each input as at first, found {raw.shape[1]}")
        return self.of_classes(raw)

    def all(self, levels: Floats) -> Floats:
        """Raw answers to any number of inputs."""
        parts = [self._raw(levels[at : at + self.size].copy()) for at in range(0, len(levels), self.size)]
        for part in parts:
            if part.shape[1] != parts[0].shape[1]:
                raise ModelError(f"expected {parts[0].shape[1]} classes as for the first batch, found {part.shape[1]}")
        return np.concatenate(parts)

    def of_classes(self, raw: Floats) -> Floats:
        if self.other_class is None:
            return raw
        other = 1 - raw if self.other_class == "probabilities" else np.zeros_like(raw)
        return np.concatenate([other, raw], axis=1)

    def _raw(self, levels: Floats) -> Floats:
        """What the function answers to one batch ``[n, values]``, which it may keep."""
        rows, view = len(levels), self._view
        if self._pad and rows < self.size:
            levels = np.concatenate([levels, np.repeat(levels[-1:], self.size - rows, axis=0)])
        batch = self._standardised(view.batch(levels))
        if self._function.channels_first and view.layout == "HWC":
            # A view, and the memory that torch calls channels_last: nothing is copied.
            batch = batch.permute(0, 3, 1, 2) if view.container == "torch" else batch.transpose(0, 3, 1, 2)
        return as_answers(self._function.call(batch), len(levels))[:rows]

    def _standardised(self, batch: Any) -> Any:
        """``(batch - mean) / std``, one number or one a channel (or a feature)."""
        if not (self._mean or self._std):
            return batch
        view = self._view
        if view.container in ("pandas", "polars"):
            raise InputError("mean and std: a model of DataFrames scales its inputs itself; leave them out")
        channels = view.shape[0] if view.is_rows else view.image_shape[2]

        def like_batch(what: str, numbers: list[float]) -> Any:
            if len(numbers) not in (1, channels):
                expected = "1 number" if channels == 1 else f"1 or {channels} numbers"
                raise InputError(f"{what}: expected {expected}, found {len(numbers)}")
            array = np.asarray(numbers, dtype=view.dtype).reshape((-1, 1, 1) if view.layout == "CHW" else (-1,))
            return sys.modules["torch"].from_numpy(array).to(batch.device) if view.container == "torch" else array

        batch = batch - like_batch("mean", self._mean) if self._mean else batch
        return batch / like_batch("std", self._std) if self._std else batch


@dataclass
class Asked:
    """A model that has been asked for some items."""

    network: _morphscape.Network
    class_names: list[str]
    own_labels: Optional[list[Any]]
    """What the model itself calls its classes, where that is not their numbers."""
    notes: list[str]
    logits: Floats
    probabilities: Floats

    @property
    def predicted(self) -> npt.NDArray[np.intp]:
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.intp)

    def labels(self, labels: Any, count: int) -> npt.NDArray[np.intp]:
        """Labels of all items, as numbers of outputs."""
        given = np.asarray(labels)
        if given.shape != (count,):
            raise InputError(f"labels: expected one for each of {count} items, found shape {given.shape}")
        if self.own_labels is not None:
            known = {value: n for n, value in enumerate(self.own_labels)}
        elif given.dtype.kind in "USOT":
            known = {name: n for n, name in enumerate(self.class_names)}
        else:
            if given.dtype.kind not in "iub" and not (given == np.floor(given)).all():
                raise InputError("labels: expected whole numbers or names of classes, found fractions")
            last = len(self.class_names) - 1
            if given.min() < 0 or given.max() > last:
                wrong = given.min() if given.min() < 0 else given.max()
                raise InputError(f"labels: expected numbers from 0 to {last}, as the model has {last + 1} classes; found {wrong}")
            return given.astype(np.intp)
        try:
            return np.array([known[value] for value in given.tolist()], dtype=np.intp)
        except KeyError as error:
            raise InputError(f"labels: expected one of {list(known)}, found {error.args[0]!r}") from None

    def class_numbers(self, three: Sequence[Any]) -> tuple[int, int, int]:
        """Three different classes, each by number or name."""
        x, y, z = (self._class_number(each) for each in three)
        if len({x, y, z}) < 3:
            raise InputError(f"classes: expected three different classes, found {list(three)}")
        return x, y, z

    def _class_number(self, each: Any) -> int:
        if isinstance(each, str):
            lower = [name.lower() for name in self.class_names]
            if each.lower() in lower:
                return lower.index(each.lower())
        elif not isinstance(each, bool) and isinstance(each, (int, np.integer)) and 0 <= each < len(self.class_names):
            return int(each)
        raise InputError(
            f"classes: unknown class {each!r}; expected a number below {len(self.class_names)} or one of "
            f"{', '.join(self.class_names)}"
        )


def as_model(model: Any) -> Model:
    """A model argument of any kind."""
    return model if isinstance(model, Model) else Model(model)
