"""Checkpoints that must be refused."""

from __future__ import annotations

import dataclasses
import pickle
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from .archives import Entry, Fixture, edited, entries_of, zip_bytes
from .opcodes import (
    MARKER,
    Call,
    Name,
    Raw,
    Storage,
    checkpoint,
    good,
    legacy_checkpoint,
    opcodes,
    rebuilt,
)


def hostile_fixtures() -> Iterator[Fixture]:
    """Files to be refused."""

    def fixture(
        name: str, shows: str, make: Callable[[], bytes], expect: str = "refused"
    ) -> Fixture:
        return Fixture(
            f"hostile/{name}", shows, expect, lambda path: (path.write_bytes(make()), None)[1]
        )

    shell = f"touch {MARKER}"
    calls = {
        "system": Call("posix\nsystem", shell),
        "os-system": Call("os\nsystem", shell),
        "subprocess": Call("subprocess\nPopen", ["touch", MARKER]),
        "eval": Call("builtins\neval", f"open('{MARKER}', 'w')"),
        "eval2": Call("__builtin__\neval", f"open('{MARKER}', 'w')"),
        "exec": Call("builtins\nexec", f"open('{MARKER}', 'w')"),
        "open": Call("builtins\nopen", MARKER, "w"),
        "import": Call("builtins\n__import__", "antigravity"),
        "getattr": Call("builtins\ngetattr", Name("os\nsystem"), "__call__"),
        "torch-load": Call("torch\nload", "other.pt"),
        "torch-load2": Call("torch.serialization\nload", "other.pt"),
        "load-from-bytes": Call(
            "torch.storage\n_load_from_bytes", b"\x80\2cposix\nsystem\nX\1\0\0\0aR."
        ),
        "torch-save": Call("torch\nsave", 1, MARKER),
        "jit-load": Call("torch.jit\nload", "other.pt"),
        "from-file": Call("torch\nfrom_file", MARKER, True, 16),
        "pickle-loads": Call("_pickle\nloads", b"cposix\nsystem\n."),
        "numpy-load": Call("numpy\nload", "other.npy", None, True),
        "runpy": Call("runpy\n_run_code", "import os", {}),
        "dotted": Call("torch._utils\n_rebuild_tensor_v2.__globals__", "x"),
    }
    for name, call in calls.items():
        function = call.function.replace("\n", ".")
        yield fixture(
            f"call-{name}.pt",
            f"the weight is a call of {function}",
            lambda call=call: checkpoint({"weight": call}),
        )
    aside = "tensors: the call is beside the weights and is never made"
    yield fixture(
        "call-beside.pt",
        "a call of os.system beside good weights",
        lambda: checkpoint({"args": calls["os-system"], "state_dict": good()}),
        aside,
    )
    yield fixture(
        "call-legacy.pt",
        "the same in the older format",
        lambda: legacy_checkpoint({"args": calls["os-system"], "state_dict": good()}),
        aside,
    )
    yield fixture(
        "call-key.pt",
        "a call as a key of the dictionary",
        lambda: checkpoint(Raw(b"}" + opcodes(calls["eval"]) + opcodes(1) + b"s")),
    )
    yield fixture(
        "call-hooks.pt",
        "a call among a tensor's backward hooks",
        lambda: checkpoint(
            {
                "weight": Call(
                    "torch._utils\n_rebuild_tensor_v2",
                    Storage(),
                    0,
                    (2, 2),
                    (2, 1),
                    False,
                    calls["eval"],
                )
            }
        ),
        "refused, or the tensor alone",
    )
    yield fixture(
        "call-storage.pt",
        "a call as the storage's identifier",
        lambda: checkpoint(
            {"weight": rebuilt(Raw(opcodes(("storage", calls["eval"], "0", "cpu", 4)) + b"Q"))}
        ),
    )  # type: ignore[arg-type]
    yield fixture(
        "build.pt",
        "BUILD with a state that sets attributes of a function",
        lambda: checkpoint(
            {
                "weight": Raw(
                    b"ctorch._utils\n_rebuild_tensor_v2\n" + opcodes({"__code__": 1}) + b"b"
                )
            }
        ),
    )
    yield fixture(
        "instance.pt",
        "INST, the opcode of protocol 0",
        lambda: checkpoint(Raw(b"(X\1\0\0\0aiposix\nsystem\n")),
    )
    yield fixture("object.pt", "OBJ", lambda: checkpoint(Raw(b"(cposix\nsystem\nX\1\0\0\0ao")))
    yield fixture(
        "new-object.pt",
        "NEWOBJ of subprocess.Popen",
        lambda: checkpoint(Raw(b"csubprocess\nPopen\n" + opcodes((["touch", MARKER],)) + b"\x81")),
    )
    yield fixture(
        "stack-global.pt",
        "STACK_GLOBAL os.system",
        lambda: checkpoint(Raw(b"\x8c\2os\x8c\6system\x93" + opcodes((shell,)) + b"R")),
    )
    yield fixture("extension.pt", "EXT1", lambda: checkpoint(Raw(b"\x82\1")))
    # Pickles that are broken or greedy
    yield fixture(
        "deep.pt",
        "lists 50,000 deep",
        lambda: checkpoint(Raw(b"]" * 50_000 + b"a" * 49_999), deflate=True),
    )
    yield fixture(
        "deep-tuples.pt",
        "tuples a million deep in 1 kB",
        lambda: checkpoint(Raw(b")" + b"\x85" * 1_000_000), deflate=True),
    )
    yield fixture(
        "deep-legacy.pt",
        "lists 8,000 deep, older format",
        lambda: legacy_checkpoint(Raw(b"]" * 8_000 + b"a" * 7_999)),
    )
    yield fixture("self-list.pt", "a list that holds itself", lambda: checkpoint(Raw(b"]q\0h\0a")))
    yield fixture(
        "self-dictionary.pt",
        "{state_dict: itself}",
        lambda: checkpoint(Raw(b"}q\0X\x0a\0\0\0state_dicth\0s")),
    )
    laughs = b"](X\1\0\0\0aX\1\0\0\0aeq\0" + b"".join(
        b"](" + b"h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) for n in range(60)
    )
    yield fixture(
        "laughs.pt", "60 lists, each holding the one before twice", lambda: checkpoint(Raw(laughs))
    )
    yield fixture(
        "laughs-weights.pt",
        "the same with a dictionary of weights inside",
        lambda: checkpoint(
            Raw(
                opcodes(good())
                + b"q\0"
                + b"".join(
                    b"}(X\1\0\0\0ah"
                    + bytes([n])
                    + b"X\1\0\0\0bh"
                    + bytes([n])
                    + b"uq"
                    + bytes([n + 1])
                    for n in range(60)
                )
            )
        ),
    )
    for name, codes in {
        "no-stop": b"}",
        "underflow": b"t",
        "no-mark": b"}u",
        "memo": b"}r\xff\xff\xff\x7f",
        "memo-unset": b"h\x07",
        "long-string": b"X\xff\xff\xff\x7fabc",
        "longer-string": b"\x8d" + b"\xff" * 7 + b"\x7fabc",
        "negative-long": b"\x8b\xff\xff\xff\xffa",
        "long-long": b"\x8b\xff\xff\xff\x7fa",
        "frame": b"\x95" + b"\xff" * 8 + b"}",
        "binbytes8": b"\x8e" + b"\xff" * 8,
        "bytearray8": b"\x96" + b"\xff" * 8,
        "opcode": b"\xff",
        "not-utf8": b"X\2\0\0\0\xff\xfe",
        "integer-text": b"I" + b"9" * 100_000 + b"\n",
        "protocol": b"\x80\x63}",
        "buffer": b"\x97",
        "duplicate": b"2222",
        "pop": b"00",
        "items-odd": b"}(X\1\0\0\0au",
        "key-list": b"}(]K\1u",
        "set-on-number": b"K\1K\2K\3s",
        "no-result": b"",
    }.items():
        stop = b"" if name == "no-stop" else b"."
        yield fixture(
            f"pickle-{name}.pt",
            f"a broken pickle: {name}",
            lambda codes=codes, stop=stop: checkpoint(
                Raw(codes), stop=stop, deflate=len(codes) > 1000
            ),
        )
    # Tensors that lie
    huge = 1 << 62
    for name, (shows, tensor) in {
        "stride-beyond": ("strides beyond the storage", rebuilt(Storage(), (2, 2), (100, 1))),
        "offset-beyond": ("an offset beyond the storage", rebuilt(Storage(), (2, 2), (2, 1), 1)),
        "offset-negative": ("a negative offset", rebuilt(Storage(), (2, 2), (2, 1), -1)),
        "offset-huge": ("an offset of 2⁶³ − 1", rebuilt(Storage(), (2, 2), (2, 1), (1 << 63) - 1)),
        "size-negative": ("a negative size", rebuilt(Storage(), (-2, -2), (2, 1))),
        "stride-negative": ("a negative stride", rebuilt(Storage(), (2, 2), (-2, 1), 3)),
        "size-huge": ("2⁶² × 4 elements", rebuilt(Storage(), (huge, 4), (4, 1))),
        "size-expanded": ("2⁶² elements with stride 0", rebuilt(Storage(), (huge,), (0,))),
        "size-beyond-64": ("a size of 2⁷⁰", rebuilt(Storage(), (1 << 70,), (1,))),
        "size-expanded-terabyte": (
            "2⁴⁰ elements with stride 0 of one number",
            rebuilt(Storage(), (1 << 20, 1 << 20), (0, 0)),
        ),
        "stride-overflow": ("size × stride overflows", rebuilt(Storage(), (3,), (huge,))),
        "ranks-differ": ("two sizes, one stride", rebuilt(Storage(), (2, 2), (2,))),
        "size-text": ("sizes that are no numbers", rebuilt(Storage(), ("a", 2), (2, 1))),
        "size-dictionary": ("a dictionary as size", rebuilt(Storage(), {}, (2, 1))),
        "dimensions": ("5,000 dimensions of size 1", rebuilt(Storage(), (1,) * 5000, (1,) * 5000)),
        "count-larger": (
            "a storage said to be larger than its record",
            rebuilt(Storage(count=1000), (1000,), (1,)),
        ),
        "count-huge": ("a storage of 2⁶² elements", rebuilt(Storage(count=huge), (2,), (1,))),
        "count-negative": ("a storage of −4 elements", rebuilt(Storage(count=-4), (2,), (1,))),
        "kind-unknown": ("a storage of no known kind", rebuilt(Storage(kind="torch\nEvilStorage"))),
        "kind-elsewhere": (
            "a storage class of another module",
            rebuilt(Storage(kind="evil\nFloatStorage")),
        ),
        "kinds-differ": (
            "one record read as float32 and as float64",
            [rebuilt(Storage()), rebuilt(Storage(count=4, kind="torch\nDoubleStorage"))],
        ),
        "key-missing": ("a storage that is not there", rebuilt(Storage("7"))),
        "key-above": ("a storage named ../../etc/passwd", rebuilt(Storage("../../etc/passwd"))),
        "key-absolute": ("a storage named /etc/passwd", rebuilt(Storage("/etc/passwd"))),
        "key-pickle": ("a storage named ../data.pkl", rebuilt(Storage("../data.pkl"))),
        "key-number": ("a storage whose key is a list", rebuilt(Storage([1]))),
        "identifier-short": (
            "an identifier of two parts",
            rebuilt(Raw(opcodes(("storage", 1)) + b"Q")),
        ),  # type: ignore[arg-type]
        "identifier-text": ("an identifier that is text", rebuilt(Raw(b"X\1\0\0\0aQ"))),  # type: ignore[arg-type]
        "arguments": ("a rebuild without arguments", Call("torch._utils\n_rebuild_tensor_v2")),
        "no-storage": ("a rebuild from a number", rebuilt(4)),  # type: ignore[arg-type]
    }.items():
        value = (
            {"weight": tensor[0], "bias": tensor[1]}
            if isinstance(tensor, list)
            else {"weight": tensor}
        )
        expect = (
            "a tensor that takes no more memory than its storage, or refused"
            if "expanded" in name
            else "refused"
        )
        yield fixture(f"tensor-{name}.pt", shows, lambda value=value: checkpoint(value), expect)
    yield fixture(
        "tensor-record-short.pt",
        "a record shorter than the storage",
        lambda: checkpoint(good(), {"0": bytes(7)}),
    )
    yield fixture(
        "tensor-record-long.pt",
        "a record longer than the storage",
        lambda: checkpoint(good(), {"0": bytes(64)}),
        "the tensor, or refused",
    )
    for name, (shows, arguments) in {
        "truncated": ("the storage ends early", dict(tail=struct.pack("<q", 4) + bytes(3))),
        "no-storages": ("nothing behind the pickle", dict(tail=b"")),
        "count-negative": (
            "a storage of −1 elements",
            dict(tail=struct.pack("<q", -1) + bytes(16)),
        ),
        "count-huge": ("a storage of 2⁶² elements", dict(tail=struct.pack("<q", huge) + bytes(16))),
        "count-differs": (
            "a storage of 2 elements for 4",
            dict(tail=struct.pack("<q", 2) + bytes(8)),
        ),
        "keys-many": ("five hundred keys", dict(keys=[str(n % 10) for n in range(500)])),
        "keys-numbers": ("keys that are no text", dict(keys=[1, None])),
    }.items():
        yield fixture(
            f"legacy-{name}.pt",
            f"older format: {shows}",
            lambda arguments=arguments: legacy_checkpoint(good(), **arguments),
        )
    yield fixture(
        "legacy-magic.pt",
        "older format: another magic number",
        lambda: legacy_checkpoint(good()).replace(
            pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(0x1950A86A20F9469CFC6D, 2)
        ),
    )
    yield fixture(
        "legacy-version.pt",
        "older format: another protocol version",
        lambda: legacy_checkpoint(good()).replace(pickle.dumps(1001, 2), pickle.dumps(9999, 2), 1),
    )
    yield fixture("empty.pt", "an empty file", lambda: b"")
    yield fixture(
        "text.pt",
        "a web page in place of a file",
        lambda: b"<!DOCTYPE html><title>Quota exceeded</title>",
    )
    yield fixture(
        "pointer.pt",
        "a pointer of Git LFS",
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    )
    # Archives that lie
    base = checkpoint(good())
    record = "archive/data/0"

    def with_record(**changes: Any) -> Callable[[], bytes]:
        return lambda: edited(
            base,
            lambda entry: dataclasses.replace(entry, **changes) if entry.name == record else entry,
        )

    zeros = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(zeros.compress(bytes(1 << 20)) for _ in range(16)) + zeros.flush()
    yield fixture(
        "zip-bomb.pt",
        "16 MB of zeros in 16 kB, said to be 16 bytes",
        lambda: edited(
            base,
            lambda entry: Entry(record, bomb, method=8, size=16) if entry.name == record else entry,
        ),
    )
    yield fixture(
        "zip-bomb-honest.pt",
        "16 MB of zeros in 16 kB for a storage of 16 bytes",
        lambda: edited(
            base,
            lambda entry: (
                Entry(record, bomb, method=8, size=16 << 20) if entry.name == record else entry
            ),
        ),
        "refused, or the tensor without the memory",
    )
    yield fixture(
        "zip-bomb-pickle.pt",
        "a pickle of 16 MB in 16 kB",
        lambda: edited(
            base,
            lambda entry: (
                Entry(entry.name, bomb, method=8, size=16 << 20)
                if entry.name.endswith("data.pkl")
                else entry
            ),
        ),
    )
    yield fixture(
        "zip-claims-terabyte.pt",
        "a record that claims 2⁴⁰ bytes",
        with_record(size=1 << 40, stored=1 << 40, zip64=True),
    )
    yield fixture(
        "zip-claims-exabyte.pt",
        "a deflated record that claims 2⁶³ − 1 bytes",
        with_record(deflate=True, size=(1 << 63) - 1, zip64=True),
    )
    yield fixture("zip-overlap.pt", "two entries whose data overlap", lambda: overlapping(base))
    yield fixture(
        "zip-names-differ.pt",
        "a local header with another name",
        with_record(local_name="archive/data/9"),
    )
    yield fixture(
        "zip-above.pt",
        "an entry named ../../namid-was-here",
        lambda: zip_bytes([*entries_of(base), Entry(f"archive/../../{MARKER}", b"x")]),
        "refused, or the tensor; nothing is written",
    )
    yield fixture(
        "zip-absolute.pt",
        "an entry named /tmp/namid-was-here",
        lambda: zip_bytes([*entries_of(base), Entry(f"/tmp/{MARKER}", b"x")]),
        "refused, or the tensor; nothing is written",
    )
    yield fixture(
        "zip-duplicate.pt",
        "two pickles of one name",
        lambda: zip_bytes(
            [
                *entries_of(base),
                dataclasses.replace(entries_of(checkpoint({"other": rebuilt(Storage())}))[0]),
            ]
        ),
    )
    yield fixture(
        "zip-two-roots.pt",
        "two folders with a pickle each",
        lambda: zip_bytes(
            [
                *entries_of(base),
                *(
                    dataclasses.replace(entry, name=entry.name.replace("archive", "other"))
                    for entry in entries_of(base)
                ),
            ]
        ),
    )
    yield fixture(
        "zip-checksum.pt",
        "a record with a wrong checksum",
        with_record(checksum=1),
        "refused, or the tensor",
    )
    yield fixture("zip-encrypted.pt", "a record said to be encrypted", with_record(flags=1))
    yield fixture("zip-method.pt", "a record with an unknown compression", with_record(method=99))
    yield fixture(
        "zip-offset.pt", "a record that begins behind the file", with_record(offset=1 << 30)
    )
    yield fixture(
        "zip-offset-inside.pt", "a record that begins in another's data", with_record(offset=40)
    )
    yield fixture(
        "zip-not-deflate.pt", "a record said to be deflated that is not", with_record(method=8)
    )
    yield fixture(
        "zip-comment.pt",
        "a comment with a false end record in it",
        lambda: edited(base, lambda entry: entry, comment=b"PK\5\6" + bytes(30)),
        "refused, or the tensor",
    )
    yield fixture("zip-truncated.pt", "the directory is cut off", lambda: base[:-60])
    yield fixture("zip-half.pt", "the first half of a file", lambda: base[: len(base) // 2])
    yield fixture(
        "zip-end-only.pt",
        "an end record alone that claims 65,535 entries",
        lambda: struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 65535, 65535, 1 << 30, 22, 0),
    )
    yield fixture(
        "zip64-end.pt",
        "a long end record that claims 2⁶³ entries",
        lambda: (
            struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1 << 63, 1 << 63, 1 << 63, 0)
            + struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1)
            + struct.pack(
                "<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0
            )
        ),
    )
    yield fixture(
        "zip-no-pickle.pt",
        "an archive without data.pkl",
        lambda: edited(base, lambda entry: None if entry.name.endswith("pkl") else entry),
    )
    yield fixture(
        "zip-other.pt",
        "an archive of something else",
        lambda: zip_bytes([Entry("readme.txt", b"hello")]),
    )
    yield fixture(
        "zip-byteorder.pt",
        "byteorder middle",
        lambda: edited(
            base,
            lambda entry: (
                dataclasses.replace(entry, data=b"middle")
                if entry.name.endswith("byteorder")
                else entry
            ),
        ),
    )


def overlapping(archive: bytes) -> bytes:
    """The archive with a second entry that shares the bytes of the first record."""
    entries = entries_of(archive)
    offset = 0
    for entry in entries:
        if entry.name.endswith("data/0"):
            break
        offset += 30 + len(entry.name) + len(entry.data)
    return zip_bytes([*entries, Entry("archive/data/1", bytes(16), offset=offset)])
