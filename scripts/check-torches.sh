#!/usr/bin/env bash
# check-torches.sh [VERSION...]: what this project does on other versions of torch than the pinned one. Each is fetched
# to .deps/torches; the shim is built against it; the schemas of the operators, every test and a benchmark run with it.
# Without VERSION: the oldest that is supported, the pinned one, the newest. Run ./run-tests before: the tests and the
# tool are those that it built, unchanged, since nothing of torch's binary interface is in them.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/common.sh
. "$here/common.sh"
# shellcheck source=scripts/torch-checks.sh
. "$here/torch-checks.sh"
# shellcheck source=scripts/torch-wheel.sh
. "$here/torch-wheel.sh"

readonly built="$NAMID_ROOT/.build/release" torches="$DEPS/torches" rounds=3
readonly benchmark=(bench --widths 16 --batch-size 64 --repeats 1 --json)
on_macos && fail "this check needs Linux: it chooses libraries by LD_LIBRARY_PATH."
for file in namid namidPackageTests.xctest; do
  [ -x "$built/$file" ] || fail "$built/$file is not built." "Run ./run-tests, then this again."
done

newest_torch() {
  python3 -m pip --disable-pip-version-check index versions torch 2>/dev/null |
    sed -n 's/^torch (\([0-9.]*\).*/\1/p'
}

versions=("$@")
if [ $# = 0 ]; then
  newest=$(newest_torch)
  [ -n "$newest" ] || fail "pip does not say which torch is the newest." "Name the versions."
  mapfile -t versions < <(printf '%s\n' "$oldest_torch.0" "$pinned_torch" "$newest" | sort -uV)
fi

# with VERSION COMMAND...: a command that finds the version's shim and libtorch before those it was linked with.
with() {
  local folder="$torches/$1"
  shift
  LD_LIBRARY_PATH="$folder/shim:$folder/lib" "$@"
}

# Each of these prints a cell of the table, and what went wrong to a log beside the version's files.
prepare() {
  local folder="$torches/$1"
  if [ "$(torch_version "$folder")" != "$1" ]; then
    (install_wheel "$1" "$folder") || { echo "not fetched" && return 1; }
  fi
  LIBTORCH=$folder "$NAMID_ROOT/Engine/build.sh" "$folder/shim/libCTorch.so" >"$folder/shim.log" 2>&1 ||
    { echo "no: shim.log" && return 1; }
  echo yes
}

compare_schemas() {
  local log="$torches/$1/schemas.log"
  with "$1" python3 - "$torches/$1/shim/libCTorch.so" "$NAMID_ROOT/Tests/NamidTorchTests/Schemas.txt" \
    >"$log" 2>&1 <<'PY' || { echo "failed: schemas.log" && return; }
import ctypes, sys
shim = ctypes.CDLL(sys.argv[1])
for line in open(sys.argv[2]).read().splitlines():
    name, _, overload = line.partition("(")[0].partition(".")
    operator, schema = ctypes.c_void_p(), ctypes.c_char_p()
    if shim.ct_operator_find(name.encode(), overload.encode(), ctypes.byref(operator)) != 0:
        print("missing:", line)
    elif (shim.ct_operator_schema(operator, ctypes.byref(schema)) != 0
          or schema.value.decode() != line):
        print("other:", schema.value.decode())
PY
  if [ -s "$log" ]; then echo "$(wc -l <"$log") differ"; else echo equal; fi
}

run_tests() {
  local log="$torches/$1/tests.log" failed total
  with "$1" "$built/namidPackageTests.xctest" --testing-library swift-testing --no-parallel 2>&1 |
    sed 's/\x1b\[[0-9;]*m//g' >"$log" || true
  total=$(sed -n 's/.*Test run with \([0-9]*\) tests.*/\1/p' "$log")
  failed=$(grep '^✘ Test .* failed after' "$log" | grep -cv '^✘ Test run with') || true
  if [ -n "$total" ]; then echo "$((total - failed)) / $failed"; else echo "did not end: tests.log"; fi
}

# The versions take turns, so that a machine that slows down slows them all. Prints `VERSION RATIO RATIO`: the median
# time of a step in float32 and bfloat16, relative to the pinned version, which must be among them.
measure() {
  local round version
  for ((round = 0; round < rounds; round++)); do
    for version in "$@"; do
      with "$version" "$built/namid" "${benchmark[@]}" >"$torches/$version/bench.$round.json" || true
    done
  done
  python3 - "$torches" "$pinned_torch" "$@" <<'PY'
import glob, json, statistics, sys
folder, pinned, *versions = sys.argv[1:]
def medians(version):
    times = {}
    for path in glob.glob(f"{folder}/{version}/bench.*.json"):
        for row in json.load(open(path)):
            times.setdefault(row["precision"], []).append(row["ms_per_image_median"])
    return {precision: statistics.median(values) for precision, values in times.items()}
reference = medians(pinned)
for version in versions:
    own = medians(version)
    print(version, *(f"{own[p] / reference[p]:.2f}" for p in ("float32", "bfloat16")))
PY
}

export_tool_environment
export NAMID_ROOT
lock torch
mkdir -p -- "$torches"
declare -A shim schemas tests
usable=()
for version in "${versions[@]}" "$pinned_torch"; do
  [ -n "${shim[$version]:-}" ] && continue
  say "torch $version: libtorch and the shim ..."
  shim[$version]=$(prepare "$version") && usable+=("$version")
done
for version in "${usable[@]}"; do
  say "torch $version: schemas and tests ..."
  schemas[$version]=$(compare_schemas "$version")
  tests[$version]=$(run_tests "$version")
done
declare -A speed
if [ "${shim[$pinned_torch]}" = yes ]; then
  say "speed ..."
  while read -r version float32 bfloat16; do
    speed[$version]="$float32 | $bfloat16"
  done < <(measure "${usable[@]}")
fi

echo "| torch | shim | schemas | tests passed / failed | PGD-10 step, width 16, float32 (of $pinned_torch) | bfloat16 |"
echo "|---|---|---|---|---|---|"
status=0
for version in "${!shim[@]}"; do
  [[ "${schemas[$version]:-}, ${tests[$version]:-}" == "equal, "*" / 0" ]] || status=1
  echo "| $version | ${shim[$version]} | ${schemas[$version]:-} | ${tests[$version]:-} | ${speed[$version]:- | } |"
done > >(sort -V)
wait "$!"
exit "$status"
