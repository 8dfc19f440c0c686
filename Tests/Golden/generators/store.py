"""Writing golden files, and comparing them with the committed ones."""

import json

import torch
from safetensors.torch import load_file, save_file

SIZE_LIMIT = 400_000
FLOAT32_TOLERANCE = 1e-5


def relative_difference(found, expected, floor):
    """Largest absolute difference over the largest absolute expected value, or over `floor`.

    The floor is for gradients that are zero but for rounding.
    """
    if not expected.numel():
        return 0.0
    return float((found - expected).abs().max()) / max(float(expected.abs().max()), floor)


def worst(found, expected, floor):
    """The entry on which two sets of tensors differ most, as (relative difference, name)."""
    if sorted(found) != sorted(expected):
        raise SystemExit(f"names differ: {sorted(set(found) ^ set(expected))}")
    return max(
        (relative_difference(found[name].double(), value.double(), floor), name)
        for name, value in expected.items()
    )


def tensor_file(path, module, check):
    """Writes (or checks) `module.tensors` in float64, after comparing it with its float32 run."""
    expected = detached(module.tensors(torch.float64))
    single = detached(module.tensors(torch.float32))
    difference, name = worst(single, expected, floor=0.01)
    if difference > FLOAT32_TOLERANCE:
        raise SystemExit(f"{path.name}: {name} is {difference:.1e} off in float32: other inputs!")
    tensors = expected
    if hasattr(module, "extra_tensors"):
        tensors = expected | detached(module.extra_tensors())
    if check:
        compare_tensors(load_file(path), tensors, path.name)
    else:
        save_file(tensors, path)
    report(path, f"{len(tensors)} tensors, float32 within {difference:.1e} ({name})")


def detached(tensors):
    return {name: value.detach().clone().contiguous() for name, value in sorted(tensors.items())}


def compare_tensors(stored, fresh, where):
    """Stops when a committed file no longer agrees; float32 runs differ between processors."""
    limits = {torch.float64: 1e-10, torch.float32: FLOAT32_TOLERANCE, torch.int64: 0.0}
    for dtype, limit in limits.items():
        part = {name: value for name, value in fresh.items() if value.dtype == dtype}
        kept = {name: value for name, value in stored.items() if value.dtype == dtype}
        difference, name = worst(kept, part, floor=1e-4) if part or kept else (0.0, "")
        if difference > limit:
            raise SystemExit(f"{where}: {name} is {difference:.1e} off the committed file")


def json_file(path, facts, check):
    """Writes (or checks) a tree of numbers and names."""
    if check:
        compare(json.loads(path.read_text()), json.loads(json.dumps(facts)), path.name)
    else:
        path.write_text(layout(facts) + "\n")
    report(path, "")


def compare(stored, fresh, where):
    """Stops where two JSON trees differ by more than 1e-7 (drawings are float32)."""
    if isinstance(fresh, dict) and isinstance(stored, dict) and list(stored) == list(fresh):
        for key in fresh:
            compare(stored[key], fresh[key], f"{where}/{key}")
    elif isinstance(fresh, list) and isinstance(stored, list) and len(stored) == len(fresh):
        for index, (left, right) in enumerate(zip(stored, fresh)):
            compare(left, right, f"{where}/{index}")
    elif isinstance(fresh, float) and isinstance(stored, float):
        if abs(stored - fresh) > 1e-7 * max(1.0, abs(fresh)):
            raise SystemExit(f"{where}: committed {stored}, now {fresh}")
    elif stored != fresh:
        raise SystemExit(f"{where}: committed {stored}, now {fresh}")


def layout(value, indent=0):
    """JSON with short lists and objects on one line, so that changes read well."""
    line, pad = json.dumps(value), " " * (indent + 2)
    if depth(value) <= 1 or (depth(value) == 2 and len(line) + indent <= 100):
        return line
    if isinstance(value, dict):
        items = value.items()
        rows = [f"{pad}{json.dumps(key)}: {layout(item, indent + 2)}" for key, item in items]
        ends = "{}"
    else:
        rows, ends = [pad + layout(item, indent + 2) for item in value], "[]"
    return ends[0] + "\n" + ",\n".join(rows) + "\n" + " " * indent + ends[1]


def depth(value):
    """How deep lists and objects are nested; a long object counts one more, to be broken up."""
    if not isinstance(value, (dict, list)):
        return 0
    items = list(value.values()) if isinstance(value, dict) else value
    inner = max((depth(item) for item in items), default=0)
    return 1 + inner + (1 if isinstance(value, dict) and len(json.dumps(value)) > 100 else 0)


def report(path, note):
    """One line about a file; stops when it is too large to commit."""
    size = path.stat().st_size
    print(f"{path.name:32}{size:>9} bytes  {note}")
    if size > SIZE_LIMIT:
        raise SystemExit(f"{path.name} has {size} bytes; at most {SIZE_LIMIT} are wanted")
