"""Exports networks of torchvision with drawn weights by PyTorch's exporters, each as a case that `compress conformance`
runs: CASE/model.onnx, and what goes in and comes out as PyTorch computes it.

  exporters.py FOLDER [NETWORK …]    # without names all but whole detectors, which no network is

Prints what it was made with, and a line for each export that PyTorch itself refuses.
"""
import os
import sys
import warnings

import numpy as np
import torch

# Of the wheel on PyPI the operators of its own do not load beside a PyTorch without CUDA: none of them is needed here, but
# they have to be declared.
try:
    import torchvision
except RuntimeError:
    declared = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms", "roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d"):
        declared.define(f"{name}(Tensor x) -> Tensor")
        declared.define(f"_{name}_backward(Tensor x) -> Tensor")
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    import torchvision
import onnx
from onnx import numpy_helper
from torchvision import models


class Attention(torch.nn.Module):
    """A layer of attention as PyTorch has it, between tokens."""

    def __init__(self):
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(32, 4, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class Focus(torch.nn.Module):
    """What YOLOv5 began with."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(12, 8, 3, padding=1)

    def forward(self, x):
        parts = [x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]]
        return torch.nn.functional.silu(self.conv(torch.cat(parts, 1)))


class Signal(torch.nn.Module):
    """Layers of one dimension."""

    def __init__(self):
        super().__init__()
        nn = torch.nn
        self.layers = nn.Sequential(
            nn.Conv1d(3, 8, 5, stride=2, padding=2), nn.BatchNorm1d(8), nn.ELU(), nn.MaxPool1d(2),
            nn.ConvTranspose1d(8, 6, 4, stride=2, padding=1), nn.Upsample(scale_factor=2), nn.AvgPool1d(3, 2, 1),
            nn.ReflectionPad1d(2), nn.AdaptiveAvgPool1d(4), nn.Flatten(), nn.Linear(24, 5))

    def forward(self, x):
        return self.layers(x)


class Backbone(torch.nn.Module):
    """The features of Faster R-CNN, at each of their scales."""

    def __init__(self):
        super().__init__()
        from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

        self.backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None)

    def forward(self, x):
        return tuple(self.backbone(x).values())


class Segmenter(torch.nn.Module):
    def __init__(self, make):
        super().__init__()
        self.network = make(weights=None, weights_backbone=None, num_classes=5)

    def forward(self, x):
        return self.network(x)["out"]


class Detector(torch.nn.Module):
    """A whole detector, which ends in boxes as many as there are."""

    def __init__(self, make):
        super().__init__()
        self.network = make(weights=None, weights_backbone=None)

    def forward(self, x):
        return self.network(list(x))


def transformer():
    return models.VisionTransformer(
        image_size=64, patch_size=16, num_layers=3, num_heads=4, hidden_dim=64, mlp_dim=128, num_classes=10)


IMAGE = (3, 64, 64)
NETWORKS = {
    "resnet18": (lambda: models.resnet18(weights=None), IMAGE),
    "mobilenet_v3_small": (lambda: models.mobilenet_v3_small(weights=None), IMAGE),
    "efficientnet_b0": (lambda: models.efficientnet_b0(weights=None), IMAGE),
    "shufflenet_v2_x0_5": (lambda: models.shufflenet_v2_x0_5(weights=None), IMAGE),
    "densenet121": (lambda: models.densenet121(weights=None), IMAGE),
    "regnet_y_400mf": (lambda: models.regnet_y_400mf(weights=None), IMAGE),
    "convnext_tiny": (lambda: models.convnext_tiny(weights=None), IMAGE),
    "squeezenet1_1": (lambda: models.squeezenet1_1(weights=None), IMAGE),
    "vit, reduced": (transformer, IMAGE),
    "swin_t": (lambda: models.swin_t(weights=None), IMAGE),
    "deeplabv3_mobilenet_v3_large": (lambda: Segmenter(models.segmentation.deeplabv3_mobilenet_v3_large), IMAGE),
    "fcn_resnet50": (lambda: Segmenter(models.segmentation.fcn_resnet50), IMAGE),
    "fasterrcnn backbone": (Backbone, IMAGE),
    "MultiheadAttention": (Attention, (6, 32)),
    "focus": (Focus, IMAGE),
    "signal": (Signal, (3, 32)),
}
# What no network is: its boxes are as many as it finds.
DETECTORS = {
    "ssdlite320_mobilenet_v3_large": (lambda: Detector(models.detection.ssdlite320_mobilenet_v3_large), IMAGE),
    "fasterrcnn_resnet50_fpn": (lambda: Detector(models.detection.fasterrcnn_resnet50_fpn), IMAGE),
}


def drawn(network):
    """With statistics that batch norms might have, and no weights of next to nothing, which would hide what comes
    before them."""
    for parameter in network.parameters():
        if parameter.dim() > 1 and parameter.abs().max() < 1e-4:
            torch.nn.init.normal_(parameter, std=0.1)
    for module in network.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


def save(folder, name, array):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(numpy_helper.from_array(np.ascontiguousarray(array)).SerializeToString())


def main():
    target, wanted = sys.argv[1], sys.argv[2:]
    warnings.filterwarnings("ignore")
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, onnx {onnx.__version__}", flush=True)
    for name, (make, shape) in (NETWORKS | DETECTORS).items():
        if name not in wanted if wanted else name in DETECTORS:
            continue
        torch.manual_seed(0)
        network = drawn(make())
        # By the older exporter the batch varies, by that of today it is fixed, or varies where that is asked for.
        for exporter, samples in (
                ("older", 2), ("today's", 1), ("today's, batch of 2", 2), ("today's, batch varies", 2)):
            case = os.path.join(target, f"{name} ({exporter})")
            data = os.path.join(case, "test_data_set_0")
            os.makedirs(data)
            # A detector takes its batch apart, as many samples as it is shown.
            samples = 1 if name in DETECTORS else samples
            x = torch.rand(samples, *shape)
            path = os.path.join(case, "model.onnx")
            try:
                with torch.no_grad():
                    y = network(x)
                if exporter == "older":
                    torch.onnx.export(
                        network, (x,), path, opset_version=17, dynamo=False, input_names=["x"],
                        dynamic_axes={"x": {0: "batch"}})
                else:
                    varying = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)} if "varies" in exporter else {}
                    torch.onnx.export(network, (x,), path, dynamo=True, verbose=False, **varying)
            except Exception as error:
                print(f"not exported  {name} ({exporter}): {str(error).splitlines()[0][:160]}", flush=True)
                for root, folders, files in os.walk(case, topdown=False):
                    for file in files:
                        os.remove(os.path.join(root, file))
                    os.rmdir(root)
                continue
            save(data, "input_0.pb", x.numpy())
            outputs = [v for boxes in y for v in boxes.values()] if isinstance(y, list) else y
            for index, output in enumerate(outputs if isinstance(outputs, (tuple, list)) else [outputs]):
                save(data, f"output_{index}.pb", output.numpy())


if __name__ == "__main__":
    main()
