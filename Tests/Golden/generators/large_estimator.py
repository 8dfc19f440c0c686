"""An estimator for images of 64x64 pixels and logits of 200 classes, as Tiny-ImageNet has."""

import torch
from torch import nn

from .closed_form import fill, image, leaf, tensor
from .models import gradient_norms, key_list, parameters
from .networks import GlobalEncoder, LocalEncoder
from .score_losses import dv_positions

CLASSES, PIXELS, SAMPLES, UNITS = 200, 64, 3, 16


class Estimator(nn.Module):
    """Both encoders; gives their features (N, units, positions) and (N, units)."""

    def __init__(self, units):
        super().__init__()
        self.local = LocalEncoder(3, units)
        setattr(self, "global", GlobalEncoder(CLASSES, units))

    def forward(self, images, logits):
        return self.local(images).flatten(2), getattr(self, "global")(logits).flatten(1)


def tensors(dtype):
    result = {}
    for mode in ("eval", "train"):
        network = fill(Estimator(UNITS), dtype).train(mode == "train")
        images = leaf(image("input", (SAMPLES, 3, PIXELS, PIXELS)), dtype)
        logits = leaf(tensor("logits", (SAMPLES, CLASSES), scale=2.0), dtype)
        local, outputs = network(images, logits)
        losses = dv_positions(local, outputs)
        losses.mean().backward()
        result |= {
            f"{mode}/local.first": local[0].T,
            f"{mode}/losses": losses,
            f"{mode}/grad.logits": logits.grad,
            f"{mode}/grad_norm.input": images.grad.norm(),
        }
        result |= gradient_norms(mode, network)
    return result


def facts():
    with torch.device("meta"):
        network = Estimator(2048)
    return {"parameters": parameters(network), "state_dict": key_list(network)}
