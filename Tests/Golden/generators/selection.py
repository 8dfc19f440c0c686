"""Which samples Eq. 6 selects, by plain argmax and by softmax over the batch."""

import torch
import torch.nn.functional as F

SAMPLES, CLASSES = 8, 4


def logits():
    """Logits (N, C) of x and x~; the term 0.4 c makes the whole batch prefer the later classes."""
    b = torch.arange(SAMPLES, dtype=torch.float64)[:, None]
    c = torch.arange(CLASSES, dtype=torch.float64)[None, :]
    natural = 2 * torch.sin(1.1 * b + 0.9 * c**2 + 0.3) + 0.4 * c
    adversarial = 2 * torch.sin(1.3 * b + 1.3 * c**2 + 0.4) + 0.4 * c
    return natural, adversarial


def facts():
    natural, adversarial = logits()
    labels = natural.argmax(1)
    labels[0] = (labels[0] + 1) % CLASSES
    result = {
        "labels": labels.tolist(),
        "logits.natural": natural.tolist(),
        "logits.adversarial": adversarial.tolist(),
    }
    for name, predict in (
        ("argmax", lambda z: z.argmax(1)), ("batch_softmax", lambda z: F.softmax(z, 0).argmax(1))
    ):
        right, fooled = predict(natural) == labels, predict(adversarial) != labels
        result[name] = {
            "label.natural": predict(natural).tolist(),
            "label.adversarial": predict(adversarial).tolist(),
            "correct": right.int().tolist(),
            "selected": (right & fooled).int().tolist(),
            "robust": (right & ~fooled).int().tolist(),
        }
    return result
