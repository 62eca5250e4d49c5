"""What it costs to have a function of Python answer in the network's place: python callable.py [--runs 11]

Processor time of the whole process, medians of runs that alternate; the callable's own time is left out.
"""

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import numpy as np

import morphscape as ms

MODEL = Path(__file__).resolve().parents[2] / "models/fashion-mnist.safetensors"


def bundled_in_numpy():
    """The bundled network as a function of grey levels (n, 28, 28)."""
    content = MODEL.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    tensors = {}
    for name, about in header.items():
        if name != "__metadata__":
            begin, end = about["data_offsets"]
            values = np.frombuffer(content[8 + length + begin : 8 + length + end], dtype="<f4")
            tensors[name] = values.reshape(about["shape"])

    def network(x):
        hidden = x.reshape(len(x), -1) / np.float32(255) @ tensors["dense_0.kernel"] + tensors["dense_0.bias"]
        return np.maximum(hidden, 0) @ tensors["dense_1.kernel"] + tensors["dense_1.bias"]

    return network


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    images, labels = ms.fashion_mnist()
    network, own, calls = bundled_in_numpy(), [0.0], [0]

    def timed(x):
        begun = time.process_time()
        answers = network(x)
        own[0] += time.process_time() - begun
        calls[0] += 1
        return answers

    def took(what):
        begun, own[0], calls[0] = time.process_time(), 0.0, 0
        ms.sweep(what, images, labels, groups=5, engine="cpu", show_progress=False)
        return time.process_time() - begun - own[0]

    took(None), took(timed)
    files, functions = [], []
    for _ in range(runs):
        files.append(took(None))
        functions.append(took(timed))
    print(f"{platform.machine()}, 30 landscapes, {calls[0]} calls of the function, {runs} runs")
    file, function = statistics.median(files), statistics.median(functions)
    print(f"the engine's own network: {file:.3f} s; the package around a function: {function:.3f} s ({function / file:.2f})")


if __name__ == "__main__":
    main()
