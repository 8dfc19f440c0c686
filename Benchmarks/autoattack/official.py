"""The official AutoAttack, unmodified, on a ResNet-18 of ours: verdict per image, seconds and peak memory.

    git clone https://github.com/fra31/auto-attack && git -C auto-attack checkout a392200
    python3 Benchmarks/autoattack/official.py --autoattack auto-attack --weights resnet18.safetensors \
        --images images.safetensors --count 256 --json official.json

Weights have PyTorch's names; the images' file holds `images` (uint8, N x 3 x 32 x 32) and `labels`. The network keeps
the layout in which AutoAttack's users load it. Needs torch and safetensors.
"""

import argparse
import json
import resource
import sys
import time
from fractions import Fraction
from pathlib import Path

import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "Golden"))
from generators.networks import ResNet18  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--autoattack", required=True, help="a checkout of fra31/auto-attack")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--padding", type=int, default=1, help="of the first convolution")
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--norm", default="Linf")
    parser.add_argument("--epsilon", default="8/255")
    parser.add_argument("--version", default="standard")
    parser.add_argument("--attacks", default="", help="single attacks instead, such as apgd-ce,square")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", default="official.json")
    return parser.parse_args()


def main():
    options = arguments()
    sys.path.insert(0, options.autoattack)
    from autoattack import AutoAttack

    torch.set_num_threads(options.threads)
    network = ResNet18(options.width, options.padding)
    network.load_state_dict(load_file(options.weights))
    network.eval()
    data = load_file(options.images)
    images = data["images"][: options.count].float() / 255
    labels = data["labels"][: options.count].long()
    attack = AutoAttack(
        network,
        norm=options.norm,
        eps=float(Fraction(options.epsilon)),
        seed=0,
        version=options.version,
        device="cpu",
        verbose=True,
    )
    if options.attacks:
        attack.attacks_to_run = options.attacks.split(",")
    begin = time.perf_counter()
    adversarial = attack.run_standard_evaluation(images, labels, bs=256)
    seconds = time.perf_counter() - begin
    with torch.no_grad():
        robust = network(adversarial).argmax(1) == labels
        clean = network(images).argmax(1) == labels
    report = {
        "torch": torch.__version__,
        "attacks": attack.attacks_to_run,
        "norm": options.norm,
        "epsilon": options.epsilon,
        "threads": options.threads,
        "count": len(labels),
        "seconds": round(seconds, 2),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "clean": int(clean.sum()),
        "robust": int(robust.sum()),
        "robust_per_image": [int(flag) for flag in robust],
    }
    Path(options.json).write_text(json.dumps(report) + "\n")
    print({key: value for key, value in report.items() if key != "robust_per_image"})


if __name__ == "__main__":
    main()
