"""Bounds and moments of PyTorch's default initialisation."""

import math

import torch
from torch import nn

CONVOLUTIONS = [(3, 64, 3), (64, 64, 3), (64, 128, 1), (1, 16, 4), (16, 32, 4), (128, 2048, 1)]
LINEARS = [(512, 10), (1568, 100), (100, 10), (10, 2048)]


def moments(values):
    """Sample moments of one drawing."""
    values = values.detach().double().flatten()
    return {
        "count": values.numel(),
        "mean": float(values.mean()),
        "variance": float(values.var(unbiased=False)),
        "mean_absolute": float(values.abs().mean()),
        "largest_absolute": float(values.abs().max()),
    }


def described(layer, fan_in):
    bound = 1.0 / math.sqrt(fan_in)
    drawn = {"weight": moments(layer.weight), "bias": moments(layer.bias)}
    for name, sample in drawn.items():
        assert sample["largest_absolute"] <= bound, name
    return {
        "fan_in": fan_in,
        "weight_bound": bound,
        "bias_bound": bound,
        "variance": bound**2 / 3,
        "sample": drawn,
    }


def facts():
    """Weights and biases are uniform on (-bound, bound); `sample` is one drawing of PyTorch."""
    torch.manual_seed(0)
    result = {}
    for inputs, outputs, kernel in CONVOLUTIONS:
        name = f"conv2d.{outputs}x{inputs}x{kernel}x{kernel}"
        result[name] = described(nn.Conv2d(inputs, outputs, kernel), inputs * kernel**2)
    for inputs, outputs in LINEARS:
        result[f"linear.{outputs}x{inputs}"] = described(nn.Linear(inputs, outputs), inputs)
    return result
