"""Whole training losses of all defenses on one small network, and one step at perturbed weights."""

import torch
import torch.nn.functional as F
from torch import nn

from . import score_losses as losses
from .closed_form import fill, image, tensor
from .losses import kl_per_sample
from .networks import GlobalEncoder, LocalEncoder, SmallCNN

SAMPLES, CLASSES, UNITS = 6, 10, 8
SHAPE = (SAMPLES, 1, 28, 28)
ALPHA, LAMBDA, TRADES_BETA, MART_BETA, WMIM_WEIGHT, SMOOTHING = 5.0, 0.1, 6.0, 5.0, 0.1, 0.1
GAMMA = 0.01
SGD = {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4}


class Estimator(nn.Module):
    """A local and a global encoder; losses (N, P) of logits against patterns."""

    def __init__(self):
        super().__init__()
        self.add_module("local", LocalEncoder(1, UNITS))
        self.add_module("global", GlobalEncoder(CLASSES, UNITS))

    def forward(self, patterns, logits):
        local = self.get_submodule("local")(patterns).flatten(2)
        return losses.dv_positions(local, self.get_submodule("global")(logits).flatten(1))


def labels():
    """The network's own answers on natural pictures, but for the last sample."""
    network = fill(SmallCNN(), torch.float64)
    answers = network(image("input", SHAPE)).argmax(1)
    answers[-1] = (answers[-1] + 1) % CLASSES
    return answers


class Step:
    """Pictures, labels, the network with closed-form weights, and its logits."""

    def __init__(self, dtype):
        self.network = fill(SmallCNN(), dtype)
        self.estimator = fill(Estimator(), dtype).eval().requires_grad_(False)
        self.natural = image("input", SHAPE).to(dtype)
        # Not within [0, 1], so that the narrow network errs on some of them.
        self.attacked = tensor("attacked", SHAPE).to(dtype)
        self.labels = labels()
        self.z, self.z_adv = self.network(self.natural), self.network(self.attacked)
        right = self.z.argmax(1) == self.labels
        self.selected = (right & (self.z_adv.argmax(1) != self.labels)).to(dtype)

    def standard(self, smoothing=0.0):
        return F.cross_entropy(self.z_adv, self.labels, label_smoothing=smoothing)

    def trades(self):
        divergence = kl_per_sample(self.z, self.z_adv).mean()
        return F.cross_entropy(self.z, self.labels) + TRADES_BETA * divergence

    def mart(self):
        p, q = F.softmax(self.z, 1), F.softmax(self.z_adv, 1)
        one_hot = F.one_hot(self.labels, CLASSES).bool()
        margin = -torch.log(1.0001 - q.masked_fill(one_hot, -1.0).amax(1) + 1e-12).mean()
        divergence = (p * (p.log() - torch.log(q + 1e-12))).sum(1)
        weight = 1.0000001 - p[one_hot]
        return self.standard() + margin + MART_BETA * (divergence * weight).mean()

    def information(self, z, z_adv):
        pairs = [
            [self.estimator(patterns, logits) for logits in (z, z_adv)]
            for patterns in (self.natural, self.attacked - self.natural)
        ]
        return losses.namid(*pairs, self.selected, "batch", LAMBDA)["total"]

    def namid(self, base):
        return base + ALPHA * self.information(self.z, self.z_adv)

    def pairing(self):
        """Logits pulled together, as strongly as the information pulls in this batch."""
        leaves = [logits.detach().requires_grad_() for logits in (self.z, self.z_adv)]
        strength = norm(torch.autograd.grad(self.information(*leaves), leaves))
        own = norm(torch.autograd.grad(self.distance(*leaves), leaves))
        return self.standard() + ALPHA * strength / own * self.distance(self.z, self.z_adv)

    def distance(self, z, z_adv):
        return 0.5 * losses.mean_over((z - z_adv).square().sum(1), self.selected)

    def wmim(self):
        return self.standard() + WMIM_WEIGHT * self.estimator(self.attacked, self.z_adv).mean()


def norm(tensors):
    return torch.cat([tensor.flatten() for tensor in tensors]).norm()


CASES = {
    "standard": lambda step: step.standard(),
    "standard.smoothing": lambda step: step.standard(SMOOTHING),
    "trades": lambda step: step.trades(),
    "mart": lambda step: step.mart(),
    "namid": lambda step: step.namid(step.standard()),
    "namid-t": lambda step: step.namid(step.trades()),
    "namid-m": lambda step: step.namid(step.mart()),
    "namid.pairing": lambda step: step.pairing(),
    "wmim": lambda step: step.wmim(),
}


def perturbed_step(dtype, case):
    """A step of SGD at weights moved up the loss: w + v, step, then minus v."""
    step = Step(dtype)
    weights = dict(step.network.named_parameters())
    matrices = {name: w for name, w in weights.items() if "weight" in name and w.dim() > 1}
    ascent = torch.autograd.grad(CASES[case](step), list(matrices.values()))
    shifts = []
    for w, g in zip(matrices.values(), ascent):
        g = 0.01 * g
        shifts.append(GAMMA * w.detach().norm() / (g.norm() + 1e-20) * g)
    optimizer = torch.optim.SGD(step.network.parameters(), **SGD)
    with torch.no_grad():
        for w, v in zip(matrices.values(), shifts):
            w += v
    step.z, step.z_adv = step.network(step.natural), step.network(step.attacked)
    loss = CASES[case](step)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for w, v in zip(matrices.values(), shifts):
            w -= v
    result = {"loss": loss.detach(), "weight.fc2.weight": weights["fc2.weight"].detach()}
    return result | {f"weight_norm.{name}": w.detach().norm() for name, w in weights.items()}


def tensors(dtype):
    result = {}
    for case, loss in CASES.items():
        step = Step(dtype)
        value = loss(step)
        value.backward()
        result[f"{case}/value"] = value.detach()
        result[f"{case}/grad.fc2.bias"] = step.network.fc2.bias.grad
        for name, weight in step.network.named_parameters():
            result[f"{case}/grad_norm.{name}"] = weight.grad.norm()
    for case in ("standard", "trades"):
        for name, value in perturbed_step(dtype, case).items():
            result[f"perturbed.{case}/{name}"] = value
    return result


def extra_tensors():
    return {"labels": labels()}


def facts():
    step = Step(torch.float64)
    found = tensors(torch.float64)
    return {
        "labels": step.labels.tolist(),
        "selected": step.selected.int().tolist(),
        "values": {name: value.item() for name, value in found.items() if name.endswith("/value")},
    }
