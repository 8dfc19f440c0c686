"""Logits and gradients of all residual networks and VGG-19 at 28, 32 and 64 pixels."""

import torch

from .architectures import VGG19, PreActResNet18, WideResNet
from .closed_form import fill, image
from .models import LABELS, classified, gradient_norms, key_list, parameters
from .networks import ResNet18

# Channels, pixels, classes.
SHAPES = {"grey28": (1, 28, 10), "rgb32": (3, 32, 10), "rgb64": (3, 64, 200)}
# Pictures larger than this keep only the norm of their gradient.
LARGEST = 32


class Classifier:
    """One architecture: `make(name, width, classes, channels, pixels, padding)` builds it."""

    # Case: picture, width, padding, modes.
    CASES = {
        "grey28": ("grey28", 8, 1, ("eval",)),
        "rgb32": ("rgb32", 8, 1, ("eval", "train")),
        "rgb64": ("rgb64", 8, 1, ("eval",)),
    }
    # Name of all cases; None where each case begins with its own.
    NAME = None
    # Name, width and pictures whose parameters are counted.
    WIDTHS = ()
    NORMS = ()
    STATISTICS = ()
    PUBLISHED = {}

    @classmethod
    def tensors(cls, dtype):
        result = {}
        for case, (picture, width, padding, modes) in cls.CASES.items():
            channels, size, classes = SHAPES[picture]
            for mode in modes:
                prefix = f"{case}/{mode}"
                network = cls.make(case, width, classes, channels, size, padding)
                network = fill(network, dtype).train(mode == "train")
                pixels = image("input", (2, channels, size, size))
                one = classified(prefix, network, pixels, dtype)
                gradient = one[f"{prefix}/grad.input"]
                if size > LARGEST or mode == "train":
                    del one[f"{prefix}/grad.input"]
                    one[f"{prefix}/grad_norm.input"] = gradient.norm()
                result |= one | gradient_norms(prefix, network, cls.NORMS)
                if mode == "train":
                    result |= cls.statistics(prefix, network)
        return result

    @classmethod
    def statistics(cls, prefix, network):
        """Running statistics after the one forward pass in training mode."""
        layers = {name: network.get_submodule(name) for name in cls.STATISTICS}
        return {
            f"{prefix}/{name}.{kind}": getattr(layer, kind)
            for name, layer in layers.items() for kind in ("running_mean", "running_var")
        }

    @classmethod
    def extra_tensors(cls):
        return {"labels": LABELS}

    @classmethod
    def facts(cls):
        """The cases above; parameter counts, and key lists for colour images of 32 pixels."""
        result = {"cases": {}, "parameters": [], "state_dict": []}
        for case, (picture, width, padding, modes) in cls.CASES.items():
            name = cls.NAME or case.split(".")[0]
            network = described(name, width, padding, picture)
            result["cases"][case] = {"modes": list(modes), "network": network}
        for name, width, pictures in cls.WIDTHS:
            for picture in pictures:
                channels, size, classes = SHAPES[picture]
                with torch.device("meta"):
                    network = cls.make(name, width, classes, channels, size, 1)
                named = {"network": described(name, width, 1, picture)}
                count = parameters(network)
                result["parameters"].append(named | {"count": count})
                if picture == "rgb32":
                    result["state_dict"].append(named | {"keys": key_list(network)})
                    assert count == cls.PUBLISHED.get((name, width), count), (name, count)
        return result


def described(name, width, padding, picture):
    """What a network is, under the names of its specification."""
    channels, size, classes = SHAPES[picture]
    return {
        "architecture": name, "width": width, "firstConvolutionPadding": padding,
        "classCount": classes, "channels": channels, "imageHeight": size, "imageWidth": size,
    }


class ResNet18Sizes(Classifier):
    CASES = {
        "grey28": ("grey28", 8, 1, ("eval",)),
        "rgb64": ("rgb64", 8, 1, ("eval",)),
        "rgb64.padding0": ("rgb64", 8, 0, ("eval",)),
    }
    NAME = "resnet18"
    WIDTHS = (("resnet18", 64, ("rgb32",)), ("resnet18", 8, SHAPES))
    NORMS = ("conv1.weight", "layer2.0.shortcut.0.weight", "layer4.1.conv2.weight", "linear.weight")
    PUBLISHED = {("resnet18", 64): 11_173_962}

    @staticmethod
    def make(_, width, classes, channels, __, padding):
        return ResNet18(width, padding, classes, channels)


class PreAct(Classifier):
    NAME = "preactresnet18"
    WIDTHS = (("preactresnet18", 64, ("rgb32",)), ("preactresnet18", 8, SHAPES))
    NORMS = (
        "conv1.weight", "layer1.0.bn1.weight", "layer1.1.conv1.weight",
        "layer2.0.shortcut.0.weight", "layer2.0.bn2.bias", "layer4.1.conv2.weight",
        "bn.weight", "linear.weight",
    )
    STATISTICS = ("layer1.0.bn1", "layer3.0.bn2", "bn")
    PUBLISHED = {("preactresnet18", 64): 11_172_170}

    @staticmethod
    def make(_, width, classes, channels, __, padding):
        return PreActResNet18(width, classes, channels, padding)


class Wide(Classifier):
    """Depth 34 of widening factor 1.5 at all sizes; depth 28 of factors 1 and 2."""

    CASES = {
        "wideresnet-34-10.grey28": ("grey28", 24, 1, ("eval",)),
        "wideresnet-34-10.rgb32": ("rgb32", 24, 1, ("eval", "train")),
        "wideresnet-34-10.rgb64": ("rgb64", 24, 1, ("eval",)),
        "wideresnet-28-10.rgb32": ("rgb32", 16, 1, ("eval", "train")),
        "wideresnet-28-10.rgb64": ("rgb64", 32, 1, ("eval",)),
    }
    WIDTHS = (
        ("wideresnet-34-10", 160, ("rgb32",)), ("wideresnet-34-10", 16, ("grey28", "rgb64")),
        ("wideresnet-28-10", 160, ("rgb32",)), ("wideresnet-28-10", 16, SHAPES),
    )
    NORMS = (
        "conv1.weight", "block1.layer.0.bn1.weight", "block1.layer.0.convShortcut.weight",
        "block2.layer.0.convShortcut.weight", "block2.layer.1.conv1.weight",
        "block3.layer.3.bn2.bias", "block3.layer.3.conv2.weight", "bn1.weight", "fc.weight",
    )
    STATISTICS = ("block1.layer.0.bn1", "block2.layer.3.bn2", "bn1")
    PUBLISHED = {
        ("wideresnet-34-10", 160): 46_160_474,
        ("wideresnet-28-10", 160): 36_479_194,
    }

    @staticmethod
    def make(name, width, classes, channels, _, padding):
        return WideResNet(int(name.split("-")[1]), width, classes, channels, padding)


class VGG(Classifier):
    # Training at 64 pixels and width 4: on the 1x1 maps that 32 leave, batch statistics of two
    # pictures amplify rounding, and so do sums over many channels.
    CASES = {
        "grey28": ("grey28", 8, 1, ("eval",)),
        "rgb32": ("rgb32", 8, 1, ("eval",)),
        "rgb32.padding0": ("rgb32", 8, 0, ("eval",)),
        "rgb64": ("rgb64", 8, 1, ("eval",)),
        "rgb64.width4": ("rgb64", 4, 1, ("train",)),
    }
    NAME = "vgg19"
    WIDTHS = (("vgg19", 64, ("rgb32",)), ("vgg19", 8, SHAPES))
    NORMS = (
        "features.0.weight", "features.1.weight", "features.17.weight",
        "features.49.weight", "features.50.bias", "classifier.weight", "classifier.bias",
    )
    STATISTICS = ("features.1", "features.28", "features.50")
    PUBLISHED = {("vgg19", 64): 20_040_522}

    @staticmethod
    def make(_, width, classes, channels, size, padding):
        return VGG19(width, classes, channels, size, padding)
