"""Makes a network of torchvision or timm, or one written here from its description, with random weights, for one of the
zoo to load and to be compared with.

    python pytorch_network.py NAME FOLDER

writes into the folder: weights.safetensors; input.f32, one image [height, width, channels]; output.f32, what the
network makes of it, images with their channels last, all outputs one after the other.
"""

import sys

import safetensors.torch
import timm
import torch
import torch.nn.functional as F
import torchvision.models as models
from torch import nn

name, folder = sys.argv[1:]
torch.manual_seed(7)


def double(inputs, outputs, middle=None):
    """milesial's Pytorch-UNet: (convolution, batch norm, ReLU) twice."""
    middle = middle or outputs
    module = nn.Module()
    module.double_conv = nn.Sequential(
        nn.Conv2d(inputs, middle, 3, padding=1, bias=False), nn.BatchNorm2d(middle), nn.ReLU(),
        nn.Conv2d(middle, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
    module.forward = module.double_conv.forward
    return module


class Down(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), double(inputs, outputs))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.conv = double(inputs, outputs, inputs // 2)

    def forward(self, x, finer):
        return self.conv(torch.cat([finer, self.up(x)], dim=1))


class Out(nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.conv = nn.Conv2d(inputs, classes, 1)

    def forward(self, x):
        return self.conv(x)


class UNet(nn.Module):
    """milesial's Pytorch-UNet with bilinear upsampling."""

    def __init__(self, channels, classes):
        super().__init__()
        self.inc = double(channels, 64)
        self.down1, self.down2 = Down(64, 128), Down(128, 256)
        self.down3, self.down4 = Down(256, 512), Down(512, 512)
        self.up1, self.up2, self.up3, self.up4 = Up(1024, 256), Up(512, 128), Up(256, 64), Up(128, 64)
        self.outc = Out(64, classes)

    def forward(self, x):
        a = self.inc(x)
        b = self.down1(a)
        c = self.down2(b)
        d = self.down3(c)
        x = self.up1(self.down4(d), d)
        x = self.up2(x, c)
        x = self.up3(x, b)
        return self.outc(self.up4(x, a))


class Keras(nn.Module):
    """Layers one after the other, called as Keras calls them, with TensorFlow's SAME padding and epsilon."""

    def __init__(self):
        super().__init__()
        self.steps, self.counts = [], {}

    def layer(self, kind, module):
        count = self.counts.get(kind, 0)
        self.counts[kind] = count + 1
        self.add_module(f"{kind}_{count}" if count else kind, module)
        return module

    def add_convolution(self, inputs, outputs, kernel, stride=1, groups=1):
        conv = self.layer(
            "depthwise_conv2d" if groups > 1 else "conv2d",
            nn.Conv2d(inputs, outputs, kernel, stride, groups=groups))

        def padded(x):
            pads = []
            for size, k in zip(x.shape[:1:-1], kernel[::-1]):
                total = max(0, (-(-size // stride) - 1) * stride + k - size)
                pads += [total // 2, total - total // 2]
            return conv(F.pad(x, pads))

        self.steps += [padded, self.layer("batch_normalization", nn.BatchNorm2d(outputs, eps=1e-3)), F.relu]

    def add_dense(self, inputs, outputs, has_norm=False):
        self.steps.append(self.layer("dense", nn.Linear(inputs, outputs)))
        if has_norm:
            self.steps += [self.layer("batch_normalization", nn.BatchNorm1d(outputs, eps=1e-3)), F.relu]

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x


def mobilenet_v1():
    net, channels = Keras(), 8
    net.add_convolution(3, channels, (3, 3), 2)
    for stride, filters in [(1, 16), (2, 32), (1, 32), (2, 64), (1, 64)] + [(2, 128)] + [(1, 128)] * 5 + [
            (2, 256), (1, 256)]:
        net.add_convolution(channels, channels, (3, 3), stride, channels)
        net.add_convolution(channels, filters, (1, 1))
        channels = filters
    net.steps.append(lambda x: x.mean((2, 3)))
    net.add_dense(channels, 2)
    return net


def ds_cnn():
    net = Keras()
    net.add_convolution(1, 64, (10, 4), 2)
    for _ in range(4):
        net.add_convolution(64, 64, (3, 3), 1, 64)
        net.add_convolution(64, 64, (1, 1))
    net.steps.append(lambda x: F.avg_pool2d(x, (24, 5)).flatten(1))
    net.add_dense(64, 12)
    return net


def autoencoder():
    net, width = Keras(), 640
    for units in [128] * 4 + [8] + [128] * 4:
        net.add_dense(width, units, True)
        width = units
    net.add_dense(width, 640)
    return net


class Tower(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        x = F.relu6(self.norm1(self.depthwise(x)))
        return F.relu6(self.norm2(self.pointwise(x)))


class Detector(nn.Module):
    """The zoo's own detector on torchvision's MobileNetV2."""

    def __init__(self, classes=80, channels=64):
        super().__init__()
        self.backbone = models.mobilenet_v2()
        self.backbone.features = self.backbone.features[:17]
        del self.backbone.classifier
        self.neck = nn.Module()
        for stride, width in [(8, 32), (16, 96), (32, 160)]:
            lateral = nn.Module()
            lateral.conv, lateral.norm = nn.Conv2d(width, channels, 1, bias=False), nn.BatchNorm2d(channels)
            self.neck.add_module(f"lateral{stride}", lateral)
            head, box = nn.Module(), nn.Sequential(Tower(channels), Tower(channels))
            box.add_module("sides", nn.Conv2d(channels, 4, 1))
            head.add_module("class", nn.Sequential(Tower(channels), Tower(channels)))
            head.box = box
            self.add_module(f"head{stride}", head)
            self.add_module(f"scores{stride}", nn.Conv2d(channels, classes, 1))

    def forward(self, x):
        features, outputs, coarser = {}, [], None
        for index, layer in enumerate(self.backbone.features):
            x = layer(x)
            if index in (6, 13, 16):
                features[{6: 8, 13: 16, 16: 32}[index]] = x
        merged = {}
        for stride in (32, 16, 8):
            lateral = self.neck.get_submodule(f"lateral{stride}")
            x = lateral.norm(lateral.conv(features[stride]))
            coarser = x if coarser is None else x + F.interpolate(coarser, size=x.shape[2:], mode="nearest")
            merged[stride] = coarser
        for stride in (8, 16, 32):
            head = self.get_submodule(f"head{stride}")
            outputs.append(self.get_submodule(f"scores{stride}")(head.get_submodule("class")(merged[stride])))
            outputs.append(F.relu(head.box(merged[stride])))
        return outputs


makers = {
    "mobilenet_v1": mobilenet_v1,
    "ds_cnn": ds_cnn,
    "autoencoder": autoencoder,
    "detector": Detector,
    "efficientnet_lite0": lambda: timm.create_model("efficientnet_lite0"),
    "deit_tiny": lambda: timm.create_model("deit_tiny_patch16_224"),
    "shufflenet_v2": lambda: models.shufflenet_v2_x1_0(),
    "inception_v3": lambda: models.inception_v3(init_weights=False, transform_input=False),
    "unet": lambda: UNet(3, 2),
}
model = makers[name]() if name in makers else getattr(models, name)()
model.eval()

# Nothing may be zero or one by accident.
with torch.no_grad():
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.7, 1.3)
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)):
            module.weight.uniform_(0.7, 1.3)
        if getattr(module, "bias", None) is not None:
            module.bias.normal_(0, 0.1)
    for key, parameter in model.named_parameters():
        if key.endswith("layer_scale"):
            parameter.uniform_(0.2, 1)
        if key in ("cls_token", "pos_embed"):
            parameter.normal_(0, 0.5)

    sizes = {
        "inception_v3": (3, 299, 299), "unet": (3, 256, 256), "mobilenet_v1": (3, 96, 96), "ds_cnn": (1, 49, 10),
        "autoencoder": (640,), "detector": (3, 320, 320),
    }
    image = torch.rand(1, *sizes.get(name, (3, 224, 224)))
    outputs = model(image)
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    outputs = [o.permute(0, 2, 3, 1) if o.dim() == 4 else o for o in outputs]

safetensors.torch.save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder + "/weights.safetensors")
image = image.permute(0, 2, 3, 1) if image.dim() == 4 else image
image.contiguous().numpy().tofile(folder + "/input.f32")
torch.cat([o.reshape(-1) for o in outputs]).numpy().tofile(folder + "/output.f32")
