"""The networks whose logits and keys the golden files pin down."""

import torch
import torch.nn.functional as F
from torch import nn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch norm around a shortcut."""

    def __init__(self, inputs, outputs, stride):
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

    def forward(self, x):
        hidden = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(hidden)) + self.shortcut(x))


class ResNet18(nn.Module):
    """ResNet-18 with the stem for small images: one 3x3 convolution, no max pooling."""

    def __init__(self, width=64, padding=1, classes=10, channels=3):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, padding, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for stage in range(4):
            outputs = width << stage
            blocks = nn.Sequential(
                BasicBlock(inputs, outputs, 1 if stage == 0 else 2),
                BasicBlock(outputs, outputs, 1),
            )
            setattr(self, f"layer{stage + 1}", blocks)
            inputs = outputs
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


class SmallCNN(nn.Module):
    """Two 4x4 convolutions with stride 2 and two linear layers, for 28x28 grey images."""

    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 4, 2, 1)
        self.conv2 = nn.Conv2d(16, 32, 4, 2, 1)
        self.fc1 = nn.Linear(32 * 7 * 7, 100)
        self.fc2 = nn.Linear(100, classes)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class ChannelsLast(nn.Module):
    """Moves the channels of NCHW to the end."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1)


class ChannelsFirst(nn.Module):
    """Moves the channels of NHWC back behind the batch."""

    def forward(self, x):
        return x.permute(0, 3, 1, 2)


class Head(nn.Module):
    """1x1 block plus linear shortcut, normalised over the units at each position."""

    def __init__(self, inputs, units):
        super().__init__()
        self.block_nonlinear = nn.Sequential(
            nn.Conv2d(inputs, units, 1, bias=False),
            nn.BatchNorm2d(units),
            nn.ReLU(),
            nn.Conv2d(units, units, 1),
        )
        self.block_ln = nn.Sequential(ChannelsLast(), nn.LayerNorm(units), ChannelsFirst())
        self.linear_shortcut = nn.Conv2d(inputs, units, 1, bias=False)

    def forward(self, x):
        return self.block_ln(self.block_nonlinear(x) + self.linear_shortcut(x))


class LocalEncoder(Head):
    """Images to `units` features at each cell of a grid with a quarter of the image's side."""

    def __init__(self, channels=3, units=2048, hidden=128):
        super().__init__(hidden, units)
        self.layer0 = self.stage(channels, 64)
        self.layer1 = self.stage(64, hidden)
        # The trunk comes first in the state dict of the authors' checkpoints.
        for name in ("block_nonlinear", "block_ln", "linear_shortcut"):
            self._modules[name] = self._modules.pop(name)

    @staticmethod
    def stage(inputs, outputs):
        conv = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())

    def forward(self, x):
        return super().forward(self.layer1(self.layer0(x)))


class GlobalEncoder(Head):
    """Logits (N, C) to features (N, units, 1, 1)."""

    def __init__(self, inputs=10, units=2048):
        super().__init__(inputs, units)

    def forward(self, logits):
        return super().forward(logits[:, :, None, None])
