"""What all programs here share: their arguments, their inputs and the conversation with the suite.

A program prepares its work and prints one line {"ready": facts}. Then it answers every line "measure" on standard input
with one line {"seconds": s, "peak_bytes": b}, and ends when there are no more. All else goes to standard error.
"""

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file

import networks

EPSILON = 8 / 255
STEP_SIZE = EPSILON / 4


def arguments(**choices: list[str]) -> argparse.Namespace:
    """Parses what every program is started with; `choices` are options of one program, the first value is the default."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", help="safetensors file of a ResNet-18")
    parser.add_argument("--batch", help="safetensors file with images, labels and the noise that attacks start with")
    parser.add_argument("--estimators", help="folder with natural.safetensors and adversarial.safetensors")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--count", type=int, default=1, help="times that the work is done per measurement")
    parser.add_argument("--attack-steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    for name, values in choices.items():
        parser.add_argument("--" + name, choices=values, default=values[0])
    options = parser.parse_args()
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    if os.environ.get("PEER_WAITS"):
        # A line says that the device is free: cuDNN's search for algorithms takes times, and a neighbour would spoil them.
        sys.stdin.readline()
    return options


@dataclass
class Batch:
    """Images (N, C, H, W) in [0, 1], labels (N) and the noise that is added to images before the first step."""

    images: torch.Tensor
    labels: torch.Tensor
    noise: torch.Tensor

    def __getitem__(self, rows: slice) -> "Batch":
        return Batch(self.images[rows], self.labels[rows], self.noise[rows])


def read_batch(options: argparse.Namespace, whole: bool = False) -> Batch:
    """The first images of the file, as many as a batch has; all of them when `whole`."""
    tensors = load_file(options.batch, device=options.device)
    batch = Batch(tensors["images"], tensors["labels"], tensors["noise"])
    return batch if whole else batch[: options.batch_size]


def read_network(options: argparse.Namespace) -> torch.nn.Module:
    with safe_open(options.network, framework="pt") as file:
        facts = {name: int(value) for name, value in file.metadata().items()}
    network = networks.ResNet18(
        facts["width"], facts["padding"], channels=facts["channels"], classes=facts["classes"]
    )
    network.load_state_dict(load_file(options.network))
    return network.to(options.device)


def read_estimators(options: argparse.Namespace) -> list[torch.nn.Module]:
    """The natural and the adversarial estimator."""
    found = []
    for name in ["natural", "adversarial"]:
        path = os.path.join(options.estimators, name + ".safetensors")
        with safe_open(path, framework="pt") as file:
            facts = {key: int(value) for key, value in file.metadata().items()}
        estimator = networks.Estimator(facts["units"], facts["channels"], facts["classes"])
        estimator.load_state_dict(load_file(path))
        found.append(estimator.to(options.device))
    return found


def project(attacked: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Into the L-infinity ball around the images, then into [0, 1]."""
    return (images + (attacked - images).clamp(-EPSILON, EPSILON)).clamp(0, 1)


def mean_loss(network: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Cross-entropy in evaluation mode and float32: what tells whether two attacks did the same."""
    mode = network.training
    network.eval()
    with torch.no_grad():
        loss = F.cross_entropy(network(images).float(), labels).item()
    network.train(mode)
    return loss


def peak_bytes() -> int:
    """The most memory that this process has had so far."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if platform.system() == "Darwin" else size * 1024


def graphed(work):
    """`work` recorded as one CUDA graph. It must read and write the same tensors at every call."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def kernels(work) -> int:
    """Kernels that one call of `work` starts on the CUDA device."""
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        work()
        torch.cuda.synchronize()
    return sum(
        event.device_type == DeviceType.CUDA and not event.name.startswith(("Memcpy", "Memset"))
        for event in profiler.events()
    )


def serve(options: argparse.Namespace, facts: dict[str, float], work) -> None:
    """Tells that all is ready, then measures `count` calls of `work` whenever it is asked to.

    On a CUDA device the line "kernels" is answered with {"kernels": n}; the profiler stays attached afterwards, so it
    comes after all measurements.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print is no answer

    def say(**message) -> None:
        print(json.dumps(message), file=answers, flush=True)

    def wait() -> None:
        if options.device.startswith("cuda"):
            torch.cuda.synchronize()

    say(ready=facts, versions={"torch": torch.__version__, "python": platform.python_version()})
    for line in sys.stdin:
        if line.strip() == "kernels":
            say(kernels=kernels(work))
        if line.strip() != "measure":
            continue
        wait()
        begin = time.perf_counter()
        for _ in range(options.count):
            work()
        wait()
        say(seconds=time.perf_counter() - begin, peak_bytes=peak_bytes())
