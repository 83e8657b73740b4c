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

# Signals of one dimension.
x = L.Input((24, 3), name="signal")
y = L.Conv1D(6, 5, strides=2, padding="same", activation="relu")(x)
y = L.BatchNormalization()(y)
y = L.Conv1D(6, 3, padding="causal", dilation_rate=2, groups=2)(y)
y = L.MaxPooling1D(2)(L.ZeroPadding1D((1, 3))(y))
y = L.DepthwiseConv1D(3, padding="same", depth_multiplier=2)(y)
y = L.SeparableConv1D(5, 3, padding="same")(y)
y = L.Conv1DTranspose(4, 3, strides=2, padding="same")(y)
y = L.AveragePooling1D(3, 2, padding="same")(L.UpSampling1D(2)(L.Cropping1D((1, 2))(y)))
y = L.PReLU(shared_axes=[1])(L.Concatenate()([y, L.LayerNormalization()(y)]))
one = L.Concatenate()([L.GlobalAveragePooling1D()(y), L.Flatten()(L.GlobalMaxPooling1D(keepdims=True)(y))])
save(keras.Model(x, [L.Dense(3)(one), L.Reshape((-1, 2))(y)], name="signals"), "signals", ["keras", "h5"])

# Channels first: what works along them, what does not, and a model in the model.
first = {"data_format": "channels_first"}
given = L.Input((8, 4, 3))
inner = keras.Model(given, L.ReLU()(L.BatchNormalization(axis=1)(L.Conv2D(8, 1, **first)(given))), name="inner")
x = L.Input((3, 6, 5), name="picture")
y = L.Conv2D(8, 3, padding="same", activation="tanh", **first)(x)
y = L.BatchNormalization(axis=1)(y)
z = L.SeparableConv2D(8, 3, **first)(L.ZeroPadding2D(1, **first)(y))
y = L.Add()([y, L.DepthwiseConv2D(3, padding="same", **first)(z)])
y = L.Concatenate(axis=1)([y, L.Softmax(axis=1)(z), L.Softmax()(z)])
y = L.UpSampling2D(2, **first)(L.AveragePooling2D(2, **first)(y))
y = L.PReLU(shared_axes=[2, 3])(L.Conv2DTranspose(8, 3, padding="same", **first)(y))
y = L.Cropping2D(((1, 1), (0, 1)), **first)(L.ZeroPadding2D(((0, 0), (0, 0)), **first)(y))
y = L.Multiply()([y, L.GlobalAveragePooling2D(keepdims=True, **first)(y)])
y = y * 0.5 + inner(y)
flat = L.Dense(4)(L.Flatten()(y))
turned = L.Dense(4)(L.Flatten(**first)(y))
last = L.Conv2D(2, 2)(L.Permute((2, 3, 1))(y))
wide = L.LayerNormalization()(y)
short = L.Conv1D(4, 2, data_format="channels_first")(L.Reshape((8, 12))(y))
outputs = [flat, turned, last, wide, short, L.GlobalMaxPooling2D(**first)(y)]
save(keras.Model(x, outputs, name="first"), "first", ["keras", "h5"])

# Attention among tokens, among pixels, of one value to another, and without weights.
x = L.Input((4, 4, 6), name="picture")
y = L.Reshape((16, 6))(x)
y = L.Add()([y, L.MultiHeadAttention(3, 4, name="heads")(y, y)])
few = L.AveragePooling1D(4)(y)
y = L.MultiHeadAttention(2, 5, output_shape=7, use_bias=False)(y, key=few, value=L.ReLU()(few))
pixels = L.MultiHeadAttention(2, 3)(x, x)
free = L.Attention()([few, L.ReLU()(few), few])
scaled = L.Attention(use_scale=True)([few, few])
both = L.MultiHeadAttention(2, 4, name="shared")
both = L.Add()([both(few, few), both(free, scaled)])
inside = L.Input((4, 6))
block = keras.Model(inside, L.MultiHeadAttention(2, 2, name="heads")(inside, inside), name="block")
save(keras.Model(x, [y, pixels, both, block(few)], name="attention"), "attention", ["keras", "h5"])

# What is refused.
x = L.Input((4,))
keras.Sequential([x, L.Lambda(lambda v: v + 1, name="plus")]).save("lambda.keras")
keras.Sequential([L.Input((4, 3)), L.LSTM(2)]).save("recurrent.keras")
x = L.Input((4, 6))
keras.Model(x, L.MultiHeadAttention(2, 3, name="causal")(x, x, use_causal_mask=True)).save("causal.keras")
keras.Sequential([L.Input((None, None, 3)), L.Conv2D(2, 3)]).save("varying.keras")
