"""Writes small model files as PyTorch makes them, with what PyTorch computes from them, for the
tests of the readers.

    python make-published.py OUT [--only REGEX]

OUT gets five folders and INDEX.json, which names every file, what it shows and what a reader should
do with it:

* `models`: checkpoints of networks as people publish them, beside NAME.safetensors;
* `formats`: every way in which `torch.save` can write a few tensors, beside the tensors that come
  out;
* `exported`: programs of `torch.export.save` (.pt2), beside NAME.safetensors;
* `scripted`: TorchScript archives, beside NAME.safetensors;
* `hostile`: files that must be refused in one line, with nothing executed and nothing written.
  Those with code in them would create the file `namid-was-here` in the working folder.

`images.safetensors` holds the two images that every network gets, `images` (2, 3, 32, 32) in [0,
1]; a network for 64 pixels gets every pixel four times. NAME.safetensors of a network holds its
`logits` (2, 10) and `input_gradient` (1, 3, H, W): the gradient to the FIRST image of the
cross-entropy with the labels 0 and 1, summed over the batch. All is computed in float64 and stored
in float32; a network whose float32 run is further off than 2e-5 is not written.

Two runs on one machine give the same bytes (with --only, classes in `scripted` are numbered
otherwise). PyTorch 2.13.0 (CPU), numpy and safetensors are all it needs.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import sys
import warnings
from collections.abc import Iterator

import torch
from safetensors.torch import save_file

from model_files.archives import Fixture
from model_files.exported import exported_fixtures
from model_files.formats import format_fixtures
from model_files.golden import pictures
from model_files.hostile_checkpoints import hostile_fixtures
from model_files.hostile_programs import hostile_programs
from model_files.hostile_scripts import hostile_scripts
from model_files.models import model_fixtures
from model_files.scripted import scripted_fixtures

LARGEST_FILE = 150_000
LARGEST_TOTAL = 3_000_000


def fixtures() -> Iterator[Fixture]:
    """All files, in order."""
    yield from model_fixtures()
    yield from format_fixtures()
    yield from exported_fixtures()
    yield from scripted_fixtures()
    yield from hostile_fixtures()
    yield from hostile_scripts()
    yield from hostile_programs()


def main() -> None:
    """Writes the files and the index."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("output", type=pathlib.Path, help="folder to write to")
    parser.add_argument(
        "--only", default="", help="a regular expression that the names must contain"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    warnings.simplefilter("ignore")
    index = []
    for fixture in fixtures():
        index.append(
            {
                "file": fixture.name,
                "shows": fixture.shows,
                "expect": fixture.expect,
                **fixture.facts,
            }
        )
        path = options.output / fixture.name
        if re.search(options.only, fixture.name):
            path.parent.mkdir(parents=True, exist_ok=True)
            fixture.write(path)
        for made in (path, path.with_suffix(".safetensors")):
            if made.exists() and made.stat().st_size > LARGEST_FILE:
                raise SystemExit(
                    f"{made} has {made.stat().st_size} bytes; {LARGEST_FILE} are allowed"
                )
    options.output.mkdir(parents=True, exist_ok=True)
    save_file({"images": pictures()}, options.output / "images.safetensors")
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in index)
    (options.output / "INDEX.json").write_text(f"[\n{lines}\n]\n")
    total = sum(path.stat().st_size for path in options.output.rglob("*") if path.is_file())
    print(f"{len(index)} files, {total} bytes with what belongs to them; torch {torch.__version__}")
    if total > LARGEST_TOTAL:
        raise SystemExit(f"that is more than {LARGEST_TOTAL} bytes")


if __name__ == "__main__":
    # A script's constants are written in the order of a set of texts, which differs from run to
    # run.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(
            sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"}
        )
    main()
