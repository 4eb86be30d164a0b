#!/usr/bin/env bash
# Makes the shipped worlds from recording to model folder. Finished stages are skipped, an interrupted one goes on.
#   scripts/train-shipped.sh [maze|doom ...]     CODEC_MINUTES=20 MODEL_MINUTES=60
# On two cores both worlds train at once, each with OMP_NUM_THREADS=1, a fifth faster than one after the other with two.
set -euo pipefail
cd "$(dirname "$0")/.."
orrery=build/release/orrery
codec_minutes=${CODEC_MINUTES:-20}
model_minutes=${MODEL_MINUTES:-60}
worlds=("$@")
((${#worlds[@]})) || worlds=(maze doom)

record() {
  [ -e "data/$1" ] && return
  case $1 in
    maze) "$orrery" record maze --episodes 800 --frames 256 --seed 1 --policy explore --out data/maze ;;
    doom) build/release/orrery-record gymnasium:VizdoomMyWayHome-v1 --frames 250000 --policy explore --seed 0 --out data/doom ;;
    *) echo "train-shipped: unknown world '$1' (valid: maze, doom)" >&2; exit 2 ;;
  esac
}

score() {  # WORLD NAME ARGUMENTS...
  local file=models/$1/scores/$2.json
  mkdir -p "models/$1/scores"
  "$orrery" rollout --model "models/$1" --data "data/$1" --score "${@:3}" > "$file.tmp"
  mv "$file.tmp" "$file"
}

for world in "${worlds[@]}"; do
  record "$world"
  [ -e "runs/$world-codec/codec.safetensors" ] || "$orrery" train codec --data "data/$world" --out "runs/$world-codec" --minutes "$codec_minutes"
  [ -e "runs/$world/model.safetensors" ] || "$orrery" train model --data "data/$world" --codec "runs/$world-codec" --out "runs/$world" --minutes "$model_minutes"
  "$orrery" pack "runs/$world" --out "models/$world" --starts 8 --start-frames 4
  cp "runs/$world/metrics.jsonl" "models/$world/metrics.jsonl"
  cp "runs/$world-codec/metrics.jsonl" "models/$world/codec-metrics.jsonl"
  cp "runs/$world/train.json" "models/$world/train.json"
  score "$world" one-step one-step
  score "$world" drift drift --frames 256
  score "$world" actions actions
  "$orrery" rollout --model "models/$world" --data "data/$world" --frames 64 --every 4 --strip "docs/pictures/$world.png"
  .venv/bin/python scripts/card.py "$world" "$codec_minutes" "$model_minutes"
done
