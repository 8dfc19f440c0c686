#!/usr/bin/env bash
# gpu-check.sh [cuda|cpu] [--only STEP,STEP] [--seconds N] [--rehearse]: checks and measures namid on a bare machine that has Python with
# torch 2.11 or later, a C++ compiler and a card, and neither Swift nor libjpeg nor libpng. What it needs is made by gpu-bundle.sh.
#
# Steps run in the order of the list below, the most valuable first, each within its own limit and all within N seconds (560 by
# default); one that fails stops nothing. `first` and `train` stand for two halves that make one call each; both in two calls on one
# machine build nothing twice. $OUT (gpu-out by default) gets table.txt, written on step by step, and logs.tar.gz, renewed after
# each step. On the CPU, on a fake accelerator (CTORCH_ACCELERATOR) and with --rehearse all sizes are tiny: what is proven then is
# that every step runs.
set -uo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
root=${self%/scripts/*}
bundle=$root/.gpu

# Name, limit in seconds, half, what it does.
steps='
shim               150 always build the shim for the torch that is here
data               120 always unpack CIFAR-10 as JPEG files
doctor              60 always what the tool sees
selftest           150 first  operators, attacks and training on the device beside the CPU
steps-small        200 first  a training step beside PyTorch, batch 128
steps-large        160 first  a training step beside PyTorch, batch 1,024
profile             40 first  kernels of a training step by name and time
verdicts           120 first  AutoAttack on the device and on the CPU, sample by sample
autoattack         120 first  AutoAttack on 1,000 images, ResNet-18 of width 16
train              330 train  adversarial training at width 64, batch 1,024
evaluate            90 train  PGD-40 on 10,000 images of that network
autoattack-trained 240 train  AutoAttack on 1,000 images of that network
train-small        120 train  the same training with batch 128, as many epochs as there is time for
'

usage() { sed -n '2,10s/^# \{0,1\}//p' "$self" && printf '%s' "$steps"; }

# ---------------------------------------------------------------------------------------------------------------- sizes

set_sizes() {
  peer_device=$device
  if [ "$device" = cpu ] || [ -n "${CTORCH_ACCELERATOR:-}" ]; then rehearse=1 peer_device=cpu; fi
  if [ -n "$rehearse" ]; then
    # Threads that wait for each other crawl where others compute, too.
    export OMP_NUM_THREADS=1
    cases_small=4x8 cases_large=4x16 step_sizes=(--quickness 0 --rounds 1 --matrix 256 --threads 1 --ready-limit 100)
    attack=autoattack-2:queries=4 pgd=pgd-2 images=16 all_images=32 batch=16
    width=4 large=64 small=32 epochs=1
    train_sizes=(--set data.limit=64 --set data.validation=32 --set attack.steps=2 --set training.precision=float32)
  else
    cases_small=64x128,16x128 cases_large=64x1024,16x1024 step_sizes=()
    attack=autoattack pgd=pgd-40 images=1000 all_images=10000 batch=1000
    width=64 large=1024 small=128 epochs=30
    train_sizes=(--set data.validation=1000)
  fi
}

# ---------------------------------------------------------------------------------------------------------------- steps
# Each runs in a shell of its own. What it tells goes to the table, all else to its log.

tell() { printf '%s\n' "$*" >&3; }

# ours ARGUMENT...: runs namid, and tells the command once it has succeeded.
ours() {
  echo "namid $*"
  "$tool" "$@" || { local status=$?; tell "\`$(shown "$@")\` ended with status $status"; return $status; }
  tell "\`$(shown "$@")\`"
}
shown() { local line="namid $*"; line=${line//"$work/"/}; printf '%s' "${line//"$bundle/"/}"; }

offers() { "$tool" "$1" --help 2>/dev/null | grep -q -e "$2"; }

step_shim() {
  local mark
  mark=$(find "$root/Engine" -type f -exec cksum {} + | sort | cksum; echo "$torch")
  if [ -e "$work/lib/libCTorch.so" ] && [ "$mark" = "$(cat "$work/shim.mark" 2>/dev/null)" ]; then
    tell 'built by an earlier call'
    return
  fi
  rm -f "$work"/lib/libCTorch*.so
  LIBTORCH=$torch "$root/Engine/build.sh" "$work/lib/libCTorch.so" || return
  echo "$mark" >"$work/shim.mark"
  tell "\`Engine/build.sh\` in $SECONDS s: $(cd "$work/lib" && echo libCTorch*.so)"
}

step_data() {
  [ -e "$work/data/complete" ] && { tell "$(find "$work/data/cifar10" -name '*.jpg' | wc -l) images"; return; }
  rm -rf "$work/data" && mkdir -p "$work/data/cifar10"
  unpack "$bundle/cifar10-jpeg.tar.xz" "$work/data/cifar10" && touch "$work/data/complete"
}

# Python reads xz where the machine has no such program.
unpack() {
  if command -v xz >/dev/null; then tar xf "$1" -C "$2"; else python3 -m tarfile -e "$1" "$2"; fi
}

step_doctor() {
  local seen
  seen=$("$tool" doctor) || return
  echo "$seen"
  tell "$(sed -e '/^charts/,$d' -e 's/^/    /' <<<"$seen")"
}

step_selftest() {
  "$tool" selftest --help | grep -q '^USAGE: namid selftest' || { tell 'this tool has no selftest'; return; }
  ours selftest --device "$device" --json "$logs/selftest.json"
  local status=$?
  python3 "$root/Benchmarks/gpu/figures.py" selftest "$logs/selftest.json" >&3
  return $status
}

step_steps-small() {
  local counting=()
  [ -e "$work/lib/liblaunches.so" ] && counting=(--launches "$work/lib/liblaunches.so")
  side_by_side small "$cases_small" ${counting[@]+"${counting[@]}"}
}

step_steps-large() { side_by_side large "$cases_large"; }

# side_by_side NAME CASES OPTION...
side_by_side() {
  python3 "$root/Benchmarks/gpu/side_by_side.py" --json "$work/steps/$1.json" --cases "$2" --until $(($(date +%s) + limit - 5)) "${@:3}" \
    ${step_sizes[@]+"${step_sizes[@]}"} "${side_options[@]}" >&3
}

# Fills the cache of torch.compile while nothing is timed.
step_compile() {
  python3 "$root/Benchmarks/gpu/side_by_side.py" --compile-only --cases "$cases_small,$cases_large" --json /dev/null "${side_options[@]}"
}

# The library that counts launches: CUPTI's header comes with CUDA's compiler or with pip's packages.
step_launches() {
  local cuda=${CUDA_HOME:-/usr/local/cuda} library
  # The library that torch itself uses, else that of the compiler.
  library=$(find -L "$site/nvidia" "$cuda/extras/CUPTI" "$cuda/lib64" -name 'libcupti.so*' 2>/dev/null | head -n 1)
  [ -n "$library" ] || return
  c++ -std=c++17 -O2 -shared -fPIC "$root/Benchmarks/gpu/launches.cpp" -o "$work/lib/liblaunches.new" \
    -I"$site/nvidia/cu13/include" -I"$cuda/include" -I"$cuda/extras/CUPTI/include" "$library" -Wl,-rpath,"$(dirname "$library")" &&
    mv "$work/lib/liblaunches.new" "$work/lib/liblaunches.so"
}

step_profile() {
  [ -e "$work/lib/liblaunches.so" ] || { tell 'no library that counts launches: CUPTI is not here'; return; }
  local case=w${cases_small%%,*}
  case=${case/x/-b}
  printf 'measure\n' | CUDA_INJECTION64_PATH=$work/lib/liblaunches.so LAUNCHES=$logs/launches.txt "$bench" measure --work train \
    --precision bfloat16 --network "$work/steps/$case-network.safetensors" --batch "$work/steps/$case-batch.safetensors" \
    --batch-size "${case##*b}" --count 10 --device "$device" || return
  python3 "$root/Benchmarks/gpu/figures.py" launches "$logs/launches.txt" 11 >&3
}

oracle() {
  [ -e "$work/runs/oracle/checkpoints/latest" ] && return
  rm -rf "$work/runs/oracle"
  "$tool" import "$bundle/oracle/resnet18-width16.safetensors" --width 16 --out "$work/runs/oracle"
}

# Both at once: the card hardly needs the processor's cores, and neither is timed.
step_verdicts() {
  oracle || return
  local count=256 common
  [ -n "$rehearse" ] && count=$images
  common=(evaluate "$work/runs/oracle" --dataset "file:$bundle/oracle/images.safetensors" --limit "$count" --batch-size "$count" --attack "$attack" --fresh)
  "$tool" "${common[@]}" --device cpu --state "$work/state-cpu" --json "$logs/verdicts-cpu.json" &
  local cpu=$! status=0
  ours "${common[@]}" --device "$device" --state "$work/state-device" --json "$logs/verdicts-device.json" || status=1
  wait $cpu || status=1
  [ $status = 0 ] || return $status
  python3 "$root/Benchmarks/gpu/figures.py" verdicts "$logs/verdicts-cpu.json" "$logs/verdicts-device.json" >&3
}

step_autoattack() { oracle && attacked oracle "$attack" "$images"; }

# attacked RUN ATTACK IMAGES: evaluates, in float32 and where the tool offers it with a search in TF32.
attacked() {
  local json=$logs/$1-${2//[^a-z0-9]/-}.json common
  common=(evaluate "$work/runs/$1" --dataset cifar10 --attack "$2" --limit "$3" --batch-size "$batch" --fresh --device "$device")
  ours "${common[@]}" --json "$json" || return
  python3 "$root/Benchmarks/gpu/figures.py" attacks "$json" >&3
  [ "$2" = "$attack" ] && offers evaluate --search-precision || return 0
  ours "${common[@]}" --search-precision tf32 --json "${json%.json}-tf32.json" || return
  python3 "$root/Benchmarks/gpu/figures.py" attacks "${json%.json}-tf32.json" >&3
  python3 "$root/Benchmarks/gpu/figures.py" verdicts "$json" "${json%.json}-tf32.json" >&3
}

step_train() { train large "$large"; }
step_train-small() { train small "$small"; }

# train NAME BATCH: as many epochs as fit by the steps' times, where those are known.
train() {
  local graphs=() status fits
  fits=$(python3 "$root/Benchmarks/gpu/figures.py" epochs "$work/steps/$1.json" "$limit")
  [ "$fits" -lt "$epochs" ] || fits=$epochs
  "$tool" train --dry-run | grep -q '^  graphs:' && [ "$device" != cpu ] && graphs=(--set training.graphs=attack)
  rm -rf "${work:?}/runs/$1"
  ours train --defense standard --dataset cifar10 --set "model.width=$width" --set "training.batchSize=$2" --epochs "$fits" \
    --set schedule.kind=one-cycle --set optimizer.learningRate=0.2 --set optimizer.weightDecay=5e-4 \
    "${train_sizes[@]}" ${graphs[@]+"${graphs[@]}"} --device "$device" --out "$work/runs/$1"
  status=$?
  cp "$work/runs/$1/metrics.jsonl" "$logs/train-$1.jsonl"
  python3 "$root/Benchmarks/gpu/figures.py" training "$logs/train-$1.jsonl" >&3
  return $status
}

step_evaluate() { attacked large "clean,$pgd" "$all_images"; }
step_autoattack-trained() { attacked large "$attack" "$images"; }

# ------------------------------------------------------------------------------------------------------------- carrying

# Where everything is, for this shell and for those of the steps.
set_places() {
  work=${WORK:-$root/.gpu-work} logs=$work/logs tool=$work/namid bench=$work/namid-bench
  # Found, not imported: that takes seconds.
  torch=$(python3 -c 'from importlib.util import find_spec; print(find_spec("torch").submodule_search_locations[0])') || return
  site=${torch%/torch}
  local compiler
  if [ -z "${CUDA_HOME:-}" ] && compiler=$(command -v nvcc); then
    compiler=$(readlink -f "$compiler")
    export CUDA_HOME=${compiler%/bin/nvcc}
  fi
  side_options=(--tool "$bench" --device "$device" --peer-device "$peer_device" --work "$work/steps")
  export HOME=$work NAMID_DATA=$work/data TORCHINDUCTOR_CACHE_DIR=$work/inductor TMPDIR=$work/tmp
}

# The tool with the libraries it was built with and the torch that is here; Python's own programs do not see them.
install_tool() {
  rm -rf "$logs"
  mkdir -p "$work"/{bin,lib,runs,tmp,steps,logs}
  unpack "$bundle/tool.tar.xz" "$work" || return
  local name
  for name in namid namid-bench; do
    cat >"$work/$name" <<WRAPPER
#!/usr/bin/env bash
export LD_LIBRARY_PATH=$work/lib:$work/swift:$torch/lib:$site/nvidia/cu13/lib
exec $work/bin/$name "\$@"
WRAPPER
    chmod +x "$work/$name"
  done
}

describe_machine() {
  local card='none'
  [ "$device" = cpu ] || card=$(nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader 2>/dev/null || echo 'nvidia-smi does not answer')
  [ -n "${CTORCH_ACCELERATOR:-}" ] && card='a fake accelerator'
  [ "$device" = cpu ] || nvidia-smi >"$logs/nvidia-smi.txt" 2>&1
  tell "# Figures of $(date -u +%Y-%m-%d)"
  tell ''
  [ -n "$rehearse" ] && tell 'A REHEARSAL with tiny sizes: its times mean nothing.' && tell ''
  tell "* Card, memory, driver: $card"
  tell "* Processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(getconf _NPROCESSORS_ONLN) cores"
  tell "* Python's torch: $(sed -n "s/^__version__ = '\(.*\)'/\1/p" "$torch/version.py")"
  tell "* Commit: $(cat "$bundle/commit")"
  tell "* Command: \`scripts/gpu-check.sh $command_line\`"
}

left() { echo $((seconds - SECONDS)); }

keep_logs() { tar czf "$work/logs.tar.gz" -C "$work" logs && mv "$work/logs.tar.gz" "$out/"; }

# run NAME LIMIT WHAT: a step in a shell of its own, never longer than the time that is left.
run() {
  local name=$1 limit=$2 begin=$SECONDS status
  # A machine without a card may be slow at anything.
  [ -n "$rehearse" ] && limit=$((limit + 200))
  [ "$limit" -gt "$(left)" ] && limit=$(left)
  tell '' && tell "## $name: $3" && tell ''
  if [ "$limit" -lt 8 ]; then tell 'not run: no time was left'; return; fi
  timeout -k 5 "$limit" bash "$self" "$device" --run "$name" --limit "$limit" --out "$out" ${rehearse:+--rehearse} >"$logs/$name.log" 2>&1
  status=$?
  [ $status = 124 ] && tell "stopped at its limit of $limit s"
  tell '' && tell "status $status, $((SECONDS - begin)) s"
  printf '%-20s status %3d  %4d s  (%d s left)\n' "$name" $status $((SECONDS - begin)) "$(left)"
  [ $status = 0 ] || tail -n 3 "$logs/$name.log" | cut -c1-200 | sed 's/^/    /'
  keep_logs
}

# background NAME LIMIT: a step beside others, its log alone says how it went.
background() { timeout -k 5 "$2" bash "$self" "$device" --run "$1" --limit "$2" --out "$out" ${rehearse:+--rehearse} >"$logs/$1.log" 2>&1 3>/dev/null & }

is_wanted() { # NAME HALF
  [ -n "$1" ] || return
  [ "$2" = always ] || [ -z "$only" ] || [[ ",$only," == *",$1,"* || ",$only," == *",$2,"* ]]
}

main() {
  local name limit half what compiling=''
  if ! set_places || ! install_tool; then
    echo "gpu-check: needs Python with torch, and $bundle, which gpu-bundle.sh makes" >&2
    exit 1
  fi
  describe_machine
  trap 'keep_logs; exit 1' TERM INT
  background data 150 && local unpacking=$!
  background launches 60
  # Preparing that needs the processor goes on while the shim is compiled and the device is compared with the CPU.
  if [ "$peer_device" != cpu ] && { is_wanted steps-small first || is_wanted steps-large first; }; then
    background compile 120 && compiling=$!
  fi
  while read -r -u 4 name limit half what; do
    is_wanted "$name" "$half" || continue
    case $name in
      data) wait "$unpacking" ;;
      steps-small | steps-large) [ -z "$compiling" ] || wait "$compiling" ;;
    esac
    run "$name" "$limit" "$what"
  done 4<<<"$steps"
  keep_logs
  echo
  cat "$out/table.txt"
}

device=cuda only='' seconds=560 rehearse='' step='' limit=0 out=${OUT:-$root/gpu-out} command_line=$*
while [ $# -gt 0 ]; do
  case $1 in
    cuda | cpu) device=$1 ;;
    --only) only=$2 && shift ;;
    --seconds) seconds=$2 && shift ;;
    --rehearse) rehearse=1 ;;
    --run) step=$2 && shift ;;
    --limit) limit=$2 && shift ;;
    --out) out=$2 && shift ;;
    -h | --help) usage && exit ;;
    *) echo "gpu-check: what is \"$1\"? See gpu-check.sh --help" >&2 && exit 2 ;;
  esac
  shift
done
set_sizes
if [ -n "$step" ]; then
  set_places && "step_$step"
else
  mkdir -p "$out"
  exec 3>"$out/table.txt"
  main
fi
