#!/usr/bin/env bash
# Builds and runs every benchmark of bench/ in turn; one JSON a benchmark goes to bench/results/HOST-COMMIT/.
#   scripts/bench.sh [BUILD] [NAME...]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
shift || true
names=("$@")
((${#names[@]})) || for f in bench/*.cpp; do names+=("$(basename "$f" .cpp)"); done
cpu=$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1 | tr -cs 'A-Za-z0-9\n' '-' | sed 's/-*$//')
out=bench/results/${cpu:-unknown}-$(nproc)cores
mkdir -p "$out"
for name in "${names[@]}"; do
  cmake --build "$build" --target "bench_$name" >/dev/null
  echo "== $name"
  "$build/bench/bench_$name" | tee "$out/$name.json.tmp"
  mv "$out/$name.json.tmp" "$out/$name.json"
done
git rev-parse HEAD > "$out/commit"
