#!/usr/bin/env bash
# gpu-rehearse.sh [--fake] PYTHON [gpu-check.sh's options]: runs gpu-check.sh in small where the checkout, Swift, libjpeg and libpng
# cannot be seen, with an empty environment and PYTHON's torch, as on a bare machine. On Linux; needs unshare, and mounts only in a
# namespace of its own. With --fake the device is Tests/FakeAccelerator, built for that torch, in place of the CPU.
# Example: scripts/gpu-rehearse.sh ~/torch-2.11/bin/python3 --seconds 300
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/common.sh"

device=cpu accelerator=''
if [ "${1:-}" = --fake ]; then device=cuda && shift; fi
[ $# -gt 0 ] || fail "which Python?" "scripts/gpu-rehearse.sh [--fake] PYTHON, one that has torch 2.11 or later"
python=$(command -v -- "$1") || fail "there is no Python at $1."
shift
torch=$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))') || fail "$python has no torch."

copy=$(mktemp -d "${TMPDIR:-/tmp}/namid-rehearsal-XXXXXX")
out=$PWD/gpu-out
mkdir -p -- "$out"
trap 'rm -rf -- "$copy"' EXIT
"$NAMID_ROOT/scripts/gpu-bundle.sh" "$copy"
if [ "$device" = cuda ]; then
  LIBTORCH=$torch "$NAMID_ROOT/Tests/FakeAccelerator/build.sh" "$copy/fake"
  accelerator=$copy/fake/libFakeAccelerator.so
fi

# What a bare machine does not have. A folder is covered by an empty one, a library by an empty file.
hidden=("$NAMID_ROOT")
if swift=$(command -v swift); then
  swift=$(readlink -f -- "$swift")
  hidden+=("${swift%/usr/bin/*}")
fi
libraries=$(ldconfig -p | awk '/lib(jpeg|png)[0-9]*\.so/ { print $NF }' | xargs -r readlink -f | sort -u)
while read -r library; do hidden+=("$library"); done <<<"$libraries"

space=(unshare --mount)
is_root || space=(unshare --user --map-root-user --mount)
# shellcheck disable=SC2016 # the inner shell expands
inside='
set -euo pipefail
copy=$1 out=$2 python=$3 device=$4 accelerator=$5 count=$6
shift 6
for place in "${@:1:count}"; do
  if [ -d "$place" ]; then mount -t tmpfs none "$place"; else mount --bind /dev/null "$place"; fi
done
shift "$count"
cd "$copy"
exec env -i PATH="$(dirname "$python"):/usr/local/bin:/usr/bin:/bin" OUT="$out" ${accelerator:+CTORCH_ACCELERATOR="$accelerator"} \
  bash scripts/gpu-check.sh "$device" --rehearse "$@"
'
mkdir "$copy/out"
status=0
"${space[@]}" bash -c "$inside" inside "$copy" "$copy/out" "$python" "$device" "$accelerator" "${#hidden[@]}" "${hidden[@]}" "$@" || status=$?
cp -- "$copy"/out/* "$out/"
say "table.txt and logs.tar.gz are in $out"
exit $status
