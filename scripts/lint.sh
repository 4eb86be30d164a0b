#!/usr/bin/env bash
# clang-format (must be clean) and clang-tidy (of the files named, or of all). Needs a configured build/release.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(if (($#)); then printf '%s\n' "$@"; else git ls-files 'src/*.cpp' 'src/*.h' 'apps/*.cpp' 'apps/*.h' 'test/*.cpp' 'test/*.h' 'bench/*.cpp'; fi)
clang-format --dry-run -Werror "${files[@]}"
[ -f build/release/compile_commands.json ] || cmake --preset release >/dev/null
sources=()
for f in "${files[@]}"; do [[ $f == *.cpp && $f != test/* ]] && sources+=("$f"); done
((${#sources[@]} == 0)) || clang-tidy --quiet -p build/release "${sources[@]}"
