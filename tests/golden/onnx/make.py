"""Small random networks as PyTorch and Keras export them to ONNX, and their answers.

    pip install torch onnx onnxscript onnxruntime keras numpy safetensors
    KERAS_BACKEND=torch python make.py
"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import save_file
from torch import nn

here = Path(__file__).parent
torch.manual_seed(3)
keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)
tensors, versions = {}, {}


class Residual(nn.Module):
    """What has no kernel here: groups, a transposed convolution, a concatenation."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.group = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.last = nn.Linear(12, 4)

    def forward(self, x):
        x = self.first(x)
        x = x + torch.tanh(self.group(x))
        x = torch.cat([x.mean((2, 3)), self.up(x).amax((2, 3))], 1)
        return self.last(x)


def add(name, inputs, expected, pixels):
    """`pixels` is what the program gets, [n, H, W, C]; `inputs` what the network is given."""
    session = onnxruntime.InferenceSession(here / f"{name}.onnx", providers=["CPUExecutionProvider"])
    batch = session.get_inputs()[0].shape[0]
    rows = [inputs] if isinstance(batch, str) else np.split(inputs, len(inputs) // batch)
    answers = np.concatenate([session.run(None, {session.get_inputs()[0].name: row})[0] for row in rows])
    assert np.abs(answers - expected).max() < 1e-5, name
    tensors[f"{name}.inputs"] = pixels.astype("float32")
    tensors[f"{name}.answers"] = answers.astype("float32")


pixels = rng.integers(0, 256, (6, 10, 12, 3)).astype("float32")
model = Residual().eval()
first = torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy())
# The newer exporter writes the weights to a second file, torch.onnx.data.
torch.onnx.export(model, (first[:2] / 255,), here / "torch.onnx", dynamo=True,
                  dynamic_shapes=({0: torch.export.Dim("n")},), external_data=True)
add("torch", first.numpy() / 255, model(first / 255).detach().numpy(), pixels)

# A fixed batch of one, and probabilities for answers.
mlp = nn.Sequential(nn.Flatten(), nn.Linear(360, 16), nn.SiLU(), nn.Linear(16, 5), nn.Softmax(1)).eval()
torch.onnx.export(mlp, (first[:1] / 255,), here / "softmax.onnx", dynamo=True, external_data=False)
add("softmax", first.numpy() / 255, mlp(first / 255).detach().numpy(), pixels)

# Keras: channels last, the scaling inside.
cnn = keras.Sequential([
    keras.Input((9, 7, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(4, 3, activation="gelu"),
    keras.layers.MaxPooling2D(2), keras.layers.Flatten(), keras.layers.Dense(3),
])  # fmt: skip
grey = rng.integers(0, 256, (6, 9, 7, 1)).astype("float32")
cnn(grey)
cnn.export(here / "keras.onnx", format="onnx", verbose=False)
add("keras", grey, cnn(grey).detach().numpy(), grey)

versions = {m.__name__: m.__version__ for m in (torch, keras, onnx, onnxruntime, np)}
save_file(tensors, here / "answers.safetensors", metadata={"versions": json.dumps(versions)})
print(versions)
