"""Holds what compress computes from TFLite files against LiteRT: Tests/exports/tflite.sh.

    check_tflite.py PROGRAM FILE_OR_FOLDER... [--samples N] [--images FOLDER]

Each file is run on the same samples here and there: pictures of a folder, or noise. Floats may be off by 1e-4 of the
largest output, of LiteRT's kernels for this machine or of its reference kernels. Integers may be off by one step on
99.9 % of outputs, or on as many, to a tenth of a percent, as those two are off each other: where layers lie behind each
other, steps of one make larger ones, there as well. Floats that come of integers may be off by twice what those two are.
The greatest output has to be at the same place where no other is within a step of it, or within what those differ by.
Ends with status 1 where a file does not hold.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema

SCRIPT = """
local model = load_model "net.tflite"
local data = data.numpy("x.npy", { labels_file = "y.npy" })
local session = compile(model)
for i = 1, COUNT do
  local out = session:run((data:batch(i, i)))
  local row = {}
  for k, v in ipairs(out:reshape(out.count):table()) do row[k] = string.format("%.9g", v) end
  print("outputs " .. table.concat(row, " "))
end
"""


def number(code):
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def without_custom(content):
    """MediaPipe's transposed convolution as the standard's, which LiteRT alone knows."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    custom = [(i, code) for i, code in enumerate(model.operatorCodes) if number(code) == schema.BuiltinOperator.CUSTOM]
    if not custom:
        return content
    import flatbuffers

    for index, code in custom:
        assert code.customCode == b"Convolution2DTransposeBias", code.customCode
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.TRANSPOSE_CONV
        code.customCode, code.version = None, 3
        for node in graph.operators:
            if node.opcodeIndex != index:
                continue
            padding, across, down = np.frombuffer(bytes(bytearray(node.customOptions))[:12], "<i4")
            options = schema.TransposeConvOptionsT()
            options.padding, options.strideW, options.strideH = int(padding) - 1, int(across), int(down)
            node.builtinOptionsType, node.builtinOptions = schema.BuiltinOptions.TransposeConvOptions, options
            node.customOptions = None
            shape = np.array(graph.tensors[node.outputs[0]].shape, "<i4")
            buffer, tensor = schema.BufferT(), schema.TensorT()
            buffer.data = np.frombuffer(shape.tobytes(), np.uint8)
            model.buffers.append(buffer)
            tensor.shape, tensor.type, tensor.buffer = [4], schema.TensorType.INT32, len(model.buffers) - 1
            tensor.name = b"output shape"
            graph.tensors.append(tensor)
            image, weight, bias = node.inputs
            node.inputs = [len(graph.tensors) - 1, weight, image, bias]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def scale(detail):
    scales, points = detail["quantization_parameters"]["scales"], detail["quantization_parameters"]["zero_points"]
    return (float(scales[0]), int(points[0])) if len(scales) else (1.0, 0)


def pictures(folder, shape, count):
    """As many pictures as there are, up to a number, each as an image of the shape [1, h, w, c] or [1, c, h, w]."""
    from PIL import Image

    channels_first = len(shape) == 4 and shape[1] in (1, 3)
    height, width = (shape[2], shape[3]) if channels_first else (shape[1], shape[2])
    found = [p for p in sorted(pathlib.Path(folder).rglob("*")) if p.suffix.lower() in (".jpg", ".jpeg", ".png")]
    images = []
    for path in found[:count]:
        image = np.asarray(Image.open(path).convert("RGB").resize((int(width), int(height))), np.int64)[None]
        images.append(np.transpose(image, (0, 3, 1, 2)) if channels_first else image)
    return np.stack(images)


def samples(details, count, random, folder):
    """For each input: what LiteRT is given, and what stands for it as floats."""
    given = []
    for detail in details:
        shape = [count] + list(detail["shape"])
        if folder:
            pixels = pictures(folder, detail["shape"], count)
            if detail["dtype"] == np.float32:
                values = (pixels / 127.5 - 1).astype(np.float32)
                given.append((values, values))
            else:
                step, point = scale(detail)
                values = (pixels + np.iinfo(detail["dtype"]).min).astype(detail["dtype"])
                given.append((values, (np.float32(step) * (values.astype(np.int64) - point)).astype(np.float32)))
            continue
        if detail["dtype"] == np.float32:
            values = random.uniform(-1, 1, shape).astype(np.float32)
            given.append((values, values))
        else:
            limits = np.iinfo(detail["dtype"])
            step, point = scale(detail)
            # Those of 32 bits and more stand for themselves: pixels, say.
            low, high = (limits.min, limits.max + 1) if limits.bits <= 16 else (0, 256)
            values = random.integers(low, high, shape).astype(detail["dtype"])
            given.append((values, (np.float32(step) * (values.astype(np.int64) - point)).astype(np.float32)))
    return given




def run_compress(program, content, inputs, turned):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "net.tflite").write_bytes(content)
        count = len(inputs[0])
        flat = []
        for values, turn in zip(inputs, turned):
            values = values.reshape(count, *values.shape[2:])
            flat.append(np.transpose(values, (0, 2, 3, 1)) if turn else values)
        x = flat[0] if len(flat) == 1 else np.concatenate([v.reshape(count, -1) for v in flat], 1)
        np.save(folder / "x.npy", np.ascontiguousarray(x))
        np.save(folder / "y.npy", np.zeros(count, np.int64))
        (folder / "run.lua").write_text(SCRIPT.replace("COUNT", str(count)))
        env = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"))
        done = subprocess.run(
            [program, "run", str(folder / "run.lua"), "--print-size", "512"], capture_output=True, text=True, env=env)
        rows = [line for line in done.stdout.splitlines() if line.startswith("outputs ")]
        if len(rows) != count:
            raise RuntimeError((done.stdout + done.stderr).strip()[-600:])
        return [np.array(row.split()[1:], np.float32) for row in rows]


def is_turned(content, index):
    """Whether an input is read by one transposition alone, that brings its channels to the end: then it is held so."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    tensor = graph.inputs[index]
    readers = [node for node in graph.operators if tensor in list(node.inputs)]
    codes = [number(model.operatorCodes[node.opcodeIndex]) for node in readers]
    if len(graph.tensors[tensor].shape) != 4 or codes != [schema.BuiltinOperator.TRANSPOSE]:
        return False
    order = np.frombuffer(bytes(bytearray(model.buffers[graph.tensors[readers[0].inputs[1]].buffer].data)), "<i4")
    return list(order) == [0, 2, 3, 1]


def run_litert(content, given, kernels):
    runtime = litert.Interpreter(model_content=content, experimental_op_resolver_type=kernels)
    runtime.allocate_tensors()
    results = []
    for sample in range(len(given[0][0])):
        for detail, (raw, _) in zip(runtime.get_input_details(), given):
            runtime.set_tensor(detail["index"], raw[sample])
        runtime.invoke()
        results.append([runtime.get_tensor(detail["index"]).reshape(-1) for detail in runtime.get_output_details()])
    return [np.stack([row[number] for row in results]) for number in range(len(results[0]))]


def check(program, path, count, folder):
    content = path.read_bytes()
    plain = without_custom(content)
    runtime = litert.Interpreter(model_content=plain)
    inputs, outputs = runtime.get_input_details(), runtime.get_output_details()
    has_integers = any(detail["dtype"] in (np.int8, np.uint8) for detail in runtime.get_tensor_details())
    given = samples(inputs, count, np.random.default_rng(7), folder)
    theirs = run_litert(plain, given, litert.OpResolverType.AUTO)
    others = run_litert(plain, given, litert.OpResolverType.BUILTIN_REF)
    turned = [is_turned(content, index) for index in range(len(given))]
    ours = run_compress(program, content, [floats for _, floats in given], turned)
    holds, texts = True, []
    start = 0
    for detail, raw, other in zip(outputs, theirs, others):
        size = raw.shape[1]
        mine = np.stack([row[start:start + size] for row in ours])
        start += size
        name = detail["name"][-24:]
        if detail["dtype"] in (np.float32, np.int32, np.int64):
            largest = float(np.abs(raw).max())
            distances = [np.abs(mine - raw).max(), np.abs(mine - other).max(), np.abs(other - raw).max()]
            off, reference, apart = (float(distance) / max(largest, 1e-30) for distance in distances)
            good = min(off, reference) <= max(1e-4, 2 * apart if has_integers else 0)
            texts.append(f"{name}: off by {off:.1e} of the largest, {reference:.1e} of the reference ({apart:.1e})")
        else:
            step, point = scale(detail)
            values = raw.astype(np.int64)
            steps = np.abs(np.rint(mine / step).astype(np.int64) + point - values)
            apart = np.abs(other.astype(np.int64) - values)
            within, allowed = float((steps <= 1).mean()), float((apart <= 1).mean())
            top = np.sort(values, 1)[:, -2:]
            clear = np.ones(len(values), bool) if size < 2 else top[:, 1] - top[:, 0] > max(1, 2 * apart.max())
            same = np.argmax(mine, 1) == np.argmax(values, 1)
            good = within >= min(0.999, allowed - 0.001) and bool(same[clear].all())
            texts.append(
                f"{name}: equal {100 * (steps == 0).mean():.2f} % ({100 * (apart == 0).mean():.2f}), one step at most "
                f"{100 * within:.2f} % ({100 * allowed:.2f}), most {steps.max()} ({apart.max()}), same top-1 "
                f"{int(same.sum())} of {len(same)}")
        holds = holds and good
    if start != len(ours[0]):
        raise RuntimeError(f"{len(ours[0])} outputs here, {start} there")
    return holds, "; ".join(texts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--images", help="a folder of pictures, in place of noise")
    options = parser.parse_args()
    files = []
    for path in map(pathlib.Path, options.paths):
        files += sorted(path.rglob("*.tflite")) if path.is_dir() else [path]
    print("in brackets: what LiteRT's reference kernels are off its kernels for this machine")
    bad = 0
    for path in files:
        try:
            holds, text = check(options.program, path, options.samples, options.images)
        except Exception as error:  # a file that one of both does not run is told, and the next one tried
            holds, text = False, str(error).replace("\n", " ")[:700]
        bad += not holds
        print(f"{'holds ' if holds else 'FAILED'}  {path.name}: {text}", flush=True)
    print(f"{len(files) - bad} of {len(files)} files hold")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
