#!/usr/bin/env bash
# Builds the shim with plain c++, for a machine that has libtorch but no Swift:
#   LIBTORCH=/path/to/torch Engine/build.sh [OUTPUT]      (default OUTPUT: ./libCTorch.so)
# Put the result beside the tool's binary. Works with torch 2.11 and later.
# CTORCH_JOBS sets how many files are compiled at a time.
#
# With a libtorch that has CUDA, libCTorchCUDA.so comes beside it, for CUDA graphs; without it all else works. It needs
# CUDA's headers: in CUDA_HOME, a toolkit, or what pip installs beside torch.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
torch=${LIBTORCH:-$(cd "$here/.." && pwd)/.deps/libtorch}
output=${1:-libCTorch.so}
say() { printf 'Engine/build.sh: %s\n' "$*" >&2; }
[ -e "$torch/lib/libtorch_cpu.so" ] || {
  say "no libtorch at $torch; set LIBTORCH to the folder that has include/ and lib/"
  exit 1
}
folder=$(dirname -- "$output")
mkdir -p -- "$folder"
objects=$(mktemp -d "${TMPDIR:-/tmp}/ctorch-XXXXXX")
trap 'rm -rf -- "$objects"' EXIT

compile=("${CXX:-c++}" -std=c++20 -O2 -fPIC -fvisibility=hidden
  -I"$here/Sources/CTorch/include"
  -isystem "$torch/include" -isystem "$torch/include/torch/csrc/api/include")

# shellcheck source=Engine/compile.sh
. "$here/compile.sh"

# link OUTPUT NAME LIBRARY...: a shared library of what objects_of NAME compiled.
link() {
  local output=$1 name=$2
  shift 2
  "${compile[@]}" -shared "$objects/$name"/*.o -L"$torch/lib" -Wl,-rpath,"$torch/lib" \
    -Wl,--no-as-needed "${@/#/-l}" -o "$output"
}

objects_of shim "$here"/Sources/CTorch/*.cpp
link "$output" shim torch torch_cpu c10 dl
echo "built $output against $torch"

# Such as 13.0; empty where libtorch does not say.
cuda=$(sed -n "s/^cuda.*= '\(.*\)'.*/\1/p" "$torch/version.py" 2>/dev/null) || true

# try_headers FOLDER...: whether they hold all of the runtime's headers, of the CUDA that this libtorch is built with
# (its graphs are laid out by the headers' version). If so, "${cuda_headers[@]}" leads the compiler there.
try_headers() {
  local folder expected=${cuda%%.*}
  cuda_headers=()
  for folder in "$@"; do cuda_headers+=(-isystem "$folder"); done
  printf '%s\n' '#include <cuda_runtime_api.h>' \
    "#if CUDART_VERSION / 1000 != ${expected:-CUDART_VERSION / 1000}" '#error another CUDA' '#endif' |
    "${compile[@]}" "${cuda_headers[@]}" -E -x c++ - >/dev/null 2>&1
}

find_cuda_headers() {
  local nvcc
  nvcc=$(readlink -f -- "$(command -v nvcc)") || nvcc=""
  { [ -n "${CUDA_HOME:-}" ] && try_headers "$CUDA_HOME/include"; } ||
    { [ -n "$nvcc" ] && try_headers "${nvcc%/bin/nvcc}/include"; } ||
    try_headers /usr/local/cuda/include || try_headers "$torch"/../nvidia/*/include
}

build_graphs() {
  compile+=("${cuda_headers[@]}")
  objects_of cuda "$here"/CUDA/*.cpp && link "$cuda_output" cuda torch_cuda c10_cuda torch_cpu c10
}

cuda_output="$folder/libCTorchCUDA.so"
# One of another libtorch would be found and not fit.
rm -f -- "$cuda_output"
if ! [ -e "$torch/lib/libtorch_cuda.so" ]; then
  say "this libtorch has no CUDA, so there is no libCTorchCUDA.so"
elif ! find_cuda_headers; then
  say "no libCTorchCUDA.so, so no CUDA graphs: the headers of CUDA $cuda (cuda_runtime_api.h, crt/host_defines.h)" \
    "were not found; set CUDA_HOME to a toolkit, or beside torch: pip install 'nvidia-cuda-crt==${cuda:-13.0}.*'"
elif ! build_graphs >"$objects/cuda.log" 2>&1; then
  say "no libCTorchCUDA.so, so no CUDA graphs: $(grep -m 1 error "$objects/cuda.log" || tail -n 1 "$objects/cuda.log")"
else
  echo "built $cuda_output against ${cuda_headers[1]}"
fi
