"""Exported programs that must be refused."""

from __future__ import annotations

import copy
import dataclasses
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

from .archives import Entry, Fixture, edited
from .exported import export
from .golden import seed, shaken
from .opcodes import MARKER
from .programs import Least


def hostile_programs() -> Iterator[Fixture]:
    """Exported programs to be refused."""

    def fixture(
        name: str,
        shows: str,
        change: Callable[[dict[str, Any]], None],
        part: str = "models/model.json",
        expect: str = "refused",
    ) -> Fixture:
        def edit(entry: Entry) -> Entry:
            if not entry.name.endswith(part):
                return entry
            value = json.loads(entry.data)
            change(value)
            return dataclasses.replace(entry, data=json.dumps(value).encode())

        def write(path: pathlib.Path) -> None:
            changed = edited(program_bytes(), edit)
            path.write_bytes(
                edited(changed, lambda entry: dataclasses.replace(entry, deflate=True))
            )

        return Fixture(f"hostile/program-{name}.pt2", shows, expect, write)

    def nodes(program: dict[str, Any]) -> list[dict[str, Any]]:
        return program["graph_module"]["graph"]["nodes"]

    def values(program: dict[str, Any]) -> dict[str, Any]:
        return program["graph_module"]["graph"]["tensor_values"]

    def first(program: dict[str, Any]) -> dict[str, Any]:
        return nodes(program)[0]

    def node(target: str, output: str, *arguments: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        inputs = [{"name": name, "arg": value, "kind": 1} for name, value in arguments]
        return {
            "target": target,
            "inputs": inputs,
            "outputs": [{"as_tensor": {"name": output}}],
            "metadata": {},
            "is_hop_single_tensor_return": None,
            "name": output,
        }

    def cycle(program: dict[str, Any]) -> None:
        last = nodes(program)[-1]["outputs"][0]
        first(program)["inputs"][0]["arg"] = last

    def insert(program: dict[str, Any], made: dict[str, Any]) -> None:
        nodes(program).insert(0, made)
        values(program)[made["outputs"][0]["as_tensor"]["name"]] = dict(values(program)["input"])
        first_convolution = nodes(program)[1]
        first_convolution["inputs"][0]["arg"] = made["outputs"][0]

    yield fixture("cycle", "the first operator reads the last one's output", cycle)
    yield fixture(
        "undefined",
        "an operator reads a value that nothing makes",
        lambda p: first(p)["inputs"][0].update(arg={"as_tensor": {"name": "nowhere"}}),
    )
    yield fixture(
        "twice", "two operators of one name", lambda p: nodes(p).append(copy.deepcopy(first(p)))
    )
    yield fixture(
        "operator",
        "torch.ops.evil.run.default",
        lambda p: first(p).update(target="torch.ops.evil.run.default"),
    )
    yield fixture(
        "python-operator", "os.system as an operator", lambda p: first(p).update(target="os.system")
    )
    yield fixture(
        "overload",
        "an overload that does not exist",
        lambda p: first(p).update(target="torch.ops.aten.conv2d.evil"),
    )
    yield fixture(
        "from-file",
        "aten.from_file",
        lambda p: insert(
            p,
            node(
                "torch.ops.aten.from_file.default",
                "mapped",
                ("filename", {"as_string": MARKER}),
                ("shared", {"as_bool": True}),
                ("size", {"as_int": 3072}),
            ),
        ),
    )
    yield fixture(
        "in-place",
        "an operator that writes over the images",
        lambda p: insert(
            p,
            node(
                "torch.ops.aten.zero_.default", "wiped", ("self", {"as_tensor": {"name": "input"}})
            ),
        ),
    )
    yield fixture(
        "set",
        "aten.set_ on a weight",
        lambda p: insert(
            p,
            node(
                "torch.ops.aten.set_.source_Tensor",
                "stolen",
                ("self", {"as_tensor": {"name": "input"}}),
                ("source", {"as_tensor": {"name": "p_conv_weight"}}),
            ),
        ),
    )
    yield fixture(
        "strided",
        "aten.as_strided far beyond the images",
        lambda p: insert(
            p,
            node(
                "torch.ops.aten.as_strided.default",
                "beyond",
                ("self", {"as_tensor": {"name": "input"}}),
                ("size", {"as_ints": [2, 3, 32, 32]}),
                ("stride", {"as_ints": [1 << 40, 1 << 30, 32, 1]}),
                ("storage_offset", {"as_int": 1 << 50}),
            ),
        ),
    )
    yield fixture(
        "empty",
        "aten.empty of 2⁵⁰ numbers",
        lambda p: insert(
            p,
            node("torch.ops.aten.zeros.default", "vast", ("size", {"as_ints": [1 << 25, 1 << 25]})),
        ),
    )
    yield fixture(
        "arguments", "a convolution without arguments", lambda p: first(p).update(inputs=[])
    )
    yield fixture(
        "argument-kind",
        "a text as the convolution's weight",
        lambda p: first(p)["inputs"][1].update(arg={"as_string": "weight"}),
    )
    yield fixture(
        "argument-unknown",
        "an argument that the operator does not have",
        lambda p: first(p)["inputs"].append({"name": "evil", "arg": {"as_int": 1}, "kind": 2}),
    )
    yield fixture(
        "output-missing",
        "an output that nothing makes",
        lambda p: p["graph_module"]["graph"].update(outputs=[{"as_tensor": {"name": "nowhere"}}]),
    )
    yield fixture(
        "no-outputs", "no outputs", lambda p: p["graph_module"]["graph"].update(outputs=[])
    )
    yield fixture("schema", "schema version 99", lambda p: p["schema_version"].update(major=99))
    yield fixture("no-schema", "no schema version", lambda p: p.pop("schema_version"))
    yield fixture("no-graph", "no graph", lambda p: p.pop("graph_module"))
    yield fixture(
        "symbol",
        "a size that is Python code, which PyTorch's own loader runs",
        lambda p: values(p)["input"]["sizes"].__setitem__(
            0,
            {
                "as_expr": {
                    "expr_str": f"__import__('os').system('touch {MARKER}')",
                    "hint": {"as_int": 2},
                }
            },
        ),
        expect="refused, or served; the expression is not run",
    )
    weights = "weights_config.json"

    def weight(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        return lambda table: change(table["config"]["conv.weight"])

    yield fixture(
        "weight-missing",
        "a weight without its file",
        weight(lambda w: w.update(path_name="weight_99")),
        weights,
    )
    yield fixture(
        "weight-above",
        "a weight in ../../etc/passwd",
        weight(lambda w: w.update(path_name="../../../etc/passwd")),
        weights,
    )
    yield fixture(
        "weight-size",
        "a weight larger than its file",
        weight(lambda w: w["tensor_meta"]["sizes"].__setitem__(0, {"as_int": 4096})),
        weights,
    )
    yield fixture(
        "weight-huge",
        "a weight of 2⁶² rows",
        weight(lambda w: w["tensor_meta"]["sizes"].__setitem__(0, {"as_int": huge_size()})),
        weights,
    )
    yield fixture(
        "weight-negative",
        "a weight of −6 rows",
        weight(lambda w: w["tensor_meta"]["sizes"].__setitem__(0, {"as_int": -6})),
        weights,
    )
    yield fixture(
        "weight-stride",
        "strides beyond the file",
        weight(lambda w: w["tensor_meta"]["strides"].__setitem__(0, {"as_int": 1 << 40})),
        weights,
    )
    yield fixture(
        "weight-offset",
        "an offset beyond the file",
        weight(lambda w: w["tensor_meta"].update(storage_offset={"as_int": 1 << 40})),
        weights,
    )
    yield fixture(
        "weight-type", "a type 77", weight(lambda w: w["tensor_meta"].update(dtype=77)), weights
    )
    yield fixture(
        "weight-pickle",
        "a weight said to be a pickle",
        weight(lambda w: w.update(use_pickle=True)),
        weights,
    )
    yield fixture(
        "weight-left-out",
        "a table without one of the weights",
        lambda table: table["config"].pop("conv.weight"),
        weights,
    )
    yield fixture("no-table", "an empty table", lambda table: table.pop("config"), weights)

    def deep(path: pathlib.Path) -> None:
        nested = b"[" * 60_000 + b"]" * 60_000
        path.write_bytes(
            edited(
                program_bytes(),
                lambda entry: (
                    dataclasses.replace(entry, data=nested, deflate=True)
                    if entry.name.endswith("models/model.json")
                    else entry
                ),
            )
        )

    yield Fixture("hostile/program-deep.pt2", "JSON 60,000 brackets deep", "refused", deep)

    def no_json(path: pathlib.Path) -> None:
        path.write_bytes(
            edited(
                program_bytes(),
                lambda entry: (
                    dataclasses.replace(entry, data=b"{")
                    if entry.name.endswith("models/model.json")
                    else entry
                ),
            )
        )

    yield Fixture("hostile/program-no-json.pt2", "a graph that is no JSON", "refused", no_json)


def huge_size() -> int:
    """The largest power of two that a size can have."""
    return 1 << 62


def program_bytes() -> bytes:
    """A small exported program to be spoilt."""
    seed("program")
    return renamed(export(shaken(Least())))


def renamed(archive: bytes) -> bytes:
    """The archive with its image input called `input`."""

    def edit(entry: Entry) -> Entry:
        if not entry.name.endswith("models/model.json"):
            return entry
        return dataclasses.replace(entry, data=entry.data.replace(b'"images"', b'"input"'))

    return edited(archive, edit)
