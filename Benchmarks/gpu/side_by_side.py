"""The PGD-10 training step of `namid` beside the programs of ../speed, on one device, on a machine without Swift.

The programs of a case get ready one after the other, because cuDNN chooses algorithms by their time on a device that nobody else
uses; then they are measured in turn, each waiting while another one works. Tables go to standard output as Markdown, everything
to --json. What `torch.compile` makes is kept in TORCHINDUCTOR_CACHE_DIR: --compile-only fills it beforehand.

    python3 side_by_side.py --tool bin/namid-bench --device cuda --cases 64x128,16x128 --work /tmp/steps --json steps.json
"""

import argparse
import json
import os
import queue
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file

SPEED = Path(__file__).resolve().parents[1] / "speed"
sys.path.insert(0, str(SPEED))
import networks  # noqa: E402

ATTACK_STEPS = 10
# Forward passes that a step is worth: an attack gradient is a forward pass and as much again, a training gradient three.
PASSES = 2 * ATTACK_STEPS + 3


class Silent(Exception):
    """A program that ended, or gave no answer in time."""


@dataclass
class Case:
    width: int
    batch: int
    folder: Path

    @property
    def name(self) -> str:
        return f"w{self.width}-b{self.batch}"

    def arguments(self) -> list[str]:
        return [
            "--network", str(self.folder / f"{self.name}-network.safetensors"),
            "--batch", str(self.folder / f"{self.name}-batch.safetensors"),
            "--batch-size", str(self.batch),
        ]  # fmt: skip

    def write_inputs(self, device: str) -> None:
        """A network with random weights whose statistics fit the images, and labels that it predicts."""
        torch.manual_seed(0)
        images = torch.rand(self.batch, 3, 32, 32, device=device)
        network = networks.ResNet18(self.width).to(device)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1
        with torch.no_grad():
            network.train()(images)
            labels = network.eval()(images).argmax(1)
        noise = torch.randn_like(images) * 0.001
        facts = {"width": self.width, "padding": 1, "channels": 3, "classes": 10}
        paths = self.arguments()
        save_file(network.state_dict(), paths[1], {k: str(v) for k, v in facts.items()})
        save_file({"images": images, "labels": labels, "noise": noise}, paths[3])

    def operations(self) -> float:
        """Floating-point operations of a step, those of convolutions and of the last layer."""
        forward = []
        network = networks.ResNet18(self.width)
        for module in network.modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
                module.register_forward_hook(
                    lambda module, _, output: forward.append(2 * output.numel() * module.weight[0].numel())
                )
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, 32, 32))
        return float(sum(forward)) * self.batch * PASSES


@dataclass
class Program:
    """A program that is measured: started, asked one line at a time, and ended."""

    name: str
    case: Case
    command: list[str]
    log: Path
    facts: dict = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    kernels: int | None = None
    failure: str | None = None

    @property
    def is_peer(self) -> bool:
        return self.command[0] == sys.executable

    def start(self) -> None:
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            stderr=self.log.open("w"), env=dict(os.environ, PEER_WAITS="1"),
        )  # fmt: skip
        threading.Thread(target=self.read, daemon=True).start()

    def get_ready(self, deadline: float) -> None:
        """Lets a peer begin, or starts namid, and waits; a failure ends the program."""
        try:
            if self.is_peer:
                self.facts = self.ask("begin", "ready", deadline)
            else:
                self.start()
                self.facts = self.answer("ready", deadline)
        except Silent as reason:
            self.fail(reason)

    def fail(self, reason: Exception) -> None:
        self.failure = str(reason)
        self.process.kill()

    def read(self) -> None:
        for line in self.process.stdout:
            if line.startswith("{"):
                self.lines.put(line)
        self.lines.put(None)

    def answer(self, key: str, deadline: float):
        try:
            line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
        except queue.Empty:
            raise Silent("no answer in time") from None
        if line is None:
            raise Silent(self.last_words())
        return json.loads(line)[key]

    def ask(self, word: str, key: str, deadline: float):
        try:
            self.process.stdin.write(word + "\n")
        except OSError:
            raise Silent(self.last_words()) from None
        return self.answer(key, deadline)

    def last_words(self) -> str:
        lines = [x for x in self.log.read_text(errors="replace").splitlines() if x.strip()]
        return "ended: " + (lines[-1][:160] if lines else "without a word")


def offers(tool: str, flag: str) -> bool:
    usage = subprocess.run([tool, "measure", "--help"], check=False, capture_output=True, text=True)
    return flag in usage.stdout


def programs(case: Case, options: argparse.Namespace) -> list[Program]:
    count = max(1, min(20, 20 * 128 * options.quickness // case.batch))
    common = case.arguments() + ["--count", str(count), "--threads", str(options.threads)]
    ours = [options.tool, "measure", "--work", "train", "--precision", "bfloat16", *common]
    ours += ["--device", options.device]
    found = {"namid": ours}
    if options.device != "cpu" and offers(options.tool, "--graphs"):
        found["namid, graphs"] = ours + ["--graphs"]
    peer = common + ["--device", options.peer_device]
    expert = [sys.executable, str(SPEED / "expert.py"), *peer]
    found["eager, float32"] = [sys.executable, str(SPEED / "eager.py"), *peer]
    found["expert"] = expert
    found["expert, torch.compile"] = [*expert, "--compile", "yes"]
    if options.peer_device != "cpu":
        found["expert, graph"] = [*expert, "--graph", "yes"]
        found["expert, torch.compile, graph"] = [*expert, "--compile", "yes", "--graph", "yes"]
    return [
        Program(name, case, command, case.folder / f"{case.name}-{number}.log")
        for number, (name, command) in enumerate(found.items())
    ]


def measure(contestants: list[Program], rounds: int, deadline: float) -> None:
    """Rounds in which every program is asked once; the first one warms up and does not count."""
    for turn in range(rounds + 1):
        for program in contestants:
            if program.failure or time.monotonic() > deadline:
                continue
            try:
                seconds = program.ask("measure", "seconds", deadline)
            except Silent as reason:
                program.fail(reason)
                continue
            if turn > 0:
                program.seconds.append(seconds / int(option(program.command, "--count")))


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def count_kernels(program: Program, launches: str | None, deadline: float) -> int | None:
    """Kernels of one step: of a program in Python by PyTorch's profiler, of namid by launches.cpp. None where neither can tell.

    namid makes one step, and four in another process: what does not belong to a step drops out of the difference.
    """
    if program.failure or not launches:
        return None
    if program.is_peer:
        try:
            return program.ask("kernels", "kernels", deadline)
        except (Silent, KeyError):
            return None
    command = list(program.command)
    command[command.index("--count") + 1] = "1"
    totals = []
    for measurements in (1, 4):
        path = program.log.with_suffix(f".launches{measurements}")
        try:
            subprocess.run(
                command, input="measure\n" * measurements, text=True, stdout=subprocess.DEVNULL,
                stderr=program.log.with_suffix(".launches.log").open("w"),
                env=dict(os.environ, CUDA_INJECTION64_PATH=launches, LAUNCHES=str(path)),
                timeout=max(1, deadline - time.monotonic()), check=True,
            )  # fmt: skip
            rows = [line.split("\t", 3) for line in path.read_text().splitlines()]
        except (OSError, subprocess.SubprocessError):
            return None
        totals.append(sum(int(calls) for calls, _, _, name in rows if not name.startswith("[copy")))
    return round((totals[1] - totals[0]) / 3)


def matrix_rate(device: str, size: int) -> float:
    """Operations per second of a bfloat16 product of two random square matrices."""
    left, right = (torch.randn(size, size, device=device).bfloat16() for _ in range(2))
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    for _ in range(3):
        left @ right
    wait()
    begin = time.perf_counter()
    for _ in range(10):
        left @ right
    wait()
    return 20 * size**3 / (time.perf_counter() - begin)


def table(case: Case, contestants: list[Program], rate: float) -> str:
    ours = statistics.median(contestants[0].seconds) if contestants[0].seconds else None
    operations = case.operations()
    lines = [
        f"PGD-{ATTACK_STEPS} training step, ResNet-18 of width {case.width}, batch {case.batch},"
        " bfloat16 unless a name says otherwise",
        "",
        "| program | ms per step (lowest–highest) | ms per image | over namid | kernels per step | kernels per s"
        " | TFLOP/s | of the matrix rate | loss after attack |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for program in contestants:
        if not program.seconds:
            reason = program.failure or "no time was left"
            lines.append(f"| {program.name} | {reason} |" + " |" * 7)
            continue
        median, times = statistics.median(program.seconds), program.seconds
        cells = [
            program.name,
            f"{1e3 * median:.2f} ({1e3 * min(times):.2f}–{1e3 * max(times):.2f})",
            f"{1e3 * median / case.batch:.4f}",
            f"{median / ours:.2f}" if ours else "",
            f"{program.kernels}" if program.kernels else "",
            f"{program.kernels / median:,.0f}" if program.kernels else "",
            f"{operations / median / 1e12:.2f}",
            f"{100 * operations / median / rate:.1f} %",
            f"{program.facts.get('attacked_loss', float('nan')):.4f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, help="namid-bench, or a program that starts it")
    parser.add_argument("--device", default="cuda", help="namid's device")
    parser.add_argument("--peer-device", help="the peers' device; namid's unless given")
    parser.add_argument("--cases", default="64x128", help="WIDTHxBATCH, separated by commas")
    parser.add_argument("--work", type=Path, required=True, help="folder for inputs and logs")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quickness", type=int, default=1, help="0: one step per measurement")
    parser.add_argument("--matrix", type=int, default=8192, help="side of the matrices")
    parser.add_argument("--launches", help="the library built from launches.cpp: counts kernels, in the first case")
    parser.add_argument("--compile-only", action="store_true", help="fill the cache of torch.compile, measure nothing")
    parser.add_argument("--ready-limit", type=float, default=60, help="seconds in which a program is to get ready")
    parser.add_argument("--until", type=float, default=time.time() + 600, help="end by then (seconds since 1970)")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    if options.threads < 1:
        options.threads = os.cpu_count() or 1
    options.peer_device = options.peer_device or options.device
    deadline = time.monotonic() + options.until - time.time()
    options.work.mkdir(parents=True, exist_ok=True)
    rate = matrix_rate(options.peer_device, 256 if options.compile_only else options.matrix)
    print(f"bfloat16 product of {options.matrix}×{options.matrix} matrices: {rate / 1e12:.1f} TFLOP/s\n", flush=True)
    cases = []
    for text in options.cases.split(","):
        width, batch = map(int, text.split("x"))
        cases.append(Case(width, batch, options.work))
        cases[-1].write_inputs(options.peer_device)
    if options.peer_device != "cpu":
        torch.cuda.empty_cache()
    groups = [programs(case, options) for case in cases]
    everything = [program for group in groups for program in group]
    if options.compile_only:
        everything = [program for program in everything if program.name.endswith("torch.compile")]
    for program in everything:
        if program.is_peer:
            program.start()
    if options.compile_only:
        for program in everything:
            program.process.stdin.write("begin\n")
        for program in everything:
            program.answer("ready", deadline)
        return
    results = []
    for case, group in zip(cases, groups):
        for program in group:
            program.get_ready(min(deadline - 10, time.monotonic() + options.ready_limit))
        measure(group, options.rounds, deadline - 5)
        for program in group if case is cases[0] else []:
            program.kernels = count_kernels(program, options.launches, deadline - 2)
        print(table(case, group, rate), flush=True)
        for program in group:
            results.append(
                {
                    "width": case.width, "batch": case.batch, "program": program.name, "seconds": program.seconds,
                    "kernels": program.kernels, "facts": program.facts, "failure": program.failure,
                }
            )  # fmt: skip
            program.process.kill()
        options.json.write_text(json.dumps({"matrix_rate": rate, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
