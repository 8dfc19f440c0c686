#!/usr/bin/env bash
# Builds the shim with plain c++, for a machine that has libtorch but no Swift:
#   LIBTORCH=/path/to/torch Engine/build.sh [OUTPUT]      (default OUTPUT: ./libCTorch.so)
# Put the result beside the tool's binary. Works with torch 2.11 and later.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
torch=${LIBTORCH:-$(cd "$here/.." && pwd)/.deps/libtorch}
output=${1:-libCTorch.so}
[ -e "$torch/lib/libtorch_cpu.so" ] || {
  echo "Engine/build.sh: no libtorch at $torch; set LIBTORCH to the folder that has include/ and lib/" >&2
  exit 1
}
"${CXX:-c++}" -std=c++20 -O2 -fPIC -shared -fvisibility=hidden \
  -I"$here/Sources/CTorch/include" \
  -isystem "$torch/include" -isystem "$torch/include/torch/csrc/api/include" \
  "$here"/Sources/CTorch/*.cpp \
  -L"$torch/lib" -Wl,-rpath,"$torch/lib" -Wl,--no-as-needed -ltorch -ltorch_cpu -lc10 -ldl \
  -o "$output"
echo "built $output against $torch"
