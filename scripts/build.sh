#!/usr/bin/env bash
# build.sh WHAT [swift build's arguments]: builds in release mode. A terminal sees swift's own
# progress; elsewhere a line now and then, the whole log in .deps/build.log, its end on failure.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

readonly what=$1 log="$DEPS/build.log" seconds_between_lines=20
shift
settle_libtorch
make_deps_folder
build=(swift build --package-path "$NAMID_ROOT" "${SWIFT_FLAGS[@]}" "$@")

# Swift's module caches hold absolute paths: after the repository has moved they stop every build.
forget_moved_build() {
  local place="$NAMID_ROOT/.build/namid.place"
  if [ -f "$place" ] && [ "$(<"$place")" != "$NAMID_ROOT" ]; then
    say "the repository has moved: building everything anew ..."
    rm -rf -- "$NAMID_ROOT/.build"
  fi
  if ! { mkdir -p -- "$NAMID_ROOT/.build" &&
    printf '%s\n' "$NAMID_ROOT" >"$place"; } 2>/dev/null; then
    fail "cannot write to $NAMID_ROOT/.build, where the build goes." \
      "Make it yours:  sudo chown -R \"\$(id -un)\" '$NAMID_ROOT/.build'"
  fi
}

# Reads swift's output and shows only a line now and then.
thin_out() {
  local line next=$((SECONDS + seconds_between_lines))
  while IFS= read -r line; do
    [ "$SECONDS" -lt "$next" ] && continue
    printf '       %s s: %s\n' "$SECONDS" "${line:0:90}" >&2
    next=$((SECONDS + seconds_between_lines))
  done
}

forget_moved_build
# Ctrl-C reaches swift too; whoever called this script says the word about it.
trap 'exit 130' INT
first=""
[ -x "$NAMID_ROOT/.build/release/namid" ] || first=" (the first build takes a few minutes)"
say "building $what$first ..."
status=0
if [ -t 2 ]; then
  "${build[@]}" >&2 || status=$?
else
  "${build[@]}" 2>&1 | tee "$log" | thin_out || status=$?
  if [ "$status" != 0 ]; then
    grep 'error:' "$log" | head -n 10 | sed 's/^/       /' >&2 || true
    say "the end of $log:"
    tail -n 25 "$log" >&2
  fi
fi
[ "$status" = 0 ] || fail "the build of $what failed; the compiler's message is above." \
  "If you changed sources: repair them and run the same command again." \
  "If not: remove '$NAMID_ROOT/.build' and run it again." \
  "A compiler that was 'killed' lacked memory: building needs 4 GB."
say "built $what in $SECONDS s."
