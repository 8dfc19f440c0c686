"""Programs of `torch.export.save`."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from .archives import Fixture
from .golden import seed, shaken, write_golden
from .programs import Answers, ConvNeXt, Sized, SmallResNet, VisionTransformer, Zoo


def export(
    model: nn.Module,
    *,
    dynamic: bool = True,
    batch: int = 2,
    decomposed: bool = False,
    side: int = 32,
    example: bool = False,
) -> bytes:
    """What `torch.export.save` writes, without paths of this script.

    Unless `example`, without the names of modules, and its example images are one number seen many
    times: together they take more room than all the rest.
    """
    images = torch.rand(batch, 3, side, side)
    shapes = ({0: torch.export.Dim("batch", min=1)},) if dynamic else None
    program = torch.export.export(model, (images,), dynamic_shapes=shapes)
    if decomposed:
        program = program.run_decompositions()
    dropped = ["stack_trace", "from_node"] + ([] if example else ["nn_module_stack", "torch_fn"])
    for node in program.graph.nodes:
        for key in dropped:
            node.meta.pop(key, None)
    if not example:
        program.example_inputs = ((torch.zeros(1).expand(batch, 3, side, side),), {})
    stream = io.BytesIO()
    torch.export.save(program, stream)
    return stream.getvalue()


def exported_fixtures() -> Iterator[Fixture]:
    """Exported programs."""

    def fixture(
        name: str,
        shows: str,
        build: Callable[[], nn.Module],
        expect: str = "network",
        training: bool = False,
        **settings: Any,
    ) -> Fixture:
        def write(path: pathlib.Path) -> None:
            seed(name)
            model = shaken(build())
            write_golden(path.with_suffix(".safetensors"), model)
            path.write_bytes(export(model.train(training), **settings))

        return Fixture(f"exported/{name}.pt2", shows, expect, write)

    yield fixture("resnet", "a ResNet, any batch size", SmallResNet)
    yield fixture(
        "fixed-two", "a CNN for batches of exactly 2", lambda: Answers("one"), dynamic=False
    )
    yield fixture(
        "fixed-one",
        "the same for batches of exactly 1",
        lambda: Answers("one"),
        dynamic=False,
        batch=1,
        example=True,
    )
    yield fixture(
        "resnet-training",
        "exported in training mode; the numbers beside it are of evaluation mode",
        SmallResNet,
        training=True,
    )
    yield fixture("resnet-core", "after run_decompositions()", SmallResNet, decomposed=True)
    yield fixture("transformer", "a vision transformer", VisionTransformer)
    yield fixture("convnext", "ConvNeXt blocks", ConvNeXt)
    yield fixture(
        "convnext-core",
        "one such block after run_decompositions()",
        lambda: ConvNeXt(1),
        decomposed=True,
    )
    yield fixture("tuple", "answers (logits, features)", lambda: Answers("tuple"))
    yield fixture("dictionary", "answers {logits, features}", lambda: Answers("dictionary"))
    yield fixture(
        "sizes", "symbolic sizes, constants, a buffer that is no part of the state dict", Sized
    )
    yield fixture("operators", "many activations, poolings, norms, resizing and padding", Zoo)
