#!/usr/bin/env bash
# Judges the shipped models and puts the results into docs/results: the maze against its simulator, Doom against the held-out episodes of its
# recording, which scripts/train-shipped.sh makes again. Finished cells are kept.
#   scripts/evaluate-shipped.sh [maze|doom ...]     SUITE=quick   DOOM_DATA=data/doom
set -euo pipefail
cd "$(dirname "$0")/.."
orrery=build/release/orrery
suite=${SUITE:-quick}
doom_data=${DOOM_DATA:-data/doom}
worlds=("$@")
((${#worlds[@]})) || worlds=(maze doom)

for world in "${worlds[@]}"; do
  case $world in
    maze) "$orrery" eval models/maze --world maze --suite "$suite" --out results/maze ;;
    doom)
      # Beside the model what knowing nothing (random), standing still (frozen) and the truth score on the same episodes.
      [ -e "$doom_data" ] || build/release/orrery-record gymnasium:VizdoomMyWayHome-v1 --frames 250000 --policy explore --seed 0 --out "$doom_data"
      "$orrery" eval models/doom dummy:copy,dummy:frozen,dummy:random --data "$doom_data" --suite "$suite" --out results/doom ;;
    *) echo "evaluate-shipped: unknown world '$world' (valid: maze, doom)" >&2; exit 2 ;;
  esac
  mkdir -p "docs/results/$world"
  rm -f "docs/results/$world"/*.png
  cp "results/$world/report.html" "results/$world/models_$world"/* "docs/results/$world/"
done
