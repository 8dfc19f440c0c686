# shellcheck shell=bash
# Words, locks and build flags that the launchers and the set-up scripts share. Sourced, not run.

# The repository is the folder above this file, wherever the caller stands.
NAMID_ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
export NAMID_ROOT
DEPS="$NAMID_ROOT/.deps"

# The tool and its tests are built with the same flags, so that no file is compiled twice.
# shellcheck disable=SC2034 # used by the scripts that source this one
SWIFT_FLAGS=(-c release -Xswiftc -enable-testing)

# Messages go to stderr: stdout belongs to the tool.
say() { printf 'namid: %s\n' "$*" >&2; }

# fail MESSAGE [NEXT-STEP...]: every error ends with what to do next.
fail() {
  printf 'namid: error: %s\n' "$1" >&2
  shift
  local step
  for step in "$@"; do printf '       %s\n' "$step" >&2; done
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" = 0 ]; }

on_macos() { [[ $OSTYPE == darwin* ]]; }

make_deps_folder() {
  if ! mkdir -p -- "$DEPS" 2>/dev/null || ! [ -w "$DEPS" ]; then
    fail "cannot write to $DEPS, where downloaded libraries are kept." \
      "Make the folder yours:  sudo chown -R \"\$(id -un)\" '$DEPS'" \
      "or clone the repository to a place that you can write to."
  fi
}

# lock NAME: one at a time, until `unlock` or until this process and its children have ended
# (a download that outlives a killed launcher keeps its lock). macOS has no flock: no lock there.
lock() {
  make_deps_folder
  have flock || return 0
  { exec 9>"$DEPS/.$1.lock"; } 2>/dev/null || fail "cannot write $DEPS/.$1.lock." \
    "Make it yours:  sudo chown -R \"\$(id -un)\" '$DEPS'"
  flock -n 9 && return 0
  say "another namid is at work on the same $1; waiting for it (Ctrl-C to stop waiting) ..."
  flock 9
}

unlock() { exec 9>&-; }

explain_interrupt() {
  trap 'say "interrupted. Run the same command again; it goes on where it stopped."; exit 130' INT
}

# An empty LIBTORCH counts as unset; a relative one is taken from the caller's folder.
settle_libtorch() {
  if [ -z "${LIBTORCH:-}" ]; then
    unset LIBTORCH
  else
    case $LIBTORCH in
      /*) ;;
      *) LIBTORCH="$PWD/$LIBTORCH" ;;
    esac
    LIBTORCH=${LIBTORCH%/}
    export LIBTORCH
  fi
}

# What the tool and its tests find in their environment.
export_tool_environment() {
  export NAMID_DATA="${NAMID_DATA:-$DEPS/data}"
  if [ -f "$DEPS/chart/chart.js" ]; then
    export NAMID_CHART_JS="${NAMID_CHART_JS:-$DEPS/chart/chart.js}"
  fi
}
