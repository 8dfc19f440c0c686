"""One pass over images of CIFAR's size with random crops and flips: by a DataLoader, or by whole batches.

`loader` is what tutorials do: one image at a time, with `--workers` processes. `batches` is what fast training scripts do:
bytes of all images in one tensor, each batch cropped and flipped by one gather.
"""

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

import harness

SIZE, PADDING = 32, 4


class Images(Dataset):
    """Bytes (N, 3, 32, 32) that become one augmented image at a time."""

    def __init__(self, count: int):
        self.pixels = torch.randint(0, 256, (count, 3, SIZE, SIZE), dtype=torch.uint8)
        self.labels = torch.arange(count) % 10

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        image = F.pad(self.pixels[index], [PADDING] * 4)
        top, left = torch.randint(0, 2 * PADDING + 1, (2,)).tolist()
        image = image[:, top : top + SIZE, left : left + SIZE]
        if torch.rand(()) < 0.5:
            image = image.flip(2)
        return image.float() / 255, self.labels[index]


def whole_batches(images: Images, size: int):
    padded = F.pad(images.pixels, [PADDING] * 4).permute(0, 2, 3, 1).contiguous()
    line = torch.arange(SIZE)

    def run() -> None:
        order = torch.randperm(len(images))
        for start in range(0, len(images), size):
            picks = order[start : start + size]
            count = len(picks)
            rows = torch.randint(0, 2 * PADDING + 1, (count, 1)) + line
            columns = torch.randint(0, 2 * PADDING + 1, (count, 1)) + line
            flips = torch.rand(count, 1) < 0.5
            columns = torch.where(flips, columns.flip(1), columns)
            pixels = padded[picks[:, None, None], rows[:, :, None], columns[:, None, :]]
            pixels.permute(0, 3, 1, 2).float().div_(255), images.labels[picks]

    return run


def main() -> None:
    options = harness.arguments(variant=["loader", "batches"], workers=["0", "2"], images=["10000", "1000"])
    torch.manual_seed(0)
    images = Images(int(options.images))
    if options.variant == "batches":
        run = whole_batches(images, options.batch_size)
    else:
        loader = DataLoader(
            images,
            options.batch_size,
            shuffle=True,
            num_workers=int(options.workers),
            persistent_workers=options.workers != "0",
        )

        def run() -> None:
            for _ in loader:
                pass

    run()
    harness.serve(options, {}, run)


if __name__ == "__main__":
    main()
