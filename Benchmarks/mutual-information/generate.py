"""Writes samples of benchmark-mi's tasks as CSV files, for `namid mi estimate`.

    python3 -m venv .venv
    .venv/bin/pip install benchmark-mi==0.1.3 "jax==0.4.30" "jaxlib==0.4.30"    # Python 3.9 to 3.12
    .venv/bin/python Benchmarks/mutual-information/generate.py FOLDER [--count 10000] [--seed 0] [TASK ...]

Each file has a header X0, ..., Y0, ...; `tasks.json` beside them holds the true values in nats.
"""

import argparse
import json
import pathlib

import bmi

DEFAULT = [
    "1v1-normal-0.75",
    "1v1-additive-0.75",
    "1v1-bimodal-0.75",
    "wiggly-1v1-normal-0.75",
    "half_cube-1v1-normal-0.75",
    "swissroll_x-normal_cdf-1v1-normal-0.75",
    "multinormal-dense-2-2-0.5",
    "multinormal-dense-5-5-0.5",
    "multinormal-sparse-2-2-2-2.0",
    "multinormal-sparse-5-5-2-2.0",
    "student-identity-1-1-1",
    "asinh-student-identity-1-1-1",
    "multinormal-sparse-25-25-2-2.0",
    "spiral-multinormal-sparse-3-3-2-2.0",
]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("tasks", nargs="*", default=DEFAULT)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    tasks = bmi.benchmark.BENCHMARK_TASKS
    unknown = [name for name in options.tasks if name not in tasks]
    if unknown:
        parser.error(f"no such task: {', '.join(unknown)}\nknown: {', '.join(tasks)}")
    truth = {}
    for name in options.tasks:
        task = tasks[name]
        task.save_sample(options.folder / f"{name}.csv", options.count, options.seed)
        truth[name] = {"nats": float(task.mutual_information), "x": task.dim_x, "y": task.dim_y}
    (options.folder / "tasks.json").write_text(json.dumps(truth, indent=2) + "\n")


if __name__ == "__main__":
    main()
