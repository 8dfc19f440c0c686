"""Mutual-information losses on score matrices, written from their formulas.

L (N, U, P) are local features, G (N, U) global ones. u[i,j,p] = sum_c G[i,c] L[j,c,p] scores
output i against image j at position p. A loss is minus the estimate of mutual information.
"""

import math

import torch
import torch.nn.functional as F


def scores(local, glob):
    return torch.einsum("ic,jcp->ijp", glob, local)


def dv_positions(local, glob, leak=True):
    """Donsker-Varadhan loss (N, P), anchored on output i; `leak` keeps the positive as exp(0)."""
    u = scores(local, glob)
    count = len(u)
    diagonal = torch.eye(count, dtype=torch.bool)[:, :, None]
    negatives = u.masked_fill(diagonal, 0.0 if leak else -math.inf)
    positive = torch.diagonal(u, dim1=0, dim2=1).T
    return torch.logsumexp(negatives, 1) - math.log(count - 1) - positive


def dv(local, glob, leak=True):
    """The loss (N,) of each sample."""
    return dv_positions(local, glob, leak).mean(1)


def dv_pooled(local, glob):
    """The variant with one pool of negatives for all outputs: a loss per position (P,)."""
    u = scores(local, glob)
    count = len(u)
    diagonal = torch.eye(count, dtype=torch.bool)[:, :, None]
    negatives = u.masked_fill(diagonal, 0.0).flatten(0, 1)
    positive = torch.diagonal(u, dim1=0, dim2=1).mean(1)
    return torch.logsumexp(negatives, 0) - math.log(count * (count - 1)) - positive


def jensen_shannon(local, glob):
    """Scalar loss from the Jensen-Shannon bound, mean over positions."""
    u = scores(local, glob)
    off = ~torch.eye(len(u), dtype=torch.bool)
    positive = (math.log(2) - F.softplus(-u)).mean(2)
    negative = (F.softplus(-u) + u - math.log(2)).mean(2)
    return negative[off].mean() - positive[~off].mean()


def info_nce(local, glob):
    """Scalar loss: each positive against all entries of its output, positives among them at -10."""
    u = scores(local, glob)
    diagonal = torch.eye(len(u), dtype=torch.bool)[:, :, None]
    negatives = u.masked_fill(diagonal, -10.0).flatten(1)
    positive = torch.diagonal(u, dim1=0, dim2=1).T
    repeated = negatives[:, None, :].expand(-1, u.shape[2], -1)
    everything = torch.cat([positive[:, :, None], repeated], 2)
    return -F.log_softmax(everything, 2)[:, :, 0].mean()


def mean_over(values, selected):
    """Mean over the selected samples."""
    return (values * selected).sum() / selected.sum()


def cosine(left, right, selected):
    """One cosine over the batch vector with the other samples set to zero."""
    return F.cosine_similarity(left * selected, right * selected, dim=0, eps=1e-8)


def eq4(loss, selected):
    """Eq. 4: the selected samples' mean, or the whole batch where none is selected."""
    return mean_over(loss, selected) if selected.any() else loss.mean()


def eq5(own, other, selected, floor):
    """Eq. 5 as a loss: raise the estimate -own, lower the estimate -other, on selected samples.

    floor: "none" (the formula as printed, unbounded below), "per_sample" (each lowered estimate
    counts as max(estimate, 0)), "batch_mean" (their mean counts as max(mean, 0)).
    """
    if not selected.any():
        return (own.sum() + other.sum()) * 0.0
    if floor == "per_sample":
        lowered = mean_over((-other).clamp(min=0), selected)
    else:
        lowered = mean_over(-other, selected)
        lowered = lowered.clamp(min=0) if floor == "batch_mean" else lowered
    return mean_over(own, selected) + lowered


def authors_natural(nat, adv, wrong, robust):
    """The cosine objective of the authors' code for the natural estimator."""
    correct = wrong.sum() + robust.sum()
    if correct == 0:
        return nat.mean()
    loss = nat.sum() * 0.0
    if wrong.any():
        loss = loss + 5 * cosine(nat, adv, wrong).abs() + (nat * wrong).sum() / correct
    if robust.any():
        part = 5 * (1 - cosine(nat, adv, robust)).abs() + (nat * robust).sum() / correct
        loss = loss + 0.5 * part
    return loss


def authors_adversarial(nat, adv, wrong, robust):
    """The cosine objective of the authors' code for the adversarial estimator."""
    if not (wrong.any() or robust.any()):
        return adv.mean()
    loss = adv.sum() * 0.0
    if wrong.any():
        loss = loss + 5 * cosine(adv, nat, wrong).abs() + mean_over(adv, wrong)
    if robust.any():
        part = 8 * (1 - cosine(nat, adv, robust)).abs() - 0.1 * mean_over(adv, robust)
        loss = loss + 0.5 * part
    return loss


def namid_cosine(nat, adv, selected, mode):
    """L_cos of one estimator from its position-wise losses (N, P)."""
    if mode == "batch":
        return (1 - cosine(nat.mean(1), adv.mean(1), selected)).abs()
    return mean_over((1 - F.cosine_similarity(nat, adv, dim=1, eps=1e-8)).abs(), selected)


def namid(natural, adversarial, selected, mode, weight):
    """Eq. 8: the three terms of L_mi. Each pair holds the position-wise losses (of x, of x~)."""
    if not selected.any():
        zero = sum(value.sum() for value in natural + adversarial) * 0.0
        return dict.fromkeys(("cosine.natural", "cosine.adversarial", "difference", "total"), zero)
    terms = {
        "cosine.natural": namid_cosine(*natural, selected, mode),
        "cosine.adversarial": namid_cosine(*adversarial, selected, mode),
        "difference": mean_over(natural[1].mean(1) - adversarial[1].mean(1), selected),
    }
    total = terms["cosine.natural"] + terms["cosine.adversarial"] + weight * terms["difference"]
    return terms | {"total": total}
