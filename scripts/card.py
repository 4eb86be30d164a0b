"""Writes models/WORLD/card.md from what training and scoring left there."""
import json
import pathlib
import sys


def last_validation(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    steps = [line for line in lines if "loss" in line]
    return next(line for line in reversed(lines) if "validation" in line), steps[-1]


def main(world, codec_minutes, model_minutes):
    folder = pathlib.Path("models") / world
    config = json.loads((folder / "config.json").read_text())
    train = json.loads((folder / "train.json").read_text())
    scores = {p.stem: json.loads(p.read_text())["result"] for p in (folder / "scores").glob("*.json")}
    model, model_step = last_validation(folder / "metrics.jsonl")
    codec, codec_step = last_validation(folder / "codec-metrics.jsonl")
    one, actions, drift = scores["one-step"], scores["actions"], scores["drift"]
    last, truth = drift["blocks"][-1], drift["truth"]
    size = sum(p.stat().st_size for p in folder.glob("*.safetensors")) / 1e6
    t = config["transition"]
    rows = "\n".join(f"| {a['action']} | {a['pairs']:.0f} | {a['real']:.3f} | {a['dream']:.3f} |" for a in actions["per_action"])
    (folder / "card.md").write_text(f"""# {world}

Trained on `{config['data']['source']}`, {config['data']['height']}x{config['data']['width']} at {config['data']['fps']:g} frames/s.
Made again by `CODEC_MINUTES={codec_minutes} MODEL_MINUTES={model_minutes} scripts/train-shipped.sh {world}`; the logs are
`metrics.jsonl` and `codec-metrics.jsonl`, the recipe `train.json`. {size:.1f} MB of weights (float16) and beginnings.

- codec: `{config['codec']}`, {codec_step['seconds'] / 60:.1f} minutes, {codec_step['frames']:,} frames;
  held-out PSNR {codec['validation']['psnr']:.2f} dB (mean of frames {codec['validation']['psnr_frames']:.2f} dB)
- network: {t['layout']}, dim {t['dim']}, depth {t['depth']}, {t['heads']} heads, patch {t['patch']}; state `{config['state']}`, path `{config['path']}`
- training: {train['training']['optimizer']}, {model_step['seconds'] / 60:.1f} minutes on {train['threads']} {'core' if train['threads'] == 1 else 'cores'}, {model_step['frames']:,} frames, {model_step['step']:,} steps;
  held-out loss {model['validation']['loss']:.4f}
- sampling: {config['rollout']['steps']} denoising steps

Measured on held-out episodes with the packed weights (`scores/`):

| measure | value |
|---|---|
| one-step PSNR, {one['moving']} windows where the picture moves | {one['psnr']:.2f} dB |
| copying the last frame | {one['psnr_copy']:.2f} dB |
| gain over copying (95 % interval) | {one['gain']:.2f} dB ({one['gain_low']:.2f} to {one['gain_high']:.2f}) |
| ceiling set by the codec | {one['psnr_codec']:.2f} dB |
| action {actions['measure']} of the inverse model, real pairs | {actions['real']:.3f} |
| the same on the model's own pairs | {actions['dream']:.3f} |
| ratio (95 % interval) | {actions['ratio']:.3f} ({actions['ratio_low']:.3f} to {actions['ratio_high']:.3f}) |
| {drift['frames']}-frame rollouts, collapsed | {'yes' if drift['collapsed'] else 'no'} |
| last block against truth: brightness | {last['brightness']:.3f} / {truth['brightness']:.3f} |
| contrast | {last['contrast']:.3f} / {truth['contrast']:.3f} |
| motion | {last['motion']:.4f} / {truth['motion']:.4f} |

| action | pairs | real | dream |
|---|---|---|---|
{rows}
""")


if __name__ == "__main__":
    main(*sys.argv[1:])
