# shellcheck shell=bash
# Sourced by scripts that build libraries of several C++ files; they set "${compile[@]}" and $objects before.

# objects_of NAME SOURCE...: compiles every source into $objects/NAME, several at a time (CTORCH_JOBS).
objects_of() {
  local name=$1 source job status=0 jobs=()
  shift
  mkdir "$objects/$name"
  for source in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "${CTORCH_JOBS:-$(getconf _NPROCESSORS_ONLN)}" ]; do
      sleep 0.1
    done
    "${compile[@]}" -c "$source" -o "$objects/$name/$(basename -- "$source").o" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || status=1; done
  return "$status"
}
