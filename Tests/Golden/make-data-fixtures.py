#!/usr/bin/env python3
"""Writes Tests/Golden/data: small files of NumPy, SciPy and PIL, and what these read in them.

Needs numpy, scipy, torch and pillow; `python Tests/Golden/make-data-fixtures.py` writes the same files again.
"""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import scipy.io
import torch
from PIL import Image, ImageOps

OUT = Path(__file__).resolve().parent / "data"


def folder(name):
    place = OUT / name
    place.mkdir(parents=True, exist_ok=True)
    return place


def numbers(dtype, shape, order="C"):
    count = int(np.prod(shape))
    values = np.arange(count) * 7 % 23 - (0 if np.dtype(dtype).kind in "ub" else 9)
    if np.dtype(dtype).kind == "f":
        values = values / 8 + 0.125
    if np.dtype(dtype).kind == "b":
        values = values % 3 == 0
    return np.asarray(values.reshape(shape).astype(dtype), order=order)


def npy():
    place, table = folder("npy"), {}

    def write(name, array, version=None):
        with open(place / f"{name}.npy", "wb") as file:
            np.lib.format.write_array(file, array, version=version)
        table[name] = {
            "shape": list(array.shape),
            "values": [float(x) for x in np.ascontiguousarray(array).reshape(-1)],
        }

    for code in ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
        write(f"c-{code}", numbers(code, (2, 3, 2)))
    for code in ["i2", "i4", "i8", "f2", "f4", "f8"]:
        write(f"big-{code}", numbers(">" + code, (3, 2)))
    write("fortran-f8", numbers("f8", (2, 3, 4), "F"))
    write("fortran-big-i4", numbers(">i4", (3, 5), "F"))
    write("fortran-u1", numbers("u1", (4, 2, 3, 2), "F"))
    write("version-2", numbers("f4", (5,)), (2, 0))
    write("version-3", numbers("f4", (5,)), (3, 0))
    write("scalar", np.float64(2.5).reshape(()))
    write("empty", np.zeros((0, 3), np.float32))
    special = np.array([0, -0.0, 6e-8, 65504, -1.5, np.inf, -np.inf], np.float16)
    write("half", special[:5])
    (place / "npy.json").write_text(json.dumps(table, indent=0) + "\n")
    np.save(place / "object.npy", np.array([{"a": 1}], object), allow_pickle=True)
    np.save(place / "records.npy", np.zeros(2, [("a", "<f4"), ("b", "<i4")]))
    np.save(place / "complex.npy", np.zeros(2, np.complex64))
    np.save(place / "text.npy", np.array(["a", "bc"]))


def npz():
    place = folder("npz")
    x = (np.arange(6 * 4 * 5 * 3) * 11 % 251).astype(np.uint8).reshape(6, 4, 5, 3)
    y = np.array([0, 1, 2, 0, 1, 3])
    np.savez_compressed(place / "splits.npz", x_train=x[:4], y_train=y[:4], x_test=x[4:], y_test=y[4:])
    # As MedMNIST: gray without a channel axis, labels in a column, and validation images.
    gray = x[..., 0]
    np.savez(
        place / "medmnist.npz", train_images=gray[:3], train_labels=y[:3, None].astype(np.uint8),
        val_images=gray[3:4], val_labels=y[3:4, None].astype(np.uint8),
        test_images=gray[4:], test_labels=y[4:, None].astype(np.uint8))
    floats = x.astype(np.float32) / 255
    np.savez(place / "floats.npz", images=floats.transpose(0, 3, 1, 2), labels=y.astype(np.float32))
    np.savez(place / "between.npz", images=np.clip(floats + 0.001, 0, 1).astype(np.float64), labels=np.eye(4)[y])
    between = np.rint(np.clip(floats + 0.001, 0, 1).astype(np.float64) * 255).astype(np.uint8)
    (place / "npz.json").write_text(
        json.dumps({"pixels": x.reshape(-1).tolist(), "labels": y.tolist(), "between": between.reshape(-1).tolist()})
        + "\n")


def scaled(image, side, fit):
    w, h = image.size
    if fit == "stretch":
        return image.resize((side, side), Image.BILINEAR)
    if fit == "pad":
        return ImageOps.pad(image, (side, side), Image.BILINEAR, color=(255, 255, 255))
    # torchvision: Resize(side), CenterCrop(side).
    long = int(side * max(w, h) / min(w, h))
    size = (side, long) if w <= h else (long, side)
    big = image.resize(size, Image.BILINEAR)
    left, top = int(round((size[0] - side) / 2)), int(round((size[1] - side) / 2))
    return big.crop((left, top, left + side, top + side))


def resize():
    place = folder("resize")
    rng = np.random.default_rng(5)
    for name, (h, w) in {"wide": (23, 41), "tall": (37, 30), "small": (6, 5), "square": (16, 16)}.items():
        noise = rng.integers(0, 256, (h, w, 3)).astype(np.float64)
        ramp = np.add.outer(np.arange(h) * 3.0, np.arange(w) * 2.0)[..., None] + np.array([0, 40, 90])
        image = Image.fromarray(np.clip((noise + ramp) / 1.7, 0, 255).astype(np.uint8))
        image.save(place / f"{name}.png")
        for fit in ["crop", "pad", "stretch"]:
            scaled(image, 16, fit).save(place / f"{name}-{fit}-16.png")
        # The same within a level as torch's antialiased interpolation.
        tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].double()
        other = torch.nn.functional.interpolate(
            tensor, (16, 16), mode="bilinear", antialias=True, align_corners=False)
        pil = torch.from_numpy(np.array(scaled(image, 16, "stretch"))).permute(2, 0, 1)[None]
        assert (other - pil).abs().max() <= 1, name


def on(image, colour):
    ground = Image.new("RGBA", image.size, colour + (255,))
    return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")


def kinds():
    place = folder("kinds")
    rng = np.random.default_rng(6)
    rgba = Image.fromarray(rng.integers(0, 256, (7, 9, 4), np.uint8), "RGBA")
    gray = Image.fromarray(rng.integers(0, 256, (7, 9, 2), np.uint8), "LA")
    palette = rgba.convert("RGB").quantize(12)
    for name, image in {"rgba": rgba, "gray-alpha": gray}.items():
        image.save(place / f"{name}.png")
        on(image, (255, 255, 255)).save(place / f"{name}-white.png")
        on(image, (10, 200, 30)).save(place / f"{name}-green.png")
    palette.save(place / "palette.png", transparency=3)
    on(Image.open(place / "palette.png"), (255, 255, 255)).save(place / "palette-white.png")
    deep = rng.integers(0, 65536, (5, 4), np.uint16)
    Image.fromarray(deep).save(place / "deep.png")
    smooth = Image.fromarray(np.add.outer(np.arange(8) * 9, np.arange(12) * 5).astype(np.uint8)).convert("RGB")
    for orientation in [1, 6]:
        exif = Image.Exif()
        exif[0x0112] = orientation
        smooth.save(place / f"orientation-{orientation}.jpg", exif=exif)
    smooth.convert("CMYK").save(place / "cmyk.jpg")
    plain = io.BytesIO()
    smooth.save(plain, "JPEG")
    # Stray bytes ahead of the second marker: PIL reads the same pixels.
    bytes_ = plain.getvalue()
    at = 4 + int.from_bytes(bytes_[4:6], "big")
    stray = bytes_[:at] + b"\0\0\0" + bytes_[at:]
    assert np.array_equal(np.array(Image.open(io.BytesIO(stray))), np.array(smooth.copy() and Image.open(plain)))
    (place / "stray.jpg").write_bytes(stray)
    Image.open(plain).save(place / "stray-pixels.png")


def svhn():
    place = folder("svhn")
    x = (np.arange(32 * 32 * 3 * 3) * 13 % 251).astype(np.uint8).reshape(3, 32, 32, 3)
    y = np.array([[10], [1], [9]], np.uint8)
    for name, compress, labels in [("train", True, y), ("test", False, y.astype(np.float64))]:
        scipy.io.savemat(
            place / f"{name}_32x32.mat", {"X": x.transpose(1, 2, 3, 0), "y": labels}, do_compression=compress)
    # The file's first text has the time of writing.
    for file in place.glob("*.mat"):
        content = file.read_bytes()
        file.write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + content[116:])
    np.save(place / "pixels.npy", x)


def corruptions():
    place = folder("CIFAR-10-C")
    rng = np.random.default_rng(7)
    for index, name in enumerate(["snow", "gaussian_noise", "spatter"]):
        x = (np.arange(10 * 8 * 8 * 3) * 3 + index * 50) % 251
        np.save(place / f"{name}.npy", x.astype(np.uint8).reshape(10, 8, 8, 3))
    np.save(place / "labels.npy", np.tile(np.array([3, 8], np.uint8), 5))


for make in [npy, npz, resize, kinds, svhn, corruptions]:
    make()
