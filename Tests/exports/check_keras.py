"""Saves networks with drawn weights as Keras does and holds what compress computes of them against Keras: keras.sh.

    check_keras.py PROGRAM FOLDER [NETWORK … | ALL]

Of each form (`.keras`, and `.h5` of a few) the same samples are run there and here. An output may be off by 1e-4 of the
largest one. Ends with status 1 where a file does not hold.
"""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
from keras import layers as L

SCRIPT = """
local model = load_model "NAME"
local data = data.numpy("x.npy", { labels_file = "y.npy" })
local session = compile(model)
for i = 1, COUNT do
  local out = session:run((data:batch(i, i)):reshape(1, DIMS))
  local row = {}
  for k, v in ipairs(out:reshape(out.count):table()) do row[k] = string.format("%.9g", v) end
  print("outputs " .. table.concat(row, " "))
end
"""


def application(name, size):
    return lambda: getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10)


def signal():
    """Layers of one dimension."""
    x = L.Input((24, 3))
    y = L.Conv1D(6, 5, strides=2, padding="same", activation="relu")(x)
    y = L.BatchNormalization()(y)
    y = L.Conv1D(6, 3, padding="causal", dilation_rate=2, groups=2)(y)
    y = L.MaxPooling1D(2)(L.ZeroPadding1D((1, 3))(y))
    y = L.DepthwiseConv1D(3, padding="same", depth_multiplier=2)(y)
    y = L.SeparableConv1D(5, 3, padding="same")(y)
    y = L.Conv1DTranspose(4, 3, strides=2, padding="same")(y)
    y = L.AveragePooling1D(3, 2, padding="same")(L.UpSampling1D(2)(L.Cropping1D((1, 2))(y)))
    y = L.Concatenate()([L.GlobalAveragePooling1D()(y), L.GlobalMaxPooling1D()(y)])
    return keras.Model(x, L.Dense(3)(y))


def channels_first():
    """A network whose channels come first, with layers along them."""
    first = {"data_format": "channels_first"}
    x = L.Input((3, 12, 10))
    y = L.Conv2D(8, 3, padding="same", **first)(x)
    y = L.ReLU()(L.BatchNormalization(axis=1)(y))
    y = L.DepthwiseConv2D(3, padding="same", **first)(y)
    z = L.Conv2D(8, 1, **first)(L.ZeroPadding2D(1, **first)(y))
    y = L.Add()([y, L.Cropping2D(1, **first)(z)])
    y = L.Concatenate(axis=1)([y, L.SeparableConv2D(4, 3, padding="same", **first)(y)])
    y = L.UpSampling2D(2, **first)(L.AveragePooling2D(2, **first)(y))
    y = L.PReLU(shared_axes=[2, 3])(y)
    y = L.Multiply()([y, L.GlobalAveragePooling2D(keepdims=True, **first)(y)])
    flat = L.Dense(4)(L.Flatten()(L.MaxPooling2D(4, **first)(y)))
    other = L.Dense(4)(L.Flatten(**first)(L.Permute((2, 3, 1))(L.Softmax(axis=1)(y))))
    return keras.Model(x, [flat, other, y])


def attention():
    """Attention among tokens, among pixels, and of one value to another."""
    x = L.Input((8, 8, 6))
    y = L.Reshape((16, 12))(L.Conv2D(12, 3, strides=2, padding="same")(x))
    y = L.Add()([y, L.MultiHeadAttention(3, 4)(y, y)])
    y = L.LayerNormalization(epsilon=1e-6)(y)
    few = L.AveragePooling1D(4)(y)
    y = L.MultiHeadAttention(2, 5, output_shape=7, use_bias=False)(y, value=few, key=few)
    z = L.MultiHeadAttention(2, 3)(x, x)
    return keras.Model(x, [L.Dense(3)(L.GlobalAveragePooling1D()(y)), z])


NETWORKS = {
    "signal": signal,
    "channels_first": channels_first,
    "attention": attention,
    "MobileNet": application("MobileNet", 64),
    "MobileNetV2": application("MobileNetV2", 64),
    "MobileNetV3Small": application("MobileNetV3Small", 64),
    "EfficientNetB0": application("EfficientNetB0", 64),
    "EfficientNetV2B0": application("EfficientNetV2B0", 64),
    "ResNet50": application("ResNet50", 64),
    "ResNet50V2": application("ResNet50V2", 64),
    "DenseNet121": application("DenseNet121", 64),
    "NASNetMobile": application("NASNetMobile", 64),
    "Xception": application("Xception", 75),
    "InceptionV3": application("InceptionV3", 75),
    "VGG16": application("VGG16", 64),
    "ConvNeXtTiny": application("ConvNeXtTiny", 64),
}
USUAL = ["signal", "channels_first", "attention", "MobileNetV3Small", "EfficientNetB0", "DenseNet121", "ConvNeXtTiny"]
SAMPLES = 2


def drawn(model, random):
    """With statistics that batch norms might have, and no factors of next to nothing, which would hide what they
    scale."""
    for weight in model.weights:
        if "moving_mean" in weight.path:
            weight.assign(random.standard_normal(weight.shape) * 0.1)
        elif "moving_variance" in weight.path:
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        elif "gamma" in weight.path:
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        elif "bias" in weight.path or "beta" in weight.path:
            weight.assign(random.standard_normal(weight.shape) * 0.1)
    return model


def run(program, folder, name, dims):
    script = SCRIPT.replace("NAME", name).replace("COUNT", str(SAMPLES)).replace("DIMS", ", ".join(map(str, dims)))
    (folder / "run.lua").write_text(script)
    env = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"))
    done = subprocess.run(
        [program, "run", str(folder / "run.lua"), "--print-size", "512"], capture_output=True, text=True, env=env)
    rows = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("outputs ")]
    if len(rows) != SAMPLES:
        raise RuntimeError((done.stdout + done.stderr).strip()[-600:])
    return np.array(rows, np.float32)


def check(program, folder, name):
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(7)
    model = drawn(NETWORKS[name](), random)
    shape = model.inputs[0].shape[1:]
    # Pixels where the network scales them itself.
    scale = 255 if any(layer.__class__.__name__ == "Rescaling" for layer in model.layers) else 1
    x = random.uniform(0, scale, (SAMPLES,) + tuple(shape)).astype(np.float32)
    theirs = model.predict(x, verbose=0)
    theirs = theirs if isinstance(theirs, list) else [theirs]
    # Images are held channels last here.
    turned = name == "channels_first"
    samples = np.moveaxis(x, 1, -1) if turned else x
    wanted = [np.moveaxis(y, 1, -1) if turned and y.ndim == 4 else y for y in theirs]
    wanted = np.concatenate([np.asarray(y).reshape(SAMPLES, -1) for y in wanted], 1)
    np.save(folder / "x.npy", np.ascontiguousarray(samples))
    np.save(folder / "y.npy", np.zeros(SAMPLES, np.int64))
    holds, texts = True, []
    for form in ("keras", "h5") if len(model.weights) < 60 else ("keras",):
        path = folder / f"net.{form}"
        model.save(path)
        ours = run(program, folder, path.name, samples.shape[1:])
        if ours.shape != wanted.shape:
            raise RuntimeError(f"{ours.shape[1]} outputs here, {wanted.shape[1]} there")
        off = float(np.abs(ours - wanted).max() / np.abs(wanted).max())
        holds = holds and off <= 1e-4
        texts.append(f".{form} off by {off:.1e} of the largest output")
        path.unlink()
    return holds, ", ".join(texts)


def main():
    program, folder = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    names = sys.argv[3:] or USUAL
    names = list(NETWORKS) if names == ["ALL"] else names
    print(f"keras {keras.__version__} on {keras.backend.backend()}")
    bad = 0
    for name in names:
        try:
            holds, text = check(program, folder, name)
        except Exception as error:  # one that is not made or read is told, and the next one tried
            holds, text = False, str(error).replace("\n", " ")[:700]
        bad += not holds
        print(f"{'holds ' if holds else 'FAILED'}  {name}: {text}", flush=True)
    print(f"{len(names) - bad} of {len(names)} networks hold")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
