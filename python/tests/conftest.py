"""Data and models that several tests share. No test needs a network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import morphscape as ms

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def images():
    return ms.fashion_mnist()[0]


@pytest.fixture(scope="session")
def labels():
    return ms.fashion_mnist()[1]


@pytest.fixture(scope="session")
def model_path():
    return ROOT / "models/fashion-mnist.safetensors"


@pytest.fixture(scope="session")
def iris_model():
    return ROOT / "models/iris.safetensors"


@pytest.fixture(scope="session")
def mlp(model_path):
    """The bundled network, written in numpy from its file: logits of grey levels (n, 28, 28)."""
    content = model_path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])

    def tensor(name):
        begin, end = header[name]["data_offsets"]
        values = np.frombuffer(content[8 + length + begin : 8 + length + end], dtype="<f4")
        return values.reshape(header[name]["shape"])

    names = ("dense_0.kernel", "dense_0.bias", "dense_1.kernel", "dense_1.bias")
    kernel_0, bias_0, kernel_1, bias_1 = (tensor(name) for name in names)

    def network(x):
        hidden = np.maximum(x.reshape(len(x), -1) / np.float32(255) @ kernel_0 + bias_0, 0)
        return hidden @ kernel_1 + bias_1

    return network


def brightness(x):
    """Probabilities of three classes from the mean level of images in 0..255, whatever their shape."""
    mean = np.asarray(x, dtype=np.float64).reshape(len(x), -1).mean(axis=1) / 255
    scores = -((mean[:, None] - np.array([0.1, 0.4, 0.7])) ** 2) * 50
    powers = np.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True)
