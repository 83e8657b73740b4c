"""So many inferences by TensorFlow Lite Micro, for counting their instructions: csource_peer.py FILE.tflite RUNS."""

import sys

import numpy as np
from tflite_micro import runtime

interpreter = runtime.Interpreter.from_file(sys.argv[1])
details = interpreter.get_input_details(0)
random = np.random.default_rng(0)
interpreter.set_input(random.integers(-128, 127, details["shape"]).astype(details["dtype"]), 0)
for _ in range(int(sys.argv[2])):
    interpreter.invoke()
