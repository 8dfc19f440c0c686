"""The networks of checkpoints, with the names that people's code gives their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CLASSES = 10
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2471, 0.2435, 0.2616)


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the size at stride 1."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


def padded_at_the_end(images: Tensor, stride: int) -> Tensor:
    """TensorFlow's SAME padding of a 3×3 window for even sides: at stride 2 only on the right and
    at the bottom.
    """
    return F.pad(images, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))


class Residual(nn.Module):
    """A block of He et al. (CVPR 2016): two 3×3 convolutions, or 1×1, 3×3 and 1×1 with four times
    the channels.
    """

    def __init__(
        self, inputs: int, planes: int, stride: int, bottleneck: bool, bypass: str
    ) -> None:
        super().__init__()
        outputs = 4 * planes if bottleneck else planes
        shapes = [(inputs, planes, 1, 1), (planes, planes, 3, stride), (planes, outputs, 1, 1)]
        if not bottleneck:
            shapes = [(inputs, planes, 3, stride), (planes, outputs, 3, 1)]
        self.depth = len(shapes)
        for number, shape in enumerate(shapes, 1):
            setattr(self, f"conv{number}", convolution(*shape))
            setattr(self, f"bn{number}", nn.BatchNorm2d(shape[1]))
        self.bypass = bypass
        projected = stride != 1 or inputs != outputs
        if projected:
            path = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))
            setattr(self, bypass, path)
        elif bypass == "shortcut":
            self.shortcut = nn.Sequential()

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for number in range(1, self.depth + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            if number < self.depth:
                y = F.relu(y)
        path = getattr(self, self.bypass, None)
        return F.relu(y + (x if path is None else path(x)))


class ResNet(nn.Module):
    """Four stages of residual blocks; names of CIFAR code (`shortcut`, `linear`) or of torchvision
    (`downsample`, `fc`).
    """

    def __init__(
        self,
        depths: Sequence[int],
        width: int,
        *,
        bottleneck: bool = False,
        torchvision: bool = False,
        imagenet_stem: bool = False,
    ) -> None:
        super().__init__()
        self.conv1 = (
            nn.Conv2d(3, width, 7, 2, 3, bias=False) if imagenet_stem else convolution(3, width)
        )
        self.bn1 = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(3, 2, 1) if imagenet_stem else nn.Identity()
        channels, bypass = width, "downsample" if torchvision else "shortcut"
        for stage, depth in enumerate(depths):
            blocks = []
            for block in range(depth):
                planes, stride = width << stage, 2 if stage and not block else 1
                blocks.append(Residual(channels, planes, stride, bottleneck, bypass))
                channels = planes * (4 if bottleneck else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.head = "fc" if torchvision else "linear"
        setattr(self, self.head, nn.Linear(channels, CLASSES))

    def forward(self, images: Tensor) -> Tensor:
        x = self.pool(F.relu(self.bn1(self.conv1(images))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return getattr(self, self.head)(x.mean((2, 3)))


class PreActivation(nn.Module):
    """bn, activation, 3×3, bn, activation, 3×3; `bypass` names the 1×1 convolution where one is
    needed.

    The bypass reads the activated input, or (`raw`) the block's input as it is. In wide networks
    only a change of channels makes one (`by_stride` false).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int,
        *,
        bypass: str,
        raw: bool = False,
        activation: Callable[[Tensor], Tensor] = F.relu,
        by_stride: bool = True,
    ) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), convolution(inputs, outputs, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), convolution(outputs, outputs)
        self.raw, self.activation, self.path = raw, activation, None
        if inputs != outputs or by_stride and stride != 1:
            self.path = bypass
            projection = convolution(inputs, outputs, 1, stride)
            setattr(self, bypass, nn.Sequential(projection) if bypass == "shortcut" else projection)

    def forward(self, x: Tensor) -> Tensor:
        active = self.activation(self.bn1(x))
        y = self.conv2(self.activation(self.bn2(self.conv1(active))))
        return y + (getattr(self, self.path)(x if self.raw else active) if self.path else x)


class PreActResNet18(nn.Module):
    """PreActResNet-18 with or without the last batch norm, with either source of the shortcuts."""

    def __init__(self, width: int, *, last_norm: bool, raw: bool) -> None:
        super().__init__()
        self.conv1, channels = convolution(3, width), width
        for stage in range(4):
            blocks = []
            for block in range(2):
                outputs, stride = width << stage, 2 if stage and not block else 1
                blocks.append(PreActivation(channels, outputs, stride, bypass="shortcut", raw=raw))
                channels = outputs
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        if last_norm:
            self.bn = nn.BatchNorm2d(channels)
        self.linear = nn.Linear(channels, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv1(images)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        if hasattr(self, "bn"):
            x = F.relu(self.bn(x))
        return self.linear(x.mean((2, 3)))


class Stage(nn.Module):
    """Pre-activation blocks under the name `layer`; the first one has the stride."""

    def __init__(self, depth: int, inputs: int, outputs: int, stride: int, **settings: Any) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            *(
                PreActivation(
                    outputs if block else inputs, outputs, 1 if block else stride, **settings
                )
                for block in range(depth)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class WideResNet(nn.Module):
    """A wide residual network with the names of TRADES; the stem has 16 channels, the first stage
    `width`.

    `sub_block` adds the copy of the first stage that is never used: with weights of its own
    ("own"), or the first stage itself under a second name ("alias"). `normalized` puts buffers
    `mean` and `std` in.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        *,
        sub_block: str = "",
        bias: bool = True,
        silu: bool = False,
        normalized: bool = False,
    ) -> None:
        super().__init__()
        blocks, channels = (depth - 4) // 6, 16
        self.activation = F.silu if silu else F.relu
        settings = dict(bypass="convShortcut", activation=self.activation, by_stride=False)
        self.conv1 = convolution(3, channels)
        for stage in range(3):
            outputs = width << stage
            part = Stage(blocks, channels, outputs, 2 if stage else 1, **settings)
            setattr(self, f"block{stage + 1}", part)
            if not stage and sub_block:
                own = sub_block == "own"
                self.sub_block1 = Stage(blocks, channels, outputs, 1, **settings) if own else part
            channels = outputs
        self.bn1 = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, CLASSES, bias=bias)
        if normalized:
            self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
            self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        x = (images - self.mean) / self.std if hasattr(self, "mean") else images
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(self.activation(self.bn1(x)).mean((2, 3)))


class RobustResNet(nn.Module):
    """The names of the search for robust residual networks: `stem_conv`, `blocks`, free depths and
    widths.

    `silu` makes the later variant: SiLU, `shortcut.0` and `norm1` in place of ReLU, `convShortcut`
    and `bn1`, and buffers `mu` and `sigma` of shape (3, 1, 1).
    """

    def __init__(self, depths: Sequence[int], widths: Sequence[int], *, silu: bool = False) -> None:
        super().__init__()
        self.activation, self.last = (F.silu, "norm1") if silu else (F.relu, "bn1")
        settings = dict(
            bypass="shortcut" if silu else "convShortcut",
            activation=self.activation,
            by_stride=silu,
        )
        self.stem_conv, channels = convolution(3, 16), 16
        self.blocks = nn.ModuleList()
        for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            self.blocks.append(Stage(depth, channels, width, 2 if stage else 1, **settings))
            channels = width
        setattr(self, self.last, nn.BatchNorm2d(channels))
        self.fc = nn.Linear(channels, CLASSES)
        if silu:
            self.register_buffer("mu", torch.tensor(MEAN).view(3, 1, 1))
            self.register_buffer("sigma", torch.tensor(STD).view(3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        x = self.stem_conv((images - self.mu) / self.sigma if hasattr(self, "mu") else images)
        for block in self.blocks:
            x = block(x)
        return self.fc(self.activation(getattr(self, self.last)(x)).mean((2, 3)))


class EndPadded(nn.Module):
    """A pre-activation block with DeepMind's names and padding; the two families differ in names
    and shortcut.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, wide: bool) -> None:
        super().__init__()
        self.stride, self.wide = stride, wide
        self.first, self.second = ("conv_0", "conv_1") if wide else ("conv_2d_1", "conv_2d_2")
        self.batchnorm_0, self.batchnorm_1 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        setattr(self, self.first, nn.Conv2d(inputs, outputs, 3, stride, bias=False))
        setattr(self, self.second, convolution(outputs, outputs))
        self.shortcut = None
        if inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1 if wide else 3, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active = F.silu(self.batchnorm_0(x))
        y = getattr(self, self.first)(padded_at_the_end(active, self.stride))
        y = getattr(self, self.second)(F.silu(self.batchnorm_1(y)))
        if self.shortcut is None:
            return x + y
        source = active if self.wide else padded_at_the_end(x, self.stride)
        return self.shortcut(source) + y


class Group(nn.Module):
    """Blocks under the name `block`."""

    def __init__(self, blocks: Iterable[nn.Module]) -> None:
        super().__init__()
        self.block = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class DeepMindNet(nn.Module):
    """DeepMind's wide residual network or pre-activation ResNet-18: SiLU, padding at the end,
    normalisation inside.

    As in their code the mean and standard deviation are no part of the state dict, unless
    `persistent`.
    """

    def __init__(self, width: int, depth: int = 0, *, persistent: bool = False) -> None:
        super().__init__()
        self.wide = depth > 0
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1), persistent)
        channels = 16 if self.wide else width
        setattr(self, "init_conv" if self.wide else "conv_2d", convolution(3, channels))
        stages = []
        for stage in range(3 if self.wide else 4):
            blocks = []
            for block in range((depth - 4) // 6 if self.wide else 2):
                outputs, stride = width << stage, 2 if stage and not block else 1
                blocks.append(EndPadded(channels, outputs, stride, self.wide))
                channels = outputs
            stages.append(blocks)
        if self.wide:
            self.layer = nn.Sequential(*map(Group, stages))
        else:
            for stage, blocks in enumerate(stages):
                setattr(self, f"layer_{stage}", nn.Sequential(*blocks))
        self.batchnorm = nn.BatchNorm2d(channels)
        self.logits = nn.Linear(channels, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = (images - self.mean) / self.std
        if self.wide:
            x = self.layer(self.init_conv(x))
        else:
            x = self.layer_3(self.layer_2(self.layer_1(self.layer_0(self.conv_2d(x)))))
        return self.logits(F.silu(self.batchnorm(x)).mean((2, 3)))


class VGG(nn.Module):
    """VGG for 32 pixels with `features.N` and one linear layer `classifier`."""

    DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}

    def __init__(self, layers: int, width: int, norm: bool) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        channels = 3
        for stage, depth in enumerate(self.DEPTHS[layers]):
            outputs = width << min(stage, 3)
            for _ in range(depth):
                parts.append(nn.Conv2d(channels, outputs, 3, padding=1))
                parts += [nn.BatchNorm2d(outputs)] if norm else []
                parts.append(nn.ReLU())
                channels = outputs
            parts.append(nn.MaxPool2d(2))
        if not norm:
            for part in parts:
                if isinstance(part, nn.Conv2d):
                    nn.init.kaiming_normal_(part.weight)
                    nn.init.constant_(part.bias, 0.1)
        self.features = nn.Sequential(*parts)
        self.classifier = nn.Linear(channels, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images).flatten(1))


class Normalize(nn.Module):
    """(x − mean) / std with buffers of the given names and shape."""

    def __init__(
        self, names: tuple[str, str] = ("mean", "std"), shape: tuple[int, ...] = (3, 1, 1)
    ) -> None:
        super().__init__()
        self.names = names
        for name, values in zip(names, (MEAN, STD), strict=True):
            self.register_buffer(name, torch.tensor(values).view(shape))

    def forward(self, images: Tensor) -> Tensor:
        mean, std = (getattr(self, name) for name in self.names)
        return (images - mean.view(3, 1, 1)) / std.view(3, 1, 1)


class MeanInside(ResNet):
    """A ResNet with buffers `mu` and `sigma` (1, 3, 1, 1) beside its layers."""

    def __init__(self, depths: Sequence[int], width: int) -> None:
        super().__init__(depths, width)
        self.register_buffer("mu", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("sigma", torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return super().forward((images - self.mu) / self.sigma)


class Attacker(nn.Module):
    """The layout of the library `robustness`: the network is registered twice, and so is its
    normalisation.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.normalizer = Normalize(("new_mean", "new_std"))
        self.model = model
        self.attacker = nn.Module()
        self.attacker.normalize = Normalize(("new_mean", "new_std"))
        self.attacker.model = model

    def forward(self, images: Tensor) -> Tensor:
        return self.model(self.normalizer(images))
