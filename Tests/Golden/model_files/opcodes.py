"""Pickles that are written opcode by opcode, and the files around them."""

from __future__ import annotations

import pickle
import struct
from typing import Any

from .archives import Entry, zip_bytes

MARKER = "namid-was-here"


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function: str, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class Storage:
    """Pickles as a persistent identifier of a storage."""

    def __init__(
        self, key: Any = "0", count: Any = 4, kind: str = "torch\nFloatStorage", place: Any = "cpu"
    ) -> None:
        self.identifier = ("storage", Name(kind), key, place, count)


class Name:
    """Pickles as a global name, whether or not anything has it."""

    def __init__(self, text: str) -> None:
        self.text = text


class Raw:
    """Pickles as these opcodes."""

    def __init__(self, opcodes: bytes) -> None:
        self.opcodes = opcodes


def opcodes(value: Any) -> bytes:
    """The opcodes of a value, protocol 2, without memo: written out here so that no name must
    exist.
    """
    if isinstance(value, Raw):
        return value.opcodes
    if isinstance(value, Name):
        return b"c" + value.text.encode() + b"\n"
    if isinstance(value, Storage):
        return opcodes(value.identifier) + b"Q"
    if isinstance(value, Call):
        return opcodes(Name(value.function)) + opcodes(value.arguments) + b"R"
    if isinstance(value, dict):
        return b"}(" + b"".join(opcodes(key) + opcodes(item) for key, item in value.items()) + b"u"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(opcodes, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(opcodes, value)) + b"e"
    return pickle.dumps(value, 2)[2:-1]


def rebuilt(
    storage: Storage, size: Any = (2, 2), stride: Any = (2, 1), offset: Any = 0, *more: Any
) -> Call:
    """A tensor as `torch.save` writes it."""
    hooks = Call("collections\nOrderedDict")
    return Call(
        "torch._utils\n_rebuild_tensor_v2", storage, offset, size, stride, False, hooks, *more
    )


def checkpoint(
    value: Any,
    storages: dict[str, bytes] | None = None,
    *,
    deflate: bool = False,
    stop: bytes = b".",
) -> bytes:
    """An archive of `torch.save` with this pickle and these storages (by default one of four
    float32).
    """
    storages = {"0": bytes(16)} if storages is None else storages
    entries = [
        Entry("archive/data.pkl", b"\x80\2" + opcodes(value) + stop, deflate),
        Entry("archive/byteorder", b"little"),
    ]
    entries += [Entry(f"archive/data/{key}", data) for key, data in storages.items()]
    return zip_bytes([*entries, Entry("archive/version", b"3\n")])


def legacy_checkpoint(value: Any, keys: Any = ("0",), tail: bytes | None = None) -> bytes:
    """A file of the older format with this pickle; a storage has a sixth part there."""
    facts = {
        "protocol_version": 1001,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    head = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, facts))
    tail = struct.pack("<q", 4) + bytes(16) if tail is None else tail
    body = opcodes(value).replace(b"tQ", b"NtQ")
    return head + b"\x80\2" + body + b"." + pickle.dumps(list(keys), 2) + tail


def good() -> dict[str, Any]:
    """A state dict with nothing wrong in it."""
    return {"weight": rebuilt(Storage())}
