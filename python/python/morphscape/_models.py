"""Anything that classifies, as the engine asks it.

A framework is recognised by what is imported already and never imported here: nobody has a torch
module without having imported torch.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import warnings
from dataclasses import dataclass, field
from typing import Any, Callable, Literal, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import Floats, Items, View, read_items
from ._morphscape import InputError, ModelError

Output = Literal["auto", "logits", "probabilities"]

BATCH = 256
"""Images a call where nothing is said."""
ROWS_BATCH = 4096
"""Rows of features a call where nothing is said."""


@dataclass
class _Callable:
    """How a user's object is called."""

    call: Callable[[Any], Any]
    name: str
    classes: Optional[Sequence[Any]] = None
    """Its own labels, by output."""
    output: Optional[Output] = None
    """What it answers where that is known."""
    notes: list[str] = field(default_factory=list)
    names: Optional[list[str]] = None
    """Names of the classes, by output."""
    channels_first: bool = False
    """Whether images (n, height, width, channels) are handed over as (n, channels, height, width)."""


class Model:
    """A classifier with what cannot be read off it.

    ``model`` is a path of a ``.keras``, ``.h5``, ``.safetensors`` or ``.onnx`` file, which runs on the
    engine of Morphscape; a scikit-learn estimator; a ``torch.nn.Module`` (a Hugging Face image
    classifier is one); a Keras model; or any function of a batch. ``None`` is the bundled model of
    Fashion-MNIST.

    Every function of this package takes such an object as it is; ``Model`` is for what needs saying.
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
        self._batch_size = batch_size
        self._pad = pad
        self._output: Output = output
        self._mean, self._std, self._scale = _numbers_of(mean, "mean"), _numbers_of(std, "std"), scale
        self._native: Optional[_morphscape.Network] = None
        self._callable: Optional[_Callable] = None
        if model is None or isinstance(model, (str, os.PathLike)):
            for option, given in {"output": output != "auto", "pad": pad, "device": device, "batch_size": batch_size}.items():
                if given:
                    raise InputError(f"{option}: a model in a file runs on the engine; leave {option} out")
            if model is not None and not os.path.exists(model):
                raise FileNotFoundError(errno.ENOENT, "no model there", os.fspath(model))
            self._native = _morphscape.Network.read(
                None if model is None else os.fspath(model),
                scale=scale,
                mean=self._mean,
                std=self._std,
                class_names=self._class_names,
            )
            self._name = name or self._native.path
        else:
            if scale is not None:
                raise InputError("scale: only a model in a file is given grey levels; leave scale out")
            self._callable = _adapted(model, device)
            self._name = name or self._callable.name

    def __repr__(self) -> str:
        return f"Model({self._name})"

    @property
    def classes(self) -> Optional[tuple[str, ...]]:
        """Names of the classes, where they are known before the model is asked."""
        if self._class_names is not None:
            return tuple(self._class_names)
        if self._native is not None:
            names = self._native.class_names
            return None if names is None else tuple(names)
        assert self._callable is not None
        own = self._callable.names or self._callable.classes
        return None if own is None else tuple(str(each) for each in own)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed of it."""
        if self._native is not None:
            return tuple(self._native.notes)
        assert self._callable is not None
        return tuple(self._callable.notes)

    def __call__(self, items: Any, *, bounds: Optional[tuple[float, float]] = None) -> Floats:
        """Logits ``(n, classes)`` of a batch of items."""
        given = read_items(items, bounds=bounds, layout="auto")
        everything = list(range(len(given)))
        return self._ask(given, everything).logits

    def _answers(self, view: View, levels: Floats) -> Floats:
        """What the callable answers to some inputs, a batch at a time."""
        size = self._size(view)
        flat = levels.reshape(len(levels), -1)
        parts = [self._answer(view, flat[at : at + size].copy()) for at in range(0, len(flat), size)]
        for part in parts:
            if part.shape[1:] != parts[0].shape[1:]:
                raise ModelError(f"expected {parts[0].shape[1]} classes as for the first batch, found {part.shape[1]}")
        return np.concatenate(parts)

    def _size(self, view: View) -> int:
        return self._batch_size or (ROWS_BATCH if view.is_rows else BATCH)

    def _answer(self, view: View, levels: Floats) -> Floats:
        """What the callable answers to one batch ``[n, values]``, which it may keep."""
        assert self._callable is not None
        rows = len(levels)
        if self._pad and rows < self._size(view):
            levels = np.concatenate([levels, np.repeat(levels[-1:], self._size(view) - rows, axis=0)])
        batch = view.batch(levels)
        if self._mean or self._std:
            batch = _standardised(batch, view, self._mean, self._std)
        if self._callable.channels_first and view.layout == "HWC":
            # A view, and the memory that torch calls channels_last: nothing is copied.
            batch = batch.permute(0, 3, 1, 2) if view.container == "torch" else batch.transpose(0, 3, 1, 2)
        return as_answers(self._callable.call(batch), len(levels))[:rows]

    def _ask(self, items: Items, at: Sequence[int], engine: str = "auto") -> "Asked":
        """Asks for the items themselves: what the answers are, how many classes, and which."""
        levels = items.levels(at)
        flat = levels.reshape(len(levels), -1)
        if self._native is not None:
            _check_shape(self._native, items.view)
            network, notes = self._native, list(self._native.notes)
            if not items.view.is_rows:
                network, note = network.fitted(items.view.image_shape)
                notes += [] if note is None else [note]
            logits, probabilities = network.answers(flat, engine)
        else:
            assert self._callable is not None
            try:
                raw = self._answers(items.view, levels)
            except BaseException as error:
                if hasattr(error, "add_note") and not isinstance(error, ModelError):
                    error.add_note(f"while the model was asked for {len(at)} of the items")
                raise
            if not np.isfinite(raw).all():
                item = int(np.argwhere(~np.isfinite(raw))[0][0])
                raise ModelError(f"the model answers item {at[item]} with {raw[item]}; expected finite numbers")
            output, why = _decided(raw, self._output, self._callable.output)
            call = _Asking(self, items.view, binary=raw.shape[1] == 1, output=output)
            answers = call.both(raw)
            digest = hashlib.sha256(flat.tobytes() + answers.tobytes()).hexdigest()
            network = _morphscape.Network.callable(
                call,
                num_classes=answers.shape[1],
                probabilities=output == "probabilities",
                batch_size=self._size(items.view),
                class_names=self._named(answers.shape[1]),
                name=self._name,
                identity=f"callable {digest}",
            )
            logits, probabilities = _both(answers, output)
            notes = [*self._callable.notes, why]
        names = self._named(network.num_classes) or network.class_names
        known = names or [str(n) for n in range(network.num_classes)]
        own = None if self._callable is None else self._callable.classes
        return Asked(network, known, own, notes, logits, probabilities, names is not None)

    def _named(self, classes: int) -> Optional[list[str]]:
        names = self.classes
        if names is not None and len(names) != classes:
            raise ModelError(f"class_names: expected {classes} names, one for each answer, found {len(names)}")
        return None if names is None else list(names)


@dataclass
class Asked:
    """A model that has been asked for the items."""

    network: _morphscape.Network
    class_names: list[str]
    own_labels: Optional[Sequence[Any]]
    notes: list[str]
    logits: Floats
    probabilities: Floats
    has_names: bool

    def labels(self, labels: Any, count: int) -> npt.NDArray[np.intp]:
        """Labels of all items as numbers of outputs."""
        given = np.asarray(labels)
        if given.shape != (count,):
            raise InputError(f"labels: expected one for each of {count} items, found shape {given.shape}")
        classes = len(self.class_names)
        if self.own_labels is not None:
            known = {_plain(value): n for n, value in enumerate(self.own_labels)}
        elif given.dtype.kind in "US" or given.dtype == object:
            known = {name: n for n, name in enumerate(self.class_names)}
        else:
            if given.dtype.kind not in "iub" and not (given == np.floor(given)).all():
                raise InputError("labels: expected whole numbers or names of classes, found fractions")
            if given.min() < 0 or given.max() >= classes:
                wrong = given.min() if given.min() < 0 else given.max()
                raise InputError(f"labels: expected numbers from 0 to {classes - 1}, as the model has {classes} classes; found {wrong}")
            return given.astype(np.intp)
        try:
            return np.array([known[_plain(value)] for value in given.tolist()], dtype=np.intp)
        except KeyError as error:
            raise InputError(f"labels: expected one of {list(known)}, found {error.args[0]!r}") from None


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


class _Asking:
    """What the engine calls: flat inputs in, answers ``[n, classes]`` out."""

    def __init__(self, model: Model, view: View, *, binary: bool, output: Output) -> None:
        self._model, self._view, self._binary, self._output = model, view, binary, output

    def both(self, answers: Floats) -> Floats:
        """One number of two classes as two."""
        if not self._binary:
            return answers
        other = 1 - answers if self._output == "probabilities" else np.zeros_like(answers)
        return np.concatenate([other, answers], axis=1)

    def __call__(self, levels: Floats) -> Floats:
        answers = self._model._answer(self._view, levels)
        if self._binary and answers.shape[1] != 1:
            raise ModelError(f"expected one answer for each input as at first, found {answers.shape[1]}")
        return np.ascontiguousarray(self.both(answers))


def as_model(model: Any) -> Model:
    """A model argument of any kind."""
    return model if isinstance(model, Model) else Model(model)


def as_answers(raw: Any, rows: int) -> Floats:
    """Answers of a model as ``float32 [rows, classes]``, or ``[rows, 1]`` of two classes."""
    if not isinstance(raw, np.ndarray) and hasattr(raw, "logits"):
        raw = raw.logits
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(raw, torch.Tensor):
        raw = raw.detach().float().cpu().numpy()
    try:
        answers = np.asarray(raw)
    except Exception as error:
        raise ModelError(f"the model's answer is no array of numbers: {type(raw).__name__} ({error})") from error
    if answers.dtype.kind not in "fiub":
        raise ModelError(f"the model's answer: expected numbers, found {type(raw).__name__} of dtype {answers.dtype}")
    if answers.shape == (rows,):
        answers = answers.reshape(rows, 1)
    if answers.ndim != 2 or len(answers) != rows or answers.shape[1] == 0:
        raise ModelError(
            f"the model was asked for {rows} inputs: expected an answer of shape ({rows}, classes), found {answers.shape}"
        )
    return np.ascontiguousarray(answers, dtype=np.float32)


def _decided(answers: Floats, asked: Output, known: Optional[Output]) -> tuple[Output, str]:
    """Whether answers are logits or probabilities, and why that is thought."""
    if asked != "auto":
        return asked, f"the model's answers are {asked}, as output= says"
    if known is not None:
        return known, f"the model's answers are {known}, as its kind answers"
    inside = bool((answers >= 0).all() and (answers <= 1).all())
    sums = answers.shape[1] == 1 or bool(np.allclose(answers.sum(axis=1), 1, rtol=0, atol=1e-3))
    if inside and sums:
        return "probabilities", "the model's answers to the items lie in 0..1 and sum to 1: taken as probabilities"
    return "logits", "the model's answers to the items are no probabilities: taken as logits"


def _both(answers: Floats, output: Output) -> tuple[Floats, Floats]:
    if output == "probabilities":
        return np.log(np.maximum(answers, np.float32(1e-38))), answers
    powers = np.exp(answers - answers.max(axis=1, keepdims=True))
    return answers, powers / powers.sum(axis=1, keepdims=True)


def _numbers_of(value: Union[float, Sequence[float], None], what: str) -> list[float]:
    numbers = [] if value is None else [float(each) for each in np.atleast_1d(np.asarray(value, dtype=np.float64))]
    if not np.isfinite(numbers).all() or (what == "std" and 0.0 in numbers):
        raise InputError(f"{what}: expected finite numbers{', none 0' if what == 'std' else ''}, found {numbers}")
    return numbers


def _standardised(batch: Any, view: View, mean: list[float], std: list[float]) -> Any:
    """``(batch - mean) / std``, one number or one a channel (or a feature)."""
    channels = view.shape[0] if view.is_rows else view.image_shape[2]
    for what, numbers in (("mean", mean), ("std", std)):
        if len(numbers) > 1 and len(numbers) != channels:
            raise InputError(f"{what}: expected 1 or {channels} numbers, found {len(numbers)}")
    if view.container in ("pandas", "polars"):
        raise InputError("mean and std: a model of DataFrames scales its inputs itself; leave them out")
    shape = (-1, 1, 1) if view.layout == "CHW" else (-1,)

    def like(numbers: list[float]) -> Any:
        array = np.asarray(numbers, dtype=view.dtype).reshape(shape)
        if view.container == "torch":
            return sys.modules["torch"].from_numpy(array).to(batch.device)
        return array

    if mean:
        batch = batch - like(mean)
    return batch / like(std) if std else batch


def _check_shape(network: _morphscape.Network, view: View) -> None:
    shape = network.input_shape
    if shape is None:
        return
    values = int(np.prod(view.shape))
    if int(np.prod(shape)) != values:
        raise InputError(f"items: expected inputs of shape {tuple(shape)} as {network.path} takes, found items of shape {view.shape}")


def _adapted(model: Any, device: Optional[str]) -> _Callable:
    """The way to call `model`, by what it is."""
    torch, keras = sys.modules.get("torch"), sys.modules.get("keras")
    name = getattr(model, "__name__", None) or type(model).__name__
    if torch is not None and isinstance(model, torch.nn.Module):
        return _torch(model, name, torch, device)
    if device is not None:
        raise InputError("device: only a torch module has one; leave device out")
    if keras is not None and isinstance(model, keras.Model):
        ops: Any = keras.ops
        return _Callable(lambda batch: ops.convert_to_numpy(model(batch, training=False)), name)
    if hasattr(model, "predict_proba"):
        classes = getattr(model, "classes_", None)
        return _Callable(model.predict_proba, name, _flat(classes), "probabilities")
    if hasattr(model, "decision_function"):
        classes = _flat(getattr(model, "classes_", None))
        note = f"{name} has no predict_proba: its decision function is taken as logits"
        return _Callable(model.decision_function, name, classes, "logits", [note])
    if callable(model):
        return _Callable(model.__call__, name)
    raise TypeError(
        f"model: expected a path, a function, or an object with predict_proba, found {type(model).__name__}"
    )


def _flat(classes: Any) -> Optional[list[Any]]:
    if classes is None:
        return None
    values = np.asarray(classes)
    if values.ndim != 1:
        raise InputError("model: expected a classifier with one output, found one with several")
    return list(values.tolist())


def _torch(model: Any, name: str, torch: Any, device: Optional[str]) -> _Callable:
    if model.training:
        warnings.warn(
            f"{name} is in training mode: dropout and batch normalisation answer differently each time; "
            "call its eval() first",
            UserWarning,
            stacklevel=4,
        )
    first = next(model.parameters(), None)
    place = torch.device(device) if device is not None else (first.device if first is not None else torch.device("cpu"))
    dtype = first.dtype if first is not None and first.dtype.is_floating_point else torch.float32
    names = getattr(getattr(model, "config", None), "id2label", None)

    def call(batch: Any) -> Any:
        x = batch if isinstance(batch, torch.Tensor) else torch.from_numpy(batch)
        with torch.inference_mode():
            return model(x.to(device=place, dtype=dtype))

    made = _Callable(call, name, channels_first=True)
    if names:
        made.names = [str(names[n]) for n in sorted(names)]
    return made
