"""`orrery eval` and `orrery report` from outside: numbers, files, and the page in a real browser."""
import json
import os
import shutil
import subprocess

import h5py
import numpy as np
import pytest
from program import ORRERY, make_world, run
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("eval")
    done = run("eval", "dummy:copy,dummy:ignore", "dummy:frozen", "--world", "billiards", "--out", out)
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_the_dummies_score_as_they_must(results):
    _, summary = results
    assert summary["subjects"] == 3
    assert summary["sanity"] > 20 and summary["sanity_failed"] == 0


def test_numbers_have_intervals_or_causes(results):
    out, _ = results
    evaluation = json.loads((out / "dummy_ignore/eval.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert evaluation["schema"] == "orrery.eval/1"
    for metric in evaluation["metrics"]:
        assert metric["value"] is None and metric["cause"] or metric["ci95"] and metric["n"] and metric["anchors"], metric["id"]
    cne = next(m for m in evaluation["metrics"] if m["id"] == "causality.twin.remove.cne")
    assert cne["value"] == pytest.approx(1, abs=1e-9)


def test_the_page_in_a_browser(results, tmp_path):
    out, _ = results
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,1600"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        driver.get(f"file://{out}/report.html")
        assert "sanity checks hold" in driver.find_element(By.ID, "banner").text
        assert len(driver.find_elements(By.CSS_SELECTOR, "svg.chart")) >= 5
        assert len(driver.find_elements(By.CSS_SELECTOR, "#sanity tr")) > 20
        assert len(driver.find_elements(By.CSS_SELECTOR, "#axes .bar")) >= 8, "three subjects on three axes, but for what is not measured"
        assert "F-img and F-rand" in driver.find_element(By.CSS_SELECTOR, "#agreement + div").text
        strips = driver.find_elements(By.CSS_SELECTOR, "img.strip")
        assert strips and all(driver.execute_script("return arguments[0].naturalWidth", s) > 100 for s in strips)
        headings = [h.text for h in driver.find_elements(By.TAG_NAME, "h2")]
        assert {"Quality", "Persistence", "Causality", "Sanity"} <= set(headings)
        assert driver.get_log("browser") == []
        picture = tmp_path / "report.png"
        assert driver.save_screenshot(str(picture)) and picture.stat().st_size > 20_000
    finally:
        driver.quit()


def test_reports_are_put_side_by_side(results, tmp_path):
    out, _ = results
    done = run("report", out / "dummy_copy", out / "dummy_ignore", "--out", tmp_path / "both.html")
    assert done.returncode == 0, done.stderr
    assert "causality.twin.remove.cne" in done.stdout
    page = (tmp_path / "both.html").read_text()
    assert "dummy:copy" in page and "dummy:ignore" in page


def test_a_report_takes_a_whole_run_and_judges_claims(results, tmp_path):
    out, _ = results
    done = run("report", out, "--out", tmp_path / "all.html", "--json", tmp_path / "all.json")
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "all.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    billiards = next(t for t in written["tables"] if t["world"] == "billiards")
    rows = {r["name"]: r for r in billiards["rows"]}
    assert set(rows) == {"dummy:copy", "dummy:ignore", "dummy:frozen"}
    assert rows["dummy:ignore"]["cells"]["CNE"]["value"] == pytest.approx(1, abs=1e-9)
    assert not any(r["pareto"] for r in billiards["rows"]), "models alone compete"
    assert [c["id"] for c in written["claims"]] == [f"H{i}" for i in range(1, 11)]
    assert all(c["verdict"] == "undecided" and "not measured: no model" in c["reason"] or c["id"] == "H9" for c in written["claims"])
    for shown in ("CNE", "dummy:frozen", "H10", "undecided"):
        assert shown in done.stdout
    page = (tmp_path / "all.html").read_text()
    assert "<h2>Claims</h2>" in page and 'class="mechanisms"' in page
    wrong = run("report", tmp_path, "--out", tmp_path / "x.html")
    assert wrong.returncode == 2 and "eval.json" in wrong.stderr and len(wrong.stderr.strip().splitlines()) == 1


def test_probes_are_chosen(tmp_path):
    done = run("eval", "dummy:copy", "--world", "pendulum", "--probes", "similarity", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert {f.name for f in (tmp_path / "out/cells/dummy_copy").iterdir()} == {"similarity-pendulum"}
    assert "sanity_unanswered" not in json.loads(done.stdout)


@pytest.fixture(scope="module")
def maze(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("recorded"))


def test_a_model_is_judged_on_recordings(maze, tmp_path):
    done = run("eval", maze / "run", "dummy:copy,dummy:frozen,dummy:ignore", "--data", maze / "set", "--split", "all", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sanity"] > 10
    folder = next(f for f in (tmp_path / "out").iterdir() if f.name.endswith("run"))
    metrics = {m["id"]: m for m in json.loads((folder / "eval.json").read_text())["metrics"]}
    assert metrics["quality.psnr"]["n"] == 6 and metrics["quality.psnr"]["world"].startswith("recording(path=")
    assert metrics["causality.control.delta-psnr"]["value"] is not None
    assert "twins" in metrics["causality.recorded-twin.recall"]["cause"]
    assert metrics["causality.future-leak.before"]["value"] == 0, "frames are made one by one"
    assert "doubles 4 times from 8 frames is needed, this one ends at" in metrics["cost.time-exponent"]["cause"]
    assert (tmp_path / "out/report.html").stat().st_size > 10_000


def test_recordings_that_do_not_fit_are_refused(maze, tmp_path):
    for world in ("billiards", "maze(size=5, height=32, width=32)"):
        assert run("record", world, "--episodes", 5, "--frames", 40, "--out", tmp_path / "set", "--overwrite").returncode == 0
        done = run("eval", maze / "run", "--data", tmp_path / "set", "--split", "all", "--out", tmp_path / "out")
        assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
        assert ("was trained with" if world == "billiards" else "makes frames of 64x64") in done.stderr
    for words, told in (([], "at least 5 episodes"), (["--split", "test"], "valid: validation, train, all")):
        done = run("eval", maze / "run", "--data", maze / "set", *words, "--out", tmp_path / "out")
        assert done.returncode == 2 and told in done.stderr and len(done.stderr.strip().splitlines()) == 1
    done = run("eval", maze / "run", "--data", tmp_path / "nothing", "--out", tmp_path / "out")
    assert done.returncode == 2 and "no data set" in done.stderr


def add_twins(folder, fork=20):
    """A twin of every episode that acts otherwise once, its frames packed; those of the first one are damaged. Returns what mends them."""
    path = folder / "main_data.hdf5"
    with h5py.File(path, "r+") as file:
        count = len(file)
        for e in range(count):
            file.copy(f"episode_{e}", f"episode_{count + e}")
            twin = file[f"episode_{count + e}"]
            frames = twin["observations"][:]
            del twin["observations"]
            twin.create_dataset("observations", data=frames, chunks=(8, *frames.shape[1:]), compression="gzip")
            twin["actions"][fork] = (twin["actions"][fork] + 1) % 6
            twin.attrs.update({"id": np.uint64(count + e), "twin_of": np.uint64(e), "twin_begin": np.uint64(0), "twin_at": np.uint64(fork)})
        packed = file[f"episode_{count}/observations"].id
        chunk = packed.get_chunk_info(packed.get_num_chunks() - 1)
    metadata = json.loads((folder / "metadata.json").read_text())
    (folder / "metadata.json").write_text(json.dumps(metadata | {"total_episodes": 2 * count}))
    whole = path.read_bytes()
    path.write_bytes(whole[:chunk.byte_offset] + bytes(chunk.size) + whole[chunk.byte_offset + chunk.size:])
    return lambda: path.write_bytes(whole)


def test_a_cell_that_ends_in_an_error_is_told_and_tried_again(maze, tmp_path):
    shutil.copytree(maze / "set", tmp_path / "set")
    mend = add_twins(tmp_path / "set")
    arguments = ["eval", "dummy:copy", "--data", tmp_path / "set", "--split", "all", "--probes", "similarity,recorded-twins", "--out",
                 tmp_path / "out"]

    def written(probe):
        (cell,) = (tmp_path / "out/cells/dummy_copy").glob(f"{probe}-*/eval.json")
        return cell.stat().st_mtime_ns

    def failed():
        return json.loads((tmp_path / "out/dummy_copy/eval.json").read_text())["protocol"]["failed"]

    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert "1 probes ended in an error" in done.stderr.strip().splitlines()[-1]
    assert len(json.loads(done.stdout)["failed"]) == 1
    assert '<div class="banner" id="failed">' in (tmp_path / "out/report.html").read_text()
    assert [cell["probe"] for cell in failed()] == ["recorded-twins"] and "main_data.hdf5" in failed()[0]["reason"]
    kept, tried = written("similarity"), written("recorded-twins")
    assert run(*arguments).returncode == 2
    assert written("similarity") == kept and written("recorded-twins") > tried, "what failed is tried again, what is done is kept"
    mend()
    mended = run(*arguments)
    assert mended.returncode == 0, mended.stderr
    assert written("similarity") == kept and failed() == []
    assert 'id="failed"' not in (tmp_path / "out/report.html").read_text()


@pytest.mark.skipif(not shutil.which("mpirun"), reason="needs mpirun (openmpi-bin)")
def test_two_processes_of_mpirun_give_every_digit_of_one(tmp_path):
    arguments = ["eval", "dummy:copy,dummy:frozen", "--world", "pendulum", "--out"]
    alone = run(*arguments, tmp_path / "alone")
    assert alone.returncode == 0, alone.stderr
    mpirun = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2"]
    both = subprocess.run([*mpirun, ORRERY, *arguments, str(tmp_path / "both")], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert both.returncode == 0, both.stderr
    assert json.loads(both.stdout)["subjects"] == 2, "one process speaks: they know of each other"
    for subject in ("dummy_copy", "dummy_frozen"):
        one, two = (json.loads((tmp_path / out / subject / "eval.json").read_text()) for out in ("alone", "both"))
        assert one["metrics"] == two["metrics"] and one["model"] == two["model"] and one["protocol"] == two["protocol"]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["dummy:kopy"], "copy"),
        (["dummy:copy", "--suite", "fast"], "quick"),
        (["nowhere"], "nowhere"),
        (["dummy:copy", "--world", "mars"], "no probe on the worlds"),
        (["dummy:copy", "--probes", "similarty"], "did you mean 'similarity'"),
        (["dummy:copy", "--world", "pendulum", "--probes", "revisit"], "among the probes asked for"),
    ],
)
def test_wrong_input_is_one_clear_line(arguments, expected, tmp_path):
    done = run("eval", *arguments, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1 and expected in done.stderr


def test_a_report_of_another_schema_is_refused(results, tmp_path):
    out, _ = results
    evaluation = json.loads((out / "dummy_copy/eval.json").read_text())
    evaluation["schema"] = "orrery.eval/2"
    (tmp_path / "eval.json").write_text(json.dumps(evaluation))
    done = run("report", tmp_path, "--out", tmp_path / "x.html")
    assert done.returncode == 2 and "orrery.eval/1" in done.stderr and not (tmp_path / "x.html").exists()
