"""Small random networks of tokens as both of PyTorch's exporters write them, and onnxruntime's answers.

    pip install torch timm onnx onnxscript onnxruntime numpy safetensors && python make_tokens.py

Writes `tokens_NAME_script.onnx` (`dynamo=False`), `tokens_NAME_dynamo.onnx` (`dynamo=True`) and
`tokens.safetensors` with `NAME.inputs`, what the program gets, and `NAME.answers`.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import timm
import torch
from safetensors.numpy import save_file
from timm.models.convnext import ConvNeXt
from timm.models.mlp_mixer import MlpMixer
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).parent
torch.manual_seed(20261130)
rng = np.random.default_rng(20261130)
tensors = {}


class Encoder(nn.Module):
    """nn.TransformerEncoderLayer, whose attention is nn.MultiheadAttention; the mean of all tokens."""

    def __init__(self, **options):
        super().__init__()
        layer = lambda: nn.TransformerEncoderLayer(12, 3, 20, batch_first=True, **options)
        self.first = nn.Linear(5, 12)
        self.place = nn.Parameter(torch.randn(1, 7, 12))
        self.layers = nn.Sequential(layer(), layer())
        self.last = nn.Linear(12, 4)

    def forward(self, x):
        x = self.layers(self.first(x) + self.place)
        return self.last(x.mean(1))


class Attention(nn.Module):
    """Attention by hand: one product for queries, keys and values, a class token, its row alone."""

    def __init__(self, fused):
        super().__init__()
        self.fused = fused
        self.token = nn.Parameter(torch.randn(1, 1, 12))
        self.place = nn.Embedding(8, 12)
        self.first = nn.Linear(5, 12)
        self.all = nn.Linear(12, 36, bias=False)
        self.join = nn.Linear(12, 12)
        self.norm = nn.LayerNorm(12)
        self.last = nn.Linear(12, 4)

    def forward(self, x):
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), self.first(x)], 1)
        x = x + self.place(torch.arange(x.shape[1]))
        n, t, c = x.shape
        q, k, v = self.all(x).reshape(n, t, 3, 3, c // 3).permute(2, 0, 3, 1, 4)
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = (q @ k.transpose(-2, -1) * (c // 3) ** -0.5).softmax(-1) @ v
        x = x + self.join(y.transpose(1, 2).reshape(n, t, c))
        return self.last(self.norm(x)[:, 0])


class Flat(nn.Module):
    """Rows that are images: unlike a dense layer, a convolution needs to know where channels are."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 2)
        self.last = nn.Linear(6, 4)

    def forward(self, x):
        return self.last(F.gelu(self.conv(x.reshape(-1, 3, 4, 5)), approximate="tanh").flatten(2).amax(2))


def add(name, model, given, feed, opset=None, batch=None, kinds=("script", "dynamo")):
    """`given` is what the program gets, `feed` what the network is given; a batch is open where it is
    not stated."""
    model = model.eval()
    for parameter in model.parameters():
        # Exporters may leave out what is 0 or 1.
        parameter.data += 0.05 * torch.randn_like(parameter)
    feed = torch.from_numpy(np.ascontiguousarray(feed))
    with torch.no_grad():
        expected = model(feed).numpy()
    first = feed[: batch or 2]
    for kind in kinds:
        path = HERE / f"tokens_{name}_{kind}.onnx"
        if kind == "script":
            axes = None if batch else {"x": {0: "n"}}
            torch.onnx.export(model, (first,), path, dynamo=False, input_names=["x"], dynamic_axes=axes, opset_version=opset)
        else:
            shapes = None if batch else ({0: torch.export.Dim("n")},)
            torch.onnx.export(model, (first,), path, dynamo=True, external_data=False, dynamic_shapes=shapes, opset_version=opset)
        # What the exporter says of Python's lines is as large as the graph.
        graph = onnx.load(path)
        graph.graph.ClearField("value_info")
        graph.ClearField("functions")
        for part in [graph, graph.graph, *graph.graph.node, *graph.graph.input, *graph.graph.output]:
            part.ClearField("metadata_props")
            part.ClearField("doc_string")
        onnx.save(graph, path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        parts = [feed] if batch is None else feed[: len(feed) // batch * batch].split(batch)
        run = lambda part: session.run(None, {session.get_inputs()[0].name: part.numpy()})[0]
        answers = np.concatenate([run(part) for part in parts])
        assert np.abs(answers - expected[: len(answers)]).max() < 1e-5, (name, kind)
    tensors[f"{name}.inputs"] = np.ascontiguousarray(given[: len(answers)])
    tensors[f"{name}.answers"] = answers.astype("float32")


images, large = [rng.normal(0, 1, (5, side, side, 3)).astype("float32") for side in (16, 32)]
first = images.transpose(0, 3, 1, 2)
rows = rng.normal(0, 1, (5, 7, 5)).astype("float32")

vit = dict(img_size=16, patch_size=4, embed_dim=12, depth=2, num_heads=3, num_classes=4)
add("vit", VisionTransformer(**vit), images, first)
add("vit_mean", VisionTransformer(**vit, global_pool="avg", class_token=False, qkv_bias=False, init_values=0.5), images, first)
add("mixer", MlpMixer(img_size=16, patch_size=4, embed_dim=12, num_blocks=2, num_classes=4), images, first)
add("convnext", ConvNeXt(depths=(1, 1, 1, 1), dims=(6, 8, 10, 12), num_classes=4), large, large.transpose(0, 3, 1, 2))
add("encoder", Encoder(), rows, rows)
add("encoder_gelu", Encoder(activation="gelu", norm_first=True), rows, rows)
add("fused", Attention(True), rows, rows)
add("by_hand", Attention(False), rows, rows)
add("decomposed", MlpMixer(img_size=16, patch_size=8, embed_dim=6, num_blocks=1, num_classes=4), images, first, opset=14, kinds=["script"])
add("decomposed_attention", Attention(True), rows, rows, opset=14, kinds=["script"])
add("one", Encoder(activation="gelu"), rows, rows, batch=1)
add("pairs", Attention(False), rows, rows, batch=2)
small = rng.normal(0, 1, (5, 4, 5, 3)).astype("float32")
add("flat", Flat(), small, small.transpose(0, 3, 1, 2).reshape(5, 60))

versions = {m.__name__: m.__version__ for m in (torch, timm, onnx, onnxruntime, np)}
save_file(tensors, HERE / "tokens.safetensors", metadata={"made_with": json.dumps(versions)})
print(versions)
