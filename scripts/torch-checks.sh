# shellcheck shell=bash
# What a folder must hold to serve as libtorch. Sourced after common.sh.

# The version that the launchers fetch, and the oldest that anybody may bring.
# shellcheck disable=SC2034 # used by the scripts that source this one
readonly pinned_torch=2.13.0 oldest_torch=2.11
torch_library=libtorch_cpu.so
if on_macos; then torch_library=libtorch_cpu.dylib; fi

# Prints the version of the libtorch in folder $1, from the header that the shim compiles against.
torch_version() {
  local header
  for header in torch/headeronly/version.h torch/csrc/api/include/torch/version.h; do
    [ -f "$1/include/$header" ] || continue
    awk '$2 == "TORCH_VERSION_MAJOR" { a = $3 } $2 == "TORCH_VERSION_MINOR" { b = $3 }
         $2 == "TORCH_VERSION_PATCH" { c = $3 }
         END { if (a == "") exit 1; print a "." b "." c }' "$1/include/$header" && return
  done
  return 1
}

# Prints why the library in folder $1 cannot be used; nothing when it loads and has the C++11 ABI
# (std::string is part of the names that it exports, so one such name tells).
load_problem() {
  python3 - "$1/lib" "$torch_library" <<'PY'
import ctypes, os, sys
folder, name = sys.argv[1:]
with_new_strings = ("_ZN3c106detail14torchCheckFailEPKcS2_j"
                    "RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE")
try:
    ctypes.CDLL(os.path.join(folder, name))
    if sys.platform == "linux" and not hasattr(
            ctypes.CDLL(os.path.join(folder, "libc10.so")), with_new_strings):
        print("it was built with _GLIBCXX_USE_CXX11_ABI=0, and Swift's compiler needs 1")
except OSError as error:
    print(error)
PY
}

# check_own_libtorch FOLDER OTHERWISE: OTHERWISE is the remedy that every message ends with.
check_own_libtorch() {
  local folder=$1 otherwise=$2 found problem
  if [ -f "$folder/torch/lib/$torch_library" ]; then
    fail "LIBTORCH=$folder is one folder too high." "Set LIBTORCH='$folder/torch'" "$otherwise"
  fi
  if ! [ -d "$folder/include" ] || ! [ -f "$folder/lib/$torch_library" ]; then
    fail "LIBTORCH=$folder holds no libtorch (expected include/ and lib/$torch_library in it)." \
      "Set it to an unpacked libtorch, or to the torch folder of a Python installation:" \
      "  python3 -c 'import torch, os; print(os.path.dirname(torch.__file__))'" "$otherwise"
  fi
  found=$(torch_version "$folder") ||
    fail "LIBTORCH=$folder has no version header in include/torch." \
      "Its headers are incomplete: set LIBTORCH to a whole libtorch," "$otherwise"
  [ "$(printf '%s\n' "$oldest_torch" "$found" | sort -V | head -n 1)" = "$oldest_torch" ] ||
    fail "LIBTORCH=$folder is torch $found; namid needs $oldest_torch or later." \
      "Set it to a newer one," "$otherwise"
  # Python is not required of those who bring their own libtorch.
  have python3 || return 0
  problem=$(load_problem "$folder") || problem="python3 failed"
  [ -z "$problem" ] || fail "LIBTORCH=$folder does not load: $problem" \
    "Repair that installation," "$otherwise"
}
