"""Runs exported ONNX files in ONNX Runtime and holds what they answer against what compress answers.

  check_onnx.py samples FOLDER            makes the samples, one file for each shape of an input
  check_onnx.py compare SAMPLES FILES LOG prints a line for each file; ends with 1 where one is further off than it may

Floats may be off by 1e-4 of the largest output. Of integers 99.9 % of the outputs may be off by one step, a 255th of
the range of a file's outputs (a 63rd where values have 6 bits), or by twice what compress itself answers otherwise when the input differs by 1e-5 of
itself: where a sum lies half way between two integers, each side is right, and deep networks make much of it.
What is further off is run once more without the fusions of ONNX Runtime that compute otherwise than the file says.
"""
import os
import sys

import numpy as np

SHAPES = [(28, 28, 1), (32, 32, 3), (75, 75, 3), (75, 75, 1), (49, 10, 1), (640,)]
INTEGERS = ("int8", "int4", "dynamic_range", "fixed_point")


def samples(folder):
    for number, shape in enumerate(SHAPES):
        drawn = np.random.default_rng(number).uniform(-1, 1, (64, *shape)).astype(np.float32)
        labels = (np.arange(64) % 10).astype(np.int64)
        np.savez(os.path.join(folder, f"samples-{'x'.join(map(str, shape))}.npz"), images=drawn, labels=labels)


def answer(path, folder, fuses=True):
    import onnx
    import onnxruntime

    onnx.checker.check_model(path, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    if not fuses:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    shape = tuple(given.shape[1:])
    image = (shape[1], shape[2], shape[0]) if len(shape) == 3 else shape
    drawn = np.load(os.path.join(folder, f"samples-{'x'.join(map(str, image))}.npz"))["images"][:4]
    if len(shape) == 3:
        drawn = np.ascontiguousarray(drawn.transpose(0, 3, 1, 2))
    # One after the other where the range of a batch decides.
    parts = [drawn[i : i + 1] for i in range(4)] if "dynamic" in path or "int4" in path else [drawn]
    rows = []
    for part in parts:
        outputs = session.run(None, {given.name: part})
        # Images come channels first, and are channels last in compress.
        outputs = [o.transpose(0, 2, 3, 1) if o.ndim == 4 else o for o in outputs]
        rows.append(np.concatenate([o.reshape(len(o), -1) for o in outputs], axis=1))
    return np.concatenate(rows).astype(np.float64)


def compare(folder, files, log):
    failed = 0
    for line in open(log, encoding="utf-8"):
        words = line.split()
        if not words or words[0] not in ("case", "failed"):
            continue
        title = words[1]
        if words[0] == "failed":
            print(f"{title:42s} FAILED in compress: {' '.join(words[2:])[:200]}")
            failed += 1
            continue
        moved = float(words[2])
        expected = np.array([float(word) for word in words[3:]])
        path = os.path.join(files, title + ".onnx")
        try:
            found = answer(path, folder).reshape(-1)
        except Exception as error:
            print(f"{title:42s} FAILED in ONNX Runtime: {str(error)[:300]}")
            failed += 1
            continue
        recipe = title.split("-", 1)[1]
        if found.shape != expected.shape or not np.isfinite(found).all():
            print(f"{title:42s} FAILED: {found.shape} outputs, not {expected.shape}, or some not finite")
            failed += 1
            continue
        distance = np.abs(found - expected)
        largest = max(np.abs(expected).max(), 1e-30)
        if any(word in recipe for word in INTEGERS):
            step = (max(expected.max(), 0) - min(expected.min(), 0)) / (63 if recipe == "int8_4bit" else 255)
            near = max(step, 2 * moved)
            fused = distance.max() / step
            is_fused = (distance <= near).mean() >= 0.999
            if not is_fused:
                found = answer(path, folder, fuses=False).reshape(-1)
                distance = np.abs(found - expected)
            within = float((distance <= step).mean())
            good = float((distance <= near).mean()) >= 0.999
            text = f"{100 * within:6.2f} % within a step, most {distance.max() / step:.2f} steps"
            if within < 0.999:
                text += f" (by itself {moved / step:.2f})"
            if good and not is_fused:
                text += f" (with ONNX Runtime's fusions {fused:.2f})"
        else:
            good, text = distance.max() <= 1e-4 * largest, f"{distance.max() / largest:.1e} of the largest"
        cosine = found @ expected / max(np.linalg.norm(found) * np.linalg.norm(expected), 1e-30)
        verdict = "ok    " if good else "FAILED"
        print(f"{title:42s} {verdict} {text}, cosine {cosine:.7f}, {os.path.getsize(path)} bytes")
        failed += not good
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1] == "samples":
        samples(sys.argv[2])
    else:
        sys.exit(compare(*sys.argv[2:5]))
