#!/usr/bin/env bash
# One judgement on worlds that nobody here wrote: Pong of the Arcade Learning Environment, recorded, learned for a few minutes on one core,
# and judged on recorded twins. Makes docs/results/ale again; data and runs are not kept in the repository, the model is not shipped.
#   scripts/evaluate-ale.sh        finished stages are skipped
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
orrery=build/release/orrery
record="build/release/orrery-record gymnasium:ALE/Pong-v5 --policy sticky --workers 1"

[ -e data/pong ] || $record --episodes 60 --max-steps 500 --seed 0 --out data/pong
[ -e data/pong-test ] || $record --episodes 48 --max-steps 300 --seed 1 --twins 2 --out data/pong-test
[ -e runs/pong-codec/codec.safetensors ] || "$orrery" train codec --data data/pong --out runs/pong-codec --steps 800 --seed 0
[ -e runs/pong/model.safetensors ] || "$orrery" train model --data data/pong --codec runs/pong-codec --out runs/pong --dim 128 --depth 4 --steps 3000 --seed 0
"$orrery" eval runs/pong dummy:copy,dummy:frozen,dummy:random --data data/pong-test --split all --suite full --out results/ale

mkdir -p docs/results/ale
rm -f docs/results/ale/*.png
cp results/ale/report.html results/ale/runs_pong/* docs/results/ale/
