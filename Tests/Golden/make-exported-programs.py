#!/usr/bin/env python3
"""Small programs exported by PyTorch, with PyTorch's logits and gradients beside them.

    python3 -m venv .venv && .venv/bin/pip install torch==2.13.0+cpu numpy safetensors \
      --index-url https://download.pytorch.org/whl/cpu --extra-index-url https://pypi.org/simple
    .venv/bin/python Tests/Golden/make-exported-programs.py      # writes Tests/Golden/exported/exported-*

NAME.pt2 is what `torch.export.save` writes, packed again: entries are deflated, and the stack traces and sample inputs
are left out. NAME.safetensors holds `images`, `logits`, `direction`, `input_gradient` of sum(logits * direction), and
what single tests need besides.
"""

import io
import json
import pathlib
import tempfile
import zipfile

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

FOLDER = pathlib.Path(__file__).resolve().parent / "exported"


class Normalized(nn.Module):
    """Mean and deviation, one as a buffer and one as a plain tensor, before a network."""

    def __init__(self, inner):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.49, 0.48, 0.45]).view(1, 3, 1, 1))
        self.deviation = torch.tensor([0.25, 0.24, 0.26]).view(1, 3, 1, 1)
        self.inner = inner

    def forward(self, x):
        return self.inner((x - self.mean) / self.deviation)


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


class ResNet(nn.Module):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 1, 1)
        self.bn1 = nn.BatchNorm2d(8)
        self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 12, 2))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(12, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv1(x)), inplace=True))
        return self.fc(self.dropout(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)))


class ViT(nn.Module):
    """One block with nn.MultiheadAttention and one with scaled_dot_product_attention on its own."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.position = nn.Parameter(torch.randn(1, 5, 16))
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(16, eps=1e-6) for _ in range(3))
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.qkv = nn.Linear(16, 48)
        self.mlp = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, 16))
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        n, t, c = x.shape
        q, k, v = self.qkv(self.norm2(x)).reshape(n, t, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, c)
        x = x + self.mlp(self.norm3(x))
        return self.head(x[:, 0])


class ConvNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 2, 2)
        self.depthwise = nn.Conv2d(12, 12, 7, padding=3, groups=12)
        self.norm = nn.LayerNorm(12, eps=1e-6)
        self.up, self.down = nn.Linear(12, 24), nn.Linear(24, 12)
        self.scale = nn.Parameter(torch.full((12,), 0.5))
        self.head = nn.Linear(12, 10)

    def forward(self, x):
        x = self.stem(x)
        y = self.depthwise(x).permute(0, 2, 3, 1)
        y = self.down(F.gelu(self.up(self.norm(y))))
        x = x + (self.scale * y).permute(0, 3, 1, 2)
        return self.head(x.mean([-2, -1]))


class Mixed(nn.Module):
    """Whatever else networks use: other norms and activations, resizing, indexing, arithmetic on sizes."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding="same"), nn.Conv2d(8, 8, 3, 2, groups=2)
        self.up = nn.ConvTranspose2d(8, 6, 2, 2)
        self.gn, self.instance = nn.GroupNorm(2, 8), nn.InstanceNorm2d(8)
        self.prelu = nn.PReLU(8)
        self.register_buffer("order", torch.tensor([2, 0, 1, 5, 4, 3]), persistent=False)
        self.head = nn.Linear(6 * 4 + 6, 10)

    def forward(self, x):
        n = x.size(0)
        x = F.silu(self.gn(self.a(F.pad(x, (1, 0, 1, 0), mode="reflect"))))
        x = F.hardswish(self.instance(self.b(F.pad(x, (0, 1, 0, 1)))), inplace=True)
        x = self.prelu(F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False))
        x = F.interpolate(F.max_pool2d(x, 2, ceil_mode=True), size=(5, 5), mode="nearest")
        x = F.gelu(self.up(F.avg_pool2d(x, 2)), approximate="tanh")[:, self.order]
        x = torch.roll(x, (1, -1), (2, 3))
        mask = x < -0.1
        x = x.masked_fill(mask, -0.1) * F.hardsigmoid(x.amax((2, 3), keepdim=True))
        y = x.view(n * 6, -1).softmax(-1).mean(1).view(n, 6) * 3
        z = F.adaptive_avg_pool2d(x, (2, 2)).reshape(x.shape[0], -1)
        z = torch.where(z > 0, z, 0.2 * z).clamp(min=-1) / (1 + 0.01 * n - 0.01 * x.shape[0])
        return self.head(torch.cat([z, F.normalize(y, dim=1)], dim=1))


class Several(nn.Module):
    """Features and logits together, in a form of its own."""

    def __init__(self, form):
        super().__init__()
        self.form, self.conv, self.head = form, nn.Conv2d(3, 6, 3, 2), nn.Linear(6, 10)

    def forward(self, x):
        maps = self.conv(x).tanh()
        logits = self.head(maps.mean((2, 3)))
        if self.form == "tuple":
            return maps, (logits, logits.softmax(1))
        if self.form == "maps":
            return {"maps": maps, "mean": maps.mean(0)}
        return {"maps": maps, "logits": logits, "none": None}


class InPlace(nn.Module):
    """A tensor that is changed in place while something else sees its memory, or has yet to read it."""

    def __init__(self, seen):
        super().__init__()
        self.seen, self.conv, self.next = seen, nn.Conv2d(3, 6, 3, 2), nn.Conv2d(6, 6, 3, padding=1)
        self.bn, self.head = nn.BatchNorm2d(6), nn.Linear(6 * 9, 10)

    def forward(self, x):
        y = self.conv(x)
        if self.seen:
            flat = y.view(x.size(0), -1)
            y.relu_()
            return self.head(flat)
        later = self.next(y)
        y.relu_()
        return self.head((self.bn(later) + y).flatten(1))


def gradients(model, images, direction, wanted=()):
    images = images.clone().requires_grad_()
    logits = model(images)
    if isinstance(logits, dict):
        logits = logits["logits"]
    if isinstance(logits, tuple):
        logits = logits[1][0]
    named = dict(model.named_parameters())
    results = torch.autograd.grad(
        (logits * direction).sum(), [images] + [named[n] for n in wanted])
    tensors = {"logits": logits.detach(), "input_gradient": results[0]}
    for name, gradient in zip(wanted, results[1:]):
        tensors["gradient/" + name] = gradient.contiguous()
    return tensors


def pack(program, path):
    with tempfile.TemporaryDirectory() as folder:
        plain = pathlib.Path(folder) / "model.pt2"
        torch.export.save(program, str(plain))
        source = zipfile.ZipFile(plain)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
            for info in source.infolist():
                data = source.read(info)
                if "/sample_inputs/" in info.filename:
                    continue
                if info.filename.endswith("/models/model.json"):
                    graph = json.loads(data)
                    for node in graph["graph_module"]["graph"]["nodes"]:
                        node["metadata"] = {}
                    data = json.dumps(graph).encode()
                entry = zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(entry, data)


def randomize(model):
    generator = torch.Generator().manual_seed(1)
    for name, tensor in list(model.named_parameters()) + list(model.named_buffers()):
        if name.endswith("running_mean"):
            tensor.copy_(0.1 * torch.randn(tensor.shape, generator=generator))
        elif name.endswith("running_var"):
            tensor.copy_(1 + 0.3 * torch.rand(tensor.shape, generator=generator))
        elif tensor.is_floating_point() and (name.endswith("bias") or name.endswith("norm.weight") or ".bn" in name):
            tensor.add_(0.2 * torch.randn(tensor.shape, generator=generator))


def write(name, model, batch=None, decompose=None, side=8, train=False, wanted=(), dtype=None, count=5):
    torch.manual_seed(0)
    model = model()
    with torch.no_grad():
        randomize(model)
    model.train(train)
    images = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(2))
    direction = torch.rand(count, 10, generator=torch.Generator().manual_seed(3)) - 0.5
    served = model
    tensors = {"images": images, "direction": direction}
    if name.endswith("maps"):
        tensors = {}
    elif name == "changed-later":
        # Autograd refuses such a gradient.
        with torch.no_grad():
            tensors["logits"] = model(images)
    elif train:
        state = {k: v.clone() for k, v in model.state_dict().items()}
        tensors |= {"training/" + k: v for k, v in gradients(model, images, direction).items()}
        tensors |= {"state/" + k: v.clone() for k, v in model.state_dict().items() if "running" in k or "num" in k}
        model.load_state_dict(state)
        model.eval()
        tensors |= gradients(model, images, direction)
        model.train()
    else:
        tensors |= gradients(model, images, direction, wanted)
    if dtype is not None:
        served = model.to(dtype)
    example = torch.rand(batch or 2, 3, side, side, dtype=dtype or torch.float32)
    shapes = None if batch else ({0: torch.export.Dim.DYNAMIC},)
    program = torch.export.export(served, (example,), dynamic_shapes=shapes)
    if decompose is not None:
        program = program.run_decompositions(*decompose)
    pack(program, FOLDER / f"exported-{name}.pt2")
    if tensors:
        save_file({k: v.contiguous() for k, v in tensors.items()},
                  str(FOLDER / f"exported-{name}.safetensors"))


def main():
    FOLDER.mkdir(exist_ok=True)
    resnet = lambda: Normalized(ResNet())
    write("resnet", resnet, wanted=("inner.conv1.weight", "inner.blocks.1.bn2.bias", "inner.fc.weight"))
    write("resnet-fixed", resnet, batch=4)
    write("resnet-double", resnet, dtype=torch.float64)
    write("resnet-core", resnet, decompose=())
    write("resnet-train", lambda: Normalized(ResNet()), train=True)
    write("resnet-train-functional", lambda: Normalized(ResNet()), train=True, decompose=({},))
    write("dropout-train", lambda: ResNet(0.5), train=True, decompose=None)
    write("vit", ViT)
    write("vit-core", ViT, decompose=())
    write("convnext", ConvNeXt)
    write("mixed", Mixed)
    write("mixed-core", Mixed, decompose=())
    write("tuple", lambda: Several("tuple"))
    write("dictionary", lambda: Several("dictionary"))
    write("changed-view", lambda: InPlace(True))
    write("changed-view-functional", lambda: InPlace(True), decompose=({},))
    write("changed-later", lambda: InPlace(False))
    write("maps", lambda: Several("maps"))


if __name__ == "__main__":
    main()
