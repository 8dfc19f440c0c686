"""Classification losses and their gradients with respect to the logits."""

import torch
import torch.nn.functional as F

from .closed_form import leaf

SAMPLES, CLASSES = 5, 4
LABELS = torch.tensor([0, 1, 2, 3, 0])


def logits():
    """z_nat[b,c] = 3 sin(1.1b + 0.5c^2 + 0.3), z_adv[b,c] = 3 cos(0.8b - 0.6c^2 + 0.1)."""
    b = torch.arange(SAMPLES, dtype=torch.float64)[:, None]
    c = torch.arange(CLASSES, dtype=torch.float64)[None, :]
    return 3 * torch.sin(1.1 * b + 0.5 * c**2 + 0.3), 3 * torch.cos(0.8 * b - 0.6 * c**2 + 0.1)


def kl_per_sample(z_nat, z_adv):
    """KL(p(x) || p(x~)) of each sample."""
    log_p, log_q = F.log_softmax(z_nat, 1), F.log_softmax(z_adv, 1)
    return (log_p.exp() * (log_p - log_q)).sum(1)


def kl_term(z_nat, z_adv):
    return kl_per_sample(z_nat, z_adv).mean()


def trades(z_nat, z_adv, beta):
    return F.cross_entropy(z_nat, LABELS) + beta * kl_term(z_nat, z_adv)


def mart_boosted(z_adv):
    """CE of x~ minus the mean of log(1.0001 - p of the likeliest wrong class + 1e-12)."""
    p = F.softmax(z_adv, 1)
    wrong = p.masked_fill(F.one_hot(LABELS, CLASSES).bool(), -1.0).amax(1)
    return F.cross_entropy(z_adv, LABELS) - torch.log(1.0001 - wrong + 1e-12).mean()


def mart(z_nat, z_adv, beta):
    p, q = F.softmax(z_nat, 1), F.softmax(z_adv, 1)
    log_q = torch.log(q + 1e-12)
    divergence = (p * (p.log() - log_q)).sum(1)
    weight = 1.0000001 - p.gather(1, LABELS[:, None])[:, 0]
    return mart_boosted(z_adv) + beta * (divergence * weight).mean()


CASES = {
    "cross_entropy.mean": lambda nat, adv: F.cross_entropy(nat, LABELS),
    "cross_entropy.sum": lambda nat, adv: F.cross_entropy(nat, LABELS, reduction="sum"),
    "cross_entropy.none": lambda nat, adv: F.cross_entropy(nat, LABELS, reduction="none"),
    "cross_entropy.smoothing.mean": lambda nat, adv: F.cross_entropy(
        nat, LABELS, label_smoothing=0.1
    ),
    "cross_entropy.smoothing.sum": lambda nat, adv: F.cross_entropy(
        nat, LABELS, reduction="sum", label_smoothing=0.1
    ),
    "cross_entropy.smoothing.none": lambda nat, adv: F.cross_entropy(
        nat, LABELS, reduction="none", label_smoothing=0.1
    ),
    "cross_entropy.adversarial.mean": lambda nat, adv: F.cross_entropy(adv, LABELS),
    "kl.none": kl_per_sample,
    "kl.sum": lambda nat, adv: kl_per_sample(nat, adv).sum(),
    "kl.batchmean": kl_term,
    "trades.beta6": lambda nat, adv: trades(nat, adv, 6.0),
    "mart.boosted": lambda nat, adv: mart_boosted(adv),
    "mart.beta5": lambda nat, adv: mart(nat, adv, 5.0),
    "mart.beta6": lambda nat, adv: mart(nat, adv, 6.0),
}


def tensors(dtype):
    nat, adv = logits()
    result = {"logits.natural": nat, "logits.adversarial": adv}
    for case, loss in CASES.items():
        leaves = [leaf(nat, dtype), leaf(adv, dtype)]
        value = loss(*leaves)
        # A loss per sample is summed with weights 1, 2, ..., so that samples cannot be confused.
        weights = torch.arange(1, 1 + value.numel(), dtype=dtype).reshape(value.shape)
        gradients = torch.autograd.grad(value, leaves, weights, allow_unused=True)
        result[f"{case}/value"] = value.detach()
        for name, gradient in zip(("natural", "adversarial"), gradients):
            if gradient is not None:
                result[f"{case}/grad.{name}"] = gradient
    return result


def extra_tensors():
    return {"labels": LABELS}


def facts():
    """Values, and the labels that selection by Eq. 6 works on."""
    values = tensors(torch.float64)
    nat, adv = logits()
    result = {
        "labels": LABELS.tolist(),
        "values": {case: values[f"{case}/value"].tolist() for case in CASES},
        "selection": {},
    }
    predictions = {
        "argmax": (nat.argmax(1), adv.argmax(1)),
        "batch_softmax": (F.softmax(nat, 0).argmax(1), F.softmax(adv, 0).argmax(1)),
    }
    for name, (natural, adversarial) in predictions.items():
        right = natural == LABELS
        result["selection"][name] = {
            "label.natural": natural.tolist(),
            "label.adversarial": adversarial.tolist(),
            "correct": right.int().tolist(),
            "selected": (right & (adversarial != LABELS)).int().tolist(),
            "robust": (right & (adversarial == LABELS)).int().tolist(),
        }
    return result


def check(known):
    """Agreement with numbers that an independent implementation gave."""
    values = facts()["values"]
    pairs = {
        "ce_nat": values["cross_entropy.mean"],
        "ce_adv": values["cross_entropy.adversarial.mean"],
        "trades_kl_term": values["kl.batchmean"],
        "trades_loss_beta6": values["trades.beta6"],
        "mart_loss_beta5": values["mart.beta5"],
        "mart_loss_beta6": values["mart.beta6"],
    }
    labels = facts()["selection"]
    assert labels["argmax"]["label.natural"] == known["argmax_nat"]
    assert labels["argmax"]["label.adversarial"] == known["argmax_adv"]
    assert labels["batch_softmax"]["label.natural"] == known["batch_softmax_label_nat"]
    assert labels["batch_softmax"]["label.adversarial"] == known["batch_softmax_label_adv"]
    return {name: (value, known[name]) for name, value in pairs.items()}
