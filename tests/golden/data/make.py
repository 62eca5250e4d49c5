"""Data as people have them, and what numpy, Pillow, pandas and scikit-learn read in them: python make.py

Run with numpy 2.4.6, Pillow 13.0.0, pandas 3.1.1, scikit-learn 1.9.1, safetensors 0.8.0.
"""

import base64
import gzip
import io
import itertools
import json
import struct
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from safetensors.numpy import save_file
from sklearn.preprocessing import LabelEncoder

here = Path(__file__).parent
random = np.random.default_rng(18)


def write_json(name, value):
    (here / name).write_text(json.dumps(value, indent=None, separators=(",", ":")) + "\n")


# Arrays: the same grey levels, colours and labels in every type, byte order and order of axes.
grey = random.integers(0, 256, (5, 2, 5)).astype("uint8")
grey[0, 0, :2] = [0, 255]
colour = random.integers(0, 256, (5, 6, 2, 3)).astype("uint8")
labels = np.array([2, 0, 1, 1, 0])
types = ["u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]
arrays = {}
for kind, endian, order in itertools.product(types, "<>", "CF"):
    arrays[f"images {endian}{kind} {order}"] = np.array(grey, dtype=endian + kind, order=order)
    arrays[f"labels {endian}{kind} {order}"] = np.array(labels, dtype=endian + kind, order=order)
arrays["images |b1 C"] = grey > 127
arrays["images i1 0 and 1"] = (grey > 127).astype("i1")
arrays["images u1 0 and 1"] = (grey > 127).astype("u1")
arrays["images f8 0 and 1"] = (grey > 127).astype("f8")
arrays["images f4 up to 1"] = (grey / 255).astype("f4")
arrays["images u2 up to 65535"] = grey.astype("u2") * 257
arrays["images u2 up to 4095"] = np.rint(grey * 4095.0 / 255).astype(">u2")
arrays["colour HWC"] = colour
arrays["colour both ends"] = colour[:, :3]
arrays["colour HWC F"] = np.asfortranarray(colour)
arrays["colour CHW"] = colour.transpose(0, 3, 1, 2)
arrays["colour CHW contiguous"] = np.ascontiguousarray(colour.transpose(0, 3, 1, 2))
arrays["colour HWC with alpha"] = np.concatenate([colour, colour[..., :1]], -1)
arrays["images 1HW"] = grey[:, None]
arrays["images HW1"] = grey[..., None]
arrays["labels n1"] = labels[:, None]
arrays["labels one-hot"] = np.eye(4, dtype="f4")[labels]
arrays["labels one-hot bool F"] = np.asfortranarray(np.eye(4)[labels] == 1)
arrays["labels text"] = np.array(["10", "cat", "2", "2", "cat"])
arrays["labels text big"] = np.array(["größe", "魚", "a", "a", "魚"]).astype(">U7")
arrays["labels bytes"] = np.array([b"b", b"a", b"", b"c", b"a"])
arrays["labels two ones"] = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0]])
arrays["labels halves"] = labels + 0.5
arrays["labels objects"] = np.array(["a", "b", None, "c", "d"], dtype=object)
np.savez_compressed(here / "kinds.npz", **arrays)
tensors = {f"images {kind}": np.ascontiguousarray(grey.astype(kind)) for kind in types}
tensors |= {f"labels {kind}": labels.astype(kind) for kind in types}
tensors["images bool"] = grey > 127
save_file(tensors, here / "kinds.safetensors")
texts = {}
for key in ["labels text", "labels text big", "labels bytes"]:
    unique, codes = np.unique(arrays[key], return_inverse=True)
    assert list(LabelEncoder().fit(arrays[key]).classes_) == list(unique)
    texts[key] = {"classes": [c.decode() if isinstance(c, bytes) else str(c) for c in unique], "labels": codes.tolist()}
write_json("kinds.json", {"grey": grey.tolist(), "colour": colour.tolist(), "labels": labels.tolist(), "texts": texts})

# IDX: values are big-endian.
idx = {}
for code, kind in [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")]:
    levels = grey // 2 if kind == "i1" else grey
    content = struct.pack(">HBBIII", 0, code, 3, *levels.shape) + levels.astype(">" + kind).tobytes()
    label = struct.pack(">HBBI", 0, code, 1, len(labels)) + labels.astype(">" + kind).tobytes()
    idx[kind] = {"images": base64.b64encode(content).decode(), "labels": base64.b64encode(label).decode(), "levels": levels.ravel().tolist()}
colours = struct.pack(">HBBIIII", 0, 8, 4, *colour.shape) + colour.tobytes()
idx["colour"] = {"images": base64.b64encode(colours).decode(), "labels": idx["u1"]["labels"], "levels": colour.ravel().tolist()}
write_json("idx.json", idx)

# Pictures: what Pillow makes of them, as grey levels or as colours.
rgb = random.integers(0, 256, (5, 7, 3)).astype("uint8")
l8 = random.integers(0, 256, (5, 7)).astype("uint8")
l16 = random.integers(0, 65536, (5, 7)).astype("uint16")
smooth = np.add.outer(np.arange(16) * 8, np.arange(16) * 7)[..., None] + np.array([0, 20, 5])
pictures = []


def picture(name, image, channels, tolerance=0, bits=8, **options):
    out = io.BytesIO()
    image.save(out, **options)
    content(name, out.getvalue(), channels, tolerance, bits)


def content(name, data, channels, tolerance=0, bits=8):
    read = Image.open(io.BytesIO(data))
    if bits == 16:
        levels = np.asarray(read).astype(float) / 257
    else:
        levels = np.asarray(read.convert({1: "L", 3: "RGB"}[channels])).astype(float)
    pictures.append({
        "name": name, "content": base64.b64encode(data).decode(), "channels": channels,
        "size": list(read.size), "levels": levels.ravel().tolist(), "tolerance": tolerance,
    })


picture("rgb.webp", Image.fromarray(rgb), 3, format="WEBP", lossless=True)
picture("rgba.webp", Image.fromarray(np.dstack([rgb, np.full((5, 7), 200, "uint8")])), 3, format="WEBP", lossless=True, exact=True)
picture("lossy.webp", Image.fromarray(smooth.astype("uint8")), 3, tolerance=2, format="WEBP", quality=90)
picture("rgb.bmp", Image.fromarray(rgb), 3, format="BMP")
picture("grey.bmp", Image.fromarray(l8), 3, format="BMP")
picture("palette.bmp", Image.fromarray(rgb).quantize(8), 3, format="BMP")
picture("one-bit.bmp", Image.fromarray(l8 > 127), 3, format="BMP")
picture("palette.gif", Image.fromarray(rgb).quantize(16), 3, format="GIF")
picture("grey.gif", Image.fromarray(l8), 3, format="GIF")
picture("two-frames.gif", Image.fromarray(l8), 3, format="GIF", save_all=True, append_images=[Image.fromarray(255 - l8)])
picture("rgb.tif", Image.fromarray(rgb), 3, format="TIFF")
picture("grey.tif", Image.fromarray(l8), 1, format="TIFF")
picture("one-bit.tif", Image.fromarray(l8 > 127), 1, format="TIFF")
picture("lzw.tif", Image.fromarray(rgb), 3, format="TIFF", compression="tiff_lzw")
picture("deflate.tif", Image.fromarray(rgb), 3, format="TIFF", compression="tiff_adobe_deflate")
picture("wide.tif", Image.fromarray(l16), 1, bits=16, format="TIFF")
picture("rgba.tif", Image.fromarray(np.dstack([rgb, l8])), 3, format="TIFF")
picture("two-pages.tif", Image.fromarray(l8), 1, format="TIFF", save_all=True, append_images=[Image.fromarray(255 - l8)])
picture("grey.pgm", Image.fromarray(l8), 1, format="PPM")
picture("rgb.ppm", Image.fromarray(rgb), 3, format="PPM")
picture("one-bit.pbm", Image.fromarray(l8 > 127), 1, format="PPM")
content("plain.pgm", b"P2\n# a comment\n3 2\n255\n0 1 2\n253 254 255\n", 1)
content("fifteen.pgm", b"P5 3 2 15\n" + bytes([0, 1, 7, 8, 14, 15]), 1)
content("wide.pgm", b"P5 7 5 65535\n" + l16.astype(">u2").tobytes(), 1, bits=16)
content("hundred.pgm", b"P2 3 1 100\n0 50 100\n", 1)
picture("cmyk.tif", Image.fromarray(rgb).convert("CMYK"), 3, format="TIFF")
picture("rgba.bmp", Image.fromarray(np.dstack([rgb, l8])), 3, format="BMP")
content("plain.ppm", b"P3 1 2 255\n1 2 3 253 254 255\n", 3)
write_json("pictures.json", {
    "pictures": pictures,
    "grey_of_rgb": {"rgb": rgb.ravel().tolist(), "grey": np.asarray(Image.fromarray(rgb).convert("L")).ravel().tolist()},
})
for name, levels in [("floats", (l8 / 255).astype("float32")), ("signed", l16.astype("int16")), ("long", l16.astype("int32"))]:
    out = io.BytesIO()
    if name == "signed":  # Pillow writes none: SampleFormat 2 in the place of 1
        Image.fromarray(l16).save(out, format="TIFF", tiffinfo={339: 2})
    else:
        Image.fromarray(levels).save(out, format="TIFF")
    (here / f"{name}.tif").write_bytes(out.getvalue())

# Tables: the file, how pandas is told to read it, and what it reads.
tables = []


def table(what, data, options=None, label="kind", features=None, **pandas):
    data = data.encode() if isinstance(data, str) else data
    frame = pd.read_csv(io.BytesIO(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data), na_values=["?", "-"], **pandas)
    frame.columns = [str(column).strip() for column in frame.columns]
    features = features or [column for column in frame.columns if column != label]
    frame = frame[[*features, label]].dropna()
    encoder = LabelEncoder().fit(frame[label])
    tables.append({
        "what": what, "content": base64.b64encode(data).decode(), "options": options or {}, "label": label, "features": features,
        "values": frame[features].astype("float64").to_numpy().ravel().tolist(), "index": [int(i) for i in frame.index],
        "labels": encoder.transform(frame[label]).tolist(), "classes": len(encoder.classes_),
    })


plain = "a,b,kind\n1,2.5,x\n-3e2,4,y\n5.5,-6e-1,z\n7,8,x\n"
table("commas", plain)
table("semicolons", plain.replace(",", ";"), sep=";")
table("semicolons and decimal commas", plain.replace(",", ";").replace(".", ","), sep=";", decimal=",")
table("tabs", plain.replace(",", "\t"), sep="\t")
table("tabs and decimal commas", plain.replace(",", "\t").replace(".", ","), sep="\t", decimal=",")
table("bars", plain.replace(",", "|"), sep="|")
table("blanks", plain.replace(",", "   "), sep=r"\s+")
table("blanks in front", "\n".join("  " + line.replace(",", "  ") for line in plain.splitlines()), sep=r"\s+")
table("quoted names with semicolons", '"a, in cm";"b";"kind"\n1;2;"x"\n3;4;"y"\n5;6;"z"\n', sep=";")
table("a name with a comma", '"a, in cm",b,kind\n1,2,x\n3,4,y\n5,6,z\n', {"features": '"a, in cm",b'})
table("a name with a comma as it is", '"a, in cm",b,kind\n1,2,x\n3,4,y\n5,6,z\n', {"features": "a, in cm"}, features=["a, in cm"])
table("gzip", gzip.compress(plain.encode(), mtime=0))
table("byte order mark", "\ufeff" + plain, encoding="utf-8-sig")
table("UTF-16", plain.encode("utf-16"), encoding="utf-16")
table("UTF-16, big-endian", b"\xfe\xff" + plain.encode("utf-16-be"), encoding="utf-16")
table("True and False", "a,b,kind\nTrue,1,x\nFalse,2,y\nTrue,3,z\n")
table("true and false", "a,b,kind\ntrue,1,x\nfalse,2,y\nTRUE,3,z\n")
missing = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A", "?", "-", "-nan", "1.#QNAN"]
table("missing values", "a,b,kind\n" + "".join(f"{word},{i},{'xyz'[i % 3]}\n{i},{word},{'xyz'[i % 3]}\n{i},7,{'xyz'[i % 3]}\n" for i, word in enumerate(missing)))
table("missing labels", "a,b,kind\n" + "".join(f"{i},1,{word}\n{i},2,{'xyz'[i % 3]}\n" for i, word in enumerate(w for w in missing if w != "-")))
table("no header", "5.1,3.5,setosa\n4.9,3.0,other\n4.7,3.2,third\n", {"no_header": True}, label="3", header=None, names=["1", "2", "3"])
table("an index column that is not chosen", ",a,b,kind\n0,1,2,x\n1,3,4,y\n2,5,6,z\n", {"features": "a,b"}, features=["a", "b"])
# Labels: numbers are sorted as numbers, whatever they are; anything else as text.
sequences = {
    "0 to 11": [str(i) for i in range(12)], "0 to 11, from the end": [str(i) for i in reversed(range(12))], "1, 10, 2": ["1", "10", "2"],
    "below zero": ["3", "-1", "-10", "0"], "halves": ["1.5", "0.5", "10.25", "2"], "exponents": ["1e1", "9", "2e0"],
    "leading zeros": ["010", "9", "001"], "text": ["b", "a", "B", "A", "_", "10"], "mixed": ["10", "9", "x", "1"],
    "other scripts": ["ä", "z", "魚", "Z"], "names with numbers": ["class10", "class2", "class1"], "large": ["9007199254740993", "9007199254740992", "5"],
    "one number in two ways": ["1", "1.0", "2", "3"],
}
for p in itertools.permutations(["2", "10", "1", "-3"]):
    sequences["numbers " + " ".join(p)] = list(p)
for p in itertools.permutations(["b", "10", "9"]):
    sequences["mixed " + " ".join(p)] = list(p)
for what, labels_ in sequences.items():
    table("labels: " + what, "a,kind\n" + "".join(f"{i},{label}\n" for i, label in enumerate(labels_)))
write_json("tables.json", tables)
