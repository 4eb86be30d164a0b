#!/usr/bin/env bash
# Compares ways to remember: every state below is trained from one backbone on one data set with the same processor time, and judged by the suite
# "memory". Cell by cell: what is finished (docs/results/states/cells/CELL/eval.json) is skipped, so that it may be stopped and called again, on
# several machines or days. A cell's checkpoint is dropped once it is judged, unless KEEP=1.
#   scripts/compare-states.sh [CELL ...]        e.g. ssm-s0; default: all, seed by seed
#   JOBS=2 cells side by side, one core each     MINUTES=10 of processor time a cell     SEEDS="0 1"     ORRERY=the program
set -euo pipefail
export OMP_NUM_THREADS=1
cd "$(dirname "$0")/.."
orrery=${ORRERY:-build/release/orrery}
minutes=${MINUTES:-10}
jobs=${JOBS:-2}
data=data/maze-ways
work=runs/states
backbone=$work/backbone
out=docs/results/states/cells
read -r -a seeds <<<"${SEEDS:-0 1}"

# name|spec: a window whose indirect reach is 4 layers x 4 frames = 16 frames, and a memory beside it. The network has 936,480 parameters; a memory has
# at most 5 % of that, but framepack (11 %), far (14 %) and geometry.map (18 %).
states=(
  'window|window(4)'
  'dense|dense()'
  'framepack|window(4) + framepack(groups="1x1x1,2x1x2,4x2x2")'
  'tome|window(4) + tome(every=2)'
  'retrieval.pose|window(4) + retrieval.pose(k=2)'
  'retrieval.key|window(4) + retrieval.key(k=2)'
  'moba|window(4) + moba(k=4)'
  'radial|window(4) + radial()'
  'anchor|window(4) + anchor(heads=2, dim=16, every=2)'
  'far|window(4) + far(pool=2)'
  'linear|window(4) + linear(heads=2, dim=16, every=2)'
  'ssm|window(4) + ssm(heads=2, dim=16, state=32, every=2)'
  'lstm|window(4) + lstm(heads=3, dim=8, every=2)'
  'delta|window(4) + delta(heads=2, dim=16, every=2)'
  'ttt|window(4) + ttt(heads=2, dim=16, every=2)'
  'titans|window(4) + titans(heads=2, dim=16, every=2)'
  'geometry.map|window(4) + geometry.map(features=16)'
  'geometry.points|window(4) + geometry.points()'
  'hybrid|window(4) + geometry.map(features=16) + retrieval.pose(k=2)'
)

spec_of() {
  local entry
  for entry in "${states[@]}"; do
    [ "${entry%%|*}" = "$1" ] && { echo "${entry#*|}"; return; }
  done
  echo "compare-states: unknown state '$1' (valid: ${states[*]%%|*})" >&2
  exit 2
}

prepare() {
  # Walks that come back after 24 to 56 frames: beyond the window's reach, within a clip.
  [ -e "$data" ] || "$orrery" record maze --episodes 800 --frames 256 --seed 7 --out "$data" \
    --way "gap(frames=52, again=0)" --way "look-away(degrees=180, hold=4)" --way "look-away(degrees=180, hold=16)" \
    --way "look-away(degrees=120, hold=10)" --way "full-turn(turns=2, again=0)" --way "waypoints(count=2, home=false)"
  [ -e "$backbone/model.safetensors" ] && return
  "$orrery" train model --data "$data" --codec models/maze/codec.safetensors --state "window(4)" --dim 128 --depth 4 --clip 24 --batch 8 \
    --cpu-minutes 18 --validate-minutes 1000 --out "$backbone"
}

cell() {
  local cell=$1 name=${1%-s*} seed=${1##*-s} spec
  spec=$(spec_of "$name")
  [ -e "$out/$cell/eval.json" ] && return
  mkdir -p "$work/$cell"
  ln -sfn ../backbone/latents "$work/$cell/latents"  # encoded once for all
  "$orrery" train model --adapt-from "$backbone" --data "$data" --state "$spec" --seed "$seed" --clip 60 --batch 8 --prefix 0.8 \
    --cpu-minutes "$minutes" --warmup 50 --validate-minutes 1000 --out "$work/$cell"
  "$orrery" eval "$work/$cell" --world maze --suite memory --out "$work/$cell-eval"
  local made
  made=$(dirname "$(find "$work/$cell-eval" -mindepth 2 -maxdepth 2 -name eval.json | head -1)")
  mkdir -p "$out/$cell.tmp"
  cp "$made/eval.json" "$work/$cell/metrics.jsonl" "$work/$cell/train.json" "$out/$cell.tmp/"
  mv "$out/$cell.tmp" "$out/$cell"
  [ "${KEEP:-0}" = 1 ] || rm -rf "${work:?}/$cell" "${work:?}/$cell-eval"
}

cells=("$@")
if ((${#cells[@]} == 0)); then
  for seed in "${seeds[@]}"; do
    for entry in "${states[@]}"; do cells+=("${entry%%|*}-s$seed"); done
  done
fi
for c in "${cells[@]}"; do spec_of "${c%-s*}" >/dev/null; done
prepare
export -f cell spec_of
status=0
running=0
for c in "${cells[@]}"; do
  if ((running >= jobs)); then
    wait -n || status=1
    ((running -= 1))
  fi
  cell "$c" &
  ((running += 1))
done
while ((running > 0)); do
  wait -n || status=1
  ((running -= 1))
done
"$orrery" report "$out" --out docs/results/states/report.html --json docs/results/states/report.json >docs/results/states/report.txt
exit $status
