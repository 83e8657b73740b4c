"""Makes the PyTorch files that the tests read: python checkpoints.py, in the folder they are to lie in. Made with
PyTorch 2.15. What tensors hold is in checkpoint.safetensors, which the same program wrote."""

import argparse
import collections

import numpy
import torch
from safetensors.torch import save_file

torch.manual_seed(7)


def contents():
    base = torch.randn(4, 6)
    return collections.OrderedDict(
        {
            "conv.weight": torch.nn.Parameter(torch.randn(3, 2, 3, 3)),
            "conv.channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
            "bn.running_var": torch.rand(3),
            "bn.num_batches_tracked": torch.tensor(12),
            "half": torch.randn(5).half(),
            "brain": torch.randn(5).bfloat16(),
            "double": torch.randn(2, 2).double(),
            "short": torch.tensor([-300, 7], dtype=torch.int16),
            "int": torch.tensor([[1, -2]], dtype=torch.int32),
            "char": torch.tensor([-128, 127], dtype=torch.int8),
            "byte": torch.tensor([0, 255], dtype=torch.uint8),
            "bool": torch.tensor([True, False, True]),
            "wide": torch.tensor([1, 65535], dtype=torch.uint16),
            "transposed": base.t(),
            "part": base[1:3, ::2],
            "row": base[2],
            "one": base[:, :1],
            "empty": torch.zeros(0, 3),
        }
    )


tensors = contents()
save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, "checkpoint.safetensors")
torch.save(tensors, "checkpoint.pth")
old = {name: tensor for name, tensor in tensors.items() if name != "wide"}
torch.save(old, "checkpoint-old.pth", _use_new_zipfile_serialization=False)
torch.save(tensors, "checkpoint-protocol5.pth", pickle_protocol=5)

# As programs that train leave one behind.
network = torch.nn.Sequential(collections.OrderedDict(fc=torch.nn.Linear(3, 2)))
optimizer = torch.optim.Adam(network.parameters())
network(torch.randn(4, 3)).sum().backward()
optimizer.step()
torch.save(
    {
        "epoch": 3,
        "best": numpy.float64(0.5),
        "args": argparse.Namespace(lr=0.1, name="x"),
        "state_dict": {"module." + name: value for name, value in network.state_dict().items()},
        "ema": {name: value + 1 for name, value in network.state_dict().items()},
        "optimizer": optimizer.state_dict(),
    },
    "training.pth",
)
save_file(network.state_dict(), "training.safetensors")

# What is refused.
torch.save(network, "module.pth")
torch.jit.trace(network, torch.randn(1, 3)).save("script.pt")
torch.export.save(torch.export.export(network, (torch.randn(1, 3),)), "program.pt2")
