#!/usr/bin/env bash
# Puts Chart.js (charts of the HTML report) and its licence into .deps/chart, from Debian's
# package and without root. Without it everything works, but reports show tables only.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

readonly package=libjs-chart.js
readonly target="$DEPS/chart"

# copy_from ROOT FOLDER: takes the browser build, minified where the package has one.
copy_from() {
  local name
  for name in chart.umd.min.js chart.min.js chart.umd.js chart.js; do
    local file="$1/usr/share/javascript/chart.js/$name"
    # A browser build defines itself through `define.amd`; a module build would not run in a page.
    if [ -f "$file" ] && grep -q 'define\.amd\|\.amd' "$file"; then
      cp -- "$file" "$2/chart.js"
      cp -- "$1/usr/share/doc/$package/copyright" "$2/LICENSE"
      return 0
    fi
  done
  return 1
}

# download FOLDER: unpacks Debian's package below FOLDER/root.
download() {
  have apt-get && have dpkg-deb || return 1
  if is_root && ! compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null; then
    apt-get -q update >/dev/null 2>&1 || true
  fi
  (cd -- "$1" && apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null 2>&1) &&
    dpkg-deb -x "$1/$package"_*.deb "$1/root" 2>/dev/null
}

[ -f "$target/chart.js" ] && exit 0
lock chart
[ -f "$target/chart.js" ] && exit 0
rm -rf -- "$DEPS"/.chart-*
work=$(mktemp -d "$DEPS/.chart-XXXXXX")
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/chart"
if copy_from "" "$work/chart" || { download "$work" && copy_from "$work/root" "$work/chart"; }; then
  rm -rf -- "$target"
  chmod 755 "$work/chart"
  mv -- "$work/chart" "$target"
  rm -f -- "$DEPS/chart.unavailable"
  say "Chart.js is ready (charts of the reports)."
  exit 0
fi
: >"$DEPS/chart.unavailable"
say "Chart.js ($package) could not be fetched: reports will show tables without charts." \
  "To try again:  scripts/setup-chart.sh"
