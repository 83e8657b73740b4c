"""Takes a block of a network, its parameters, a batch and a gradient by its output as JSON on standard input; writes
what PyTorch's own functions give, forwards and backwards, as JSON on standard output.

Values are channels last and weights OHWI, as compress has them; all is computed in double."""

import json
import sys

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
job = json.load(sys.stdin)


def tensor(entry):
    return torch.tensor(entry["values"], dtype=torch.float64).reshape(entry["shape"])


def first(x):
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1)


def attention(node, q, k, v):
    def split(x):
        return x.reshape(x.shape[0], x.shape[1], node["heads"], -1).transpose(1, 2)

    y = F.scaled_dot_product_attention(split(q), split(k), split(v))
    return y.transpose(1, 2).flatten(2)


def batch_norm(node, p, x):
    return last(F.batch_norm(first(x), None, None, p["gamma"], p["beta"], training=True, eps=node["epsilon"]))


def conv2d(node, p, x):
    top, left, bottom, right = node["padding"]
    padded = F.pad(first(x), (left, right, top, bottom))
    return last(
        F.conv2d(padded, p["weight"].permute(0, 3, 1, 2), p.get("bias"), stride=node["stride"], groups=node["groups"]))


def resize(node, x):
    size = node["size"]
    if node["mode"] == "nearest":
        return last(F.interpolate(first(x), size=size, mode="nearest"))
    return last(F.interpolate(first(x), size=size, mode="bilinear", align_corners=node["corners"]))


FUNCTIONS = {
    "relu": F.relu, "relu6": F.relu6, "hard_swish": F.hardswish, "hard_sigmoid": F.hardsigmoid, "gelu": F.gelu,
    "silu": F.silu, "sigmoid": torch.sigmoid,
}
KINDS = {
    "conv2d": conv2d,
    "dense": lambda node, p, x: F.linear(x, p["weight"], p.get("bias")),
    "batch_norm": batch_norm,
    "layer_norm": lambda node, p, x: F.layer_norm(x, x.shape[-1:], p["gamma"], p["beta"], node["epsilon"]),
    "function": lambda node, p, x: FUNCTIONS[node["function"]](x),
    "add": lambda node, p, a, b: a + b,
    "mul": lambda node, p, a, b: a * (b if b.dim() == a.dim() else b.reshape(b.shape[0], 1, 1, -1)),
    "concat": lambda node, p, *x: torch.cat(x, dim=node["axis"] + 1),
    "gather": lambda node, p, x: x.index_select(node["axis"] + 1, torch.tensor(node["indices"])),
    "attention": lambda node, p, q, k, v: attention(node, q, k, v),
    "max_pool": lambda node, p, x: last(F.max_pool2d(first(x), node["size"], node["stride"])),
    "global_average": lambda node, p, x: x.mean(dim=(1, 2)),
    "resize": lambda node, p, x: resize(node, x),
    "flatten": lambda node, p, x: x.flatten(1),
}

parameters = {
    (p["layer"], p["role"]): tensor(p).requires_grad_(p["role"] not in ("mean", "variance"))
    for p in job["parameters"]
}
values = {}
for node in job["nodes"]:
    if node["kind"] == "input":
        values[node["name"]] = tensor(job["samples"])
        continue
    own = {role: value for (layer, role), value in parameters.items() if layer == node["name"]}
    values[node["name"]] = KINDS[node["kind"]](node, own, *[values[name] for name in node["inputs"]])
output = values[job["output"]]
output.backward(tensor(job["gradient"]).reshape(output.shape))
json.dump({
    "output": output.detach().flatten().tolist(),
    "gradients": [
        {"layer": layer, "role": role, "values": value.grad.flatten().tolist()}
        for (layer, role), value in parameters.items() if value.grad is not None
    ],
}, sys.stdout)
