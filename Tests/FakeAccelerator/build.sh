#!/usr/bin/env bash
# Builds the fake accelerator, a library for tests:
#   LIBTORCH=/path/to/torch Tests/FakeAccelerator/build.sh OUTPUT_FOLDER
# Then CTORCH_ACCELERATOR=OUTPUT_FOLDER/libFakeAccelerator.so makes `cuda` mean the fake accelerator.
# CTORCH_JOBS sets how many files are compiled at a time.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
torch=${LIBTORCH:-$root/.deps/libtorch}
[ $# -eq 1 ] || {
  echo "usage: $0 OUTPUT_FOLDER" >&2
  exit 2
}
[ -e "$torch/lib/libtorch_cpu.so" ] || {
  echo "$0: no libtorch at $torch; set LIBTORCH to the folder that has include/ and lib/" >&2
  exit 1
}
mkdir -p -- "$1"
objects=$(mktemp -d "${TMPDIR:-/tmp}/fake-accelerator-XXXXXX")
trap 'rm -rf -- "$objects"' EXIT

compile=("${CXX:-c++}" -std=c++20 -O1 -Wall -Wextra -fPIC -fvisibility=hidden
  -I"$root/Engine/Sources/CTorch" -I"$root/Engine/Sources/CTorch/include"
  -isystem "$torch/include" -isystem "$torch/include/torch/csrc/api/include")

# shellcheck source=Engine/compile.sh
. "$root/Engine/compile.sh"
objects_of fake "$here"/*.cpp

"${compile[@]}" -shared "$objects"/fake/*.o -L"$torch/lib" -Wl,-rpath,"$torch/lib" -Wl,--no-undefined \
  -Wl,--no-as-needed -ltorch_cpu -lc10 -o "$1/libFakeAccelerator.so"
echo "built $1/libFakeAccelerator.so against $torch"
