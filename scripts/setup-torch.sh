#!/usr/bin/env bash
# Makes libtorch available: the folder in LIBTORCH where that is set, else a pinned wheel
# unpacked to .deps/libtorch. Safe to interrupt and to run again.
set -euo pipefail
here=$(dirname -- "${BASH_SOURCE[0]}")
# shellcheck source=scripts/common.sh
. "$here/common.sh"
# shellcheck source=scripts/torch-checks.sh
. "$here/torch-checks.sh"
# shellcheck source=scripts/torch-wheel.sh
. "$here/torch-wheel.sh"

readonly place="$DEPS/libtorch"

is_installed() { [ "$(torch_version "$place")" = "$pinned_torch" ]; }

if [ -n "${LIBTORCH:-}" ]; then
  check_own_libtorch "$LIBTORCH" "or unset LIBTORCH, and namid fetches torch $pinned_torch itself."
elif ! is_installed; then
  lock torch
  is_installed || install_wheel "$pinned_torch" "$place"
fi
