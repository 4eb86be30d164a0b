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

# The games' pictures are not ours to spread: results without film strips.
bare=$(mktemp -d)
trap 'rm -rf "$bare"' EXIT
.venv/bin/python - results/ale "$bare" <<'PYTHON'
import json, pathlib, sys
source, target = map(pathlib.Path, sys.argv[1:])
for subject in ("runs_pong", "dummy_copy", "dummy_frozen", "dummy_random"):
    evaluation = json.loads((source / subject / "eval.json").read_text())
    evaluation["samples"] = []
    (target / subject).mkdir()
    (target / subject / "eval.json").write_text(json.dumps(evaluation, indent=2) + "\n")
PYTHON
mkdir -p docs/results/ale
cp "$bare/runs_pong/eval.json" docs/results/ale/
"$orrery" report "$bare/runs_pong" "$bare/dummy_copy" "$bare/dummy_frozen" "$bare/dummy_random" --out docs/results/ale/report.html > /dev/null
