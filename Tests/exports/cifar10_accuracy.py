"""The accuracy of TFLite files in LiteRT on CIFAR-10's test images, pixels from 0 to 255.

    cifar10_accuracy.py TEST_BATCH.bin.gz FILE...
"""

import gzip
import pathlib
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main():
    records = np.frombuffer(gzip.decompress(pathlib.Path(sys.argv[1]).read_bytes()), np.uint8).reshape(-1, 3073)
    labels, images = records[:, 0], records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    for path in sys.argv[2:]:
        runtime = Interpreter(model_path=path)
        runtime.allocate_tensors()
        given, scores = runtime.get_input_details()[0], runtime.get_output_details()[0]
        right = 0
        for image, label in zip(images, labels):
            sample = image[None].astype(np.float32)
            if given["dtype"] != np.float32:
                step, point = given["quantization"]
                limits = np.iinfo(given["dtype"])
                sample = np.clip(np.rint(sample / step) + point, limits.min, limits.max).astype(given["dtype"])
            runtime.set_tensor(given["index"], sample)
            runtime.invoke()
            right += int(runtime.get_tensor(scores["index"]).argmax() == label)
        print(f"{pathlib.Path(path).name}: {100 * right / len(images):.2f} %", flush=True)


main()
