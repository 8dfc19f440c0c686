#!/usr/bin/env bash
# check-accelerator.sh: builds the fake accelerator of Tests/FakeAccelerator and runs on it, as --device cuda, what needs
# no card: the tests that count kernels, uploads and answers, and the self-test. The tool and its tests are built before.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
settle_libtorch
export_tool_environment

out="$NAMID_ROOT/.build/accelerator"
LIBTORCH=${LIBTORCH:-$DEPS/libtorch} "$NAMID_ROOT/Tests/FakeAccelerator/build.sh" "$out"
export CTORCH_ACCELERATOR="$out/libFakeAccelerator.so"

# A filter that finds no test would pass.
log=$(mktemp)
trap 'rm -f -- "$log"' EXIT
swift test --package-path "$NAMID_ROOT" "${SWIFT_FLAGS[@]}" --skip-build --no-parallel \
  --filter 'Accelerator|aDeviceThatIsFull' 2>&1 | tee "$log"
grep -qE 'Test run with [1-9][0-9]* tests.* passed' "$log" || fail "no test ran on the fake accelerator." \
  "Look at the names of the suites: they end with AcceleratorTests."
"$NAMID_ROOT/.build/release/namid" selftest --device cuda
