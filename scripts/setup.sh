#!/usr/bin/env bash
# Everything that a build needs and this machine lacks. Quick when nothing is missing.
set -euo pipefail
here=$(dirname -- "${BASH_SOURCE[0]}")
# shellcheck source=scripts/common.sh
. "$here/common.sh"

make_deps_folder
settle_libtorch
"$here/setup-system.sh"
"$here/setup-torch.sh"
# Asked for once: a machine without it should not wait for the network before every build.
[ -e "$DEPS/chart.unavailable" ] || "$here/setup-chart.sh"
