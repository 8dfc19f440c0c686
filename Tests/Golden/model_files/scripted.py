"""TorchScript archives."""

from __future__ import annotations

import copy
import io
import pathlib
from collections.abc import Callable, Iterator

import torch
from torch import nn

from .archives import Fixture, edited
from .golden import answer, pictures, seed, shaken, write_answer, write_golden
from .programs import Answers, ControlFlow, FixedBatch, Traced


def jit_bytes(module: torch.jit.ScriptModule) -> bytes:
    """What `torch.jit.save` writes, without debugging records, which hold paths of this script, and
    their digest.
    """
    stream = io.BytesIO()
    torch.jit.save(module, stream)
    dropped = (".debug_pkl", "/serialization_id")
    return edited(stream.getvalue(), lambda entry: None if entry.name.endswith(dropped) else entry)


def traced(
    model: nn.Module, batch: int = 2, dtype: torch.dtype = torch.float32
) -> torch.jit.ScriptModule:
    """A trace in evaluation mode."""
    return torch.jit.trace(model, torch.rand(batch, 3, 32, 32, dtype=dtype), check_trace=False)


def scripted_fixtures() -> Iterator[Fixture]:
    """TorchScript archives."""

    def fixture(
        name: str,
        shows: str,
        build: Callable[[], nn.Module],
        convert: Callable[[nn.Module], torch.jit.ScriptModule] = traced,
        expect: str = "network",
    ) -> Fixture:
        def write(path: pathlib.Path) -> None:
            seed(name)
            model = shaken(build())
            path.write_bytes(jit_bytes(convert(model)))
            write_golden(path.with_suffix(".safetensors"), model)

        return Fixture(f"scripted/{name}.pt", shows, expect, write)

    def precise(name: str, shows: str, dtype: torch.dtype) -> Fixture:
        def write(path: pathlib.Path) -> None:
            seed(name)
            module = traced(shaken(Traced()).to(dtype), dtype=dtype)
            path.write_bytes(jit_bytes(module))
            write_answer(path.with_suffix(".safetensors"), *answer(module, pictures().to(dtype)))

        return Fixture(f"scripted/{name}.pt", shows, "network", write)

    yield fixture("traced", "a trace with mean and std, GELU, dropout and batch norm", Traced)
    yield fixture("scripted", "a script with branches and loops", ControlFlow, torch.jit.script)
    yield fixture(
        "frozen",
        "a frozen trace: weights are constants",
        Traced,
        lambda model: torch.jit.freeze(traced(model)),
    )
    yield fixture("fixed-batch", "a trace that has the batch size 2 in it", FixedBatch)
    yield fixture("tuple", "answers (logits, features)", lambda: Answers("tuple"))
    yield fixture(
        "training",
        "a script saved in training mode; the numbers beside it are of evaluation mode",
        Traced,
        lambda model: torch.jit.script(copy.deepcopy(model).train()),
    )
    yield precise("half", "weights and input in float16; numbers in float16", torch.float16)
    yield precise("double", "weights and input in float64", torch.float64)
