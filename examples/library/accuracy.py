"""The accuracy of a compiled plan on labelled samples, as `compress evaluate` gives it.

    python accuracy.py MODEL.cmpx X.npy Y.npy

X holds the samples, [n, ...input] as bytes (pixels) or as numbers that the network takes as they are; Y their classes,
from 0. bindings/python has to be where Python looks for modules, or beside this file.
"""

import sys

import numpy

import compress_runtime


def main():
    model = compress_runtime.Model(sys.argv[1])
    samples, labels = numpy.load(sys.argv[2]), numpy.load(sys.argv[3])
    if samples.dtype == numpy.uint8:
        samples = model.preprocessing(samples) if model.preprocessing else samples.astype(numpy.float32) / 255
    samples = samples.reshape((len(samples),) + model.inputs[0].shape)
    scores = model.session(most_samples=64)(samples)
    right = int((scores.reshape(len(scores), -1).argmax(axis=1) == labels).sum())
    print(f"{right} of {len(labels)} right, accuracy {right / len(labels):.4f}, {model.instruction_set}")


if __name__ == "__main__":
    main()
