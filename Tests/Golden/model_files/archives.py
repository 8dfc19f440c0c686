"""How files are written: by PyTorch, and ZIP archives with lies in their headers."""

from __future__ import annotations

import dataclasses
import io
import pathlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import torch


@dataclasses.dataclass(frozen=True)
class Fixture:
    """One file to be made: `write` gets its path, whose suffix is part of `name`."""

    name: str
    shows: str
    expect: str
    write: Callable[[pathlib.Path], None]
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


def torch_bytes(value: Any, **settings: Any) -> bytes:
    """What `torch.save` writes."""
    stream = io.BytesIO()
    torch.save(value, stream, **settings)
    return stream.getvalue()


def legacy_bytes(value: Any, protocol: int = 2) -> bytes:
    """What `torch.save` writes in the format before PyTorch 1.6.

    There a storage's name is its address, which differs from run to run, and a module's class comes
    with its source. Here storages are called 1000, 1001, … and sources are one line.
    """
    numbers: dict[int, int] = {}
    address = torch._C.StorageBase._cdata.__get__
    number = property(lambda storage: numbers.setdefault(address(storage), 1000 + len(numbers)))
    with (
        mock.patch.object(torch.UntypedStorage, "_cdata", number, create=True),
        mock.patch("torch.serialization.get_source_lines_and_file", short_source),
    ):
        return torch_bytes(value, _use_new_zipfile_serialization=False, pickle_protocol=protocol)


def short_source(kind: type) -> tuple[list[str], int, str]:
    """What stands in the older format for a module's source and the path of its file."""
    return [f"class {kind.__name__}(Module): ...\n"], 1, f"{kind.__name__.lower()}.py"


@dataclasses.dataclass
class Entry:
    """An entry of a ZIP archive, with whatever lies its headers should tell."""

    name: str
    data: bytes
    deflate: bool = False
    zip64: bool = False
    local_name: str | None = None
    size: int | None = None
    stored: int | None = None
    checksum: int | None = None
    offset: int | None = None
    flags: int = 0
    method: int | None = None


def zip_bytes(entries: Sequence[Entry], *, zip64: bool = False, comment: bytes = b"") -> bytes:
    """A ZIP archive of these entries; `zip64` writes the long form of the directory even where it
    is not needed.
    """
    body, directory = bytearray(), bytearray()
    for entry in entries:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        content = packer.compress(entry.data) + packer.flush() if entry.deflate else entry.data
        size = len(entry.data) if entry.size is None else entry.size
        stored = len(content) if entry.stored is None else entry.stored
        checksum = zlib.crc32(entry.data) if entry.checksum is None else entry.checksum
        offset = len(body) if entry.offset is None else entry.offset
        method = (8 if entry.deflate else 0) if entry.method is None else entry.method
        long = entry.zip64 or size > 0xFFFF_FFFE or offset > 0xFFFF_FFFE
        sizes = (0xFFFF_FFFF, 0xFFFF_FFFF) if long else (stored, size)
        common = struct.pack("<HHHHI", entry.flags, method, 0, 33, checksum) + struct.pack(
            "<II", *sizes
        )
        version = 45 if long else 20
        name = (entry.name if entry.local_name is None else entry.local_name).encode()
        extra = struct.pack("<HHQQ", 1, 16, size, stored) if long else b""
        body += (
            struct.pack("<4sH", b"PK\3\4", version)
            + common
            + struct.pack("<HH", len(name), len(extra))
        )
        body += name + extra + content
        name = entry.name.encode()
        extra = struct.pack("<HHQQQ", 1, 24, size, stored, offset) if long else b""
        directory += struct.pack("<4sHH", b"PK\1\2", version, version) + common
        directory += struct.pack("<HHHHHI", len(name), len(extra), 0, 0, 0, 0)
        directory += struct.pack("<I", 0xFFFF_FFFF if long else offset) + name + extra
    count, start = len(entries), len(body)
    end = b""
    if zip64:
        end = struct.pack(
            "<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), start
        )
        end += struct.pack("<4sIQI", b"PK\6\7", 0, start + len(directory), 1)
    short = (
        (0xFFFF, 0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF)
        if zip64
        else (count, count, len(directory), start)
    )
    end += struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, *short, len(comment)) + comment
    return bytes(body + directory) + end


def entries_of(archive: bytes) -> list[Entry]:
    """The entries of an archive that PyTorch wrote."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [Entry(info.filename, opened.read(info)) for info in opened.infolist()]


def edited(archive: bytes, edit: Callable[[Entry], Entry | None], **settings: Any) -> bytes:
    """The archive with every entry changed, or left out."""
    kept = [changed for entry in entries_of(archive) if (changed := edit(entry)) is not None]
    return zip_bytes(kept, **settings)
