#!/usr/bin/env bash
# scripts/check-report.sh REPORT.html: opens a report in headless Chromium, where there is one, and fails when the
# browser complains or a chart is not drawn.
set -euo pipefail

page=$(readlink -f -- "$1")
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
  echo "skipped: no Chromium to open $1 with"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Chart.js gives each canvas that it has drawn on a size of its own.
timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --enable-logging=stderr \
  --user-data-dir="$folder/profile" --virtual-time-budget=10000 --dump-dom "file://$page" \
  >"$folder/dom.html" 2>"$folder/log.txt"
if grep -F CONSOLE "$folder/log.txt"; then
  echo "the browser complains about $1 (above)"
  exit 1
fi
charts=$(grep -c '<canvas data-chart=' "$folder/dom.html" || true)
drawn=$(grep -c '<canvas data-chart=[^>]*style="[^"]*width' "$folder/dom.html" || true)
failed=$(grep -c 'class="chart failed"' "$folder/dom.html" || true)
echo "$1: $drawn of $charts charts drawn, $failed failed"
[ "$charts" -gt 0 ] && [ "$drawn" = "$charts" ] && [ "$failed" = 0 ]
