"""Writes the golden files of this folder from PyTorch; `--check` compares with those committed."""

import argparse
import json
from pathlib import Path

import torch

from generators import classifiers, closed_form, defenses, initialisation, large_estimator, layers
from generators import losses, models, mutual_information, optimizers, pgd, schedules, selection
from generators import store

HERE = Path(__file__).resolve().parent
KNOWN = HERE.parents[2] / "shared" / "golden" / "namid_golden.json"
TENSORS = {
    "layers": layers,
    "losses": losses,
    "optimizers": optimizers,
    "resnet18_logits": models.ResNet,
    "resnet18_sizes": classifiers.ResNet18Sizes,
    "preactresnet18": classifiers.PreAct,
    "wideresnet": classifiers.Wide,
    "vgg19": classifiers.VGG,
    "small_cnn": models.Small,
    "encoders": models.Encoders,
    "large_estimator": large_estimator,
    "mutual_information": mutual_information,
    "defenses": defenses,
    "pgd": pgd,
}
FACTS = {
    "closed_form": closed_form,
    "layers": layers,
    "losses": losses,
    "optimizers": optimizers,
    "schedules": schedules,
    "init": initialisation,
    "resnet18_keys": models.ResNet,
    "resnet18_sizes": classifiers.ResNet18Sizes,
    "preactresnet18": classifiers.PreAct,
    "wideresnet": classifiers.Wide,
    "vgg19": classifiers.VGG,
    "small_cnn": models.Small,
    "encoders": models.Encoders,
    "large_estimator": large_estimator,
    "mutual_information": mutual_information,
    "defenses": defenses,
    "selection": selection,
    "pgd": pgd,
}


def check_known():
    """Compares with numbers of an independent implementation, where they are at hand."""
    if not KNOWN.exists():
        print(f"{KNOWN.name} is not at hand: its comparison is left out")
        return
    known = json.loads(KNOWN.read_text())
    pairs = losses.check(known) | mutual_information.check(known)
    for name, (found, expected) in pairs.items():
        found, expected = torch.tensor(found).double(), torch.tensor(expected).double()
        if not torch.allclose(found, expected, rtol=1e-10, atol=1e-12):
            raise SystemExit(f"{name}: {found.tolist()} instead of {expected.tolist()}")
    print(f"{KNOWN.name}: {len(pairs)} numbers agree")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    print(f"torch {torch.__version__}")
    check_known()
    for name, module in TENSORS.items():
        store.tensor_file(options.output / f"{name}.safetensors", module, options.check)
    for name, module in FACTS.items():
        store.json_file(options.output / f"{name}.json", module.facts(), options.check)


if __name__ == "__main__":
    main()
