#!/usr/bin/env bash
# check-house.sh: rules of the house that no compiler checks. Prints every line that breaks one; exits 1 if there is any.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

broken=0
# forbid WHAT PATTERN FOLDER...: no line of Swift in these folders may match.
forbid() {
  local what=$1 pattern=$2 found
  shift 2
  if found=$(grep -rnE --include='*.swift' -- "$pattern" "$@"); then
    printf '%s:\n%s\n' "$what" "$found" >&2
    broken=1
  fi
}

libraries=()
for room in Sources/*; do
  case $room in Sources/NamidCommands | Sources/NamidTool) ;; *) libraries+=("$room") ;; esac
done

forbid 'a documentation comment that does not name its thing' \
  '^ *///( *- [A-Za-z ]+:)? *(What|How|Where|Which|Whether|Why)\b' Sources
forbid 'a library that speaks the command line of the tool' '"[^"]*\bnamid [a-z]' "${libraries[@]}"

# Parts speak for themselves: concrete attacks and defenses are named in their own rooms and where somebody chooses one.
others=()
for room in "${libraries[@]}"; do
  case $room in Sources/NamidAttacks | Sources/NamidDefenses) ;; *) others+=("$room") ;; esac
done
forbid 'a switch over attacks' \
  '\b(case let [a-z]+ as|is) (PGD|APGD|FAB|Square|AutoAttack|CarliniWagner|DDN|FMN|TIDIM|FWA|NoAttack)\b' "${others[@]}"
forbid 'a switch over defenses' \
  'case \.(natural|standard|trades|mart|wmim|namid|namidT|namidM)\b.*:' "${others[@]}"
forbid 'a force' '\btry!|\bas!' Sources
exit $broken
