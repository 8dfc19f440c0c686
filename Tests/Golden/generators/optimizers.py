"""Twenty steps of each optimizer on two tensors whose gradients have a closed form."""

import torch

from .closed_form import leaf, tensor

STEPS, KEPT = 20, (1, 5, 20)
SHAPES = {"a": (3, 4), "b": (5,)}
EMA_DECAY = 0.99

CASES = {
    "sgd.plain": {"kind": "sgd", "lr": 0.1},
    "sgd.weight_decay": {"kind": "sgd", "lr": 0.1, "weight_decay": 0.05},
    "sgd.momentum": {"kind": "sgd", "lr": 0.1, "momentum": 0.9},
    "sgd.momentum_weight_decay": {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.05},
    "sgd.nesterov": {
        "kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.05, "nesterov": True
    },
    "sgd.dampening": {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    "sgd.learning_rate_change": {
        "kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.05, "lr_after_step_10": 0.01
    },
    "adam.plain": {"kind": "adam", "lr": 0.05},
    "adam.weight_decay": {"kind": "adam", "lr": 0.05, "weight_decay": 0.1},
    "adam.betas": {"kind": "adam", "lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-4},
    "adam.learning_rate_change": {"kind": "adam", "lr": 0.05, "lr_after_step_10": 0.005},
    "adamw.weight_decay": {"kind": "adamw", "lr": 0.05, "weight_decay": 0.1},
}


def gradient(step, value):
    """sin(0.1 t + 0.3 i) + 0.1 value over the row-major index i; t counts from 1."""
    i = torch.arange(value.numel(), dtype=torch.float64).reshape(value.shape)
    return torch.sin(0.1 * step + 0.3 * i).to(value.dtype) + 0.1 * value


def start():
    return {name: tensor(f"optimizers/{name}", shape) for name, shape in SHAPES.items()}


def make(options, parameters):
    keep = {k: v for k, v in options.items() if k not in ("kind", "lr_after_step_10")}
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kinds[options["kind"]](parameters, **keep)


def trajectory(options, dtype):
    """Yields the step and the parameters after it; the last yield has the optimizer's state."""
    values = {name: leaf(value, dtype) for name, value in start().items()}
    optimizer = make(options, list(values.values()))
    for step in range(1, STEPS + 1):
        for value in values.values():
            value.grad = gradient(step, value.detach())
        optimizer.step()
        state = {name: optimizer.state[value] for name, value in values.items()}
        yield step, {name: value.detach().clone() for name, value in values.items()}, state
        if step == 10 and "lr_after_step_10" in options:
            optimizer.param_groups[0]["lr"] = options["lr_after_step_10"]


def averages(dtype):
    """Exponential moving averages of the weights of one trajectory.

    `from_start` begins with the parameters before the first step, `from_first_step` with those
    after it, as torch.optim.swa_utils.AveragedModel does.
    """
    result = {}
    average = {name: value.to(dtype) for name, value in start().items()}
    late = {}
    for step, values, _ in trajectory(CASES["sgd.momentum_weight_decay"], dtype):
        for name, value in values.items():
            average[name] = EMA_DECAY * average[name] + (1 - EMA_DECAY) * value
            late[name] = value if step == 1 else EMA_DECAY * late[name] + (1 - EMA_DECAY) * value
            if step in KEPT:
                result[f"ema.from_start/step{step}.{name}"] = average[name]
                result[f"ema.from_first_step/step{step}.{name}"] = late[name]
    return result


def tensors(dtype):
    result = {f"initial.{name}": value for name, value in start().items()}
    for case, options in CASES.items():
        for step, values, state in trajectory(options, dtype):
            if step in KEPT:
                result |= {f"{case}/step{step}.{name}": value for name, value in values.items()}
            if step == STEPS:
                for name, entries in state.items():
                    result |= {
                        f"{case}/state.{entry}.{name}": value.detach().clone().to(dtype)
                        for entry, value in entries.items()
                        if value is not None
                    }
    return result | averages(dtype)


def facts():
    """The options of each case."""
    return {"steps": STEPS, "kept": list(KEPT), "ema_decay": EMA_DECAY, "cases": CASES}
