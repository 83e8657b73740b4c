"""Makes the Keras models that the tests read: KERAS_BACKEND=jax python networks.py, in the folder they are to lie in.
Made with Keras 3.15. What each gives for which input is in NAME.safetensors, as x and y (and y.1, of several outputs)."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras import layers as L
from safetensors.numpy import save_file

random = np.random.default_rng(5)


def save(model, name, forms):
    # Weights at random, so that batch norms and biases count.
    for weight in model.weights:
        if "seed" in weight.path or "count" in weight.path:
            continue
        values = random.standard_normal(weight.shape) * 0.4
        is_variance = "variance" in weight.path
        weight.assign(np.abs(values) + 0.5 if is_variance else values)
    for form in forms:
        model.save(f"{name}.{form}")
    x = random.standard_normal((2,) + tuple(model.inputs[0].shape[1:])).astype(np.float32)
    y = model.predict(x, verbose=0)
    outputs = {("y" if i == 0 else f"y.{i}"): np.asarray(v) for i, v in enumerate(y if isinstance(y, list) else [y])}
    save_file({"x": x, **outputs}, f"{name}.safetensors")


# A sequential model.
save(
    keras.Sequential(
        [
            L.Input((9, 8, 2), name="picture"),
            L.Rescaling(0.5, offset=-0.25),
            L.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            L.BatchNormalization(),
            L.LeakyReLU(negative_slope=0.1),
            L.MaxPooling2D(),
            L.Dropout(0.5),
            L.Flatten(),
            L.Dense(5, activation="gelu"),
            L.LayerNormalization(),
            L.Dense(3, activation="softmax", name="scores"),
        ],
        name="plain",
    ),
    "sequential",
    ["keras", "h5"],
)

# Models in a model, one of them called twice, functions of keras.ops, two outputs.
def block():
    given = L.Input((5, 4, 3))
    value = L.Conv2D(3, 3, padding="same", name="conv")(given)
    value = L.BatchNormalization(scale=False, name="norm")(value)
    return keras.Model(given, L.ReLU(max_value=6)(value), name="inner")


inner = block()
wrapped = keras.Sequential([L.Input((5, 4, 3)), block(), L.Conv2D(3, 1, use_bias=False, name="last")], name="wrapped")
x = L.Input((10, 8, 3), name="x")
down = L.AveragePooling2D(2, padding="same")(x)
once = inner(down)
twice = inner(once)
both = L.Add()([once, twice, down])
both = wrapped(both)
gate = L.GlobalAveragePooling2D(keepdims=True)(both)
gate = L.Dense(3, activation="hard_sigmoid")(gate)
both = L.Multiply()([both, gate])
both = (both * 0.5 + 1.0) - down
logits = L.Dense(2, name="logits")(L.GlobalMaxPooling2D()(both))
save(keras.Model(x, [logits, both], name="nested"), "nested", ["keras", "h5"])

# Everything that changes an image's size, and what joins.
x = L.Input((6, 7, 2))
a = L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="swish")(x)
b = L.SeparableConv2D(4, 3, padding="same", depth_multiplier=2, activation="elu")(x)
c = L.Conv2D(4, 3, padding="same", dilation_rate=2, groups=2, activation="tanh")(x)
up = L.Conv2DTranspose(3, 3, strides=2, padding="same", activation="hard_swish")(L.Concatenate()([a, b, c]))
odd = L.Conv2DTranspose(3, 2, strides=3, padding="valid")(a)
wide = L.Conv2DTranspose(3, 5, strides=2, padding="valid", use_bias=False)(b)
odd = L.Cropping2D(((2, 4), (3, 4)))(odd)
wide = L.Cropping2D(((0, 3), (2, 1)))(wide)
zoom = L.UpSampling2D(2, interpolation="bilinear")(c)
zoom = L.Conv2D(3, 1)(zoom)
sharp = L.UpSampling2D((2, 2))(L.Conv2D(3, 1)(a))
mixed = L.Average()([up, odd, wide])
mixed = L.Maximum()([mixed, zoom])
mixed = L.Minimum()([mixed, sharp])
mixed = L.Subtract()([mixed, L.PReLU(shared_axes=[1, 2])(zoom)])
mixed = L.ZeroPadding2D(((1, 0), (2, 1)))(mixed)
mixed = L.Resizing(6, 5)(mixed)
mixed = L.Resizing(9, 8, interpolation="nearest")(mixed)
mixed = L.Permute((2, 1, 3))(mixed)
mixed = L.GroupNormalization(groups=3)(mixed)
mixed = L.Reshape((-1, 3))(mixed)
mixed = L.ELU(alpha=0.5)(L.Softmax()(mixed))
save(keras.Model(x, L.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 4.0, 0.25])(mixed)), "shapes", ["keras", "h5"])

# What is refused.
x = L.Input((4,))
keras.Sequential([x, L.Lambda(lambda v: v + 1, name="plus")]).save("lambda.keras")
keras.Sequential([L.Input((4, 3)), L.LSTM(2)]).save("recurrent.keras")
keras.Sequential([L.Input((None, None, 3)), L.Conv2D(2, 3)]).save("varying.keras")
