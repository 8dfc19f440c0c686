"""The networks of the comparison in plain PyTorch, with the parameter names of the files that the suite writes."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    """Two 3x3 convolutions with a shortcut around them."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet18(nn.Module):
    """ResNet-18 for small images: a 3x3 convolution at the start and no pooling after it."""

    def __init__(self, width: int = 64, padding: int = 1, channels: int = 3, classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, padding, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for stage in range(4):
            outputs = width << stage
            blocks = nn.Sequential(
                Block(inputs, outputs, 1 if stage == 0 else 2), Block(outputs, outputs, 1)
            )
            setattr(self, f"layer{stage + 1}", blocks)
            inputs = outputs
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Head(nn.Module):
    """A non-linear path and a linear shortcut, added and layer-normalised over channels."""

    def __init__(self, inputs: int, units: int):
        super().__init__()
        self.block_nonlinear = nn.Sequential(
            nn.Conv2d(inputs, units, 1, bias=False),
            nn.BatchNorm2d(units),
            nn.ReLU(),
            nn.Conv2d(units, units, 1),
        )
        # The layer norm is the second entry in the files: the first is a permutation without parameters.
        self.block_ln = nn.Sequential(nn.Identity(), nn.LayerNorm(units))
        self.linear_shortcut = nn.Conv2d(inputs, units, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.block_nonlinear(x) + self.linear_shortcut(x)
        return self.block_ln(y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LocalEncoder(Head):
    """Images or noise to one vector per cell of a grid with stride 4: (N, units, cells)."""

    def __init__(self, units: int, channels: int):
        super().__init__(128, units)
        self.layer0 = nn.Sequential(
            nn.Conv2d(channels, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()
        )
        self.layer1 = nn.Sequential(
            nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(self.layer1(self.layer0(x))).flatten(2)


class GlobalEncoder(Head):
    """Logits (N, classes) to one vector per sample: (N, units)."""

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return super().forward(logits[:, :, None, None]).flatten(1)


class Estimator(nn.Module):
    """Donsker-Varadhan estimator of the mutual information of a pattern and logits, one value per sample."""

    def __init__(self, units: int, channels: int, classes: int):
        super().__init__()
        self.local = LocalEncoder(units, channels)
        self.global_ = GlobalEncoder(classes, units)

    def load_state_dict(self, state: dict[str, torch.Tensor]):
        # `global` is a word of Python's.
        return super().load_state_dict(
            {name.replace("global.", "global_.", 1): value for name, value in state.items()}
        )

    def losses(self, patterns: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Minus the information of every sample; all other patterns of the batch are its negatives."""
        local, outputs = self.local(patterns), self.global_(logits)
        count = local.size(0)
        scores = torch.einsum("ic,jcp->ijp", outputs, local)
        own = torch.eye(count, device=scores.device)[:, :, None]
        positive = (scores * own).sum(1)
        negative = torch.logsumexp(scores * (1 - own), 1) - math.log(count - 1)
        return (negative - positive).mean(1)
