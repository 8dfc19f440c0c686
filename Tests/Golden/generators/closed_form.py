"""Tensors that a test can rebuild from their name alone, so that no weights need storing."""

import math

import torch

FREQUENCY = 0.37
MODULUS = 1009


def phase(key):
    """Phase of a tensor's name: its UTF-8 bytes, each weighted with its 1-based position."""
    total = sum(byte * (place + 1) for place, byte in enumerate(key.encode("utf-8")))
    return (total % 997) / 97.0


def wave(key, shape):
    """sin(0.37 k + phase(key)) in float64, k = i + (i*i mod 1009) over the row-major index i.

    The quadratic part keeps the rows of a matrix linearly independent. With k = i every weight
    matrix has rank 2, and batch norm then amplifies rounding until float32 cannot be compared.
    """
    i = torch.arange(math.prod(shape), dtype=torch.int64)
    k = i + (i * i) % MODULUS
    return torch.sin(FREQUENCY * k.to(torch.float64) + phase(key)).reshape(shape)


def tensor(key, shape, scale=1.0, offset=0.0):
    """offset + scale * wave, rounded to float32 and widened again: both dtypes start equal."""
    return (offset + scale * wave(key, shape)).to(torch.float32).to(torch.float64)


def image(key, shape):
    """A picture in [0, 1]: 0.5 + 0.5 * wave."""
    return tensor(key, shape, scale=0.5, offset=0.5)


def leaf(value, dtype):
    """A copy in `dtype` that collects a gradient."""
    return value.detach().to(dtype, copy=True).requires_grad_()


def state(network):
    """A closed-form value for every entry of the network's state dict."""
    shapes = {key: value.shape for key, value in network.state_dict().items()}
    return {key: entry(key, shape, shapes) for key, shape in shapes.items()}


def entry(key, shape, shapes):
    """Value of one entry; name and rank of the sibling weight tell its kind."""
    parent, _, name = key.rpartition(".")
    if name == "num_batches_tracked":
        return torch.zeros((), dtype=torch.int64)
    if name == "running_mean":
        return tensor(key, shape, scale=0.05)
    if name == "running_var":
        return tensor(key, shape, scale=0.2, offset=1.0)
    normalises = len(shapes[f"{parent}.weight"]) == 1
    if name == "bias":
        return tensor(key, shape, scale=0.1 if normalises else 0.01)
    if normalises:
        return tensor(key, shape, scale=0.1, offset=1.0)
    return tensor(key, shape, scale=math.sqrt(3.0 / math.prod(shape[1:])))


def fill(network, dtype):
    """The network in `dtype` with every entry set to its closed form."""
    network = network.to(dtype)
    network.load_state_dict(state(network))
    return network


def facts():
    """Samples that a second implementation of the closed form can be checked against."""
    keys = ["input", "conv1.weight", "layer4.1.bn2.running_var", "block_nonlinear.0.weight"]
    indices = [0, 1, 2, 31, 32, 1000, 147455]
    values = {key: wave(key, (max(indices) + 1,)) for key in keys}
    return {
        "indices": indices,
        "phase": {key: phase(key) for key in keys},
        "wave": {key: [float(values[key][i]) for i in indices] for key in keys},
    }
