"""Pre-activation networks and VGG-19, whose logits and keys the golden files pin down."""

import math

import torch.nn.functional as F
from torch import nn


class PreActivationBlock(nn.Module):
    """Two 3x3 convolutions after batch norm and ReLU; the shortcut reads the first ReLU."""

    def __init__(self, inputs, outputs, stride, shortcut, nested):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bypass = None
        if stride != 1 or inputs != outputs:
            convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.bypass = shortcut
            setattr(self, shortcut, nn.Sequential(convolution) if nested else convolution)

    def forward(self, x):
        active = F.relu(self.bn1(x))
        beside = getattr(self, self.bypass)(active) if self.bypass else x
        return self.conv2(F.relu(self.bn2(self.conv1(active)))) + beside


class PreActResNet18(nn.Module):
    """ResNet-18 of pre-activation blocks, with batch norm and ReLU before the pooling."""

    def __init__(self, width=64, classes=10, channels=3, padding=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, padding, bias=False)
        inputs = width
        for stage in range(4):
            outputs = width << stage
            blocks = nn.Sequential(
                PreActivationBlock(inputs, outputs, 1 if stage == 0 else 2, "shortcut", True),
                PreActivationBlock(outputs, outputs, 1, "shortcut", True),
            )
            setattr(self, f"layer{stage + 1}", blocks)
            inputs = outputs
        self.bn = nn.BatchNorm2d(inputs)
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.conv1(x)))))
        return self.linear(F.adaptive_avg_pool2d(F.relu(self.bn(x)), 1).flatten(1))


class Stage(nn.Module):
    """The blocks of one width of a wide residual network."""

    def __init__(self, inputs, outputs, depth, stride):
        super().__init__()
        blocks = [PreActivationBlock(inputs, outputs, stride, "convShortcut", False)]
        while len(blocks) < depth:
            blocks.append(PreActivationBlock(outputs, outputs, 1, "convShortcut", False))
        self.layer = nn.Sequential(*blocks)

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """A wide residual network; `width` is 16 times the widening factor."""

    def __init__(self, depth=34, width=160, classes=10, channels=3, padding=1):
        super().__init__()
        blocks = (depth - 4) // 6
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, padding, bias=False)
        self.block1 = Stage(16, width, blocks, 1)
        self.block2 = Stage(width, 2 * width, blocks, 2)
        self.block3 = Stage(2 * width, 4 * width, blocks, 2)
        self.bn1 = nn.BatchNorm2d(4 * width)
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(F.adaptive_avg_pool2d(F.relu(self.bn1(x)), 1).flatten(1))


class VGG19(nn.Module):
    """VGG-19 with batch norm and one linear layer on all that the last pooling leaves."""

    def __init__(self, width=64, classes=10, channels=3, size=32, padding=1):
        super().__init__()
        layers, inputs = [], channels
        for stage, depth in enumerate((2, 2, 4, 4, 4)):
            outputs = width << min(stage, 3)
            for _ in range(depth):
                pad = 1 if layers else padding
                layers.append(nn.Conv2d(inputs, outputs, 3, 1, pad))
                layers += [nn.BatchNorm2d(outputs), nn.ReLU()]
                inputs = outputs
            # Ceil mode matters only where a side is odd (28: 7, 4, 2, 1).
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
        self.features = nn.Sequential(*layers)
        side = math.ceil((size + 2 * (padding - 1)) / 32)
        self.classifier = nn.Linear(inputs * side * side, classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))
