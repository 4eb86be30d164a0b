#!/usr/bin/env python3
"""Runs the validity gates of the shipped feature nets (scripts/features/gates.py) on films of built-in worlds that no training saw.

    scripts/feature-gates.py maze billiards      ->  models/features/gates.json, in which other worlds stay as they are

The evaluation refuses a net on worlds where it fails a gate, or where the gates were never run. About 6 minutes a world on one core.
"""
import argparse
import json
import pathlib
import time

import torch

from features import gates

ROOT = pathlib.Path(__file__).resolve().parent.parent
NETS = {"F-img of frames": "f-img.pt", "F-rand of frames": "f-rand-img.pt", "F-vid of clips": "f-vid.pt", "F-rand of clips": "f-rand-vid.pt"}


def rounded(x):
    if isinstance(x, float):
        return float(f"{x:.5g}")
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    return [rounded(v) for v in x] if isinstance(x, list) else x


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("worlds", nargs="+", help="specs of built-in worlds")
    a.add_argument("--data", default="data/feature-gates", help="folder of the films, recorded when missing")
    a.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    a.add_argument("--nets", type=pathlib.Path, default=ROOT / "models/features")
    o = a.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    nets = [gates.Net(name, o.nets / file) for name, file in NETS.items()]
    path = o.nets / "gates.json"
    table = json.loads(path.read_text()) if path.exists() else {"nets": {}}
    table["sizes"] = {"films": gates.FILMS, "films a level of G1": gates.SHORT, "frames between two": gates.EVERY, "clips of G3": gates.MATCH}
    table["levels"] = gates.LEVELS
    for net in nets:
        entry = table["nets"].setdefault(net.name, {"sha256": net.hash(), "worlds": {}})
        if entry["sha256"] != net.hash():
            table["nets"][net.name] = {"sha256": net.hash(), "worlds": {}}
    for world in o.worlds:
        start = time.time()
        x = gates.films(world, o.build, o.data)
        found = gates.gate(nets, x, log=lambda kind: print(f"{world}: {kind}, {time.time() - start:.0f} s", flush=True))
        found["F-img of frames"]["pair"] = gates.pair_agreement(nets[0].module, x)
        for name, numbers in found.items():
            table["nets"][name]["worlds"][world] = rounded(numbers)
            print(world, name, "passes" if not numbers["failed"] else "; ".join(numbers["failed"]), flush=True)
        path.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
