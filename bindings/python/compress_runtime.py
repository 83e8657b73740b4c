"""Networks that `compress` has compiled, run by libcompress: numpy in, numpy out.

    import compress_runtime
    model = compress_runtime.Model("net.cmpx")
    scores = model.session()(images)          # float32, [n, height, width, channels] -> [n, classes]

Needs numpy and libcompress.so; where the latter is neither beside this file nor where the system looks, the environment
variable COMPRESS_LIBRARY says. One file, for any Python from 3.8 on.
"""

import ctypes
import operator
import os
from pathlib import Path

import numpy

__all__ = ["Error", "Model", "Preprocessing", "Session", "Value"]


class _Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("text", ctypes.c_char * 500)]


class _Value(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("shape", ctypes.POINTER(ctypes.c_size_t)), ("axes", ctypes.c_size_t),
        ("count", ctypes.c_size_t), ("file_name", ctypes.c_char_p), ("element", ctypes.c_char_p),
        ("is_quantized", ctypes.c_int), ("scale", ctypes.c_float), ("zero_point", ctypes.c_int),
        ("limit", ctypes.c_int),
    ]


class _Preprocessing(ctypes.Structure):
    _fields_ = [
        ("short_side", ctypes.c_size_t), ("crop", ctypes.c_size_t), ("height", ctypes.c_size_t),
        ("width", ctypes.c_size_t), ("channels", ctypes.c_size_t), ("scale", ctypes.c_float),
        ("mean", ctypes.c_float * 3), ("deviation", ctypes.c_float * 3),
    ]


def _load():
    beside = Path(__file__).with_name("libcompress.so")
    library = ctypes.CDLL(os.environ.get("COMPRESS_LIBRARY") or (str(beside) if beside.exists() else "libcompress.so.1"))
    size, pointer, floats = ctypes.c_size_t, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
    error, value = ctypes.POINTER(_Error), ctypes.POINTER(_Value)
    for name, result, arguments in [
        ("compress_open", pointer, [ctypes.c_char_p, error]),
        ("compress_open_memory", pointer, [pointer, size, error]),
        ("compress_close", None, [pointer]),
        ("compress_input_count", size, [pointer]),
        ("compress_output_count", size, [pointer]),
        ("compress_input", value, [pointer, size]),
        ("compress_output", value, [pointer, size]),
        ("compress_class_count", size, [pointer]),
        ("compress_class_name", ctypes.c_char_p, [pointer, size]),
        ("compress_model_preprocessing", ctypes.POINTER(_Preprocessing), [pointer]),
        ("compress_instruction_set", ctypes.c_char_p, [pointer]),
        ("compress_session_bytes", size, [pointer, size, size]),
        ("compress_session_create", pointer, [pointer, size, size, error]),
        ("compress_session_close", None, [pointer]),
        ("compress_run", ctypes.c_int, [pointer, floats, floats, size, error]),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_library = _load()


class Error(Exception):
    """What libcompress says; `status` is its code (compress.h)."""

    def __init__(self, error):
        super().__init__(error.text.decode("utf-8", "replace"))
        self.status = error.status


def _text(characters):
    return None if characters is None else characters.decode()


class Value:
    """An input or an output: name, shape (of a sample), and how the network holds it."""

    def __init__(self, value):
        self.name = _text(value.name)
        self.shape = tuple(value.shape[i] for i in range(value.axes))
        self.count = value.count
        self.file_name, self.element = _text(value.file_name), _text(value.element)
        self.quantization = (value.scale, value.zero_point, value.limit) if value.is_quantized else None

    def __repr__(self):
        return f"{self.name}: {'x'.join(map(str, self.shape))}"


def _count(number, name):
    number = operator.index(number)
    if number < 1:
        raise ValueError(f"{name} = {number}: at least one")
    return number


class Preprocessing:
    """How a picture becomes the input; called with one that has its size, [height, width, channels] of uint8, it gives it."""

    def __init__(self, record):
        self.short_side, self.crop = record.short_side, record.crop
        self.height, self.width, self.channels = record.height, record.width, record.channels
        self.scale = record.scale
        self.mean = numpy.array(record.mean[: record.channels], numpy.float32)
        self.deviation = numpy.array(record.deviation[: record.channels], numpy.float32)

    def __call__(self, pictures):
        pixels = numpy.asarray(pictures, numpy.float32) / numpy.float32(255)
        return (pixels * numpy.float32(self.scale) - self.mean) / self.deviation


class Model:
    """A compiled plan, from a path or from bytes. It never changes; any thread may use it."""

    def __init__(self, source):
        error = _Error()
        self._model = None
        if not isinstance(source, (bytes, bytearray, memoryview)) and b"\0" in os.fsencode(source):
            raise ValueError("a path with a zero character")
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._bytes = numpy.frombuffer(bytes(source), numpy.uint8)
            self._model = _library.compress_open_memory(self._bytes.ctypes.data, self._bytes.size, ctypes.byref(error))
        else:
            self._model = _library.compress_open(os.fsencode(source), ctypes.byref(error))
        if not self._model:
            raise Error(error)
        self.inputs = [Value(_library.compress_input(self._model, i).contents) for i in range(_library.compress_input_count(self._model))]
        self.outputs = [Value(_library.compress_output(self._model, i).contents) for i in range(_library.compress_output_count(self._model))]
        self.classes = [_text(_library.compress_class_name(self._model, i)) for i in range(_library.compress_class_count(self._model))]
        record = _library.compress_model_preprocessing(self._model)
        self.preprocessing = Preprocessing(record.contents) if record else None
        self.instruction_set = _text(_library.compress_instruction_set(self._model))

    def __reduce__(self):
        raise TypeError("a Model holds memory of this process: open the file again instead of copying or pickling it")

    def session(self, threads=1, most_samples=1):
        return Session(self, threads, most_samples)

    def session_bytes(self, threads=1, most_samples=1):
        return _library.compress_session_bytes(self._model, _count(threads, "threads"), _count(most_samples, "most_samples"))

    def __del__(self):
        if getattr(self, "_model", None):
            _library.compress_close(self._model)


class Session:
    """Memory to run a model in, by one thread at a time; called with an array for each input it gives one for each output.

    Arrays have the samples as their first axis, any number of them: `most_samples` run at once.
    """

    def __init__(self, model, threads=1, most_samples=1):
        error = _Error()
        self.model, self.most_samples, self._session = model, _count(most_samples, "most_samples"), None
        self._session = _library.compress_session_create(
            model._model, _count(threads, "threads"), self.most_samples, ctypes.byref(error))
        if not self._session:
            raise Error(error)

    def __reduce__(self):
        raise TypeError("a Session holds memory of this process: create another instead of copying or pickling it")

    def __call__(self, *inputs):
        model = self.model
        if len(inputs) != len(model.inputs):
            raise ValueError(f"{len(inputs)} inputs for a network of {len(model.inputs)}")
        arrays = [numpy.ascontiguousarray(array, numpy.float32) for array in inputs]
        samples = len(arrays[0]) if arrays[0].ndim else 0
        for array, value in zip(arrays, model.inputs):
            if array.shape != (samples,) + value.shape:
                raise ValueError(f"an array of shape {array.shape} for the input {value!r}, {samples} samples")
        results = [numpy.empty((samples,) + value.shape, numpy.float32) for value in model.outputs]
        for first in range(0, samples, self.most_samples):
            count = min(self.most_samples, samples - first)
            self._run([array[first:] for array in arrays], [array[first:] for array in results], count)
        return results[0] if len(results) == 1 else tuple(results)

    def _run(self, inputs, outputs, count):
        error = _Error()
        places = [(ctypes.c_void_p * len(part))(*(array.ctypes.data for array in part)) for part in (inputs, outputs)]
        if _library.compress_run(self._session, places[0], places[1], count, ctypes.byref(error)) != 0:
            raise Error(error)

    def __del__(self):
        if getattr(self, "_session", None):
            _library.compress_session_close(self._session)
