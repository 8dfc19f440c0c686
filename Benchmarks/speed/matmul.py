"""The machine's best rate of matrix multiplication that PyTorch reaches, over sizes and both layouts of the second factor."""

import time

import torch

import harness


def main() -> None:
    options = harness.arguments(precision=["float32", "bfloat16"], largest=["4096", "1024"])
    kind = getattr(torch, options.precision)
    best_rate, best = 0.0, None
    size = 1024
    while size <= int(options.largest):
        left = torch.randn(size, size).to(options.device, kind)
        for right in (left.clone(), left.clone().t()):
            torch.mm(left, right)
            begin = time.perf_counter()
            torch.mm(left, right)[0, 0].item()
            rate = 2 * size**3 / (time.perf_counter() - begin)
            if rate > best_rate:
                best_rate, best = rate, (left, right)
        size *= 2
    left, right = best
    flops = 2.0 * left.size(0) ** 3 * options.count
    harness.serve(options, {"flops": flops, "size": left.size(0)}, lambda: torch.mm(left, right))


if __name__ == "__main__":
    main()
