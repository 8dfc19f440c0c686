"""Logits and gradients of ResNet-18, the small convolutional network and the two encoders."""

import torch
import torch.nn.functional as F

from .closed_form import fill, image, leaf, tensor
from .networks import GlobalEncoder, LocalEncoder, ResNet18, SmallCNN

LABELS = torch.tensor([3, 7])
UNITS = 64


def parameters(network):
    return sum(value.numel() for value in network.parameters())


def key_list(network):
    """The state dict in order: name, shape, dtype (as safetensors writes it)."""
    names = {torch.float32: "F32", torch.int64: "I64"}
    return [
        {"key": key, "shape": list(value.shape), "dtype": names[value.dtype]}
        for key, value in network.state_dict().items()
    ]


def classified(prefix, network, pixels, dtype):
    """Logits, cross-entropy against LABELS, and its gradient with respect to the pixels."""
    variable = leaf(pixels, dtype)
    logits = network(variable)
    loss = F.cross_entropy(logits, LABELS)
    loss.backward()
    return {
        f"{prefix}/logits": logits.detach(),
        f"{prefix}/loss": loss.detach(),
        f"{prefix}/grad.input": variable.grad,
    }


def gradient_norms(prefix, network, names=None):
    """Euclidean norms of the gradients of the named parameters, or of all."""
    return {
        f"{prefix}/grad_norm.{name}": parameter.grad.norm()
        for name, parameter in network.named_parameters()
        if names is None or name in names
    }


class ResNet:
    """ResNet-18 of width 16, with both paddings of its first convolution."""

    STATISTICS = ("bn1", "layer4.1.bn2")
    NORMS = (
        "conv1.weight", "bn1.weight", "layer2.0.conv1.weight", "layer2.0.shortcut.0.weight",
        "layer4.1.conv2.weight", "layer4.1.bn2.bias", "linear.weight", "linear.bias",
    )

    @classmethod
    def tensors(cls, dtype):
        result = {}
        pixels = image("input", (2, 3, 32, 32))
        for padding in (1, 0):
            for mode in ("eval", "train"):
                prefix = f"padding{padding}/{mode}"
                network = fill(ResNet18(16, padding), dtype).train(mode == "train")
                result |= classified(prefix, network, pixels, dtype)
                result |= gradient_norms(prefix, network, cls.NORMS)
            for name in cls.STATISTICS:
                layer = network.get_submodule(name)
                result[f"padding{padding}/train/{name}.running_mean"] = layer.running_mean
                result[f"padding{padding}/train/{name}.running_var"] = layer.running_var
        return result

    @classmethod
    def extra_tensors(cls):
        single = cls.tensors(torch.float32)
        logits = {f"{k}.float32": v for k, v in single.items() if k.endswith("/logits")}
        return logits | {"labels": LABELS}

    @staticmethod
    def facts():
        counts = {}
        for width in (64, 16):
            for padding in (0, 1):
                for classes in (10, 200):
                    for channels in (3, 1):
                        with torch.device("meta"):
                            network = ResNet18(width, padding, classes, channels)
                        name = f"width{width}.padding{padding}.classes{classes}.channels{channels}"
                        counts[name] = parameters(network)
        assert counts["width64.padding1.classes10.channels3"] == 11_173_962
        return {
            "parameters": counts,
            "state_dict": {
                f"width{width}.classes10.channels3": key_list(ResNet18(width)) for width in (64, 16)
            },
        }


class Small:
    """The network for 28x28 grey images."""

    @staticmethod
    def tensors(dtype):
        network = fill(SmallCNN(), dtype)
        result = classified("eval", network, image("input", (2, 1, 28, 28)), dtype)
        return result | gradient_norms("eval", network)

    @classmethod
    def extra_tensors(cls):
        return {"eval/logits.float32": cls.tensors(torch.float32)["eval/logits"], "labels": LABELS}

    @staticmethod
    def facts():
        network = SmallCNN()
        return {"parameters": parameters(network), "state_dict": key_list(network)}


class Encoders:
    """The local encoder for colour and grey images, and the global encoder for ten logits."""

    CASES = {
        "local.rgb32": (lambda: LocalEncoder(3, UNITS), lambda: image("input", (2, 3, 32, 32))),
        "local.grey28": (lambda: LocalEncoder(1, UNITS), lambda: image("input", (1, 1, 28, 28))),
        "global.logits10": (
            lambda: GlobalEncoder(10, UNITS), lambda: tensor("input", (4, 10), scale=2.0)
        ),
    }

    @classmethod
    def tensors(cls, dtype):
        result = {}
        for case, (make, sample) in cls.CASES.items():
            for mode in ("eval", "train"):
                prefix = f"{case}/{mode}"
                network = fill(make(), dtype).train(mode == "train")
                variable = leaf(sample(), dtype)
                output = network(variable)
                output.backward(tensor("grad_output", output.shape).to(dtype))
                result[f"{prefix}/output"] = output.detach()
                result[f"{prefix}/grad.input"] = variable.grad
                result |= gradient_norms(prefix, network)
            for name, value in network.named_buffers():
                if not name.endswith("num_batches_tracked"):
                    result[f"{case}/train/{name}"] = value
        return result

    @staticmethod
    def aliased(keys):
        """The key list of the authors' checkpoints, where the trunk is registered twice."""
        trunk = [entry for entry in keys if entry["key"].startswith("layer")]
        rest = keys[len(trunk):]
        again = [dict(e, key=e["key"].replace("layer", "layers.", 1)) for e in trunk]
        return [entry["key"] for entry in trunk + again + rest]

    @classmethod
    def facts(cls):
        result = {"units": UNITS, "parameters": {}, "state_dict": {}}
        with torch.device("meta"):
            full = {"local.rgb": LocalEncoder(3), "local.grey": LocalEncoder(1)}
            full |= {"global.classes10": GlobalEncoder(10), "global.classes200": GlobalEncoder(200)}
        for name, network in full.items():
            result["parameters"][f"{name}.units2048"] = parameters(network)
        assert result["parameters"]["local.rgb.units2048"] == 4_863_360
        assert result["parameters"]["global.classes10.units2048"] == 4_245_504
        for case, (make, _) in cls.CASES.items():
            result["parameters"][f"{case}.units{UNITS}"] = parameters(make())
        for name in ("local.rgb", "global.classes10"):
            result["state_dict"][f"{name}.units2048"] = key_list(full[name])
        names = cls.aliased(key_list(full["local.rgb"]))
        assert len(names) == 35
        return result | {"authors_local_keys": names}
