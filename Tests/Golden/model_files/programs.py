"""Networks that come as programs: exported or as TorchScript."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .networks import CLASSES, MEAN, STD, Normalize, Residual, convolution


class SmallResNet(nn.Module):
    """A stem and a residual block with a stride; mean and standard deviation inside."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.normalize = Normalize()
        self.stem, self.norm = convolution(3, width), nn.BatchNorm2d(width)
        self.block = Residual(width, 2 * width, 2, False, "shortcut")
        self.linear = nn.Linear(2 * width, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.norm(self.stem(self.normalize(images))))
        x = F.adaptive_avg_pool2d(self.block(x), 1)
        return self.linear(x.flatten(1))


class VisionTransformer(nn.Module):
    """Patches of 8 pixels, a class token, positions, and two encoder blocks.

    The first block's attention is spelled out with `scaled_dot_product_attention`, the second one's
    is PyTorch's `MultiheadAttention`.
    """

    def __init__(self, width: int = 16, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.patches = nn.Conv2d(3, width, 8, 8)
        self.token = nn.Parameter(0.3 * torch.randn(1, 1, width))
        self.positions = nn.Parameter(0.3 * torch.randn(1, 17, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=1e-6) for _ in range(4))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlps = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * width, width)
            )
            for _ in range(1)
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.positions
        batch, length, width = x.shape
        qkv = self.qkv(self.norms[0](x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        x = x + self.mlps[0](self.norms[1](x))
        y = self.norms[2](x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return self.head(self.norms[3](x)[:, 0])


class ConvNeXt(nn.Module):
    """A patchifying stem and blocks: 7×7 depthwise, layer norm over channels, an MLP and a layer
    scale.
    """

    def __init__(self, blocks: int = 2, width: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, 4)
        self.depthwise = nn.ModuleList(
            nn.Conv2d(width, width, 7, padding=3, groups=width) for _ in range(blocks)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=1e-6) for _ in range(blocks + 1))
        self.wide = nn.ModuleList(nn.Linear(width, 4 * width) for _ in range(blocks))
        self.narrow = nn.ModuleList(nn.Linear(4 * width, width) for _ in range(blocks))
        self.scales = nn.ParameterList(nn.Parameter(0.5 + torch.rand(width)) for _ in range(blocks))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = self.stem(images)
        for depthwise, norm, wide, narrow, scale in zip(
            self.depthwise, self.norms, self.wide, self.narrow, self.scales
        ):
            y = norm(depthwise(x).permute(0, 2, 3, 1))
            x = x + (scale * narrow(F.gelu(wide(y)))).permute(0, 3, 1, 2)
        return self.head(self.norms[-1](x.mean((-2, -1))))


class Zoo(nn.Module):
    """Layers that exporters write in ways of their own: activations, poolings, group norm,
    resizing, padding, chunks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Conv2d(3, 8, 3, padding=1),
            nn.Conv2d(8, 8, 3, 2, padding="valid", dilation=2),
        )
        self.third = nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect", groups=2)
        self.norm, self.instance = nn.GroupNorm(2, 8), nn.InstanceNorm2d(8, affine=True)
        self.slopes = nn.PReLU(8)
        self.mixer = nn.Linear(16, 8)
        self.head = nn.Linear(8 * 4, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = F.silu(
            self.first(
                F.interpolate(images, scale_factor=0.75, mode="bilinear", align_corners=False)
            )
        )
        x = F.hardswish(self.norm(F.pad(x, (1, 0, 2, 1), value=0.5)))
        x = self.slopes(self.instance(self.second(x)))
        x = F.hardsigmoid(self.third(x)) * x + F.leaky_relu(x, 0.1) - F.mish(x)
        top, bottom = x.chunk(2, 1)
        x = torch.cat((top * torch.sigmoid(bottom), F.elu(bottom) + torch.tanh(top)), 1)
        x = F.interpolate(x, size=(12, 12), mode="nearest")
        x = torch.cat((F.adaptive_avg_pool2d(x, (2, 2)), F.adaptive_max_pool2d(x, 2)), 1)
        x = self.mixer(x.permute(0, 2, 3, 1).contiguous()).clamp(-6, 6)
        x = (
            x
            + F.softmax(x, -1) * F.softplus(x)
            - F.avg_pool2d(x.permute(0, 3, 1, 2), 2).mean() * 0.01
        )
        return self.head(x.reshape(x.size(0), -1))


class Sized(nn.Module):
    """Sizes of the input in arguments: view by the batch size, a table of constants, slices up to
    half the width.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, 2, 1)
        self.norm = nn.BatchNorm2d(6)
        self.register_buffer("table", torch.linspace(0.5, 1.5, 6).view(6, 1, 1), persistent=False)
        self.linear = nn.Linear(6 * 16, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = F.gelu(self.norm(self.conv(images))) * self.table
        x = x * torch.tensor([1.0, 0.9, 1.1, 1.0, 0.8, 1.2]).view(1, -1, 1, 1)
        x = F.max_pool2d(x, 2)
        x = x[:, :, : x.shape[2] // 2, x.shape[3] // 2 :] + x.flip(3)[:, :, ::2, ::2]
        return self.linear(x.contiguous().view(x.shape[0], -1))


class Answers(nn.Module):
    """A network with more than one answer: a tuple, a dictionary, or a half-precision one."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.conv, self.norm = convolution(3, 6, 3, 2), nn.BatchNorm2d(6)
        self.linear = nn.Linear(6, CLASSES)

    def forward(self, images: Tensor) -> Any:
        features = F.relu(self.norm(self.conv(images))).mean((2, 3))
        logits = self.linear(features)
        if self.kind == "tuple":
            return logits, features
        if self.kind == "dictionary":
            return {"logits": logits, "features": features}
        return logits


class Least(nn.Module):
    """A convolution and a linear layer: what the spoilt files are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(3, 4, 4, 4), nn.Linear(4, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        return self.linear(torch.relu(self.conv(images)).mean((2, 3)))


class Traced(nn.Module):
    """Mean and standard deviation inside, GELU, dropout and batch norm, as a small CNN of a course
    has them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.layers = nn.Sequential(
            nn.Conv2d(3, 6, 3, 2, 1),
            nn.BatchNorm2d(6),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.Conv2d(6, 8, 3, 2, 1),
            nn.GELU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(32, CLASSES),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers((images - self.mean) / self.std)


class FixedBatch(nn.Module):
    """A view by the batch size as a Python number: a trace has the example's size in it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(3, 4, 4, 4), nn.Linear(4 * 64, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = torch.relu(self.conv(images))
        return self.linear(x.view(int(images.shape[0]), 256))


class ControlFlow(nn.Module):
    """Branches, loops and attributes that only scripting keeps."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3 if not n else 4, 4, 3, 2, 1) for n in range(3))
        self.linear = nn.Linear(4, CLASSES)
        self.twice: bool = True

    def refine(self, x: Tensor, times: int) -> Tensor:
        for _ in range(times):
            x = x + 0.1 * torch.tanh(x)
        return x

    def forward(self, images: Tensor) -> Tensor:
        x = images
        for layer in self.layers:
            x = torch.nn.functional.silu(layer(x))
        if x.size(2) > 3:
            x = self.refine(x, 2 if self.twice else 1)
        else:
            x = torch.zeros_like(x)
        features: list[Tensor] = []
        features.append(x.mean((2, 3)))
        return self.linear(torch.cat(features, 1))
