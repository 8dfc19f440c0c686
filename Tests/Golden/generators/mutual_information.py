"""Values and gradients of the mutual-information losses on fixed features."""

import torch

from . import score_losses as losses
from .closed_form import leaf

N, U, P = 4, 6, 3
ALPHA = 5.0

# Local features sin(a n + b u + c p + d), global features 2 cos(a n + b u + d).
# "example" has the inputs of independently computed numbers; with the others the estimates of
# the outputs to be lowered have mixed signs, so that the floors of Eq. 5 act on some samples.
LOCAL = {
    "example": (0.7, 1.3, 2.1, 0.1),
    "natural": (1.1, 0.9, 1.2, 0.4),
    "adversarial": (0.3, 1.6, 0.9, 0.5),
}
GLOBAL = {
    "example": (0.9, -0.4, 0.2),
    "natural.of_natural": (1.1, 0.8, 0.5),
    "natural.of_adversarial": (0.6, 0.8, 0.7),
    "adversarial.of_natural": (1.1, 1.1, 0.8),
    "adversarial.of_adversarial": (0.7, 1.1, 0.7),
}
SELECTIONS = {
    "all": [1, 1, 1, 1],
    "three": [1, 0, 1, 1],
    "two": [1, 1, 0, 0],
    "one": [0, 1, 0, 0],
    "none": [0, 0, 0, 0],
}
# wrong: natural right and adversarial wrong; robust: both right.
PARTITIONS = {
    "wrong_and_robust": ([1, 0, 1, 0], [0, 1, 0, 1]),
    "wrong_and_robust_and_neither": ([1, 1, 0, 0], [0, 0, 1, 0]),
    "only_wrong": ([1, 0, 1, 1], [0, 0, 0, 0]),
    "only_robust": ([0, 0, 0, 0], [1, 1, 0, 1]),
    "neither": ([0, 0, 0, 0], [0, 0, 0, 0]),
}


def grid(*shape):
    axes = [torch.arange(count, dtype=torch.float64) for count in shape]
    return torch.meshgrid(*axes, indexing="ij")


def global_name(name):
    """natural.of_adversarial -> natural.global.of_adversarial; example -> example.global."""
    estimator, *output = name.split(".")
    return ".".join([estimator, "global", *output])


def features():
    """Local features (N, U, P) and global features (N, U) of the two estimators, float64."""
    n, u, p = grid(N, U, P)
    result = {
        f"{name}.local": torch.sin(a * n + b * u + c * p + d)
        for name, (a, b, c, d) in LOCAL.items()
    }
    n, u = grid(N, U)
    return result | {
        global_name(name): 2 * torch.cos(a * n + b * u + d) for name, (a, b, d) in GLOBAL.items()
    }


def mask(entries, dtype):
    return torch.tensor(entries, dtype=dtype)


class Problem:
    """Leaves for one case, and the losses of both estimators on both outputs."""

    def __init__(self, dtype, leak=True):
        self.leaves = {name: leaf(value, dtype) for name, value in features().items()}
        self.leak = leak

    def positions(self, name):
        """Losses (N, P) of global features by their name in GLOBAL."""
        local = self.leaves[f"{name.split('.')[0]}.local"]
        return losses.dv_positions(local, self.leaves[global_name(name)], self.leak)

    def samples(self, name):
        return self.positions(name).mean(1)

    def pair(self, estimator):
        return (
            self.positions(f"{estimator}.of_natural"), self.positions(f"{estimator}.of_adversarial")
        )

    def gradients(self, case, value):
        """The value and its gradients with respect to every leaf that it depends on."""
        found = torch.autograd.grad(value, list(self.leaves.values()), allow_unused=True)
        result = {f"{case}/value": value.detach()}
        return result | {
            f"{case}/grad.{name}": g for name, g in zip(self.leaves, found) if g is not None
        }


def estimates(dtype):
    result = {}
    for leak in (True, False):
        for output in GLOBAL:
            problem = Problem(dtype, leak)
            name = f"dv.{'leak' if leak else 'no_leak'}/{output}"
            values = problem.positions(output)
            result[f"{name}/positions"] = values.detach()
            result[f"{name}/samples"] = values.mean(1).detach()
            # Weights 1, 2, 3, 4 keep samples apart.
            weighted = (values.mean(1) * torch.arange(1, N + 1, dtype=dtype)).sum()
            result |= problem.gradients(name, weighted)
    problem = Problem(dtype)
    local, glob = problem.leaves["example.local"], problem.leaves["example.global"]
    for name in ("dv_pooled", "jensen_shannon", "info_nce"):
        value = getattr(losses, name)(local, glob)
        if value.dim():
            result[f"{name}/positions"] = value.detach()
        result |= problem.gradients(name, value.mean())
    return result


def estimator_objectives(dtype):
    """Eq. 4, Eq. 5 and the cosine objective; gradients reach local and global features."""
    result = {}
    for estimator, other in (("natural", "adversarial"), ("adversarial", "natural")):
        own_name, other_name = f"{estimator}.of_{estimator}", f"{estimator}.of_{other}"
        for name, entries in SELECTIONS.items():
            selected = mask(entries, dtype)
            problem = Problem(dtype)
            value = losses.eq4(problem.samples(own_name), selected)
            result |= problem.gradients(f"eq4/{estimator}.{name}", value)
            for floor in ("none", "per_sample", "batch_mean"):
                problem = Problem(dtype)
                pair = problem.samples(own_name), problem.samples(other_name)
                value = losses.eq5(*pair, selected, floor)
                result |= problem.gradients(f"eq5.floor_{floor}/{estimator}.{name}", value)
        for name, (wrong, robust) in PARTITIONS.items():
            problem = Problem(dtype)
            pair = [values.mean(1) for values in problem.pair(estimator)]
            objective = getattr(losses, f"authors_{estimator}")
            value = objective(*pair, mask(wrong, dtype), mask(robust, dtype))
            result |= problem.gradients(f"cosine/{estimator}.{name}", value)
    return result


def defence(dtype):
    """alpha L_mi; gradients reach the global features only, the local ones are constants there."""
    result = {}
    settings = [
        ("batch", 0.1, True),
        ("per_position", 0.1, True),
        ("batch", 0.0, True),
        ("batch", 0.1, False),
    ]
    for mode, weight, leak in settings:
        for name, entries in SELECTIONS.items():
            problem = Problem(dtype, leak)
            pairs = problem.pair("natural"), problem.pair("adversarial")
            terms = losses.namid(*pairs, mask(entries, dtype), mode, weight)
            case = f"namid.{mode}.lambda{weight}.{'leak' if leak else 'no_leak'}/{name}"
            found = problem.gradients(case, ALPHA * terms["total"])
            result |= {key: value for key, value in found.items() if ".local" not in key}
            result |= {f"{case}/term.{key}": value.detach() for key, value in terms.items()}
    return result


def tensors(dtype):
    inputs = {f"input/{name}": value for name, value in features().items()}
    return inputs | estimates(dtype) | estimator_objectives(dtype) | defence(dtype)


def facts():
    """The formulas of the inputs, the selections, and all values."""
    found = tensors(torch.float64)
    return {
        "shape": {"N": N, "U": U, "P": P},
        "alpha": ALPHA,
        "local": {f"{name}.local": list(entry) for name, entry in LOCAL.items()},
        "global": {global_name(name): list(entry) for name, entry in GLOBAL.items()},
        "selections": SELECTIONS,
        "partitions": {
            name: {"wrong": wrong, "robust": robust} for name, (wrong, robust) in PARTITIONS.items()
        },
        "samples": {
            key: value.tolist() for key, value in found.items() if key.endswith("/samples")
        },
        "values": {key: value.item() for key, value in found.items() if key.endswith("/value")},
        "terms": {key: value.item() for key, value in found.items() if "/term." in key},
        "cosine_example": cosine_example(),
    }


def cosine_example():
    """One batch cosine on hand-picked losses."""
    nat = torch.tensor([-1.0, -2.5, -0.5, -3.0, 0.2], dtype=torch.float64)
    adv = torch.tensor([-0.4, -2.0, -1.5, -0.1, 0.3], dtype=torch.float64)
    selected = [1, 0, 1, 1, 0]
    value = losses.cosine(nat, adv, mask(selected, torch.float64)).item()
    return {
        "natural": nat.tolist(), "adversarial": adv.tolist(), "selected": selected,
        "cosine": value, "loss": abs(1 - value),
    }


def check(known):
    """Agreement with numbers that an independent implementation gave."""
    found = tensors(torch.float64)
    pairs = {
        "dv_per_sample_namid": found["dv.leak/example/samples"].tolist(),
        "dv_mean_namid": found["dv.leak/example/samples"].mean().item(),
        "dv_per_sample_strict_no_plus1": found["dv.no_leak/example/samples"].tolist(),
        "dv_zhu_per_location": found["dv_pooled/positions"].tolist(),
        "dv_zhu_scalar": found["dv_pooled/value"].item(),
        "fd_JSD_scalar": found["jensen_shannon/value"].item(),
        "nce_scalar": found["info_nce/value"].item(),
    }
    result = {name: (value, known[name]) for name, value in pairs.items()}
    example = cosine_example()
    result["cos"] = (example["cosine"], known["cos_example"]["cos"])
    result["L_cos"] = (example["loss"], known["cos_example"]["L_cos"])
    return result
