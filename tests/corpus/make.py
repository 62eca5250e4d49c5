"""Small good and nasty files of every format that is read: python make.py

Names say what is expected: good-* is read, bad-* is refused. Needs numpy, Pillow (JPEG), onnx and
safetensors; everything else is written byte by byte, since libraries do not write what is wrong.
"""

import gzip
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from PIL import Image
from safetensors.numpy import save

here = Path(__file__).parent
random = np.random.default_rng(9)
more = np.random.default_rng(18)


def write(name, content):
    path = here / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


# IDX: images [3, 4, 5]
levels = bytes(range(60))


def idx(*sizes, data=levels, code=0x0800):
    return struct.pack(">I", code | len(sizes)) + b"".join(struct.pack(">I", s) for s in sizes) + data


write("idx/good-images", idx(3, 4, 5))
write("idx/good-images.gz", gzip.compress(idx(3, 4, 5), mtime=0))
two = idx(3, 4, 5)
write("idx/good-two-members.gz", gzip.compress(two[:20], mtime=0) + gzip.compress(two[20:], mtime=0))
write("idx/good-no-images", idx(0, 4, 5, data=b""))
write("idx/bad-empty", b"")
write("idx/bad-floats", idx(3, 4, 5, code=0x0D00))
write("idx/bad-labels", idx(3, data=b"\0\1\2"))
write("idx/bad-cut", idx(3, 4, 5)[:-1])
write("idx/bad-more", idx(3, 4, 5) + b"\0")
write("idx/bad-sizes-overflow", idx(*[0xFFFFFFFF] * 3))
write("idx/bad-sizes-4GiB", idx(1 << 16, 1 << 8, 1 << 8))
write("idx/bad-bomb.gz", gzip.compress(idx(3, 4, 5) + bytes(20 << 20), mtime=0))
write("idx/bad-cut.gz", gzip.compress(idx(3, 4, 5), mtime=0)[:-12])
write("idx/bad-checksum.gz", gzip.compress(idx(3, 4, 5), mtime=0)[:-8] + bytes(8))


# PNG
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, color, rows=None, more=b"", interlace=0, end=True):
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    row_bytes = (width * depth * samples + 7) // 8
    if rows is None:
        rows = b"".join(b"\0" + random.bytes(row_bytes) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    body = chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + body + (chunk(b"IEND", b"") if end else b"")


palette = chunk(b"PLTE", random.bytes(3 * 4))
indices = b"".join(b"\0" + bytes([1, 2, 3, 0, 1]) for _ in range(4))
for name, depth, color in [
    ("grey-1", 1, 0), ("grey-8", 8, 0), ("grey-16", 16, 0), ("grey-alpha-8", 8, 4), ("grey-alpha-16", 16, 4),
    ("rgb-8", 8, 2), ("rgb-16", 16, 2), ("rgba-8", 8, 6), ("rgba-16", 16, 6),
]:
    write(f"png/good-{name}.png", png(5, 4, depth, color))
write("png/good-palette.png", png(5, 4, 8, 3, indices, palette))
write("png/good-palette-alpha.png", png(5, 4, 8, 3, indices, palette + chunk(b"tRNS", b"\0\x80")))
write("png/good-grey-transparent.png", png(5, 4, 8, 0, more=chunk(b"tRNS", b"\0\x07")))
write("png/good-text-bomb.png", png(5, 4, 8, 0, more=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20 << 20), 9))))
write("png/good-profile-bomb.png", png(5, 4, 8, 0, more=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(20 << 20), 9))))
write("png/good-more-rows.png", png(5, 4, 8, 0, bytes(20 << 20)))
write("png/bad-0x5.png", png(0, 5, 8, 0, b""))
write("png/bad-5x0.png", png(5, 0, 8, 0, b""))
write("png/bad-65535.png", png(65535, 65535, 8, 6, b"\0"))
write("png/bad-4097.png", png(4097, 1, 8, 0))
write("png/bad-2147483647.png", png(2147483647, 2147483647, 16, 6, b"\0"))
write("png/bad-no-palette.png", png(5, 4, 8, 3, indices))
write("png/bad-few-rows.png", png(5, 4, 8, 0, b"\0" + random.bytes(5)))
write("png/bad-4096-claimed.png", png(4096, 4096, 16, 6, b"\0"))
write("png/bad-depth.png", png(5, 4, 3, 0))
good = png(5, 4, 8, 0)
write("png/bad-checksum.png", good[:-13] + bytes([good[-13] ^ 1]) + good[-12:])
write("png/bad-cut.png", png(5, 4, 8, 2)[:60])
write("png/bad-gif.png", b"GIF89a\5\0\4\0\0\0\0;")


# JPEG
def jpeg(mode, size=(20, 17), **options):
    out = io.BytesIO()
    noise = random.integers(0, 256, (size[1], size[0], len(mode)), np.uint8).squeeze()
    Image.fromarray(noise, mode).save(out, "JPEG", quality=40, **options)
    return out.getvalue()


grey = jpeg("L")
colour = jpeg("RGB")
write("jpeg/good-grey.jpg", grey)
write("jpeg/good-colour.jpg", colour)
write("jpeg/good-progressive.jpg", jpeg("RGB", progressive=True))
write("jpeg/good-cmyk.jpg", jpeg("CMYK"))


def sized(content, width, height):
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4:]


write("jpeg/bad-65535.jpg", sized(colour, 65535, 65535))
write("jpeg/bad-0x17.jpg", sized(colour, 0, 17))
write("jpeg/bad-header-only.jpg", colour[: colour.index(b"\xff\xc0")])
write("jpeg/bad-empty.jpg", b"\xff\xd8\xff\xd9")



# Pictures in the other formats
def picture(mode, format, size=(5, 4), **options):
    out = io.BytesIO()
    noise = more.integers(0, 256, (size[1], size[0], len(mode)), np.uint8).squeeze()
    image = Image.fromarray(noise, "L" if mode == "1" else mode)
    (image.convert(mode) if mode == "1" else image).save(out, format, **options)
    return out.getvalue()


write("pictures/good-lossless.webp", picture("RGB", "WEBP", lossless=True))
write("pictures/good-lossy.webp", picture("RGB", "WEBP", quality=50))
write("pictures/good-rgb.bmp", picture("RGB", "BMP"))
write("pictures/good-grey.bmp", picture("L", "BMP"))
write("pictures/good-grey.gif", picture("L", "GIF"))
write("pictures/good-rgb.tif", picture("RGB", "TIFF"))
write("pictures/good-lzw.tif", picture("RGB", "TIFF", compression="tiff_lzw"))
write("pictures/good-fax.tif", picture("1", "TIFF", compression="group4"))
write("pictures/good-jpeg.tif", picture("RGB", "TIFF", compression="jpeg", size=(16, 16)))
write("pictures/good-grey.pgm", picture("L", "PPM"))
write("pictures/good-rgb.ppm", picture("RGB", "PPM"))
write("pictures/good-one-bit.pbm", picture("1", "PPM"))
write("pictures/bad-sizes.pgm", b"P5 65535 65535 255\n")
write("pictures/bad-4096-claimed.pgm", b"P5 4096 4096 65535\n\0")
write("pictures/bad-bmp-65535.bmp", b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 65535, 65535, 1, 24, 0, 0, 0, 0, 0, 0))
write("pictures/bad-cut.webp", picture("RGB", "WEBP", lossless=True)[:40])

# CSV: the class stands in column "kind"
table = "a,b,kind\n1,2,x\n3,4,y\n5.5,-6e-1,z\n"
write("csv/good.csv", table)
write("csv/good-bom.csv", "\ufeff" + table)
write("csv/good-crlf.csv", table.replace("\n", "\r\n"))
write("csv/good-cr.csv", table.replace("\n", "\r"))
write("csv/good-no-end.csv", table[:-1])
write("csv/good-quoted.csv", 'a,b,kind\n"1","2","x, ""y"""\n 3 , 4 ,"<b>"\n5,6,\u202ez\n')
write("csv/good-missing.csv", table + "NA,1,x\n,1,y\n1,?,z\nnan,1,x\n")
write("csv/good-blank-lines.csv", "\n\n" + table.replace("\n", "\n\n"))
write("csv/bad-empty.csv", "")
write("csv/bad-blank.csv", "\n \n\r\n")
write("csv/bad-header-alone.csv", "a,b,kind\n")
write("csv/bad-no-header.csv", "1,2,3\n4,5,6\n")
write("csv/bad-inf.csv", table + "inf,1,x\n")
write("csv/bad-overflow.csv", table + "1e39,1,x\n")
write("csv/bad-text.csv", table + "one,1,x\n")
write("csv/bad-long-row.csv", table + "1,2,3,x\n")
write("csv/bad-open-quote.csv", table + '1,2,"x\n' + "1,2,x\n" * 5)
write("csv/bad-latin-1.csv", table.replace("x", "é").encode("latin-1"))
write("csv/good-utf-16.csv", table.encode("utf-16"))
write("csv/bad-utf-16-odd.csv", table.encode("utf-16") + b"\0")
write("csv/good-tabs-decimal-commas.csv", table.replace(",", "\t").replace(".", ","))
write("csv-blanks/good.txt", "x  1 2\n  y 3\t4\nz 5.5 -6e-1\n")
write("csv-blanks/bad-short.txt", "x  1 2\ny 3\nz 5 6\n")
write("csv-packed/good.csv.gz", gzip.compress(table.encode(), mtime=0))
write("csv-packed/bad-bomb.csv.gz", gzip.compress(b"a" * (20 << 20), mtime=0))
write("csv/bad-nul.csv", table + "\0,1,x\n")
write("csv/good-semicolons.csv", table.replace(",", ";"))
write("csv/good-two-classes.csv", table.replace("z", "x"))
write("csv/bad-columns-twice.csv", table.replace("b", "a"))


# .npz, and images in .safetensors
def npy(header, data, version=1):
    text = header.encode() + b" " * 3 + b"\n"
    length = struct.pack("<H", len(text)) if version == 1 else struct.pack("<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


def npz(images, labels, method=zipfile.ZIP_STORED, names=("images", "labels")):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in zip(names, [images, labels]):
            file.writestr(zipfile.ZipInfo(f"{name}.npy"), content, method)
    return out.getvalue()


def plain(array):
    return npy(f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}", array.tobytes())


images = random.integers(0, 256, (3, 4, 5), np.uint8)
labels = np.array([0, 1, 2], np.int64)
good = plain(labels)
write("arrays/good.npz", npz(plain(images), good))
write("arrays/good-deflated.npz", npz(plain(images), good, zipfile.ZIP_DEFLATED))
write("arrays/good-version-2.npz", npz(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3, 4, 5), }", images.tobytes(), 2), good))
write("arrays/good-halves.npz", npz(plain(images.astype("<f8")), plain(labels.astype("<u2"))))
write("arrays/bad-no-zip.npz", b"PK\3\4 and no more")
write("arrays/good-fortran.npz", npz(npy("{'descr': '>i2', 'fortran_order': True, 'shape': (3, 4, 5), }", images.astype(">i2").tobytes("F")), good))
write("arrays/good-channels-first.npz", npz(plain(more.integers(0, 256, (3, 3, 4, 5), np.uint8)), good))
write("arrays/good-text.npz", npz(plain(images), plain(np.array(["owl", "cat", "dog"]))))
write("arrays/good-one-hot.npz", npz(plain(images), plain(np.eye(3, dtype="<f2"))))
write("arrays/bad-text-long.npz", npz(plain(images), npy("{'descr': '<U4294967295', 'fortran_order': False, 'shape': (3,), }", b"")))
write("arrays/bad-text-empty.npz", npz(plain(images), npy("{'descr': '<U0', 'fortran_order': False, 'shape': (4294967296,), }", b"")))
write("arrays/good-names.npz", npz(plain(images), good, names=("a", "b")))
write("arrays/bad-no-header.npz", npz(b"", good))
write("arrays/bad-header-4GiB.npz", npz(b"\x93NUMPY\2\0\xff\xff\xff\xff{", good))
write("arrays/bad-header-nested.npz", npz(npy("(" * 20000, b""), good))
write("arrays/bad-shape-huge.npz", npz(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296, 2), }", b""), good))
write("arrays/bad-shape-4GiB.npz", npz(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (65536, 256, 256), }", b""), good))
write("arrays/bad-labels-many.npz", npz(plain(images), npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1073741824,), }", b"")))
write("arrays/bad-objects.npz", npz(npy("{'descr': '|O', 'fortran_order': False, 'shape': (3, 4, 5), }", b"\x80\4."), good))
write("arrays/bad-bomb.npz", npz(plain(images) + bytes(20 << 20), plain(np.zeros(1 << 20, "<i8")), zipfile.ZIP_DEFLATED))
write("arrays/bad-no-images.npz", npz(plain(images[:0]), plain(labels[:0])))
write("arrays/bad-label-negative.npz", npz(plain(images), plain(labels - 1)))
write("arrays/bad-label-huge.npz", npz(plain(images), plain(labels + (1 << 62))))
write("arrays/bad-nan.npz", npz(plain(np.full((3, 4, 5), np.nan, "<f4")), good))
classes = {"classes": json.dumps(["cat", "</script>", "owl"])}
write("arrays/good.safetensors", save({"images": images, "labels": labels}, classes))
write("arrays/bad-classes.safetensors", save({"images": images, "labels": labels}, {"classes": "[" * 1000}))


def tensors(header, data=b""):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + data


write("arrays/bad-header-2to63.safetensors", struct.pack("<Q", 1 << 63) + b"{}")
write("arrays/bad-header-64MB.safetensors", struct.pack("<Q", 64 << 20) + b"{}")
huge = {"images": {"dtype": "U8", "shape": [1 << 40, 1 << 40, 1], "data_offsets": [0, 8]}}
write("arrays/bad-shape-2to80.safetensors", tensors(huge, bytes(8)))
overlap = {k: {"dtype": "U8", "shape": [1, 2, 4], "data_offsets": [0, 8]} for k in ["images", "labels"]}
write("arrays/bad-overlap.safetensors", tensors(overlap, bytes(8)))

# Lists of triples
triples = {"triples": [{"name": "1A", "items": [9, 2, 1]}, {"name": "b-2_", "items": ["t10k#1", 0, "a/b.png"]}]}
write("triples/good.json", json.dumps(triples))
write("triples/bad-deep.json", "[" * 10000)
write("triples/bad-deep-inside.json", '{"triples":' + '[{"name":' * 1000)
write("triples/bad-name.json", json.dumps({"triples": [{"name": "../x\u202e\n", "items": [1, 2, 3]}]}))
write("triples/bad-twice.json", json.dumps({"triples": [triples["triples"][0]] * 2}))
write("triples/bad-index.json", json.dumps({"triples": [{"name": "a", "items": [-1, 2, 1 << 70]}]}))
write("triples/bad-utf-8.json", b'{"triples":[{"name":"\xff"}]}')
write("triples/bad-empty.json", "")
write("triples/bad-none.json", '{"triples":[]}')


# ONNX: 4 values to 3 classes
def model(nodes, constants=(), inputs=(("x", ["batch", 4]),), output="y"):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs]
    out = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", 3])]
    graph = helper.make_graph(nodes, "g", values, out, list(constants))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return made.SerializeToString()


def floats(name, array):
    return onnx.numpy_helper.from_array(array.astype("<f4"), name)


weights = [floats("w", random.normal(size=(4, 3))), floats("b", random.normal(size=3))]
gemm = helper.make_node("Gemm", ["x", "w", "b"], ["y"])
write("onnx/good.onnx", model([gemm], weights))
relu = [helper.make_node("Gemm", ["x", "w", "b"], ["h"]), helper.make_node("Softmax", ["h"], ["y"])]
write("onnx/good-softmax.onnx", model(relu, weights))
shape = onnx.numpy_helper.from_array(np.array([1 << 40], "<i8"), "s")
constant = [helper.make_node("ConstantOfShape", ["s"], ["c"]), helper.make_node("Add", ["x", "c"], ["y"])]
write("onnx/bad-constant-of-shape.onnx", model(constant, [shape]))
shape = onnx.numpy_helper.from_array(np.array([1 << 20, 1 << 20], "<i8"), "s")
expand = [helper.make_node("Expand", ["b", "s"], ["c"]), helper.make_node("MatMul", ["x", "c"], ["y"])]
write("onnx/bad-expand.onnx", model(expand, [shape, floats("b", np.ones(1))]))
sides = onnx.numpy_helper.from_array(np.array([1 << 10, 1 << 10], "<i8"), "a")
squared = helper.make_node("Mul", ["a", "a"], ["s"])
write("onnx/bad-computed-size.onnx", model([squared, *expand], [sides, floats("b", np.ones(1))]))
pads = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1 << 30] * 4)
write("onnx/bad-pads.onnx", model([pads], [floats("w", np.ones((1, 1, 1, 1)))], (("x", ["batch", 1, 2, 2]),)))
pads = onnx.numpy_helper.from_array(np.array([0, 0, 1, 1, 1 << 21, 0, 1, 1], "<i8"), "p")
pooled = [helper.make_node("Pad", ["x", "p"], ["a"]), helper.make_node("GlobalAveragePool", ["a"], ["b"]), helper.make_node("Flatten", ["b"], ["y"])]
write("onnx/bad-padding.onnx", model(pooled, [pads], (("x", ["batch", 3, 7, 6]),)))
scales = floats("s", np.array([1, 1, 20000, 20000]))
resized = [helper.make_node("Resize", ["x", "", "s"], ["a"], mode="nearest"), *pooled[1:]]
write("onnx/bad-scales.onnx", model(resized, [scales], (("x", ["batch", 3, 7, 6]),)))
spread = [helper.make_node("ConvTranspose", ["x", "w"], ["a"], strides=[20000, 20000]), *pooled[1:]]
write("onnx/bad-strides.onnx", model(spread, [floats("w", np.ones((3, 3, 1, 1)))], (("x", ["batch", 3, 7, 6]),)))
write("onnx/good-batch.onnx", model([gemm], weights, (("x", [1 << 40, 4]),)))
write("onnx/bad-two-inputs.onnx", model([helper.make_node("Add", ["x", "z"], ["y"])], (), (("x", ["batch", 3]), ("z", ["batch", 3]))))
write("onnx/bad-no-graph.onnx", b"\x08\x08")
write("onnx/bad-cut.onnx", model([gemm], weights)[:-20])
wrong = onnx.load_from_string(model([gemm], weights))
wrong.graph.initializer[0].dims[0] = 1 << 40
write("onnx/bad-dims.onnx", wrong.SerializeToString())
outside = onnx.load_from_string(model([gemm], weights))
tensor = outside.graph.initializer[0]
tensor.ClearField("raw_data")
tensor.data_location = TensorProto.EXTERNAL
tensor.external_data.add(key="location", value="../../../etc/passwd")
write("onnx/bad-outside.onnx", outside.SerializeToString())


def field(number, content):
    length, out = len(content), bytearray([number << 3 | 2])
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes(out) + bytes([length]) + content


nested = b""
for _ in range(5000):
    nested = field(1, field(5, field(6, nested)))  # node, attribute, graph
write("onnx/bad-nested.onnx", b"\x08\x08" + field(7, nested))

# Models of dense layers as plain tensors
dense = {"0.weight": random.normal(size=(3, 2)).astype("<f4"), "2.weight": random.normal(size=(2, 3)).astype("<f4")}
write("models/good-plain.safetensors", save(dense))
write("models/bad-nan.safetensors", save({"0.weight": np.full((3, 2), np.nan, "<f4")}))
