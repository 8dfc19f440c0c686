#!/usr/bin/env bash
# Builds the shim with plain c++, for a machine that has libtorch but no Swift:
#   LIBTORCH=/path/to/torch Engine/build.sh [OUTPUT]      (default OUTPUT: ./libCTorch.so)
# Put the result beside the tool's binary. Works with torch 2.11 and later.
# CTORCH_JOBS sets how many files are compiled at a time.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
torch=${LIBTORCH:-$(cd "$here/.." && pwd)/.deps/libtorch}
output=${1:-libCTorch.so}
[ -e "$torch/lib/libtorch_cpu.so" ] || {
  echo "Engine/build.sh: no libtorch at $torch; set LIBTORCH to the folder that has include/ and lib/" >&2
  exit 1
}
folder=$(dirname -- "$output")
mkdir -p -- "$folder"
objects=$(mktemp -d "${TMPDIR:-/tmp}/ctorch-XXXXXX")
trap 'rm -rf -- "$objects"' EXIT

compile=("${CXX:-c++}" -std=c++20 -O2 -fPIC -fvisibility=hidden
  -I"$here/Sources/CTorch/include"
  -isystem "$torch/include" -isystem "$torch/include/torch/csrc/api/include")

# objects_of NAME SOURCE...: compiles every source into $objects/NAME, several at a time.
objects_of() {
  local name=$1 source job status=0 jobs=()
  shift
  mkdir "$objects/$name"
  for source in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "${CTORCH_JOBS:-$(getconf _NPROCESSORS_ONLN)}" ]; do
      sleep 0.1
    done
    "${compile[@]}" -c "$source" -o "$objects/$name/$(basename -- "$source").o" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || status=1; done
  return "$status"
}

objects_of shim "$here"/Sources/CTorch/*.cpp
"${compile[@]}" -shared "$objects"/shim/*.o \
  -L"$torch/lib" -Wl,-rpath,"$torch/lib" -Wl,--no-as-needed -ltorch -ltorch_cpu -lc10 -ldl \
  -o "$output"
echo "built $output against $torch"
