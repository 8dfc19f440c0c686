"""Reads figures out of what `namid` writes, for scripts/gpu-check.sh.

    figures.py attacks FILE.json ...        one line per attack: robust accuracy, interval, seconds
    figures.py verdicts A.json B.json       on how many samples two evaluations agree
    figures.py training metrics.jsonl       epochs, seconds per epoch, last validation
    figures.py launches FILE STEPS          what launches.cpp wrote, per step, the longest first
    figures.py selftest selftest.json       the rows of `namid selftest` that failed
    figures.py epochs steps.json SECONDS    epochs of 50,000 images at width 64 that fit, at most 30
"""

import json
import statistics
import sys
from pathlib import Path

IMAGES = 50_000


def attacks(*paths: str) -> None:
    for path in paths:
        report = json.loads(Path(path).read_text())
        for attack in report["attacks"]:
            print(describe(attack))


def describe(attack: dict) -> str:
    low, high = (100 * bound for bound in attack["ci95"])
    return (
        f"{attack['name']}: robust {100 * attack['robust_accuracy']:.2f} % ({attack['robust']} of {attack['total']},"
        f" 95 % interval {low:.2f}–{high:.2f}), {attack['seconds']:.1f} s"
    )


def verdicts(first: str, second: str) -> None:
    pair = [json.loads(Path(path).read_text())["attacks"] for path in (first, second)]
    for one, other in zip(*pair):
        a, b = (attack["samples"]["robust"] for attack in (one, other))
        equal = sum(x == y for x, y in zip(a, b, strict=True))
        print(f"{one['name']}: {equal} of {len(a)} verdicts equal, robust {sum(a)} and {sum(b)}")


def selftest(path: str) -> None:
    report = json.loads(Path(path).read_text())
    failed = [row for row in report["rows"] if not row["difference"] <= row["limit"]]
    print(f"{len(report['rows']) - len(failed)} of {len(report['rows'])} comparisons hold, {report['seconds']:.0f} s")
    for row in failed:
        print(f"* FAILED {row['part']}, {row['name']}: {row['difference']} {row['unit']}, at most {row['limit']}")


def training(path: str) -> None:
    lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
    seconds = [line["seconds"] for line in lines]
    later = seconds[1:] or seconds
    last = {key: value for key, value in lines[-1].items() if key.startswith("validation/")}
    print(
        f"{len(lines)} epochs, {statistics.median(later):.2f} s an epoch (first {seconds[0]:.2f},"
        f" all {sum(seconds):.0f}); last: {json.dumps(last)}"
    )


def epochs(path: str, seconds: str) -> None:
    fits = 30.0
    if Path(path).exists():
        for result in json.loads(Path(path).read_text())["results"]:
            if result["program"] == "namid" and result["width"] == 64 and result["seconds"]:
                # A fifth more for validation, checkpoints and whatever else an epoch has beside its steps.
                epoch = 1.2 * statistics.median(result["seconds"]) * IMAGES / result["batch"]
                fits = (float(seconds) - 20) / epoch
    print(max(1, min(30, int(fits))))


def launches(path: str, steps: str) -> None:
    rows = []
    for line in Path(path).read_text().splitlines():
        calls, milliseconds, size, name = line.split("\t", 3)
        rows.append((float(milliseconds) / int(steps), int(calls) / int(steps), int(size) / int(steps), name))
    kernels = [row for row in rows if not row[3].startswith("[copy")]
    total = sum(row[0] for row in kernels)
    print(f"{sum(row[1] for row in kernels):.0f} kernels a step, {total:.2f} ms of them\n")
    print("| ms a step | share | calls | bytes | kernel or copy |\n|--:|--:|--:|--:|---|")
    for milliseconds, calls, size, name in sorted(rows, reverse=True)[:25]:
        print(f"| {milliseconds:.3f} | {100 * milliseconds / total:.1f} % | {calls:.1f} | {size:.0f} | `{name[:90]}` |")


if __name__ == "__main__":
    wanted = [attacks, verdicts, training, launches, selftest, epochs]
    {function.__name__: function for function in wanted}[sys.argv[1]](*sys.argv[2:])
