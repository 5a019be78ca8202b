"""The page at `/` as somebody sees it: in Debian's Chromium, over a real exporter and processes that really count.

Its values are those of the board and change; what is searched is found; everything can be done by keyboard; a board
that is not there, an exporter that is gone and a page that nobody looks at are what they say; text that looks like
markup stays text; contrast is enough in light and dark; nobody but the exporter is asked; 100,000 series do not
make it slow or send much. Leaves pictures for people in target/page.

Usage: python -m live.page
"""

from __future__ import annotations

import argparse
import http.server
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, expect

from live.page_access import names, nothing_moves, tab_key
from live.page_sight import CONTRAST
from rig.browser import Look, browser
from rig.command import succeed, tallyboard, values
from rig.exporter import Exporter
from rig.processes import until
from rig.scratch import scratch

MARKUP = "<img src=x onerror=alert(1)>"
"""What would ask for a picture and open a window if it were ever taken for markup."""
METRICS = 8
"""Of a worker."""
FAMILIES = 400
EACH = 100
LARGE = 60_000
"""A board of 100,000 series: this many metrics of so many series, and one of many."""
MOST_BYTES = 150_000
"""Of one look at it. A scrape of that board has some megabytes."""


def work() -> None:
    """What a process that counts does, until its input ends."""
    from tallyboard import Counter, Enum, Gauge, Histogram, Info, Summary

    jobs = Counter("page_jobs_total", "Jobs that were done.", ["queue"])
    Gauge("page_depth", f"Jobs that wait. {MARKUP}", multiprocess_mode="livesum").set(7)
    memory = Gauge("page_memory_bytes", "Memory of each process.", multiprocess_mode="liveall")
    waits = Histogram("page_wait_seconds", "How long a job waited.", buckets=(0.1, 0.5, 1.0))
    sizes = Summary("page_size_bytes", "How large a job was.")
    sums = Histogram("page_parse_seconds", "How long it took to read a job.", native=True)
    phase = Enum("page_phase", f"What each lane does. {MARKUP}", ["lane"], states=["idle", "loading", MARKUP])
    Info("page_build", "What runs.").info({"version": "1.2.3", "branch": MARKUP})
    phase.labels("night").state("loading")
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.wait(0.01):
        jobs.labels("mail").inc(3)
        jobs.labels(MARKUP).inc()
        memory.set(50e6 + time.time() % 10 * 1e6)
        sizes.observe(2048)
        for value in (0.25, 0.25, 0.25, 0.75):
            waits.observe(value)
        sums.observe(0.05)
        phase.labels("day").state(("loading", MARKUP)[int(time.time() / 2) % 2])


def fill() -> None:
    """Makes the large board's series."""
    from tallyboard import Counter

    for family in range(FAMILIES):
        counter = Counter(f"fill_{family:03}_total", "One of many.", ["n"])
        for series in range(EACH):
            counter.labels(str(series)).inc(series)
    large = Counter("large_total", "Of very many series.", ["n"])
    for series in range(LARGE):
        large.labels(str(series)).inc(series)


@contextmanager
def worker(board: Path, task: str = "--work") -> Iterator[subprocess.Popen[bytes]]:
    """A process on the board, until the end of the block."""
    command = [sys.executable, "-m", "live.page", task]
    process = subprocess.Popen(command, env={**os.environ, "TALLYBOARD": str(board)}, stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def stranger() -> Iterator[tuple[str, list[str]]]:
    """Another server on this machine: its address, and what it is asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def row(look: Look, name: str) -> Locator:
    """A metric in the list."""
    button = look.page.get_by_role("button", name=name, exact=True)
    return look.page.locator("#rows > li").filter(has=button)


def total(look: Look, name: str) -> int:
    """What the list says that a counter has come to."""
    text = row(look, name).locator(".now small").inner_text()
    return int(re.sub(r"\D", "", text) or 0)


def jobs(board: Path) -> float:
    """The same, on the board."""
    return sum(value for (name, _), value in values(board).items() if name == "page_jobs_total")


def values_change(look: Look, board: Path) -> None:
    low = jobs(board)
    assert low > 0
    until(lambda: total(look, "page_jobs_total") >= low, "the page to show what was counted")
    shown, high = total(look, "page_jobs_total"), jobs(board)
    assert low <= shown <= high, f"the page shows {shown}, the board had {low} before and {high} after"
    until(lambda: total(look, "page_jobs_total") > shown, "the page to go on")
    rate = row(look, "page_jobs_total").locator(".now strong")
    expect(rate).to_have_text(re.compile(r"^[1-9][\d.]*(\u202fk)?/s$"))
    line = row(look, "page_jobs_total").locator(".spark path.line")
    until(lambda: (line.get_attribute("d") or "").count("L") >= 2, "a line of three points")
    expect(row(look, "page_depth").locator(".now strong")).to_have_text("7")
    expect(look.page.locator("#live-text")).to_have_text("Live")


def everything_by_keyboard(look: Look) -> None:
    page = look.page
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("JOB waited")
    expect(page.locator("#rows > li")).to_have_count(1)
    expect(page.locator("#found")).to_have_text(f"1 metric of {METRICS} found")
    page.keyboard.press("ArrowDown")
    button = page.get_by_role("button", name="page_wait_seconds", exact=True)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    # Three of four at 0.25, in the bucket from 0.1 to 0.5; the others up to 1.
    cells = page.locator(".quantiles tbody tr").last.locator("td")
    for place, expected in ((0, 100 + 400 * 0.5 / 0.75), (3, 500 + 500 * (0.99 - 0.75) / 0.25)):
        expect(cells.nth(place)).to_have_text(re.compile(r"^\d+\u202fms$"))
        shown = int(cells.nth(place).inner_text().split("\u202f")[0])
        assert abs(shown - expected) < expected / 20, f"a quantile is {shown} ms and not about {expected:.0f} ms"
    expect(page.locator(".bars tbody tr")).to_have_count(2)
    asked = len(look.requests)
    until(lambda: page.wait_for_timeout(100) or len(look.requests) > asked + 6, "more looks")
    expect(button).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(button).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type(" nothing like this")
    expect(page.locator("#found")).to_have_text(f"0 metrics of {METRICS} found")
    page.keyboard.press("Escape")
    expect(page.locator("#rows > li")).to_have_count(METRICS)
    expect(page.locator("#found")).to_be_empty()


def words_and_native_buckets(look: Look) -> None:
    page = look.page
    build = row(look, "page_build")
    expect(build.locator(".now strong")).to_have_text(f"branch={MARKUP}")
    expect(build.locator(".now small")).to_have_text("version=1.2.3")
    build.get_by_role("button").click()
    expect(build.locator("table.said tbody tr")).to_have_text([f"branch{MARKUP}", "version1.2.3"])

    phase = row(look, "page_phase")
    expect(phase.locator(".now small")).to_have_text("2 of 2")
    expect(phase.locator(".now strong")).to_have_text("loading")
    expect(phase.locator(".now small")).to_have_text("1 of 2")
    phase.get_by_role("button").click()
    expect(phase.locator(".series tbody tr")).to_have_count(2)
    night = phase.locator(".series tbody tr", has_text="lane=night")
    expect(night.locator("td.said")).to_have_text("loading")
    # The lane of each state, as high as the share of series that are in it.
    lanes = phase.locator("path.held")
    expect(lanes).to_have_count(3)
    course = lambda at: lanes.nth(at).get_attribute("d") or ""  # noqa: E731
    until(lambda: page.wait_for_timeout(100) or course(2).count("Z") >= 2, "two stretches")
    assert not course(0), "nobody was idle"
    shares = phase.locator(".quantiles tbody tr")
    expect(shares.nth(0).locator("td")).to_have_text(["0", *["0.0\u202f%"] * 3])
    seen = [float(shares.nth(at).locator("td").nth(2).inner_text().split("\u202f")[0]) for at in range(3)]
    assert abs(sum(seen) - 100) < 0.3, f"the shares of the states are {seen}"
    assert 50 <= seen[1] <= 99, f"one of two is always loading, and the other now and then: {seen}"
    phase.get_by_placeholder("label=value").fill("lane=day")
    expect(phase.locator(".series tbody tr")).to_have_count(1)

    parse = row(look, "page_parse_seconds")
    parse.get_by_role("button").click()
    expect(parse.locator(".detail > p").first).to_have_text("Native, schema 3")
    # All in one bucket, which is 9 % wide.
    expect(parse.locator(".bars tbody tr")).to_have_text(["≤\u202f52.6\u202fms100.0\u202f%"])
    numbers = parse.locator(".quantiles tbody tr").last.locator("td")
    expect(numbers.nth(0)).to_have_text("50.3\u202fms")
    expect(numbers.nth(3)).to_have_text("52.5\u202fms")
    parse.get_by_role("button").click()


def text_stays_text(look: Look) -> None:
    page = look.page
    expect(row(look, "page_depth").locator(".help")).to_have_text(f"Jobs that wait. {MARKUP}")
    row(look, "page_jobs_total").get_by_role("button").click()
    expect(page.locator(".series .labels", has_text=f"queue={MARKUP}")).to_have_count(1)
    # The greatest first.
    expect(page.locator(".series .labels").first).to_have_text("queue=mail")
    page.get_by_placeholder("label=value").fill("queue=MAIL")
    expect(page.locator(".series tbody tr")).to_have_count(1)
    assert page.locator("img").count() == 0
    # The address says what is open.
    page.reload()
    expect(page.locator(".series tbody tr")).to_have_count(2)


def writers_are_shown(look: Look, process: subprocess.Popen[bytes]) -> None:
    shown = look.page.locator("#processes tbody tr", has=look.page.get_by_text(str(process.pid), exact=True))
    # What it has set: a gauge that is summed and one that is its own.
    expect(shown.locator("td").last).to_have_text("2")
    expect(look.page.locator("#configuration")).to_contain_text(f'targets: ["{look.url.split("/")[2]}"]')
    expect(look.page.get_by_role("link", name="Raw metrics")).to_have_attribute("href", "./metrics")


def nobody_looks(look: Look) -> None:
    # Chromium without a window never hides a page, so the page is told that it is.
    tell = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    tell += " document.dispatchEvent(new Event('visibilitychange')); }"
    look.page.evaluate(tell, True)
    expect(look.page.locator("#live-text")).to_have_text("Paused")
    asked = len(look.requests)
    look.page.wait_for_timeout(2_500)
    assert len(look.requests) <= asked + 1, "it asks while nobody looks"
    look.page.evaluate(tell, False)
    expect(look.page.locator("#live-text")).to_have_text("Live")


def colours(look: Look, pictures: Path) -> None:
    page = look.page
    backgrounds = []
    for name in ("Light", "Dark"):
        page.get_by_role("radio", name=name, exact=True).check(force=True)
        backgrounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
        weak = page.evaluate(CONTRAST)
        assert not weak, f"{name}: contrast below 4.5: {weak}"
    assert backgrounds[0] != backgrounds[1], backgrounds
    page.reload()
    expect(page.get_by_role("radio", name="Dark", exact=True)).to_be_checked()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == backgrounds[1]
    page.get_by_role("radio", name="Auto", exact=True).check(force=True)
    row(look, "page_jobs_total").get_by_role("button").click()
    row(look, "page_wait_seconds").get_by_role("button").click()
    until(lambda: page.wait_for_timeout(100) or page.locator(".chart path.line").count() == 3, "the charts")
    page.wait_for_timeout(6_000)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=pictures / f"{scheme}.png", full_page=True)
        seen = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert seen == backgrounds[scheme == "dark"], f"{scheme}: {seen}"


def for_everyone(look: Look) -> None:
    """What is opened of each type, in both colours: contrast, names, the Tab key, and nothing that moves."""
    page = look.page
    page.locator("#rows [aria-expanded=true]").click()
    stops = 0
    for name in ("page_jobs_total", "page_parse_seconds", "page_phase", "page_build", "page_memory_bytes"):
        row(look, name).get_by_role("button").click()
        expect(row(look, name).locator("#detail")).to_be_visible()
        # Its series come with the next answer.
        until(lambda: page.wait_for_timeout(100) or page.locator("#detail tbody tr").count() > 0, "what it says")
        names(look)
        nothing_moves(look)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            weak = page.evaluate(CONTRAST)
            assert not weak, f"{name}, {scheme}: contrast below 4.5: {weak}"
            stops += tab_key(look)
        row(look, name).get_by_role("button").click()
    print(f"the Tab key stops {stops} times at something that has a name and is seen", flush=True)


def on_a_phone(chromium: Browser, url: str, pictures: Path) -> None:
    with Look(chromium, url, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True) as look:
        row(look, "page_wait_seconds").get_by_role("button").tap()
        expect(look.page.locator(".quantiles tbody tr")).to_have_count(4)
        width = look.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"the page is {width} wide on a screen of 360"
        look.page.screenshot(path=pictures / "phone.png", full_page=True)
        look.assert_clean()


def the_browser_lets_it_ask_nobody_else(look: Look) -> None:
    with stranger() as (address, asked):
        attempt = f"fetch('{address}/fetched').then(() => 'answered', () => 'refused')"
        assert look.page.evaluate(attempt) == "refused"
        add = "([tag, name, value]) => { const added = document.createElement(tag);"
        add += " added[name] = value; document.body.append(added); }"
        for tag, name, value in (
            ("img", "src", f"{address}/picture"),
            ("script", "src", f"{address}/script"),
            ("script", "textContent", f"window.location = '{address}/inline'"),
            ("iframe", "src", f"{address}/frame"),
        ):
            look.page.evaluate(add, [tag, name, value])
        look.page.wait_for_timeout(500)
        assert not asked, f"the browser has asked for {asked}"
    said = [remark for remark in look.remarks if "Content Security Policy" in remark]
    assert len(said) >= 4, f"the browser has refused {len(said)} of these: {look.remarks}"


def without_the_exporter(look: Look, exporter: Exporter) -> None:
    page = look.page
    look.assert_clean()
    exporter.stop()
    expect(page.locator("#notice")).to_contain_text("The exporter does not answer")
    expect(page.locator("#live-text")).to_have_text("No answer")
    before = total(look, "page_jobs_total")
    assert before > 0, "what was there is gone"
    exporter.start("--board", "not-there", create=False)
    expect(page.locator("#notice")).to_be_empty()
    until(lambda: total(look, "page_jobs_total") > before, "the page to go on")
    # Chromium says itself that it got no answer.
    others = [remark for remark in look.remarks if "net::ERR_" not in remark]
    assert not others, others
    look.remarks.clear()


def boards(look: Look, folder: Path) -> None:
    page = look.page
    picker = page.locator("#board")
    expect(picker.locator("option")).to_have_count(2)
    picker.select_option("not-there")
    expect(page.get_by_role("heading", name="No board yet")).to_be_visible()
    expect(page.locator("#vacant-boards")).to_contain_text("it is not there yet")
    late = folder / "not-there.v1.board"
    succeed(late, "create", "--slots", "64")
    expect(page.locator("#found")).to_have_text("Nothing is counted on this board yet.")
    expect(page.locator("#refused")).to_have_text("Nothing was refused.")
    for job in range(64):
        if tallyboard(late, "inc", "late_jobs_total", "--label", f"job={job}").returncode != 0:
            break
    else:
        raise AssertionError("64 series went into 64 slots, and their family, too")
    expect(row(look, "late_jobs_total")).to_be_visible()
    expect(page.locator("#refused")).to_contain_text("tallyboard create --slots N")
    expect(page.locator("#refused dd.number")).to_have_text("1")
    expect(page.locator("#tiles .bad")).to_have_text("Refused1")
    full = page.get_by_role("meter", name="Slots")
    assert full.get_attribute("aria-valuenow") == full.get_attribute("aria-valuemax"), "not full"
    picker.select_option(index=0)
    expect(row(look, "page_jobs_total")).to_be_visible()


def many_series(chromium: Browser, folder: Path) -> None:
    board = folder / "large.board"
    succeed(board, "create", "--slots", "131072")
    with worker(board, "--fill") as process:
        assert process.wait(120) == 0, "the board could not be filled"
    with Exporter(board, folder / "large.log") as exporter:
        exporter.start()
        with Look(chromium, f"http://{exporter.address}/") as look:
            page = look.page
            expect(page.locator("#rows > li")).to_have_count(100)
            expect(page.locator("#more")).to_have_text("And 301 more: show some")
            expect(page.locator("#tiles")).to_contain_text(f"{FAMILIES * EACH + LARGE:,}")
            page.locator("#search").fill("very many")
            expect(page.locator("#rows > li")).to_have_count(1)
            assert total(look, "large_total") == LARGE * (LARGE - 1) // 2
            row(look, "large_total").get_by_role("button").click()
            expect(page.locator(".series tbody tr")).to_have_count(50)
            expect(page.locator(".detail")).to_contain_text("And 59,950 more")
            # An address that names what would come later.
            page.goto(f"{look.url}#metric=fill_399_total")
            page.reload()
            expect(page.locator(".series tbody tr")).to_have_count(50)
            expect(page.locator("#search")).to_have_value("fill_399_total")
            row(look, "fill_399_total").get_by_role("button").click()
            page.locator("#search").fill("large_total")
            row(look, "large_total").get_by_role("button").click()
            # The most of everything at once: a page of metrics, and the largest opened.
            page.locator("#search").fill("")
            page.get_by_label("Sort by").select_option("series")
            expect(page.locator("#rows > li")).to_have_count(100)
            expect(page.locator(".series tbody tr")).to_have_count(50)
            busy, received, asked, begun = look.busy_seconds(), look.received, len(look.requests), time.monotonic()
            until(lambda: page.wait_for_timeout(100) or len(look.requests) >= asked + 10, "ten more questions")
            looks = (len(look.requests) - asked) / 2
            share = (look.busy_seconds() - busy) / (time.monotonic() - begun)
            each = (look.received - received) / looks
            print(f"100,000 series: {each / 1000:.0f} kB a look, the page is busy {share:.1%} of the time", flush=True)
            assert each < MOST_BYTES, f"{each:.0f} bytes a look"
            assert share < 0.5, "the page freezes"
            look.assert_clean()


def main() -> None:
    pictures = Path(os.environ.get("CARGO_TARGET_DIR", "../target")) / "page"
    pictures.mkdir(parents=True, exist_ok=True)
    with scratch("page") as folder, browser() as chromium:
        # Names are looked up here.
        os.environ["TALLYBOARD_DIR"] = str(folder)
        board = folder / "page.v1.board"
        with worker(board) as process, Exporter(board, folder / "exporter.log") as exporter:
            exporter.start()
            url = f"http://{exporter.address}/"
            with Look(chromium, url, viewport={"width": 1360, "height": 900}) as look:
                expect(row(look, "page_jobs_total")).to_be_visible()
                values_change(look, board)
                everything_by_keyboard(look)
                words_and_native_buckets(look)
                text_stays_text(look)
                writers_are_shown(look, process)
                nobody_looks(look)
                for_everyone(look)
                colours(look, pictures)
                look.assert_clean()
                on_a_phone(chromium, url, pictures)
                without_the_exporter(look, exporter)
                boards(look, folder)
                look.assert_clean()
                print(f"{len(look.requests)} questions, all to the exporter, and nothing in the console", flush=True)
                the_browser_lets_it_ask_nobody_else(look)
        many_series(chromium, folder)
    print(f"pictures of it are in {pictures.resolve()}")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    arguments.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.work:
        work()
    elif given.fill:
        fill()
    else:
        main()
