"""Forward and backward of single layers for fixed inputs and output gradients."""

from functools import partial

import torch
import torch.nn.functional as F

from .closed_form import leaf, tensor

# kernel, stride, padding, bias, side of the input
CONVOLUTIONS = {
    "stride1_padding0": (3, 1, 0, False, 6),
    "stride1_padding0_bias": (3, 1, 0, True, 6),
    "stride1_padding1": (3, 1, 1, False, 6),
    "stride1_padding1_bias": (3, 1, 1, True, 6),
    "stride2_padding0": (3, 2, 0, False, 7),
    "stride2_padding0_bias": (3, 2, 0, True, 7),
    "stride2_padding1": (3, 2, 1, False, 7),
    "stride2_padding1_bias": (3, 2, 1, True, 8),
    "kernel4_stride2_padding1": (4, 2, 1, False, 8),
    "kernel4_stride2_padding1_bias": (4, 2, 1, True, 8),
    "kernel1": (1, 1, 0, False, 4),
    "kernel1_stride2": (1, 2, 0, False, 5),
}
# kernel, stride, padding, side of the input
POOLS = {
    "avg_pool2d.kernel1": (F.avg_pool2d, 1, 1, 0, 3),
    "avg_pool2d.kernel2": (F.avg_pool2d, 2, 2, 0, 6),
    "max_pool2d.kernel2": (F.max_pool2d, 2, 2, 0, 6),
    "max_pool2d.kernel3_stride2_padding1": (F.max_pool2d, 3, 2, 1, 6),
}
ACTIVATIONS = {
    "relu": ({}, F.relu),
    "softplus": ({}, F.softplus),
    "softmax.dim0": ({"dim": 0}, lambda x: F.softmax(x, 0)),
    "softmax.dim1": ({"dim": 1}, lambda x: F.softmax(x, 1)),
    "log_softmax.dim0": ({"dim": 0}, lambda x: F.log_softmax(x, 0)),
    "log_softmax.dim1": ({"dim": 1}, lambda x: F.log_softmax(x, 1)),
    "logsumexp.dim1": ({"dim": 1}, lambda x: torch.logsumexp(x, 1)),
}


def differentiate(case, layer, inputs, dtype):
    """Runs `layer` on named inputs and collects inputs, output and the gradients of all inputs."""
    leaves = {name: leaf(value, dtype) for name, value in inputs.items()}
    output = layer(**leaves)
    grad_output = tensor(f"{case}/grad_output", output.shape)
    gradients = torch.autograd.grad(output, list(leaves.values()), grad_output.to(dtype))
    result = {f"{case}/{name}": value for name, value in inputs.items()}
    result |= {f"{case}/grad_output": grad_output, f"{case}/output": output.detach()}
    return result | {f"{case}/grad.{name}": g for name, g in zip(leaves, gradients)}


def made(case, **shapes):
    """Closed-form inputs of a case."""
    return {name: tensor(f"{case}/{name}", shape) for name, shape in shapes.items()}


def convolutions(dtype):
    result = {}
    for name, (kernel, stride, padding, biased, side) in CONVOLUTIONS.items():
        case = f"conv2d.{name}"
        inputs = made(case, input=(2, 3, side, side), weight=(4, 3, kernel, kernel))
        if biased:
            inputs |= made(case, bias=(4,))

        def layer(input, weight, bias=None):
            return F.conv2d(input, weight, bias, stride, padding)

        result |= differentiate(case, layer, inputs, dtype)
    return result


def linears(dtype):
    plain = made("linear.no_bias", input=(3, 5), weight=(4, 5))
    biased = made("linear.bias", input=(3, 5), weight=(4, 5), bias=(4,))
    result = differentiate("linear.no_bias", F.linear, plain, dtype)
    return result | differentiate("linear.bias", F.linear, biased, dtype)


def norm_inputs(case, shape, width):
    return {
        "input": tensor(f"{case}/input", shape, scale=1.5, offset=0.3),
        "weight": tensor(f"{case}/weight", (width,), scale=0.1, offset=1.0),
        "bias": tensor(f"{case}/bias", (width,), scale=0.1),
    }


def norms(dtype):
    """Three training steps of batch norm that share running statistics, then evaluation."""
    result = {}
    mean, variance = torch.zeros(3, dtype=dtype), torch.ones(3, dtype=dtype)
    for step in (1, 2, 3):
        case = f"batch_norm.train.step{step}"

        def train(input, weight, bias):
            return F.batch_norm(input, mean, variance, weight, bias, True, 0.1, 1e-5)

        result |= differentiate(case, train, norm_inputs(case, (4, 3, 3, 3), 3), dtype)
        result[f"{case}/running_mean"] = mean.clone()
        result[f"{case}/running_var"] = variance.clone()

    def evaluate(input, weight, bias):
        return F.batch_norm(input, mean, variance, weight, bias, False, 0.1, 1e-5)

    case = "batch_norm.eval"
    result |= differentiate(case, evaluate, norm_inputs(case, (4, 3, 3, 3), 3), dtype)

    def layer_norm(input, weight, bias):
        return F.layer_norm(input, (6,), weight, bias, 1e-5)

    case = "layer_norm"
    return result | differentiate(case, layer_norm, norm_inputs(case, (3, 4, 6), 6), dtype)


def pools_and_activations(dtype):
    result = {}
    for case, (pool, kernel, stride, padding, side) in POOLS.items():
        inputs = made(case, input=(2, 3, side, side))
        layer = partial(pool, kernel_size=kernel, stride=stride, padding=padding)
        result |= differentiate(case, layer, inputs, dtype)
    for output in (1, 2):
        case = f"adaptive_avg_pool2d.output{output}"
        inputs = made(case, input=(2, 3, 5, 5))
        layer = partial(F.adaptive_avg_pool2d, output_size=output)
        result |= differentiate(case, layer, inputs, dtype)
    for case, (_, layer) in ACTIVATIONS.items():
        inputs = {"input": tensor(f"{case}/input", (4, 5), scale=3.0)}
        inputs["input"][1, 2] = 0.0
        result |= differentiate(case, lambda input: layer(input), inputs, dtype)
    return result


def module_statistics():
    """The running statistics again, this time from the module, with its counter."""
    network = torch.nn.BatchNorm2d(3).double()
    for step in (1, 2, 3):
        network(norm_inputs(f"batch_norm.train.step{step}", (4, 3, 3, 3), 3)["input"])
    return network.state_dict()


def tensors(dtype):
    return convolutions(dtype) | linears(dtype) | norms(dtype) | pools_and_activations(dtype)


def extra_tensors():
    final = module_statistics()
    functional = norms(torch.float64)
    for name in ("running_mean", "running_var"):
        assert torch.equal(final[name], functional[f"batch_norm.train.step3/{name}"])
    return {"batch_norm.train.step3/num_batches_tracked": final["num_batches_tracked"]}


def facts():
    """The options of each case."""
    cases = {
        f"conv2d.{name}": {"kernel": kernel, "stride": stride, "padding": padding, "bias": biased}
        for name, (kernel, stride, padding, biased, _) in CONVOLUTIONS.items()
    }
    cases |= {"linear.no_bias": {"bias": False}, "linear.bias": {"bias": True}}
    norm = {"eps": 1e-5, "momentum": 0.1}
    cases |= {f"batch_norm.train.step{step}": norm for step in (1, 2, 3)}
    cases |= {"batch_norm.eval": norm, "layer_norm": {"eps": 1e-5}}
    cases |= {
        case: {"kernel": kernel, "stride": stride, "padding": padding}
        for case, (_, kernel, stride, padding, _) in POOLS.items()
    }
    cases |= {f"adaptive_avg_pool2d.output{side}": {"output": side} for side in (1, 2)}
    return cases | {case: options for case, (options, _) in ACTIVATIONS.items()}
