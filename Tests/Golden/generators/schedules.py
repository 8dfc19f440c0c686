"""Learning rates of torch's schedulers, one per epoch or step."""

import torch
from torch.optim import lr_scheduler

STEPS = 50


def rates(count, rate, make):
    """The learning rates in force during `count` consecutive epochs or steps."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    schedule = make(optimizer)
    result = []
    for index in range(count):
        result.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if index + 1 < count:
            schedule.step()
    return result


def one_cycle(start, anneal):
    def make(optimizer):
        return lr_scheduler.OneCycleLR(
            optimizer, max_lr=0.2, total_steps=STEPS, pct_start=start, anneal_strategy=anneal,
            cycle_momentum=False, div_factor=25.0, final_div_factor=1e4,
        )

    options = {
        "max_lr": 0.2, "pct_start": start, "div_factor": 25.0, "final_div_factor": 1e4,
        "anneal": anneal, "steps": STEPS,
    }
    return {"options": options, "rates": rates(STEPS, 0.2, make)}


def facts():
    """Index 0 is the first epoch or step."""
    result = {
        "multi_step": {
            "options": {"lr": 0.1, "milestones": [74, 89], "gamma": 0.1},
            "rates": rates(100, 0.1, lambda o: lr_scheduler.MultiStepLR(o, [74, 89], 0.1)),
        }
    }
    for floor in (0.0, 0.001):
        result[f"cosine.minimum{floor}"] = {
            "options": {"lr": 0.1, "steps": STEPS, "minimum": floor},
            "rates": rates(
                STEPS + 1, 0.1, lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS, eta_min=floor)
            ),
        }
    for anneal in ("linear", "cos"):
        for start in (0.3, 0.25):
            result[f"one_cycle.{anneal}.{start}"] = one_cycle(start, anneal)
    return result
