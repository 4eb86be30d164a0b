"""Trains the default world model of the maze with one choice changed at a time, every cell with the same minutes, and prints
the table of docs/benchmarks.md. Cells that have a result are skipped; each writes docs/results/recipe/NAME.json.

    .venv/bin/python scripts/recipe.py [--minutes 3] [--codec-minutes 3] [--codec runs/maze-codec] [CELL ...]

Needs data/maze and its codec (scripts/train-shipped.sh makes both), and one core for itself (OMP_NUM_THREADS=1).
"""
import argparse
import json
import os
import pathlib
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORRERY = os.environ.get("ORRERY", "build/release/orrery")
RESULTS = ROOT / "docs/results/recipe"
RUNS = ROOT / "runs/recipe"

EVEN = "--path 'flow(shift=1)'"  # what the other choices were compared with; the default took the best row of this table
# name: (what is changed, options of `train model`)
TRANSITION = {
    "base": ("levels not shifted, the others as the default", EVEN),
    "adamw": ("AdamW on everything", f"{EVEN} --optimizer adamw"),
    "muon-slow": ("Muon at half the rate", f"{EVEN} --muon-lr 0.005"),
    "muon-fast": ("Muon at twice the rate", f"{EVEN} --muon-lr 0.02"),
    "tokens-64": ("64 tokens a frame", f"{EVEN} --patch 1"),
    "axial": ("axial attention", f"{EVEN} --layout axial"),
    "batch-4": ("4 clips a step", f"{EVEN} --batch 4"),
    "batch-16": ("16 clips a step", f"{EVEN} --batch 16"),
    "context-20": ("a fifth of the frames plays context", f"{EVEN} --context-share 0.2"),
    "context-80": ("four fifths of the frames play context", f"{EVEN} --context-share 0.8"),
    "v-cosine": ("v-prediction, cosine schedule", "--path v_cosine"),
    "levels-uniform": ("uniform noise levels, not shifted", "--path 'flow(deviation=0, shift=1)'"),
    "levels-shifted": ("levels shifted to noise by 2", "--path 'flow(shift=2)'"),
    "levels-shifted-4": ("levels shifted to noise by 4 (the default)", "--path 'flow(shift=4)'"),
}
# name: (what is changed, options of `train codec`); each trains its own codec, then a model with even levels on it.
LATENT = {
    "latent-base": ("the default (KL 1e-6, noise 0.2)", ""),
    "latent-no-noise": ("no noise on the latents", "--latent-noise 0"),
    "latent-kl": ("KL 1e-5", "--kl 1e-5"),
}


def orrery(words):
    print("orrery", words, flush=True)
    done = subprocess.run([ORRERY, *shlex.split(words)], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def latents_of(codec):
    return RUNS / "latents" / pathlib.Path(codec).name


def train(name, data, codec, minutes, options):
    """The trained cell's scores; the latents are encoded once a codec."""
    run = RUNS / name
    run.mkdir(parents=True, exist_ok=True)
    latents = latents_of(codec)
    latents.mkdir(parents=True, exist_ok=True)
    if not (run / "latents").is_symlink():
        (run / "latents").symlink_to(latents)
    command = f"train model --data {data} --codec {codec} --out {run} --minutes {minutes} {options}".strip()
    report = orrery(command)
    score = orrery(f"rollout --model {run} --data {data} --score one-step")["result"]
    return {"command": "orrery " + command.replace(str(ROOT) + "/", ""), "steps": report["steps"], "frames": report["frames"],
            "seconds": report["seconds"], "loss": report["validation"]["loss"], "one_step": score}


def cell(name, budget):
    if name in TRANSITION:
        what, options = TRANSITION[name]
        out = {"what": what, **train(name, "data/maze", budget.codec, budget.minutes, options)}
    else:
        what, options = LATENT[name]
        if not (ROOT / "data/maze-small").exists():
            subprocess.run([ORRERY, *shlex.split("record maze --episodes 200 --frames 256 --seed 1 --policy explore --out data/maze-small")], cwd=ROOT, check=True)
        codec = f"runs/recipe/{name}-codec"
        made = orrery(f"train codec --data data/maze-small --out {codec} --minutes {budget.codec_minutes} {options}")
        out = {"what": what, "codec": made["validation"], "codec_options": options, **train(name, "data/maze-small", codec, budget.minutes, EVEN)}
        shutil.rmtree(latents_of(codec))
    out["minutes"] = budget.minutes
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(out, indent=1) + "\n")
    shutil.rmtree(RUNS / name)


def table(cells):
    for name, (what, _) in cells.items():
        path = RESULTS / f"{name}.json"
        if not path.exists():
            continue
        r = json.loads(path.read_text())
        s = r["one_step"]
        codec = f" {r['codec']['psnr']:.2f} dB |" if "codec" in r else ""
        print(f"| {what} |{codec} {r['frames'] / r['seconds']:.0f} | {r['steps']} | {s['psnr']:.2f} dB | {s['gain']:.2f} ({s['gain_low']:.2f} to {s['gain_high']:.2f}) |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", nargs="*", choices=[[], *TRANSITION, *LATENT], metavar="CELL")
    parser.add_argument("--minutes", type=float, default=3, help="training of every model")
    parser.add_argument("--codec-minutes", type=float, default=3, help="training of the codecs of the latent cells")
    parser.add_argument("--codec", default="runs/maze-codec", help="the codec of the transition cells")
    parser.add_argument("--table", action="store_true", help="only print the tables")
    budget = parser.parse_args()
    for name in [] if budget.table else budget.cells or [*TRANSITION, *LATENT]:
        if not (RESULTS / f"{name}.json").exists():
            cell(name, budget)
    table(TRANSITION)
    table(LATENT)


if __name__ == "__main__":
    main()
