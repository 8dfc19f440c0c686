"""Runs `namid mi estimate` on the files that generate.py wrote and prints a table of estimates beside the truth.

    python3 Benchmarks/mutual-information/measure.py FOLDER [--estimators infonce,dv,...] [--namid ./namid]
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--estimators", default="gaussian,ksg,mine,infonce,dv,nwj,smile")
    parser.add_argument("--namid", default="./namid")
    parser.add_argument("--arguments", default="", help="further arguments, such as '--steps 2000'")
    options = parser.parse_args()
    estimators = options.estimators.split(",")
    tasks = json.loads((options.folder / "tasks.json").read_text())
    print("| task | true |" + "".join(f" {name} |" for name in estimators))
    print("|---|---|" + "---|" * len(estimators))
    results, begin = {}, time.time()
    for task, truth in tasks.items():
        row = {}
        for estimator in estimators:
            command = [options.namid, "mi", "estimate", str(options.folder / f"{task}.csv")]
            command += ["--estimator", estimator, "--json", "-"] + options.arguments.split()
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode != 0:
                sys.exit(f"{' '.join(command)}\n{run.stderr}")
            row[estimator] = json.loads(run.stdout)
        results[task] = row
        cells = "".join(f" {row[name]['nats']:.3f} |" for name in estimators)
        print(f"| {task} | {truth['nats']:.4f} |{cells}", flush=True)
    (options.folder / "estimates.json").write_text(json.dumps(results, indent=2) + "\n")
    print(f"\n{time.time() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
