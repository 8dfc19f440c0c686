"""Small TorchScript archives and what PyTorch 2.13 computes with their models, for ScriptedModuleTests.

    python Tests/Golden/make-scripted-modules.py        # writes Tests/Golden/scripted/

Per case NAME.pt and in scripted.safetensors `NAME/logits`, `NAME/grad_output` and `NAME/grad.input`, of the model in
evaluation mode for the first images of `input` (computed in float64 for `double`, float32 for the others);
`NAME/grad.KEY` for its parameters where they are compared, too. Archives whose names begin with `hostile-` must be refused.
"""
import io
import pathlib
import warnings
import zipfile

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent / "scripted"
SIZE = 16
golden = {}


class Net(nn.Module):
    """Normalisation inside, batch norm, GELU and dropout."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6], dtype=dtype).view(1, 3, 1, 1))
        self.conv1 = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.blocks = nn.Sequential(nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.GELU())
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(8 * 4 * 4, 10)

    def features(self, x):
        deviation = torch.tensor([0.2, 0.25, 0.3], dtype=x.dtype).view(1, 3, 1, 1)
        x = (x - self.mean) / deviation
        return self.blocks(torch.relu(self.bn(self.conv1(x))))

    def forward(self, x):
        x = self.features(x)
        return self.fc(self.dropout(x.view(x.size(0), -1)))


class FixedBatch(Net):
    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def forward(self, x):
        return self.fc(self.features(x).view(self.batch, 128))


class ControlFlow(nn.Module):
    """Loops, branches, a warning, functional dropout and lists."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.blocks = nn.ModuleList([nn.Conv2d(6, 6, 3, padding=1) for _ in range(3)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(6), nn.GroupNorm(2, 6), nn.InstanceNorm2d(6)])
        self.head = nn.Linear(6, 10)
        self.scales = [1.0, 0.5, 0.25]

    def forward(self, x):
        if x.dim() != 4:
            raise ValueError("expected images")
        x = self.stem(x)
        kept = [x]
        for i, (block, norm) in enumerate(zip(self.blocks, self.norms)):
            y = F.silu(norm(block(x)))
            y = F.dropout(y, 0.3, training=self.training)
            x = x + y * self.scales[i]
            kept.append(x)
        if x.size(2) > 4:
            x = F.max_pool2d(x, 2)
        x = F.interpolate(x, size=[6, 6], mode="bilinear", align_corners=False)
        total = kept[-1].mean([2, 3])
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1) + total)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 12, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 12) * 0.1)
        self.norm = nn.LayerNorm(12)
        self.qkv = nn.Linear(12, 36)
        self.head = nn.Linear(12, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)
        b, n, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, n, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c)
        return self.head(x[:, 0])


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3 * SIZE * SIZE, 10)
        self.mix = nn.Linear(10, 10, bias=False)
        self.again = nn.Linear(10, 10, bias=False)
        self.again.weight = self.mix.weight

    def forward(self, x):
        return self.again(torch.tanh(self.mix(self.first(x.flatten(1)))))


class InPlace(Net):
    def forward(self, x):
        x.sub_(0.5)
        return super().forward(x)


class Noisy(Net):
    def forward(self, x):
        return super().forward(x + 0.1 * torch.randn_like(x))


class Several(Net):
    def __init__(self, form):
        super().__init__()
        self.form = form

    def forward(self, x):
        f = self.features(x)
        logits = self.fc(f.view(f.size(0), -1))
        if self.form == "tuple":
            return f, logits
        if self.form == "two":
            return logits, [logits * 2, f]
        if self.form == "none":
            return f
        return {"features": f, "logits": logits}


class Elsewhere(Net):
    """Code that names another device."""

    def forward(self, x):
        x = self.features(x)
        zero = torch.zeros([1, 1], device=torch.device("cuda:0"), dtype=x.dtype)
        return self.fc(x.flatten(1).to("cuda:0")) + zero


class Counting(Net):
    """Changes a buffer in evaluation mode."""

    def forward(self, x):
        self.mean.add_(0.01)
        return self.fc(self.features(x).flatten(1))


class Setstate(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3 * SIZE * SIZE, 10)

    @torch.jit.export
    def __getstate__(self):
        return 3, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[int, bool]):
        self.training = state[1]

    def forward(self, x):
        return x.flatten(1)


class FromFile(nn.Module):
    def forward(self, x):
        return x.flatten(1) + torch.from_file("/etc/hostname", size=1, dtype=torch.uint8)


class Save(nn.Module):
    def forward(self, x):
        torch.ops.aten.save(x, "/tmp/namid-hostile")
        return x.flatten(1)


class Fork(nn.Module):
    def forward(self, x):
        return torch.jit.wait(torch.jit.fork(torch.relu, x)).flatten(1)


def inputs(count):
    """The first images of one batch."""
    generator = torch.Generator().manual_seed(1)
    return torch.rand(8, 3, SIZE, SIZE, generator=generator)[:count]


def settle(model):
    """Running statistics and normalisation parameters that differ from their first values."""
    generator = torch.Generator().manual_seed(7)
    for name, tensor in list(model.named_parameters()) + list(model.named_buffers()):
        if name.endswith("running_mean"):
            tensor.data.uniform_(-0.2, 0.2, generator=generator)
        if name.endswith("running_var"):
            tensor.data.uniform_(0.5, 1.5, generator=generator)
    return model.eval()


def record(name, model, x, logits=lambda out: out, parameters=False):
    model.eval()
    x = x.clone().requires_grad_()
    out = logits(model(x * 1))
    weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out).cos()
    leaves = [x] + ([p for _, p in model.named_parameters()] if parameters else [])
    grads = torch.autograd.grad((out * weights).sum(), leaves)
    keep = lambda t: t.detach().to(torch.float32).contiguous()
    golden.update({f"{name}/logits": keep(out), f"{name}/grad_output": keep(weights)})
    keys = ["input"] + [key for key, _ in model.named_parameters()]
    golden.update({f"{name}/grad.{key}": keep(grad) for key, grad in zip(keys, grads)})


def save(name, script):
    torch.jit.save(script, FOLDER / f"{name}.pt")


def case(name, model, script, count=2, logits=lambda out: out, parameters=False):
    save(name, script)
    record(name, model, inputs(count), logits, parameters)


def trace(model, count=2, **options):
    return torch.jit.trace(model, inputs(count), check_trace=False, **options)


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)

    net = settle(Net())
    case("traced", net, trace(net), parameters=True)
    training = settle(Net())
    training.train()
    script = trace(training)
    settle(training)
    case("traced-training", training, script)
    flow = settle(ControlFlow())
    case("scripted", flow, torch.jit.script(flow), parameters=True)
    fixed = settle(FixedBatch(4))
    save("fixed-batch", trace(fixed, 4))
    fixed.batch = -1
    record("fixed-batch", fixed, inputs(6))
    unknown = settle(FixedBatch(8))
    save("fixed-batch-unknown", trace(unknown, 8, _store_inputs=False))
    attention = Attention().eval()
    case("attention", attention, trace(attention))
    tied = Tied().eval()
    case("tied", tied, trace(tied))
    inplace = settle(InPlace())
    save("in-place", trace(inplace))
    record("in-place", inplace, inputs(2))

    half = settle(Net(torch.float16)).half()
    save("half", torch.jit.trace(half, inputs(2).half(), check_trace=False))
    record("half", half.float(), inputs(2))
    double = settle(Net(torch.float64)).double()
    save("double", torch.jit.trace(double, inputs(2).double(), check_trace=False))
    record("double", double, inputs(2).double())

    several = settle(Several("tuple"))
    case("tuple", several, trace(several), logits=lambda out: out[1])
    several = settle(Several("dict"))
    case("dictionary", several, trace(several, strict=False), logits=lambda out: out["logits"])
    several = settle(Several("two"))
    case("two-matrices", several, trace(several, strict=False), logits=lambda out: out[1][0])
    save("no-logits", trace(settle(Several("none"))))
    frozen = settle(Net())
    case("frozen", frozen, torch.jit.freeze(trace(frozen)))
    save("noisy", trace(settle(Noisy())))
    save("counting", torch.jit.script(settle(Counting())))
    save("other-device", torch.jit.script(settle(Elsewhere())))

    save("hostile-setstate", torch.jit.script(Setstate()))
    save("hostile-from-file", torch.jit.script(FromFile()))
    save("hostile-save", torch.jit.script(Save()))
    save("hostile-fork", torch.jit.script(Fork()))
    quantized = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Flatten(), nn.Linear(768, 10)), {nn.Linear})
    save("hostile-quantized", torch.jit.script(quantized))

    for path in FOLDER.glob("*.pt"):
        shrink(path)
    golden["input"] = inputs(8)
    save_file(golden, FOLDER / "scripted.safetensors")
    for path in sorted(FOLDER.iterdir()):
        print(path.stat().st_size, path.name)


def shrink(path):
    """Leaves out what only debuggers read, and dates."""
    source = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            if not entry.filename.endswith("debug_pkl"):
                info = zipfile.ZipInfo(entry.filename)
                info.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(info, source.read(entry.filename))


main()
