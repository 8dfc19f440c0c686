"""The classifiers of `namid` in plain PyTorch: one file, nothing else to install.

    import namid_networks
    model = namid_networks.load("model.pt")     # or .safetensors
    logits = model(images)                      # images in [0, 1], float32, (N, C, H, W)

Names and shapes of the weights are those that `namid` itself uses and exports, so a state dict goes
both ways. `load` reads the architecture, its depth, widths and number of classes off names and
shapes. What names cannot tell is an argument: a PreActResNet without a last batch norm whose
shortcuts read the block's input (`raw_shortcut`).

A model that normalises is `Normalized`: buffers `normalize.mean` and `normalize.std` beside the
network's own names.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "Normalize",
    "Normalized",
    "PreActResNet",
    "ResNet",
    "SmallCNN",
    "VGG",
    "WideResNet",
    "build",
    "load",
    "read",
]


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int | None = None
) -> nn.Conv2d:
    padding = kernel // 2 if padding is None else padding
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)


class Normalize(nn.Module):
    """(x − mean) / std for each channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean.view(-1, 1, 1)) / self.std.view(-1, 1, 1)


class Normalized(nn.Module):
    """A network behind its normalisation; the state dict is the network's with `normalize.mean` and
    `normalize.std`.
    """

    def __init__(self, normalize: Normalize, network: nn.Module) -> None:
        super().__init__()
        for name, child in network.named_children():
            self.add_module(name, child)
        self.normalize = normalize
        # A list hides the network from PyTorch, whose names would be there twice.
        self._network = [network]

    def forward(self, images: Tensor) -> Tensor:
        return self._network[0](self.normalize(images))


class _Residual(nn.Module):
    """Two 3×3 convolutions with a shortcut, or 1×1, 3×3 and 1×1 with four times the channels."""

    def __init__(self, inputs: int, planes: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        outputs = 4 * planes if bottleneck else planes
        self.bottleneck = bottleneck
        self.conv1 = _conv(inputs, planes, 1) if bottleneck else _conv(inputs, planes, 3, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = _conv(planes, planes, 3, stride if bottleneck else 1)
        self.bn2 = nn.BatchNorm2d(planes)
        if bottleneck:
            self.conv3 = _conv(planes, outputs, 1)
            self.bn3 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                _conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.bottleneck:
            y = self.bn3(self.conv3(F.relu(y)))
        return F.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    """A residual network for small images (He et al., CVPR 2016): a 3×3 stem without pooling."""

    def __init__(
        self,
        depths: Sequence[int] = (2, 2, 2, 2),
        width: int = 64,
        classes: int = 10,
        channels: int = 3,
        bottleneck: bool = False,
        padding: int = 1,
    ) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(channels, width, 3, padding=padding), nn.BatchNorm2d(width)
        inputs = width
        self.stages = len(depths)
        for stage, depth in enumerate(depths):
            blocks = []
            for block in range(depth):
                blocks.append(
                    _Residual(inputs, width << stage, 2 if stage and not block else 1, bottleneck)
                )
                inputs = (width << stage) * (4 if bottleneck else 1)
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(inputs, classes)

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(images)))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.linear(x.mean((2, 3)))


class _PreActivation(nn.Module):
    """Two 3×3 convolutions, each behind batch norm and rectifier.

    The 1×1 shortcut, where stride or channels change, reads the first rectifier's output; with
    `raw` the block's input.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, shortcut: str, raw: bool = False
    ) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), _conv(inputs, outputs, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), _conv(outputs, outputs, 3)
        self.raw, self.path = raw, ""
        if stride != 1 or inputs != outputs:
            path = _conv(inputs, outputs, 1, stride)
            self.path = shortcut
            self.add_module(shortcut, nn.Sequential(path) if shortcut == "shortcut" else path)

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(active))))
        return y + (getattr(self, self.path)(x if self.raw else active) if self.path else x)


class PreActResNet(nn.Module):
    """A residual network of pre-activation blocks (He et al., ECCV 2016).

    `last_norm` is the batch norm `bn` before the pooling, as in the work on robust overfitting
    (Rice et al., 2020).
    """

    def __init__(
        self,
        depths: Sequence[int] = (2, 2, 2, 2),
        width: int = 64,
        classes: int = 10,
        channels: int = 3,
        padding: int = 1,
        last_norm: bool = True,
        raw_shortcut: bool = False,
    ) -> None:
        super().__init__()
        self.conv1 = _conv(channels, width, 3, padding=padding)
        inputs = width
        self.stages = len(depths)
        for stage, depth in enumerate(depths):
            blocks = []
            for block in range(depth):
                stride = 2 if stage and not block else 1
                blocks.append(
                    _PreActivation(inputs, width << stage, stride, "shortcut", raw_shortcut)
                )
                inputs = width << stage
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        if last_norm:
            self.bn = nn.BatchNorm2d(inputs)
        self.last_norm = last_norm
        self.linear = nn.Linear(inputs, classes)

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv1(images)
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        if self.last_norm:
            x = F.relu(self.bn(x))
        return self.linear(x.mean((2, 3)))


class _Stage(nn.Module):
    def __init__(self, depth: int, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            *(
                _PreActivation(
                    outputs if block else inputs, outputs, 1 if block else stride, "convShortcut"
                )
                for block in range(depth)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class WideResNet(nn.Module):
    """A wide residual network (Zagoruyko and Komodakis, BMVC 2016) with the names of TRADES.

    Depth 34 and width 160 make WideResNet-34-10: the width is the first stage's, sixteen times the
    widening factor.
    """

    def __init__(
        self,
        depth: int = 34,
        width: int = 160,
        classes: int = 10,
        channels: int = 3,
        padding: int = 1,
        stem: int = 16,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if (depth - 4) % 6:
            raise ValueError(f"a wide residual network's depth is 6 n + 4, not {depth}")
        blocks = (depth - 4) // 6
        self.conv1 = _conv(channels, stem, 3, padding=padding)
        self.block1 = _Stage(blocks, stem, width, 1)
        self.block2 = _Stage(blocks, width, 2 * width, 2)
        self.block3 = _Stage(blocks, 2 * width, 4 * width, 2)
        self.bn1 = nn.BatchNorm2d(4 * width)
        self.fc = nn.Linear(4 * width, classes, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        x = self.block3(self.block2(self.block1(self.conv1(images))))
        return self.fc(F.relu(self.bn1(x)).mean((2, 3)))


class VGG(nn.Module):
    """VGG for small images (Simonyan and Zisserman, ICLR 2015): five stages, one linear layer.

    `stages` lists the outputs of each stage's convolutions. Poolings keep the rest of an odd side.
    """

    DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}

    def __init__(
        self,
        stages: Sequence[Sequence[int]] | int = 19,
        width: int = 64,
        classes: int = 10,
        channels: int = 3,
        padding: int = 1,
        norm: bool = True,
        cells: int = 1,
    ) -> None:
        super().__init__()
        if isinstance(stages, int):
            stages = [[width << min(n, 3)] * depth for n, depth in enumerate(self.DEPTHS[stages])]
        parts: list[nn.Module] = []
        inputs = channels
        for outputs in stages:
            for output in outputs:
                parts.append(nn.Conv2d(inputs, output, 3, padding=1 if parts else padding))
                parts += [nn.BatchNorm2d(output)] if norm else []
                parts.append(nn.ReLU())
                inputs = output
            parts.append(nn.MaxPool2d(2, ceil_mode=True))
        self.features = nn.Sequential(*parts)
        self.classifier = nn.Linear(inputs * cells, classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images).flatten(1))


class SmallCNN(nn.Module):
    """Two strided 4×4 convolutions and two linear layers; `cells` is a quarter of the height times
    one of the width.
    """

    def __init__(
        self,
        width: int = 16,
        classes: int = 10,
        channels: int = 1,
        cells: int = 49,
        hidden: int = 100,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 4, 2, 1)
        self.conv2 = nn.Conv2d(width, 2 * width, 4, 2, 1)
        self.fc1 = nn.Linear(2 * width * cells, hidden)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(images))))
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def build(
    state: Mapping[str, Tensor], *, padding: int = 1, raw_shortcut: bool = False
) -> nn.Module:
    """The network that these weights belong to, with the weights in it, in evaluation mode.

    `padding` is the first convolution's, which shapes do not tell (the paper's own code has 0).

    Raises ValueError where no network of this file has these names.
    """
    state = {key: value for key, value in state.items() if not key.startswith("sub_block1.")}
    mean, std = state.pop("normalize.mean", None), state.pop("normalize.std", None)
    network = _shaped(state, padding, raw_shortcut)
    missing, unexpected = network.load_state_dict(state, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(
            f"the weights are not quite those of a {type(network).__name__}: "
            f"missing {missing[:5]}, unexpected {unexpected[:5]}"
        )
    if mean is not None and std is not None:
        network = Normalized(Normalize(mean.flatten().tolist(), std.flatten().tolist()), network)
    return network.eval()


def _shaped(state: Mapping[str, Tensor], padding: int, raw_shortcut: bool) -> nn.Module:
    def count(pattern: str) -> int:
        return len({match[1] for key in state if (match := re.match(pattern, key))})

    if "features.0.weight" in state and "classifier.weight" in state:
        return _vgg(state, padding)
    if "conv1.weight" not in state:
        raise ValueError(
            f"no network of this file has a weight named {next(iter(state), 'nothing')}"
        )
    width, channels = state["conv1.weight"].shape[:2]
    if "fc2.weight" in state:
        hidden, flat = state["fc1.weight"].shape
        return SmallCNN(width, state["fc2.weight"].shape[0], channels, flat // (2 * width), hidden)
    if "block1.layer.0.conv1.weight" in state:
        depth = 6 * count(r"block1\.layer\.(\d+)\.") + 4
        first = state["block1.layer.0.conv1.weight"].shape[0]
        classes = state["fc.weight"].shape[0]
        return WideResNet(depth, first, classes, channels, padding, width, "fc.bias" in state)
    if "layer1.0.conv1.weight" not in state or "linear.weight" not in state:
        raise ValueError("no network of this file has these names")
    depths = [count(rf"layer{stage}\.(\d+)\.") for stage in range(1, count(r"layer(\d+)\.") + 1)]
    classes = state["linear.weight"].shape[0]
    if "bn1.weight" in state:
        return ResNet(depths, width, classes, channels, "layer1.0.conv3.weight" in state, padding)
    return PreActResNet(
        depths, width, classes, channels, padding, "bn.weight" in state, raw_shortcut
    )


def _vgg(state: Mapping[str, Tensor], padding: int) -> VGG:
    numbers = sorted(
        int(match[1]) for key in state if (match := re.match(r"features\.(\d+)\.weight$", key))
    )
    kernels = [number for number in numbers if state[f"features.{number}.weight"].ndim == 4]
    norm = len(kernels) < len(numbers)
    stages: list[list[int]] = [[]]
    for number, following in zip(kernels, [*kernels[1:], None]):
        stages[-1].append(state[f"features.{number}.weight"].shape[0])
        # A pooling between two convolutions takes one more number.
        if following is not None and following - number > (3 if norm else 2):
            stages.append([])
    channels = state["features.0.weight"].shape[1]
    classes, flat = state["classifier.weight"].shape
    return VGG(stages, 0, classes, channels, padding, norm, flat // stages[-1][-1])


def read(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The weights in a .safetensors or .pt file, without the prefixes of wrappers."""
    if os.fspath(path).endswith(".safetensors"):
        from safetensors.torch import load_file

        state: Any = load_file(os.fspath(path))
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model_state_dict", "model", "net"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not any(
        isinstance(value, Tensor) for value in state.values()
    ):
        raise ValueError(f"{os.fspath(path)} has no dictionary of weights")
    prefix = re.compile(r"^(module\.|_orig_mod\.|model\.)+")
    return {prefix.sub("", key): value for key, value in state.items() if isinstance(value, Tensor)}


def load(
    path: str | os.PathLike[str], *, padding: int = 1, raw_shortcut: bool = False
) -> nn.Module:
    """The classifier in a file, in evaluation mode; it takes images in [0, 1]."""
    return build(read(path), padding=padding, raw_shortcut=raw_shortcut)


def main() -> None:
    """Prints what a file holds."""
    parser = argparse.ArgumentParser(description="names the network in a file of weights")
    parser.add_argument("file", nargs="+")
    for path in parser.parse_args().file:
        model = load(path)
        network = model._network[0] if isinstance(model, Normalized) else model
        size = sum(parameter.numel() for parameter in model.parameters())
        print(f"{path}: {type(network).__name__}, {size:,} parameters")


if __name__ == "__main__":
    main()
