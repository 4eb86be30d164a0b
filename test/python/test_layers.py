"""The rooms of src/ include only what lies before them."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = [["core"], ["nn", "worlds"], ["data", "codec", "state"], ["dynamics", "knowledge"], ["model", "runtime"], ["agent"], ["eval"], ["apps"]]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
# The latents' shape is the codec's word and the state's frames are made of them; model is where both meet the data.
INCLUDE = re.compile(r'^\s*#include "([a-z_]+)/', re.M)


def violations(files):
    found = []
    for path in files:
        parts = path.relative_to(ROOT).parts
        room = parts[1] if parts[0] == "src" else "apps"
        for other in INCLUDE.findall(path.read_text()):
            if other == room or room == "apps":
                continue
            if other not in LEVEL:
                found.append(f"{path.relative_to(ROOT)}: unknown room {other}")
            elif LEVEL[other] >= LEVEL[room]:
                found.append(f"{path.relative_to(ROOT)} includes {other}/")
    return found


def test_rooms_include_only_earlier_rooms():
    files = [p for p in (ROOT / "src").rglob("*") if p.suffix in (".h", ".cpp")]
    assert len(files) > 40
    assert violations(files) == []


def test_a_wrong_include_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    bad = tmp_path / "src" / "nn" / "x.h"
    bad.parent.mkdir(parents=True)
    bad.write_text('#include "model/session.h"\n')
    assert violations([bad]) == ["src/nn/x.h includes model/"]


def test_no_rooms_use_the_whole_of_torch():
    users = [p for d in ("src", "apps", "test", "bench") for p in (ROOT / d).rglob("*")
             if p.suffix in (".h", ".cpp") and "<torch/torch.h>" in p.read_text()]
    assert users == []
