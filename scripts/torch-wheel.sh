# shellcheck shell=bash
# Fetches a version of libtorch from the wheels of torch. Sourced after common.sh and torch-checks.sh.

readonly cpu_index=https://download.pytorch.org/whl/cpu
readonly own_libtorch="or set LIBTORCH to a libtorch that is already on this machine."

# fetch FOLDER LOG ARGUMENTS...: pip download without dependencies. The Python tag is fixed because
# only the C++ half of a wheel is used: any python3 that has pip can fetch it.
fetch() {
  local folder=$1 log=$2 machine
  shift 2
  machine=$(uname -m)
  local platforms=(--platform "manylinux_2_28_$machine" --platform "manylinux_2_25_$machine"
    --platform "manylinux2014_$machine")
  on_macos && platforms=(--platform "macosx_14_0_$machine")
  local pip=(python3 -m pip --disable-pip-version-check download --no-deps --only-binary=:all:
    --python-version 3.11 --implementation cp --abi cp311 --abi none "${platforms[@]}"
    --dest "$folder" "$@")
  # pip's progress bar is for a terminal; its complaints are shown only when nothing helped.
  if [ -t 2 ]; then "${pip[@]}" >&2 2>>"$log"; else "${pip[@]}" >>"$log" 2>&1; fi
}

# fetch_torch FOLDER VERSION. PyPI holds only the plain wheel, so a machine with no index for CPU wheels tries PyTorch's
# own.
fetch_torch() {
  local folder=$1 version=$2
  fetch "$folder" "$folder/pip.log" "torch==$version+cpu" && return 0
  say "no torch $version+cpu on the configured package index; trying $cpu_index ..."
  fetch "$folder" "$folder/pip.log" --timeout 15 --retries 1 --index-url "$cpu_index" \
    "torch==$version+cpu" && return 0
  say "not there either; trying the plain torch $version (about 530 MB) ..."
  fetch "$folder" "$folder/pip.log" "torch==$version"
}

# unpack FOLDER WHEEL...: what compiling and running on a CPU needs, into FOLDER/torch.
unpack() {
  python3 - "$@" <<'PY'
import os, re, signal, sys, zipfile
signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.excepthook = lambda kind, error, trace: print(f"\n       {error}", file=sys.stderr)
folder, wheels = sys.argv[1], sys.argv[2:]
# The Python bindings, and the CUDA half that a plain wheel brings (its libraries are other wheels).
unwanted = re.compile(r"\.\./|/lib/(libtorch_python|libtorch_cuda|libc10_cuda|libcaffe2_nvrtc"
                      r"|libtorch_nvshmem)")
wanted = [(r"^torch/(include/|lib/|version\.py$)", r"\g<0>"),
          (r"^torch-[^/]+\.dist-info/licenses/LICENSE$", "torch/LICENSE"),
          (r"^nvidia/.*/lib/(lib(cupti|cudart)\.so\.\d+)$", r"torch/lib/\1")]
jobs = []
for archive in map(zipfile.ZipFile, wheels):
    for entry in archive.infolist():
        name = entry.filename
        for pattern, place in wanted:
            if not entry.is_dir() and re.search(pattern, name) and not unwanted.search(name):
                jobs.append((archive, entry, re.sub(pattern, place, name)))
total, done, shown = sum(entry.file_size for _, entry, _ in jobs) or 1, 0, -1
for archive, entry, place in jobs:
    path = os.path.join(folder, place)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with archive.open(entry) as source, open(path, "wb") as target:
        for piece in iter(lambda: source.read(1 << 22), b""):
            target.write(piece)
            done += len(piece)
            percent = 100 * done // total
            if sys.stderr.isatty() and percent != shown:
                shown = percent
                print(f"\rnamid: unpacking: {percent} %", end="", file=sys.stderr, flush=True)
if sys.stderr.isatty():
    print(file=sys.stderr)
PY
}

# A plain wheel's libtorch_cpu needs two small CUDA libraries to load at all; its libtorch would
# need all of CUDA (2 GB), so the name `libtorch` is given to the CPU half.
complete_plain_wheel() {
  local work=$1 cuda
  cuda=$(sed -n "s/^cuda.*= '\([0-9.]*\)'.*/\1/p" "$work/torch/version.py")
  [ -n "$cuda" ] || return 0
  say "fetching the two CUDA libraries that it needs to load (13 MB) ..."
  fetch "$work" "$work/pip.log" "nvidia-cuda-cupti==$cuda.*" "nvidia-cuda-runtime==$cuda.*" ||
    return
  unpack "$work" "$work"/nvidia_*.whl || return
  ln -sf libtorch_cpu.so "$work/torch/lib/libtorch.so"
  say "this libtorch computes on the CPU; for CUDA set LIBTORCH to an installed torch."
}

check_space() {
  local free
  free=$(df -Pk "$DEPS" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free" -ge 1500 ] || fail "only $free MB are free under $DEPS; libtorch needs 1500." \
    "Free some space and run the same command again."
}

# install_wheel VERSION TARGET: the version's libtorch as folder TARGET, in place of what is there. Needs the lock.
install_wheel() {
  local version=$1 target=$2
  python3 -m pip --version >/dev/null 2>&1 ||
    fail "python3 with pip is needed to fetch libtorch, and was not found." \
      "Install it:  sudo apt-get install -y python3-pip" "$own_libtorch"
  # Whatever lies here was left by an interrupted run: the lock says that nobody else is at work.
  rm -rf -- "$DEPS"/.torch-*
  check_space
  work=$(mktemp -d "$DEPS/.torch-XXXXXX")
  trap 'rm -rf -- "$work"' EXIT

  say "fetching libtorch $version, the engine of PyTorch (about 200 MB, once) ..."
  if ! fetch_torch "$work" "$version"; then
    grep -v '^$' "$work/pip.log" | tail -n 4 | sed 's/^/       pip: /' >&2 || true
    fail "torch $version could not be downloaded." \
      "Check the network (behind a proxy: set https_proxy) and run the same command again," \
      "$own_libtorch"
  fi
  say "unpacking it to ${target#"$NAMID_ROOT/"} ..."
  if ! { unpack "$work" "$work"/torch-*.whl && complete_plain_wheel "$work"; }; then
    fail "the wheel could not be unpacked." \
      "Check the free space and the network, then run the same command again."
  fi

  local found problem
  found=$(torch_version "$work/torch") || found=unknown
  [ "$found" = "$version" ] || fail "the wheel holds torch $found; $version was expected." \
    "Look at pip's configured index (pip config list) and run the same command again."
  problem=$(load_problem "$work/torch") || problem="python3 failed"
  [ -z "$problem" ] || fail "the unpacked libtorch does not load: $problem" \
    "namid needs Linux with glibc 2.28 or later; with another torch of your own, set LIBTORCH."

  # On disk before it gets its name, so that a power cut leaves nothing half-written behind.
  sync -f "$work/torch" 2>/dev/null || true
  if [ -e "$target" ]; then mv -- "$target" "$work/replaced"; fi
  mv -- "$work/torch" "$target"
  rm -rf -- "$work"
  say "libtorch $version is ready."
}
