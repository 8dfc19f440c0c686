#!/usr/bin/env bash
# Builds and runs Examples/OwnParts as a package of its own, as somebody else would. The tests compile
# its sources within this package; this also checks its manifest and the libraries that it imports.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
settle_libtorch

folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
# Within this package's build folder, so that a second call finds what the first one built.
swift run --package-path "$NAMID_ROOT/Examples/OwnParts" \
  --scratch-path "$NAMID_ROOT/.build/own-parts" OwnParts \
  reproduce "$NAMID_ROOT/Examples/OwnParts/stripes.yaml" --out "$folder"
