"""What NNCodec (ISO/IEC 15938-17) makes of a file of weights, at several widths of its steps: python packed_curve.py
WEIGHTS.safetensors FOLDER QP... writes FOLDER/QP.safetensors, the weights as they come back, and prints `QP BYTES`."""
import contextlib
import io
import json
import pathlib
import struct
import sys

import numpy
from nncodec.nn import decode, encode


def read(path):
    data = pathlib.Path(path).read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        if entry["dtype"] == "F32":
            values = numpy.frombuffer(data[8 + size + start : 8 + size + end], "<f4")
            tensors[name] = values.reshape(entry["shape"]).copy()
    return tensors


def write(path, tensors):
    header, parts, offset = {}, [], 0
    for name, values in tensors.items():
        part = numpy.ascontiguousarray(values, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [offset, offset + len(part)]}
        parts.append(part)
        offset += len(part)
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


weights, folder = read(sys.argv[1]), pathlib.Path(sys.argv[2])
for qp in sys.argv[3:]:
    with contextlib.redirect_stdout(io.StringIO()):
        stream = encode(dict(weights), {"qp": int(qp), "verbose": False, "results": str(folder)})
        back = decode(stream, {"verbose": False})
    values = {name: numpy.asarray(back[name], numpy.float32).reshape(weights[name].shape) for name in weights}
    write(folder / f"{qp}.safetensors", values)
    print(qp, len(stream), flush=True)
