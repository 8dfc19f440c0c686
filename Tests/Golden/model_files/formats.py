"""Every way in which `torch.save` can write a few tensors."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import pathlib
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from .archives import Entry, Fixture, edited, legacy_bytes, torch_bytes
from .golden import seed


class Settings:
    """A class of one's own, as configurations in checkpoints are."""

    def __init__(self) -> None:
        self.rate, self.steps = 0.1, [1, 2, 3]


def three() -> dict[str, Tensor]:
    """The three tensors that most files of this folder hold."""
    return {
        "conv.weight": torch.arange(24, dtype=torch.float32).view(2, 3, 2, 2) / 8 - 1,
        "conv.bias": torch.tensor([0.5, -0.25]),
        "norm.num_batches_tracked": torch.tensor(391),
    }


def plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous copies with storages of their own."""
    return {
        key: value.detach().clone(memory_format=torch.contiguous_format)
        for key, value in tensors.items()
    }


def format_fixtures() -> Iterator[Fixture]:
    """Ways of writing a few tensors."""

    def fixture(
        name: str,
        shows: str,
        make: Callable[[], bytes],
        tensors: Callable[[], dict[str, Tensor]] | None = three,
        expect: str = "tensors",
        **facts: Any,
    ) -> Fixture:
        def write(path: pathlib.Path) -> None:
            seed(name)
            path.write_bytes(make())
            if tensors:
                save_file(plain(tensors()), path.with_suffix(".safetensors"))

        return Fixture(f"formats/{name}.pt", shows, expect if tensors else "refused", write, facts)

    def saved(value: Callable[[], Any] = three, **settings: Any) -> Callable[[], bytes]:
        return lambda: torch_bytes(value(), **settings)

    for protocol in range(2, 6):
        yield fixture(
            f"zip-protocol{protocol}",
            f"zip archive, pickle protocol {protocol}",
            saved(pickle_protocol=protocol),
        )
        yield fixture(
            f"legacy-protocol{protocol}",
            f"older format without zip, pickle protocol {protocol}",
            lambda protocol=protocol: legacy_bytes(three(), protocol),
        )
    squeeze = lambda entry: dataclasses.replace(entry, deflate=True)  # noqa: E731
    yield fixture("deflated", "every entry deflated", lambda: edited(torch_bytes(three()), squeeze))
    long = lambda entry: dataclasses.replace(entry, zip64=True)  # noqa: E731
    yield fixture(
        "zip64", "64-bit sizes everywhere", lambda: edited(torch_bytes(three()), long, zip64=True)
    )
    yield fixture(
        "zip-comment",
        "a comment behind the directory",
        lambda: edited(torch_bytes(three()), lambda entry: entry, comment=b"a comment"),
    )
    yield fixture(
        "big-endian",
        "byteorder big",
        lambda: big_endian(torch_bytes(three()), {"0": 4, "1": 4, "2": 8}),
    )
    yield fixture(
        "no-byteorder",
        "without the entries byteorder and .data, as before PyTorch 2.1",
        lambda: edited(
            torch_bytes(three()),
            lambda entry: (
                entry if re.search(r"/(data\.pkl|data/\d+|version)$", entry.name) else None
            ),
        ),
    )
    cuda = lambda data: data.replace(b"X\3\0\0\0cpu", b"X\6\0\0\0cuda:0")  # noqa: E731
    yield fixture(
        "cuda",
        "storages that lay on cuda:0",
        lambda: edited(
            torch_bytes(three()),
            lambda entry: (
                dataclasses.replace(entry, data=cuda(entry.data))
                if entry.name.endswith("data.pkl")
                else entry
            ),
        ),
    )
    yield fixture(
        "legacy-cuda", "older format, storages on cuda:0", lambda: cuda(legacy_bytes(three()))
    )

    def numbers() -> dict[str, Tensor]:
        kinds = [
            torch.float16,
            torch.bfloat16,
            torch.float32,
            torch.float64,
            torch.uint8,
            torch.int8,
            torch.int16,
            torch.int32,
            torch.int64,
            torch.bool,
        ]
        values = torch.tensor([0, 1, 2, 3, 5, 127])
        signs = torch.tensor([1, -1, 1, -1, 1, -1])
        return {
            str(kind)[6:]: (values * (signs if kind.is_signed else 1)).to(kind) for kind in kinds
        }

    def newer() -> dict[str, Tensor]:
        kinds = [torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2]
        return {str(kind)[6:]: torch.tensor([0, 1, 2, 3, 4]).to(kind) for kind in kinds}

    yield fixture("types", "all real types", saved(numbers), numbers)
    yield fixture(
        "legacy-types", "all real types, older format", lambda: legacy_bytes(numbers()), numbers
    )
    yield fixture(
        "newer-types",
        "types without a storage class of their own (_rebuild_tensor_v3)",
        saved(newer),
        newer,
        "tensors, or those that the engine knows",
    )
    yield fixture(
        "complex",
        "complex weights",
        saved(lambda: {"weight": torch.ones(2, dtype=torch.complex64)}),
        None,
    )
    yield fixture(
        "sparse", "a sparse tensor", saved(lambda: {"weight": torch.eye(3).to_sparse()}), None
    )
    yield fixture(
        "quantized",
        "a quantised tensor",
        saved(lambda: {"weight": torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)}),
        None,
    )

    def layouts() -> dict[str, Tensor]:
        base = torch.arange(48, dtype=torch.float32)
        image = torch.arange(48, dtype=torch.float32).view(1, 3, 4, 4) / 4
        return {
            "whole": base,
            "view": base[4:20].view(4, 4),
            "transposed": base.view(6, 8).t(),
            "strided": base[1::3],
            "expanded": base[:1].expand(3, 4),
            "overlapping": base.as_strided((4, 3), (1, 2), 2),
            "permuted": base.view(2, 3, 8).permute(2, 0, 1),
            "channels_last": image.to(memory_format=torch.channels_last),
            "scalar": torch.tensor(3.5),
            "empty": torch.empty(0, 3),
            "element": base[7],
            "last": base[48:],
            "one": base[5:6],
        }

    yield fixture(
        "layouts",
        "views, strides and a shared storage, 0-d and empty tensors",
        saved(layouts),
        layouts,
    )
    yield fixture(
        "legacy-layouts", "the same in the older format", lambda: legacy_bytes(layouts()), layouts
    )

    def parameters() -> dict[str, Tensor]:
        tensors = three()
        return {
            "conv.weight": nn.Parameter(tensors["conv.weight"]),
            "conv.bias": nn.Parameter(tensors["conv.bias"], requires_grad=False),
            "norm.num_batches_tracked": tensors["norm.num_batches_tracked"],
        }

    yield fixture("parameters", "values of class Parameter", saved(parameters))

    def ordered() -> Any:
        layer = nn.Sequential(
            collections.OrderedDict(conv=nn.Conv2d(3, 2, 2), norm=nn.BatchNorm2d(2, affine=False))
        )
        state = layer.state_dict()
        for key, value in three().items():
            state[key] = value
        return state

    yield fixture(
        "ordered",
        "OrderedDict with _metadata",
        saved(ordered),
        lambda: {**{k: v for k, v in ordered().items()}},
    )

    def surrounded(array_module: bytes = b"numpy._core") -> bytes:
        value = {
            "epoch": 12,
            "best": numpy.float64(0.5125),
            "count": numpy.int64(7),
            "half": numpy.float16(0.5),
            "history": numpy.linspace(0, 1, 5),
            "table": numpy.asfortranarray(numpy.arange(6).reshape(2, 3)),
            "names": numpy.array(["a", "b"]),
            "flag": numpy.bool_(True),
            "state_dict": three(),
        }
        return edited(
            torch_bytes(value),
            lambda entry: dataclasses.replace(
                entry, data=entry.data.replace(b"numpy._core", array_module)
            ),
        )

    yield fixture("numpy", "numpy scalars and arrays beside the weights", surrounded)
    yield fixture(
        "numpy1", "the same with the module names of numpy 1", lambda: surrounded(b"numpy.core")
    )
    yield fixture(
        "numpy-weights",
        "weights as numpy arrays",
        saved(lambda: {"state_dict": {key: value.numpy() for key, value in three().items()}}),
    )

    def training() -> Any:
        layer = nn.Linear(3, 2)
        optimizer = torch.optim.Adam(layer.parameters(), 0.001)
        layer(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        return {
            "epoch": 3,
            "optimizer": optimizer.state_dict(),
            "args": argparse.Namespace(path=pathlib.PurePosixPath("a/b")),
            "settings": Settings(),
            "function": zlib.crc32,
            "type": torch.nn.ReLU,
            "device": torch.device("cpu"),
            "dtype": torch.float16,
            "shape": torch.Size([2, 3]),
            "rng": torch.get_rng_state()[:16].clone(),
            "large": 1 << 100,
            "negative": -(1 << 70),
            "bytes": b"\0\1",
            "complex": 1 + 2j,
            "set": {1},
            "frozen": frozenset({2}),
            "slice": slice(1, 2),
            "none": None,
            "nested": [(), (1,), [2, {"three": 3}]],
            "deque": collections.deque([1]),
            "default": collections.defaultdict(list, {"a": [1]}),
            "counter": collections.Counter("aab"),
            "text": "naïve ☕",
            "state_dict": three(),
        }

    yield fixture(
        "training",
        "epoch, optimizer, arguments and objects of any class beside the weights",
        saved(training),
    )
    yield fixture(
        "legacy-training", "the same in the older format", lambda: legacy_bytes(training())
    )
    yield fixture(
        "training-protocol4", "the same, pickle protocol 4", saved(training, pickle_protocol=4)
    )
    yield fixture(
        "several",
        "state_dict, ema and model, all of which fit",
        saved(
            lambda: {
                "state_dict": three(),
                "ema": {key: value + 1 for key, value in three().items()},
                "model": {key: value + 2 for key, value in three().items()},
            }
        ),
        expect="tensors of --key state_dict; without it the three are listed",
    )
    yield fixture(
        "nested-twice",
        "{model: {state_dict: …}}",
        saved(lambda: {"model": {"state_dict": three()}, "step": 1}),
    )
    yield fixture(
        "on-a-custom-class",
        "the weights are attributes of an object of a class of one's own",
        saved(lambda: {"epoch": 1, "model": custom_with(three())}),
        None,
    )
    yield fixture("bare-tensor", "a tensor without a name", saved(lambda: torch.ones(3)), None)
    yield fixture(
        "bare-list", "tensors in a list", saved(lambda: [torch.ones(3), torch.zeros(2)]), None
    )
    yield fixture(
        "no-weights", "a dictionary without tensors", saved(lambda: {"epoch": 1, "lr": 0.1}), None
    )
    module = lambda: nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))  # noqa: E731
    yield fixture(
        "module",
        "a whole pickled module",
        saved(module),
        None,
        reason="three lines of Python that help",
    )
    yield fixture(
        "module-nested",
        "a whole pickled module under model",
        saved(lambda: {"model": module()}),
        None,
    )
    yield fixture(
        "legacy-module",
        "a whole pickled module, older format",
        lambda: legacy_bytes(module()),
        None,
    )


def custom_with(tensors: dict[str, Tensor]) -> Settings:
    """An object that has tensors as attributes."""
    settings = Settings()
    settings.__dict__.update(tensors)
    return settings


def big_endian(archive: bytes, itemsizes: dict[str, int]) -> bytes:
    """The archive as a big-endian machine would write it."""

    def edit(entry: Entry) -> Entry:
        folder, _, name = entry.name.rpartition("/")
        if name == "byteorder":
            return dataclasses.replace(entry, data=b"big")
        if folder.endswith("/data") and name in itemsizes:
            data = numpy.frombuffer(entry.data, f"u{itemsizes[name]}").byteswap().tobytes()
            return dataclasses.replace(entry, data=data)
        return entry

    return edited(archive, edit)
