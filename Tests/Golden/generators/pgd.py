"""Projected gradient descent on a linear classifier from fixed starts."""

import torch
import torch.nn.functional as F

from .closed_form import image, leaf, tensor

SAMPLES, CLASSES, PIXELS = 3, 4, (1, 4, 4)
LABELS = torch.tensor([0, 2, 3])
KEPT = (1, 3, 10)
CASES = {
    "linf.wide": {"norm": "linf", "epsilon": 0.1, "step": 0.03},
    "linf.narrow": {"norm": "linf", "epsilon": 8 / 255, "step": 2 / 255},
    "l2": {"norm": "l2", "epsilon": 0.5, "step": 0.125},
}


def inputs():
    pixels = 1
    for side in PIXELS:
        pixels *= side
    return {
        "weight": tensor("pgd/weight", (CLASSES, pixels)),
        "bias": tensor("pgd/bias", (CLASSES,), scale=0.1),
        "images": image("pgd/images", (SAMPLES, *PIXELS)),
    }


def project(images, delta, norm, epsilon):
    """First the norm ball, then the box [0, 1]."""
    if norm == "linf":
        delta = delta.clamp(-epsilon, epsilon)
    else:
        length = delta.flatten(1).norm(dim=1)[:, None, None, None]
        delta = delta * (epsilon / (length + 1e-12)).clamp(max=1.0)
    return (images + delta).clamp(0.0, 1.0)


def direction(gradient, norm):
    if norm == "linf":
        return gradient.sign()
    return gradient / (gradient.flatten(1).norm(dim=1)[:, None, None, None] + 1e-12)


def attack(data, start, options):
    """Yields the step and the iterate after it; the loss is the sum of cross-entropies."""
    current = start
    images, norm = data["images"], options["norm"]
    for step in range(1, max(KEPT) + 1):
        variable = leaf(current, current.dtype)
        logits = F.linear(variable.flatten(1), data["weight"], data["bias"])
        loss = F.cross_entropy(logits, LABELS, reduction="sum")
        gradient = torch.autograd.grad(loss, variable)[0]
        moved = variable.detach() + options["step"] * direction(gradient, norm)
        current = project(images, moved - images, norm, options["epsilon"])
        yield step, current, gradient


def tensors(dtype):
    data = inputs()
    result = dict(data)
    for case, options in CASES.items():
        noise = tensor(f"pgd/{case}/noise", data["images"].shape, scale=0.5 * options["epsilon"])
        start = project(data["images"], noise, options["norm"], options["epsilon"]).float().double()
        result[f"{case}/start"] = start
        wide = {name: value.to(dtype) for name, value in data.items()}
        for step, current, gradient in attack(wide, start.to(dtype), options):
            if step == 1:
                result[f"{case}/grad.start"] = gradient
            if step in KEPT:
                result[f"{case}/step{step}"] = current
    return result


def extra_tensors():
    return {"labels": LABELS}


def facts():
    """Options, and how many pixels the box holds back at the last kept step."""
    found = tensors(torch.float64)
    result = {}
    for case, options in CASES.items():
        last = found[f"{case}/step{max(KEPT)}"]
        held = int(((last == 0) | (last == 1)).sum())
        assert held > 0, f"{case}: the box should be active somewhere"
        result[case] = dict(options, steps=list(KEPT), pixels_at_box=held)
    return result
