"""Takes a network, a batch and an optimizer as JSON on standard input; does some training steps with PyTorch; writes the
first step's scores, loss and gradients, and all parameters at the end, as JSON on standard output.

Images are NHWC and weights OHWI, as compress has them."""

import json
import sys

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
# In double, so that it is not the reference's own rounding that decides on which side of a ReLU's kink a value falls.
PRECISION = torch.float64
job = json.load(sys.stdin)


def tensor(entry):
    return torch.tensor(entry["values"], dtype=PRECISION).reshape(entry["shape"])


parameters = {
    (p["layer"], p["role"]): tensor(p).requires_grad_(p["role"] not in ("mean", "variance"))
    for p in job["parameters"]
}
images = tensor(job["images"]).permute(0, 3, 1, 2)
labels = torch.tensor(job["labels"])


def forward():
    values = {}
    for node in job["nodes"]:
        name, kind = node["name"], node["kind"]
        x = [values[i] for i in node["inputs"]]
        p = {role: value for (layer, role), value in parameters.items() if layer == name}
        if kind == "input":
            y = images
        elif kind == "conv2d":
            top, left, bottom, right = node["padding"]
            y = F.conv2d(
                F.pad(x[0], (left, right, top, bottom)), p["weight"].permute(0, 3, 1, 2), p.get("bias"),
                stride=node["stride"], groups=node["groups"])
        elif kind == "dense":
            y = F.linear(x[0], p["weight"], p.get("bias"))
        elif kind == "batch_norm":
            y = F.batch_norm(x[0], None, None, p["gamma"], p["beta"], training=True, eps=node["epsilon"])
            with torch.no_grad():
                m = node["momentum"]
                p["mean"].mul_(m).add_((1 - m) * x[0].mean(dim=(0, 2, 3)))
                p["variance"].mul_(m).add_((1 - m) * x[0].var(dim=(0, 2, 3), unbiased=False))
        elif kind == "relu":
            y = F.relu(x[0])
        elif kind == "max_pool":
            y = F.max_pool2d(x[0], node["size"], node["stride"])
        elif kind == "global_average":
            y = x[0].mean(dim=(2, 3))
        elif kind == "add":
            y = x[0] + x[1]
        elif kind == "flatten":
            y = x[0].permute(0, 2, 3, 1).flatten(1)
        else:
            raise ValueError(kind)
        values[name] = y
    return values[job["output"]]


how = job["optimizer"]
decaying = [v for (_, role), v in parameters.items() if role == "weight"]
others = [v for (_, role), v in parameters.items() if role in ("bias", "gamma", "beta")]
groups = [{"params": decaying, "weight_decay": how["decay"]}, {"params": others, "weight_decay": 0.0}]
if how["name"] == "sgd":
    optimizer = torch.optim.SGD(groups, lr=how["rate"], momentum=how["momentum"], nesterov=how["nesterov"])
elif how["name"] == "adam":
    optimizer = torch.optim.Adam(groups, lr=how["rate"], eps=how["epsilon"])
else:
    optimizer = torch.optim.AdamW(groups, lr=how["rate"], eps=how["epsilon"])

out = {}
for step in range(job["steps"]):
    optimizer.zero_grad()
    scores = forward()
    loss = F.cross_entropy(scores, labels, label_smoothing=job["smoothing"])
    loss.backward()
    if step == 0:
        out["loss"] = loss.item()
        out["scores"] = scores.detach().flatten().tolist()
        out["gradients"] = [
            {"layer": layer, "role": role, "values": v.grad.flatten().tolist()}
            for (layer, role), v in parameters.items() if v.grad is not None
        ]
    if job["clip"] is not None:
        torch.nn.utils.clip_grad_norm_(decaying + others, job["clip"])
    optimizer.step()
out["parameters"] = [
    {"layer": layer, "role": role, "values": v.detach().flatten().tolist()} for (layer, role), v in parameters.items()
]
json.dump(out, sys.stdout)
