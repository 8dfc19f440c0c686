"""Checkpoints of networks as people publish them."""

from __future__ import annotations

import argparse
import collections
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .archives import Fixture, legacy_bytes, torch_bytes
from .golden import seed, shaken, write_golden
from .networks import (
    MEAN,
    STD,
    VGG,
    Attacker,
    DeepMindNet,
    MeanInside,
    Normalize,
    PreActResNet18,
    ResNet,
    RobustResNet,
    WideResNet,
)


def detached(model: nn.Module, prefix: str = "") -> collections.OrderedDict[str, Tensor]:
    """A state dict with a prefix before every name."""
    return collections.OrderedDict(
        (prefix + key, value) for key, value in model.state_dict().items()
    )


def model_fixtures() -> Iterator[Fixture]:
    """Checkpoints of networks."""

    def fixture(
        name: str,
        shows: str,
        build: Callable[[], nn.Module],
        wrap: Callable[[nn.Module], Any] | None = None,
        *,
        legacy: bool = False,
        side: int = 32,
        golden: str = "",
        **facts: Any,
    ) -> Fixture:
        def write(path: pathlib.Path) -> None:
            seed(golden or name)
            model = shaken(build(), side)
            value = wrap(model) if wrap else model.state_dict()
            path.write_bytes(legacy_bytes(value) if legacy else torch_bytes(value))
            write_golden(path.with_name(f"{golden or name}.safetensors"), model, side)

        if golden:
            facts["golden"] = f"models/{golden}.safetensors"
        return Fixture(f"models/{name}.pt", shows, "network", write, facts)

    eighteen, thirty_four = (2, 2, 2, 2), (3, 4, 6, 3)
    outside = dict(mean=MEAN, std=STD, where="outside the file")
    inside = dict(mean=MEAN, std=STD, where="in the file")
    yield fixture("resnet18", "ResNet-18, CIFAR names", lambda: ResNet(eighteen, 1))
    yield fixture(
        "resnet34",
        "ResNet-34, CIFAR names, older format",
        lambda: ResNet(thirty_four, 1),
        legacy=True,
    )
    yield fixture(
        "resnet50",
        "ResNet-50, CIFAR names, older format",
        lambda: ResNet(thirty_four, 1, bottleneck=True),
        legacy=True,
    )
    yield fixture(
        "torchvision-cifar-stem",
        "ResNet-18, torchvision's names, 3×3 stem without pooling",
        lambda: ResNet(eighteen, 1, torchvision=True),
        legacy=True,
    )
    yield fixture(
        "torchvision-imagenet-stem",
        "ResNet-18, torchvision's names, 7×7 stem and max pooling, 64 pixels",
        lambda: ResNet(eighteen, 1, torchvision=True, imagenet_stem=True),
        side=64,
        legacy=True,
    )
    yield fixture(
        "torchvision-bottleneck",
        "bottlenecks of torchvision's names, one a stage, 3×3 stem",
        lambda: ResNet((1, 1, 1, 1), 1, torchvision=True, bottleneck=True),
        legacy=True,
    )
    for last_norm in (True, False):
        for raw in (False, True):
            name = f"preactresnet18-{'norm' if last_norm else 'plain'}-{'raw' if raw else 'active'}"
            yield fixture(
                name,
                f"PreActResNet-18 {'with' if last_norm else 'without'} a last batch norm; "
                f"shortcuts read the {'raw' if raw else 'active'} input, which names do not tell",
                lambda last_norm=last_norm, raw=raw: PreActResNet18(
                    1, last_norm=last_norm, raw=raw
                ),
                shortcut="raw" if raw else "activated",
                legacy=raw,
            )
    yield fixture(
        "wideresnet28",
        "WideResNet-28, TRADES names, first stage 1",
        lambda: WideResNet(28, 1),
        legacy=True,
    )
    yield fixture(
        "wideresnet16-sub-block",
        "WideResNet-16 with an unused sub_block1 of its own weights",
        lambda: WideResNet(16, 2, sub_block="own"),
        legacy=True,
    )
    yield fixture(
        "wideresnet16-sub-block-alias",
        "WideResNet-16 whose sub_block1 is block1 under a second name",
        lambda: WideResNet(16, 2, sub_block="alias"),
        legacy=True,
    )
    yield fixture(
        "wideresnet16-no-bias",
        "WideResNet-16, fc without bias",
        lambda: WideResNet(16, 2, bias=False),
    )
    yield fixture(
        "wideresnet10-older",
        "WideResNet-10 before batches were counted: no num_batches_tracked",
        lambda: WideResNet(10, 4),
        lambda model: {k: v for k, v in model.state_dict().items() if "num_batches" not in k},
    )
    yield fixture(
        "wideresnet16-silu",
        "WideResNet-16, TRADES names, SiLU (not in the names), buffers mean and std (1, 3, 1, 1)",
        lambda: WideResNet(16, 2, silu=True, normalized=True),
        activation="silu",
        **inside,
    )
    yield fixture(
        "robust-wideresnet",
        "stem_conv and blocks, widths 4, 6, 5",
        lambda: RobustResNet((2, 1, 2), (4, 6, 5)),
        legacy=True,
    )
    yield fixture(
        "robust-resnet-silu",
        "stem_conv, blocks and norm1: SiLU, shortcut.0, mu and sigma (3, 1, 1)",
        lambda: RobustResNet((2, 3, 1), (4, 6, 5), silu=True),
        legacy=True,
        **inside,
    )
    yield fixture(
        "deepmind-wideresnet28",
        "DeepMind's WideResNet-28: SiLU, padding at the end, mean and std not in the file",
        lambda: DeepMindNet(1, 28),
        legacy=True,
        **outside,
    )
    yield fixture(
        "deepmind-wideresnet16-mean",
        "DeepMind's WideResNet-16 with mean and std in the file",
        lambda: DeepMindNet(2, 16, persistent=True),
        legacy=True,
        **inside,
    )
    yield fixture(
        "deepmind-preactresnet18",
        "DeepMind's PreActResNet-18: 3×3 shortcuts of the block's input",
        lambda: DeepMindNet(1),
        legacy=True,
        **outside,
    )
    for layers in (11, 16):
        for norm in (True, False):
            yield fixture(
                f"vgg{layers}{'-norm' if norm else ''}",
                f"VGG-{layers} {'with' if norm else 'without'} batch norm",
                lambda layers=layers, norm=norm: VGG(layers, 1 if norm else 2, norm),
                legacy=layers == 16,
            )
    small = lambda: ResNet((1, 1, 1, 1), 1)  # noqa: E731
    yield fixture(
        "normalize-sequential",
        "Sequential(Normalize, ResNet): 0.mean, 0.std, 1.conv1.weight, …",
        lambda: nn.Sequential(Normalize(), small()),
        **inside,
    )
    yield fixture(
        "normalize-named",
        "normalize.mean, normalize.std of shape (3), model.conv1.weight, …",
        lambda: nn.Sequential(
            collections.OrderedDict(normalize=Normalize(shape=(3,)), model=small())
        ),
        legacy=True,
        **inside,
    )
    yield fixture(
        "mu-sigma",
        "buffers mu and sigma beside the layers",
        lambda: MeanInside((1, 1, 1, 1), 1),
        **inside,
    )
    yield fixture(
        "nested-arguments",
        "{epoch, state_dict with module., args: argparse.Namespace, optimizer}",
        small,
        lambda model: {
            "epoch": 200,
            "arch": "resnet",
            "state_dict": detached(model, "module."),
            "best_acc1": 0.5125,
            "args": argparse.Namespace(
                lr=0.1, model="resnet", epsilon=8 / 255, milestones=[100, 150]
            ),
            "optimizer": torch.optim.SGD(model.parameters(), 0.1, 0.9).state_dict(),
        },
        golden="small",
    )
    yield fixture(
        "averaged",
        "model_state_dict (averaged) beside unaveraged_model_state_dict, with module.0.",
        small,
        lambda model: {
            "model_state_dict": detached(model, "module.0."),
            "unaveraged_model_state_dict": {
                k: torch.zeros_like(v) for k, v in detached(model, "module.0.").items()
            },
        },
        key="model_state_dict",
        legacy=True,
        golden="small",
    )
    yield fixture(
        "compiled",
        "names of a compiled and parallel model: module._orig_mod.",
        small,
        lambda model: {"net": detached(model, "module._orig_mod."), "acc": 91.5, "epoch": 199},
        golden="small",
    )
    yield fixture(
        "attacker",
        "library robustness: the network twice, normalizer.new_mean and new_std",
        lambda: Attacker(small()),
        lambda model: {"model": detached(model, "module."), "epoch": 3},
        legacy=True,
        **inside,
    )
    yield fixture(
        "extra-keys",
        "{last, best}; beside the weights a second network, to be left out with a word",
        small,
        lambda model: {
            "last": detached(model)
            | {"probe.1.weight": torch.ones(3, 3), "probe.1.bias": torch.ones(3)},
            "best": {key: torch.zeros_like(value) for key, value in detached(model).items()},
        },
        key="last",
        legacy=True,
        golden="small",
    )
    yield fixture(
        "half",
        "weights in float16",
        lambda: small().half().float(),
        lambda model: {
            key: value.half() if value.is_floating_point() else value
            for key, value in model.half().float().state_dict().items()
        },
    )
