"""Whatever classifies in Python, as a function of batches.

A framework is recognised by what is imported already and never imported here: nobody has a torch
module without having imported torch.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any, Callable, Literal, Optional, Sequence

import numpy as np

from ._data import Floats
from ._morphscape import InputError, ModelError
from ._say import warn

Output = Literal["auto", "logits", "probabilities"]


@dataclass
class Function:
    """How a user's object is called with a batch."""

    call: Callable[[Any], Any]
    name: str
    labels: Optional[list[Any]] = None
    """Its own labels, by output."""
    names: Optional[list[str]] = None
    """Names of its classes, by output."""
    output: Output = "auto"
    """What it answers, where that is known."""
    channels_first: bool = False
    """Whether images (n, height, width, channels) are handed over as (n, channels, height, width)."""
    notes: list[str] = field(default_factory=list)


def function_of(model: Any, device: Optional[str]) -> Function:
    """The way to call `model`, by what it is."""
    torch, keras = sys.modules.get("torch"), sys.modules.get("keras")
    name = getattr(model, "__name__", None) or type(model).__name__
    if torch is not None and isinstance(model, torch.nn.Module):
        return _of_torch(model, name, torch, device)
    if device is not None:
        raise InputError("device: only a torch module has one; leave device out")
    if keras is not None and isinstance(model, keras.Model):
        ops: Any = keras.ops
        return Function(lambda batch: ops.convert_to_numpy(model(batch, training=False)), name)
    if hasattr(model, "predict_proba"):
        return Function(model.predict_proba, name, _labels_of(model), output="probabilities")
    if hasattr(model, "decision_function"):
        note = f"{name} has no predict_proba: assuming that its decision function gives logits"
        return Function(model.decision_function, name, _labels_of(model), output="logits", notes=[note])
    if callable(model):
        return Function(model.__call__, name)
    raise TypeError(f"model: expected a path, a function, or an object with predict_proba, found {type(model).__name__}")


def _labels_of(estimator: Any) -> Optional[list[Any]]:
    labels = getattr(estimator, "classes_", None)
    if labels is None:
        return None
    values = np.asarray(labels)
    if values.ndim != 1:
        raise InputError("model: expected a classifier with one output, found one with several")
    return list(values.tolist())


def _of_torch(model: Any, name: str, torch: Any, device: Optional[str]) -> Function:
    if model.training:
        warn(
            f"{name} is in training mode: dropout and batch normalisation answer differently each time; "
            "call its eval() first"
        )
    first = next(model.parameters(), None)
    home = torch.device("cpu") if first is None else first.device
    place = home if device is None else torch.device(device)
    dtype = first.dtype if first is not None and first.dtype.is_floating_point else torch.float32

    def call(batch: Any) -> Any:
        x = batch if isinstance(batch, torch.Tensor) else torch.from_numpy(batch)
        with torch.inference_mode():
            return model(x.to(device=place, dtype=dtype))

    # Image classifiers of Hugging Face name their classes.
    names = getattr(getattr(model, "config", None), "id2label", None)
    return Function(call, name, names=[str(names[n]) for n in sorted(names)] if names else None, channels_first=True)


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
        raise ModelError(
            f"the model's answer: expected a number for each class, found {type(raw).__name__} of dtype {answers.dtype}{_no_labels(answers)}"
        )
    if answers.shape == (rows,):
        answers = answers.reshape(rows, 1)
    if answers.shape == (rows, 1) and answers.dtype.kind != "f":
        # One number of two classes is a probability or a logit; whole numbers are labels.
        raise ModelError(
            f"the model's answer: expected a number for each class, found one {answers.dtype} an input{_no_labels(answers)}"
        )
    if answers.ndim != 2 or len(answers) != rows or answers.shape[1] == 0:
        raise ModelError(
            f"the model was asked for {rows} inputs: expected an answer of shape ({rows}, classes), found {answers.shape}"
        )
    return np.ascontiguousarray(answers, dtype=np.float32)


def _no_labels(answers: Any) -> str:
    return "; if these are predicted labels, give a function like predict_proba" if answers.ndim in (1, 2) else ""


def what_answers_are(answers: Floats, said: Output, known: Output) -> tuple[Literal["logits", "probabilities"], str]:
    """Whether answers are logits or probabilities, and a note of why."""
    if said != "auto":
        return said, f"the model's answers are {said}, as output= says"
    if known != "auto":
        return known, f"the model's answers are {known}, as its kind answers"
    inside = bool((answers >= 0).all() and (answers <= 1).all())
    sums = answers.shape[1] == 1 or bool(np.allclose(answers.sum(axis=1), 1, rtol=0, atol=1e-3))
    if inside and sums:
        return "probabilities", "the model's answers to the items lie in 0..1 and sum to 1: taken as probabilities"
    return "logits", "the model's answers to the items are no probabilities: taken as logits"


def softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def numbers_of(value: Any, what: str) -> list[float]:
    """`mean` or `std`: one number or several."""
    numbers = [] if value is None else [float(each) for each in np.atleast_1d(np.asarray(value, dtype=np.float64))]
    if not np.isfinite(numbers).all() or (what == "std" and 0.0 in numbers):
        raise InputError(f"{what}: expected finite numbers{', none 0' if what == 'std' else ''}, found {numbers}")
    return numbers
