"""The networks of the comparison in plain PyTorch, with the parameter names of the files that the suite writes.

ResNet-18 is the one whose logits the golden files pin down.
"""

import math
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "Golden"))
from generators.networks import ResNet18  # noqa: E402, F401


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
