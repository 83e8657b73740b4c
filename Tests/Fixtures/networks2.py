"""The same for Keras 2: python networks2.py. Made with tf_keras 2.21, which is Keras 2 under another name."""

import numpy as np
import tensorflow as tf
import tf_keras as keras
from safetensors.numpy import save_file
from tf_keras import layers as L

random = np.random.default_rng(6)


def save(model, name):
    for weight in model.weights:
        if weight.dtype.is_floating:
            values = random.standard_normal(weight.shape) * 0.4
            weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    for form in ["keras", "h5"]:
        model.save(f"{name}.{form}")
    x = random.standard_normal((2,) + tuple(model.inputs[0].shape[1:])).astype(np.float32)
    y = model.predict(x, verbose=0)
    outputs = {("y" if i == 0 else f"y.{i}"): np.asarray(v) for i, v in enumerate(y if isinstance(y, list) else [y])}
    save_file({"x": x, **outputs}, f"{name}.safetensors")


# Without an input layer.
save(
    keras.Sequential(
        [
            L.Conv2D(4, 3, strides=(2, 1), input_shape=(8, 9, 2), activation="hard_sigmoid"),
            L.DepthwiseConv2D(2, padding="same"),
            L.BatchNormalization(),
            L.ReLU(6.0),
            L.ZeroPadding2D(1),
            L.AveragePooling2D((2, 3), strides=2, padding="same"),
            L.Flatten(),
            L.Dense(4, activation="swish"),
            L.Dense(3),
            L.Softmax(),
        ]
    ),
    "sequential2",
)

# Functions of TensorFlow, a model in a model, called twice.
given = L.Input((5, 6, 2))
value = L.SeparableConv2D(2, 3, padding="same", name="conv")(given)
value = L.PReLU(shared_axes=[1, 2])(L.BatchNormalization(center=False)(value))
inner = keras.Model(given, value, name="inner")
x = L.Input((5, 6, 2))
value = inner(inner(x))
value = value * (tf.nn.relu6(value + 3.0) * (1.0 / 6.0))
value = L.Concatenate()([value, L.LeakyReLU(0.2)(x), L.ELU()(x)])
up = L.Conv2DTranspose(2, 3, strides=2, padding="same")(value)
up = L.UpSampling2D((1, 2), interpolation="bilinear")(up)
save(keras.Model(x, [L.GlobalAveragePooling2D()(value), up]), "nested2")

# Signals and attention.
x = L.Input((12, 4))
y = L.Conv1D(6, 3, padding="causal", activation="relu")(x)
y = L.MaxPooling1D(2)(L.DepthwiseConv1D(3, padding="same")(y))
y = L.MultiHeadAttention(2, 3, name="heads")(y, y)
y = L.MultiHeadAttention(2, 3, name="others")(y, L.Conv1D(5, 1)(x))
y = L.UpSampling1D(2)(L.SeparableConv1D(4, 3)(y))
turned = L.Dense(3)(L.Permute((2, 1))(L.ZeroPadding1D(1)(y)))
save(keras.Model(x, [L.Dense(3)(L.GlobalAveragePooling1D()(y)), turned]), "signals2")
