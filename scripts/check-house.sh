#!/usr/bin/env bash
# check-house.sh: rules of the house that no compiler checks. Prints every line that breaks one; exits 1 if there is any.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

broken=0
# forbid RULE PATTERN FOLDER...: no line of Swift in these folders may match.
forbid() {
  local rule=$1 pattern=$2 found
  shift 2
  if found=$(grep -rnE --include='*.swift' -- "$pattern" "$@"); then
    printf '%s:\n%s\n' "$rule" "$found" >&2
    broken=1
  fi
}

forbid 'a documentation comment that does not name its thing' \
  '^ *///( *- [A-Za-z ]+:)? *(What|How|Where|Which|Whether|Why)\b' Sources Examples \
  Benchmarks Tests/Support
forbid 'a force' '\btry!|\bas!' Sources

# Parts speak for themselves: no switch over concrete attacks or defenses outside their own rooms and the tool.
rooms=()
for room in Sources/*; do
  case $room in Sources/NamidCommands | Sources/NamidTool | Sources/NamidAttacks | Sources/NamidDefenses) ;;
  *) rooms+=("$room") ;; esac
done
forbid 'a switch over attacks' \
  '\b(case let [a-z]+ as|is) (PGD|APGD|FAB|Square|AutoAttack|CarliniWagner|DDN|FMN|TIDIM|FWA|NoAttack)\b' "${rooms[@]}"
forbid 'a switch over defenses' 'case \.(trades|mart|wmim|namid|namidT|namidM)\b' "${rooms[@]}"

# Parts come from the catalog that is handed through; only its standard reads the lists of what comes with the library.
forbid 'a list of parts that is read as a global' \
  '^[^=/:]*\b(AttackEntry|DefenseEntry|Architecture|Datasets)\.all\b' \
  "${rooms[@]}" Sources/NamidAttacks Sources/NamidDefenses Sources/NamidCommands

# Libraries do not speak the tool's command line: it hands its texts in, and comments name what a verb leaves, not the
# verb. Steps of a reproduction stand for verbs, so that their comments may name them.
verbs='quickstart|train|train-estimators|import|evaluate|transfer|attacks?|mi|reproduce|report|data|bench|doctor|selftest'
for room in "${rooms[@]}" Sources/NamidAttacks Sources/NamidDefenses; do
  forbid 'a library that speaks the command line' "^[^/]*\\bnamid ($verbs)\\b" "$room"
  [ "$room" = Sources/NamidReproduction ] || forbid 'a comment that speaks the command line' \
    "//.*\\bnamid ($verbs)\\b" "$room"
done
exit $broken
