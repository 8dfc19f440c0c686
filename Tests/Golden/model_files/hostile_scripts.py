"""TorchScript archives that must be refused."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from .archives import Fixture, edited
from .golden import seed, shaken
from .opcodes import MARKER, Call, opcodes
from .programs import Least
from .scripted import jit_bytes, traced


class Writes(nn.Module):
    """A script that saves a tensor to a file."""

    def forward(self, images: Tensor) -> Tensor:
        torch.save(images, "namid-was-here")
        return images.mean((2, 3))


class Reads(nn.Module):
    """A script that maps a file."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3)) + torch.from_file("namid-was-here", True, 3)


class Hidden(nn.Module):
    """A script that maps a file in a method that `forward` never calls."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))

    @torch.jit.export
    def other(self) -> Tensor:
        return torch.from_file("namid-was-here", True, 3)


class Endless(nn.Module):
    """A script with a loop that does not end."""

    def forward(self, images: Tensor) -> Tensor:
        while bool(images.max() < 10):
            images = images * 1
        return images.mean((2, 3))


class Greedy(nn.Module):
    """A script that asks for 2⁵⁰ numbers."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3)) + torch.zeros([1 << 50]).sum()


class Prints(nn.Module):
    """A script that prints."""

    def forward(self, images: Tensor) -> Tensor:
        print("namid-was-here")
        return images.mean((2, 3))


def hostile_scripts() -> Iterator[Fixture]:
    """TorchScript archives to be refused."""

    def fixture(name: str, module: type[nn.Module], expect: str = "refused") -> Fixture:
        def write(path: pathlib.Path) -> None:
            path.write_bytes(jit_bytes(torch.jit.script(module())))

        return Fixture(f"hostile/script-{name}.pt", (module.__doc__ or "").strip(), expect, write)

    yield fixture("save", Writes)
    yield fixture("from-file", Reads)
    yield fixture("from-file-hidden", Hidden)
    yield fixture("endless", Endless, "refused, or said to be a loop; must be interruptible")
    yield fixture("greedy", Greedy, "refused when it runs out of memory, in one line")
    yield fixture("print", Prints, "refused, or prints")

    def code(name: str, shows: str, change: Callable[[bytes], bytes], part: str = ".py") -> Fixture:
        def write(path: pathlib.Path) -> None:
            seed("script")
            archive = jit_bytes(traced(shaken(Least())))
            path.write_bytes(
                edited(
                    archive,
                    lambda entry: (
                        dataclasses.replace(entry, data=change(entry.data), deflate=True)
                        if entry.name.endswith(part)
                        else entry
                    ),
                )
            )

        return Fixture(f"hostile/script-{name}.pt", shows, "refused", write)

    yield code(
        "syntax", "code that does not parse", lambda data: data.replace(b"return", b"return (((")
    )
    yield code(
        "operator",
        "code with an unknown operator",
        lambda data: data.replace(b"torch.relu", b"ops.evil.run"),
    )
    yield code(
        "recursion",
        "an expression 30,000 signs deep, which overflows the stack of PyTorch's own parser",
        lambda data: data.replace(b"return ", b"return " + b"-" * 30_000, 1),
    )
    yield code(
        "pickle",
        "a data.pkl that calls os.system",
        lambda _: b"\x80\2" + opcodes(Call("os\nsystem", f"touch {MARKER}")) + b".",
        "data.pkl",
    )
