#!/usr/bin/env bash
# gpu-bundle.sh [FOLDER]: what gpu-check.sh needs on a machine without Swift, libjpeg and libpng.
#
# Without FOLDER: into .gpu of this checkout, which git ignores, only what git does not carry: the tool and the suite with their libraries, the images,
# a trained network. With FOLDER: a complete copy there, for a machine that gets no checkout.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"

readonly most_mebibytes=50 shared=$NAMID_ROOT/../shared tool=$NAMID_ROOT/.build/release/namid
readonly bench=$NAMID_ROOT/.build/benchmarks/release/namid-bench
readonly folder=${1:-$NAMID_ROOT}

[ -x "$tool" ] || fail "nothing is built yet: run ./namid doctor first."
[ -x "$bench" ] || fail "the suite is not built yet: run Benchmarks/run --build-only first."
for file in data/cifar10-jpeg.tar.xz golden/oracle/images.safetensors golden/oracle/resnet18-width16.safetensors; do
  [ -e "$shared/$file" ] || fail "../shared/$file is not there: the images and the network are no part of the repository."
done
command -v xz >/dev/null || fail "xz is missing: apt install xz-utils."

work=$(mktemp -d "${TMPDIR:-/tmp}/namid-bundle-XXXXXX")
trap 'rm -rf -- "$work"' EXIT
mkdir -p -- "$work/bin" "$work/swift" "$folder/.gpu/oracle"
cp -- "$tool" "$bench" "$work/bin/"
# The shim and torch come from the other machine, and so do libc and libstdc++; the rest is what Swift and decoding need.
libraries=$(ldd "$tool" "$bench" | awk '$3 ~ /^\// { print $3 }' | grep -E 'swift|Foundation|dispatch|BlocksRuntime|libjpeg|libpng|libz\.' | sort -u)
while read -r library; do cp -L -- "$library" "$work/swift/"; done <<<"$libraries"
strip -- "$work"/bin/*
strip --strip-unneeded -- "$work"/swift/*
XZ_OPT='-2 -T0' tar cJf "$folder/.gpu/tool.tar.xz" -C "$work" bin swift
cp -f --no-preserve=mode -- "$shared/data/cifar10-jpeg.tar.xz" "$folder/.gpu/"
cp -f --no-preserve=mode -- "$shared"/golden/oracle/{images,resnet18-width16}.safetensors "$folder/.gpu/oracle/"
{
  git -C "$NAMID_ROOT" rev-parse --short HEAD
  git -C "$NAMID_ROOT" diff --quiet HEAD || echo 'with changes that are not committed'
} | paste -sd ' ' >"$folder/.gpu/commit"
# The shim is built there from these sources: a tool of others may not fit it.
newer=$(find "$NAMID_ROOT"/{Engine,Sources,Package.swift} -newer "$tool" -type f -print -quit)
[ -z "$newer" ] || say "warning: ${newer#"$NAMID_ROOT"/} is newer than the tool: run ./namid doctor, then this again."
newer=$(find "$NAMID_ROOT"/{Engine,Sources,Package.swift,Benchmarks/Sources,Benchmarks/Package.swift} -newer "$bench" -type f -print -quit)
[ -z "$newer" ] || say "warning: ${newer#"$NAMID_ROOT"/} is newer than the suite: run Benchmarks/run --build-only, then this again."

if [ $# -gt 0 ]; then
  for part in Engine Benchmarks/speed Benchmarks/gpu Tests/Golden/generators scripts/gpu-check.sh; do
    rm -rf -- "${folder:?}/$part"
    mkdir -p -- "$(dirname -- "$folder/$part")"
    cp -r -- "$NAMID_ROOT/$part" "$folder/$part"
  done
  find "$folder" -name __pycache__ -o -name '.build*' -prune -print0 | xargs -0r rm -rf
fi

size=$(du -sm -- "$folder/.gpu" | cut -f1)
[ "$size" -le "$most_mebibytes" ] || fail "$folder/.gpu has $size MiB, and $most_mebibytes are the most that may travel."
say "$folder/.gpu: $size MiB. On the machine with a card, in the checkout (with .gpu) or the copy:"
say "  bash scripts/gpu-check.sh cuda --only first --seconds 400"
say "  bash scripts/gpu-check.sh cuda --only train --seconds 380"
