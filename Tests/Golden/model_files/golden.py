"""Weights of the networks, and what PyTorch computes from them."""

from __future__ import annotations

import copy
import math
import pathlib
import zlib
from collections.abc import Callable
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F


def seed(name: str) -> None:
    """Makes all that follows depend on a name alone."""
    torch.manual_seed(zlib.crc32(name.encode()))


def pictures(side: int = 32) -> Tensor:
    """The two images that all networks get: steps of 1/256, which all real types hold exactly.

    At 64 pixels every pixel stands four times.
    """
    generator = torch.Generator().manual_seed(18)
    images = torch.randint(0, 256, (2, 3, 32, 32), generator=generator) / 256
    return images.repeat_interleave(side // 32, 2).repeat_interleave(side // 32, 3)


def shaken(model: nn.Module, side: int = 32) -> nn.Module:
    """The model in evaluation mode with statistics of a batch, all of them shaken so that a mix-up
    shows.

    Statistics are measured in float64 and rounded to bfloat16, so that they do not depend on the
    processor.
    """
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d | nn.LayerNorm | nn.GroupNorm | nn.InstanceNorm2d):
                part.weight.uniform_(0.6, 1.4)
                part.bias.normal_(0, 0.2)
        probe = copy.deepcopy(model).double().eval()
        measured = [part for part in probe.modules() if isinstance(part, nn.BatchNorm2d)]
        for part in measured:
            part.train()
            part.momentum = 1.0
        probe(torch.rand(8, 3, side, side, dtype=torch.float64))
        for part, source in zip(norms, measured, strict=True):
            spread = source.running_var.sqrt() * torch.randn(source.running_mean.shape)
            part.running_mean.copy_((source.running_mean + 0.1 * spread).bfloat16())
            factors = 0.7 + 0.7 * torch.rand(source.running_var.shape)
            part.running_var.copy_((source.running_var * factors + 1e-3).bfloat16())
            part.num_batches_tracked.fill_(391)
    # The last layer is scaled by a power of two, so that numbers are of order one whatever stands
    # before it.
    logits, gradient = answer(copy.deepcopy(model).double().eval(), pictures(side).double())
    wanted = min(0.3 / float(gradient[0].abs().max()), 8 / float(logits.abs().max()))
    head = [part for part in model.modules() if isinstance(part, nn.Linear)][-1]
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.mul_(2.0 ** round(math.log2(wanted)))
    return model.eval()


def answer(model: Callable[[Tensor], Any], images: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (the first of several answers) and the gradient of the summed cross-entropy with the
    labels 0, 1, …
    """
    images = images.detach().clone().requires_grad_(True)
    output = model(images)
    output = output["logits"] if isinstance(output, dict) else output
    logits = output[0] if isinstance(output, tuple) else output
    loss = F.cross_entropy(logits, torch.arange(len(images)), reduction="sum")
    (gradient,) = torch.autograd.grad(loss, images)
    return logits.detach(), gradient


def write_golden(path: pathlib.Path, model: nn.Module, side: int = 32) -> None:
    """Writes logits and gradient of an ordinary network, computed in float64."""
    exact = answer(copy.deepcopy(model).double(), pictures(side).double())
    rounded = answer(model, pictures(side))
    for name, precise, single in zip(("logits", "gradient"), exact, rounded, strict=True):
        error = float((precise - single).abs().max())
        if not error < 2e-5:
            raise SystemExit(
                f"{path.stem}: {name} in float32 are {error:.1e} off; choose another name"
            )
    write_answer(path, *exact)


def write_answer(path: pathlib.Path, logits: Tensor, gradient: Tensor) -> None:
    """Writes a network's two tensors."""
    save_file({"logits": logits.float(), "input_gradient": gradient[:1].float().contiguous()}, path)
