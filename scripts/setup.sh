#!/usr/bin/env bash
# Installs the Debian packages of one list and a .venv from pinned requirements. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
TORCH="${TORCH:-torch==2.13.0}"

mapfile -t wanted < <(grep -v '^#' scripts/debian-packages.txt)
missing=()
for p in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
if ((${#missing[@]})); then
  echo "installing Debian packages: ${missing[*]}"
  sudo=""
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "setup: need root or sudo to install: ${missing[*]}" >&2; exit 2; }
    sudo="sudo"
  fi
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
echo "installing Python packages into .venv ($TORCH)"
.venv/bin/pip install -q --disable-pip-version-check "$TORCH"
.venv/bin/pip install -q --disable-pip-version-check -r requirements.txt -r requirements-worlds.txt
# Its histograms and distance are compared with; the rest of it wants a graphics card and old versions of others.
.venv/bin/pip install -q --disable-pip-version-check --no-deps fvmd==1.0.0
