"""The play page in a real browser: headless Chromium against the fixture server."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.request

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

FIXTURE = os.environ.get("ORRERY_PLAY_FIXTURE", "build/release/test/play_fixture")
PATIENCE = 60


class Server:
    def __init__(self, *options, port=0):
        self.process = subprocess.Popen([FIXTURE, "--port", str(port), *options], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.url = re.search(r"http://\S+", line)[0]

    def alive(self):
        return self.process.poll() is None and urllib.request.urlopen(self.url, timeout=10).status == 200

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=PATIENCE)


class Page:
    """One browser with the play page in it."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, url):
        self.browser.get(url)
        return self.ready()

    def ready(self):
        self.wait(lambda: self.browser.execute_script("return document.body.dataset.state") == "open")
        self.wait(lambda: self.sequence() >= 1)
        return self

    def wait(self, condition):
        return WebDriverWait(self.browser, PATIENCE, poll_frequency=0.05).until(lambda _: condition())

    def text(self, name):
        return self.browser.find_element(By.ID, name).text

    def click(self, selector):
        self.browser.find_element(By.CSS_SELECTOR, selector).click()

    def sequence(self):
        return int(self.browser.execute_script("return document.body.dataset.sequence || 0"))

    def tick(self):
        return int(self.text("tick"))

    def picture(self):
        return self.browser.execute_script("return document.getElementById('screen').toDataURL()")

    def hold(self, key):
        ActionChains(self.browser).key_down(key).perform()

    def release(self, key):
        ActionChains(self.browser).key_up(key).perform()

    def press(self, key):
        ActionChains(self.browser).send_keys(key).perform()

    def pause(self):
        self.press("p")
        self.wait(lambda: self.text("pause-text") == "Resume")
        self.settle()

    def settle(self):
        """Waits until no frame is on its way."""
        last = -1
        while last != self.sequence():
            last = self.sequence()
            time.sleep(0.3)

    def session(self):
        return self.text("link-text")

    def errors(self):
        return [entry for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]


def make_browser(downloads, mobile=False):
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1300,900"):
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    if mobile:
        metrics = {"width": 390, "height": 844, "pixelRatio": 1, "touch": True}
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


@pytest.fixture(scope="module")
def server():
    running = Server()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(downloads):
    driver = make_browser(downloads)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, server):
    return Page(browser).open(server.url)


def test_page_loads_without_errors(page):
    assert page.browser.title == "toy – Orrery"
    assert page.text("action") != "none yet"
    loaded = page.browser.execute_script("return performance.getEntriesByType('resource').map((r) => r.name)")
    origin = page.browser.execute_script("return location.origin")
    assert loaded and all(name.startswith(origin) for name in loaded)
    page.wait(lambda: page.tick() > 3)
    assert page.errors() == []


def test_holding_a_key_moves_the_picture(page):
    page.wait(lambda: page.tick() > 2)
    still = page.picture()
    page.hold("w")
    page.wait(lambda: page.text("action") == "forward")
    page.wait(lambda: page.picture() != still)
    assert "held" in page.browser.find_element(By.CSS_SELECTOR, '[data-control="up"]').get_attribute("class")
    page.release("w")
    page.wait(lambda: page.text("action") == "noop")
    moved = page.picture()
    tick = page.tick()
    page.wait(lambda: page.tick() > tick + 3)
    assert page.picture() == moved


def test_keys_combine_and_the_last_wins(page):
    page.hold("w")
    page.hold("a")
    page.wait(lambda: page.text("action") == "forward left")
    page.hold("d")
    page.wait(lambda: page.text("action") in ("turn right", "forward left"))
    page.release("a")
    page.wait(lambda: page.text("action") == "turn right")
    page.release("w")
    page.release("d")
    page.wait(lambda: page.text("action") == "noop")
    page.hold(Keys.ARROW_DOWN)
    page.wait(lambda: page.text("action") == "backward")
    page.release(Keys.ARROW_DOWN)
    page.hold(Keys.SPACE)
    page.wait(lambda: page.text("action") == "attack")
    page.release(Keys.SPACE)
    page.hold("5")
    page.wait(lambda: page.text("action") == "turn right")
    page.release("5")
    page.wait(lambda: page.text("action") == "noop")


def test_latency_and_rate_are_measured(page):
    for _ in range(3):
        page.hold("w")
        page.wait(lambda: page.text("action") == "forward")
        page.release("w")
        page.wait(lambda: page.text("action") == "noop")
    page.wait(lambda: page.text("latency-p50").isdigit() and int(page.text("latency-p50")) > 0)
    assert int(page.text("latency-p99")) >= int(page.text("latency-p50"))
    page.wait(lambda: float(page.text("fps").replace("–", "0")) > 1)


def test_reload_gets_a_fresh_session(page):
    page.hold("w")
    page.wait(lambda: page.tick() > 5)
    page.release("w")
    before = page.session()
    page.browser.refresh()
    page.ready()
    assert page.session() != before
    page.press("p")
    page.press("r")
    page.wait(lambda: page.tick() == 0)


def test_second_tab_has_its_own_session(page, server):
    first = page.browser.current_window_handle
    page.click('[data-start="0"]')
    page.pause()
    session, picture, tick = page.session(), page.picture(), page.tick()
    page.browser.switch_to.new_window("tab")
    try:
        page.open(server.url)
        assert page.session() != session
        page.hold("s")
        page.wait(lambda: page.tick() > 5 and page.text("action") == "backward")
        page.release("s")
    finally:
        page.browser.close()
        page.browser.switch_to.window(first)
    assert (page.session(), page.picture(), page.tick()) == (session, picture, tick)


def test_pause_stops_and_step_advances_one(page):
    page.wait(lambda: page.tick() > 2)
    page.pause()
    tick, sequence = page.tick(), page.sequence()
    time.sleep(0.5)
    assert (page.tick(), page.sequence()) == (tick, sequence)
    page.click("#step")
    page.wait(lambda: page.tick() == tick + 1)
    page.hold("w")
    page.press(".")
    page.wait(lambda: page.tick() == tick + 2)
    assert page.text("action") == "forward"
    page.release("w")
    time.sleep(0.3)
    assert page.sequence() == sequence + 2
    page.click("#pause")
    page.wait(lambda: page.tick() > tick + 4)


def test_reset_to_a_start_shows_that_picture(page):
    page.pause()
    pictures = []
    for start in (0, 3):
        page.click(f'[data-start="{start}"]')
        page.wait(lambda: page.tick() == 0 and page.text("seed") == str(start + 1))
        page.settle()
        pictures.append(page.picture())
        thumbnail = page.browser.execute_script(
            """const image = document.querySelector(`[data-start="${arguments[0]}"] img`), canvas = document.createElement('canvas');
            canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
            const context = canvas.getContext('2d', {alpha: false}); context.drawImage(image, 0, 0); return canvas.toDataURL();""",
            start,
        )
        assert thumbnail == pictures[-1]
    assert pictures[0] != pictures[1]
    field = page.browser.find_element(By.ID, "seed-input")
    field.send_keys("1" + Keys.ENTER)
    page.wait(lambda: page.text("seed") == "1")
    page.settle()
    assert page.picture() == pictures[0]


def test_kept_moments_come_back(page):
    page.pause()
    page.click('[data-start="1"]')
    page.hold("w")
    page.press(".")
    page.wait(lambda: page.tick() == 1)
    kept = page.picture()
    page.press("k")
    page.wait(lambda: page.browser.find_elements(By.CSS_SELECTOR, "[data-kept]"))
    thumbnail = "return document.querySelector('[data-kept] canvas').toDataURL()"
    assert page.browser.execute_script(thumbnail) == kept
    page.press(".")
    page.press(".")
    page.wait(lambda: page.tick() == 3)
    assert page.picture() != kept
    page.press("b")
    page.wait(lambda: page.tick() == 1)
    assert page.picture() == kept
    page.click(".drop")
    page.wait(lambda: not page.browser.find_elements(By.CSS_SELECTOR, "[data-kept]"))
    page.release("w")


def probe(path):
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_streams", "-of", "json", str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["streams"][0]


@pytest.mark.parametrize("form, codec", [("mp4", "h264"), ("webm", "vp9")])
def test_film_downloads_and_is_readable(page, downloads, form, codec):
    page.hold("w")
    page.wait(lambda: page.tick() > 20)
    page.release("w")
    page.pause()
    frames = page.sequence()
    page.browser.execute_script(f"document.getElementById('format').value = '{form}'")
    page.click("#film")
    page.wait(lambda: "Saved" in page.text("toast") or "could not" in page.text("toast"))
    name = page.text("toast").removeprefix("Saved ")
    page.wait(lambda: (downloads / name).is_file())
    stream = probe(downloads / name)
    assert stream["codec_name"] == codec
    assert int(stream["nb_read_frames"]) == frames
    assert (int(stream["width"]), int(stream["height"])) == (512, 512)


RAW_SOCKET = """
const [messages, done] = [arguments[0], arguments[arguments.length - 1]];
const socket = new WebSocket(`ws://${location.host}/play`), heard = [];
socket.binaryType = 'arraybuffer';
socket.onmessage = ({data}) => {
  if (typeof data !== 'string') return;
  heard.push(JSON.parse(data).type);
  if (heard.length === 2) messages.forEach((message) => socket.send(message));
  if (heard.filter((type) => type === 'error').length === messages.length) socket.close();
};
socket.onclose = ({code}) => done({code, heard});
"""


def test_malformed_and_oversized_messages_are_refused(page, server):
    bad = ["{", "[]", '{"type":"jump"}', '{"type":"input","number":-1}', '{"type":"input","number":1,"action":[99]}']
    answer = page.browser.execute_async_script(RAW_SOCKET, bad)
    assert answer["heard"].count("error") == len(bad)
    assert page.browser.execute_async_script(RAW_SOCKET, ["x" * 100000])["code"] == 1009
    assert server.alive()
    tick = page.tick()
    page.wait(lambda: page.tick() > tick + 2)


def test_a_page_that_stops_reading_does_not_stall_others(page, server):
    silent = page.browser.execute_async_script(
        """const done = arguments[0], socket = new WebSocket(`ws://${location.host}/play`);
        socket.onopen = () => {
          socket.send('{"type":"rate","fps":120}');
          socket.send('{"type":"input","number":1,"action":[1]}');
          window.silent = socket; window.silentFrames = 0;
          socket.onmessage = ({data}) => { if (typeof data !== 'string') ++window.silentFrames; };
          setTimeout(() => done(true), 1000);
        };"""
    )
    assert silent
    tick = page.tick()
    page.wait(lambda: page.tick() > tick + 10)
    assert page.browser.execute_script("return window.silentFrames") <= 3
    page.browser.execute_script("window.silent.close()")


def test_leaving_the_window_lets_go_of_all_keys(page):
    page.hold("w")
    page.wait(lambda: page.text("action") == "forward")
    page.browser.execute_script("window.dispatchEvent(new Event('blur'))")
    page.wait(lambda: page.text("action") == "noop")
    page.release("w")


def test_continuous_actions_have_sliders(browser):
    server = Server("--continuous")
    try:
        page = Page(browser).open(server.url)
        page.wait(lambda: page.text("action") == "x 0.00, y 0.00")
        page.hold("d")
        page.wait(lambda: page.text("action") == "x 1.00, y 0.00")
        page.release("d")
        page.click("#spring")
        page.browser.find_element(By.ID, "slider-1").send_keys(Keys.HOME)
        page.wait(lambda: page.text("action") == "x 0.00, y -1.00")
        assert page.errors() == []
    finally:
        server.stop()


def test_touch_pads_take_several_fingers(server, downloads):
    browser = make_browser(downloads, mobile=True)
    try:
        page = Page(browser).open(server.url)
        width = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1]
        centre = """const box = document.querySelector(`[data-control="${arguments[0]}"]`).getBoundingClientRect();
        return {x: box.x + box.width / 2, y: box.y + box.height / 2};"""
        browser.execute_script("document.getElementById('pads').scrollIntoView({block: 'center'})")
        up, left = browser.execute_script(centre, "up"), browser.execute_script(centre, "left")
        touch = lambda kind, points: browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        touch("touchStart", [{**up, "id": 1}])
        page.wait(lambda: page.text("action") == "forward")
        touch("touchStart", [{**up, "id": 1}, {**left, "id": 2}])
        page.wait(lambda: page.text("action") == "forward left")
        touch("touchEnd", [])
        page.wait(lambda: page.text("action") == "noop")
        assert page.errors() == []
    finally:
        browser.quit()


def test_server_that_stops_is_noticed_and_found_again(browser):
    server = Server()
    page = Page(browser).open(server.url)
    assert server.stop() == 0
    page.wait(lambda: browser.execute_script("return document.body.dataset.state") == "lost")
    assert browser.find_element(By.ID, "veil").is_displayed()
    again = Server(port=server.url.rstrip("/").rsplit(":", 1)[1])
    try:
        page.wait(lambda: browser.execute_script("return document.body.dataset.state") == "open")
        page.wait(lambda: page.text("link-text") == "session 1")
        assert not browser.find_element(By.ID, "veil").is_displayed()
    finally:
        again.stop()


def test_places_are_limited(browser):
    server = Server("--max-sessions", "1")
    try:
        page = Page(browser).open(server.url)
        second = page.browser.execute_async_script(RAW_SOCKET, ["{"])
        assert second["code"] == 1013
        tick = page.tick()
        page.wait(lambda: page.tick() > tick + 2)
    finally:
        server.stop()
