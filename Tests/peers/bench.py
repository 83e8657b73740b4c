"""Times `compress` and other runtimes on the very same model files, in turns, and prints the ratios.

One process a measurement, so that no runtime inherits another's threads or memory; rounds over all of them, so that what
the machine does meanwhile hits all alike; of each the median of a round, and of the rounds the least. The ratio is ours
over the best of the others: below 1 ours is faster.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import time

PEERS = ["onnxruntime", "openvino", "litert"]


def session(peer, path, threads):
    """A function that runs the model once on random input."""
    import numpy as np

    random = np.random.default_rng(0)

    def sample(shape, dtype):
        # A batch that varies is a name, nothing, or -1.
        shape = [1 if d is None or isinstance(d, str) or d < 1 else int(d) for d in shape]
        values = random.random(shape, dtype=np.float32)
        return values if np.dtype(dtype) == np.float32 else (values * 100).astype(dtype)

    if peer == "onnxruntime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        model = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        feed = {i.name: sample(i.shape, np.float32) for i in model.get_inputs()}
        return lambda: model.run(None, feed)
    if peer == "openvino":
        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        model.reshape({i: [1] + [d.get_length() for d in list(i.partial_shape)[1:]] for i in model.inputs})
        settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_PRECISION_HINT": "f32"}
        request = core.compile_model(model, "CPU", settings).create_infer_request()
        for index, value in enumerate(model.inputs):
            request.set_input_tensor(index, openvino.Tensor(sample(list(value.shape), np.float32)))
        return lambda: request.infer()
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(path, num_threads=threads)
    model.allocate_tensors()
    for value in model.get_input_details():
        model.set_tensor(value["index"], sample(list(value["shape"]), value["dtype"]))
    return model.invoke


def measure(peer, path, threads, seconds):
    """The median in milliseconds, after a tenth of the time untimed."""
    run = session(peer, path, threads)
    end = time.perf_counter() + seconds / 10
    run()
    while time.perf_counter() < end:
        run()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 20:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1e3 * sorted(times)[len(times) // 2]


def ask(options, engine, network, precision, threads):
    """One measurement in a process of its own; None where an engine refuses, with its last line."""
    stem = os.path.join(options.models, f"{network}-{precision}")
    if engine == "compress" and options.sparsity:
        # Zeros go in before the weights become integers.
        command = [options.program, "bench", os.path.join(options.models, f"{network}-fp32.cmpr"), "--precision", precision,
                   "--sparsity", str(options.sparsity), "--threads", str(threads), "--json"]
        if options.block:
            command += ["--block", options.block]
    elif engine == "compress":
        command = [options.program, "bench", stem + ".cmpr", "--threads", str(threads), "--json"]
    else:
        path = stem + (".tflite" if engine == "litert" else ".onnx")
        command = [sys.executable, __file__, "--one", engine, path, str(threads), str(options.seconds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        return None, lines[-1] if lines else f"status {done.returncode}"
    return (json.loads(done.stdout)["p50_ms"] if engine == "compress" else float(done.stdout.split()[-1])), None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", nargs=4, metavar=("PEER", "FILE", "THREADS", "SECONDS"), help=argparse.SUPPRESS)
    parser.add_argument("--program", default=".build/release/compress")
    parser.add_argument("--models", help="the folder that models.lua wrote")
    parser.add_argument("--networks", default="lab_cnn")
    parser.add_argument("--precisions", default="fp32,int8")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sparsity", type=float, help="time ours with so many zeros, beside the others as they are")
    parser.add_argument("--block", help="with --sparsity: zeros in blocks, such as 1x4")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement of another runtime")
    options = parser.parse_args()
    if options.one:
        peer, path, threads, seconds = options.one
        print(measure(peer, path, int(threads), float(seconds)))
        return
    cells = [(n, p, int(t)) for n in options.networks.split(",") for p in options.precisions.split(",")
             for t in options.threads.split(",")]
    times, refusals = collections.defaultdict(list), {}
    for number in range(options.rounds):
        for cell in cells:
            for engine in ["compress"] + PEERS:
                if (engine, cell[:2]) in refusals:
                    continue
                found, refusal = ask(options, engine, *cell)
                if refusal:
                    refusals[engine, cell[:2]] = refusal
                else:
                    times[engine, cell].append(found)
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    print(f"{'milliseconds, median':<24}{'threads':>8}" + "".join(f"{e:>13}" for e in ["compress"] + PEERS) + f"{'ratio':>8}")
    for cell in cells:
        best = {e: min(times[e, cell]) for e in ["compress"] + PEERS if times[e, cell]}
        others = [v for e, v in best.items() if e != "compress"]
        ratio = f"{best['compress'] / min(others):8.2f}" if others and "compress" in best else f"{'':>8}"
        row = "".join(f"{best[e]:13.4g}" if e in best else f"{'–':>13}" for e in ["compress"] + PEERS)
        print(f"{cell[0] + ' ' + cell[1]:<24}{cell[2]:>8}{row}{ratio}")
    for (engine, (network, precision)), refusal in refusals.items():
        print(f"{engine}, {network} {precision}: {refusal}")


if __name__ == "__main__":
    main()
