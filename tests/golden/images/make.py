"""Files of images as numpy, safetensors and Pillow write them: python make.py

The first 24 images of the Fashion-MNIST test set, from data/fashion-mnist.
"""

import json
from pathlib import Path

import numpy as np
import PIL
from PIL import Image
from safetensors.numpy import save_file

here = Path(__file__).parent
data = here.parents[2] / "data" / "fashion-mnist"
images = np.fromfile(data / "t10k-images-idx3-ubyte", np.uint8, offset=16).reshape(-1, 28, 28)[:24]
labels = np.fromfile(data / "t10k-labels-idx1-ubyte", np.uint8, offset=8)[:24]

np.savez_compressed(here / "bytes.npz", images=images, labels=labels)
np.savez(here / "floats.npz", x_test=(images[:6, :, :, None] / 255).astype("<f4"), y_test=labels[:6, None].astype("<i8"))
np.savez(here / "fortran.npz", images=np.asfortranarray(images[:3]), labels=labels[:3])
colour = np.stack([images[:9], 255 - images[:9], images[:9] // 2], axis=-1)
save_file(
    {"images": colour, "labels": (labels[:9] % 3).astype("<i4")},
    here / "colour.safetensors",
    metadata={"classes": json.dumps(["cat", "dog", "owl"])},
)

sizes = [(14, 14), (40, 33), (28, 9)]
image = Image.fromarray(images[0].astype("float32"), mode="F")
resized = {f"{w}x{h}": np.asarray(image.resize((w, h), Image.Resampling.BILINEAR)).round(3).tolist() for w, h in sizes}
text = json.dumps({"pillow": PIL.__version__, "numpy": np.__version__, "resized": resized})
(here / "resized.json").write_text(text + "\n")
