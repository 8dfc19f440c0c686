#!/usr/bin/env bash
# Checks the toolchain and the system's libraries. As root it installs what is missing with apt;
# otherwise it says in one line what to install.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

# A header counts wherever the compiler looks for it, so that libraries built by hand are found too.
have_header() {
  local folder
  for folder in /usr/include /usr/include/*-linux-gnu* /usr/local/include /opt/homebrew/include; do
    [ -e "$folder/$1" ] && return 0
  done
  return 1
}

missing_packages() {
  have git || echo git
  have_header zlib.h || echo zlib1g-dev
  have_header jpeglib.h || echo libjpeg-dev
  have_header png.h || echo libpng-dev
  # CommonCrypto stands in for it on macOS.
  on_macos || have_header openssl/sha.h || echo libssl-dev
  # Python serves only to fetch libtorch.
  if [ -z "${LIBTORCH:-}" ] && ! [ -d "$DEPS/libtorch" ]; then
    have python3 || echo python3
    python3 -m pip --version >/dev/null 2>&1 || echo python3-pip
  fi
}

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -y -q -o DPkg::Lock::Timeout=120) log
  log=$(mktemp)
  compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null || "${apt[@]}" update >"$log" 2>&1 || true
  # Lists that have aged name versions that the server no longer has: refresh them once.
  if "${apt[@]}" install --no-install-recommends "$@" >>"$log" 2>&1 ||
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"; } >>"$log" 2>&1; then
    rm -f -- "$log"
    return 0
  fi
  grep -E '^(E|Err):?' "$log" | tail -n 5 | sed 's/^/       apt: /' >&2 || true
  rm -f -- "$log"
  return 1
}

check_swift() {
  local version
  have swift || fail "the Swift toolchain was not found; namid needs Swift 6.2 or later." \
    "Install it as https://www.swift.org/install says, then run the same command again."
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p')
  [ "$(printf '%s\n' 6.2 "${version:-0}" | sort -V | head -n 1)" = 6.2 ] ||
    fail "$(command -v swift) is Swift ${version:-of unknown version}; namid needs 6.2 or later." \
      "Install a newer one as https://www.swift.org/install says, or put it first on PATH."
}

# Gloo's headers are for training in several processes, which nothing does yet: asked for before the first build,
# never required.
offer_gloo() {
  have_header gloo/config.h && return 0
  [ -x "$NAMID_ROOT/.build/release/namid" ] && return 0
  if is_root && have apt-get; then
    say "installing libgloo-dev (headers for training in several processes, which nothing uses yet) ..."
    apt_install libgloo-dev && return 0
  fi
  say "going on without Gloo's headers: nothing uses them yet (sudo apt-get install -y libgloo-dev)."
}

missing=()
while IFS= read -r package; do missing+=("$package"); done < <(missing_packages)

if [ "${#missing[@]}" -gt 0 ]; then
  list="${missing[*]}"
  if ! have apt-get; then
    fail "missing: $list (Debian's names)." \
      "Install these with this system's package manager, then run the same command again."
  elif ! is_root; then
    fail "system packages are missing. Install them, then run the same command again:" \
      "sudo apt-get install -y --no-install-recommends $list"
  fi
  say "installing with apt: $list (image decoding, digests, and what fetching libtorch needs) ..."
  apt_install "${missing[@]}" || fail "apt could not install: $list" \
    "Check the network, then:  apt-get update && apt-get install -y $list"
fi
check_swift
on_macos || offer_gloo
