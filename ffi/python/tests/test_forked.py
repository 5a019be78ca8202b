"""Eight forked processes: what does not work in prometheus_client's multiprocess mode, and what
does. Whichever process is asked, the answer is the same."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Callable, Iterator

import pytest
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from workers import Worker, shown

import tallyboard
from tallyboard import REGISTRY, CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, publish
from tallyboard.gauge import Mode

if TYPE_CHECKING:
    from conftest import Run

NUMBERS = range(1, 9)

Start = Callable[[Callable[[int], object]], "Processes"]


class Processes:
    """Eight children, with the numbers 1 to 8."""

    def __init__(self, action: Callable[[int], object]) -> None:
        self.by_number = {number: Worker(self._acts(action)) for number in NUMBERS}

    @staticmethod
    def _acts(action: Callable[[int], object]) -> Callable[[Any], object]:
        def act(request: Any) -> object:
            return shown(REGISTRY, request) if isinstance(request, str) else action(request)

        return act

    def act(self, numbers: Any = NUMBERS) -> list[object]:
        """Each calls the action with its number, one after the other."""
        return [self.by_number[number].turn(number) for number in numbers]

    def kill(self, *numbers: int) -> None:
        for number in numbers:
            self.by_number.pop(number).kill()

    def show(self, name: str) -> dict[str, float]:
        """What every process shows, this one included."""
        here = shown(REGISTRY, name)
        for number, worker in self.by_number.items():
            assert worker.turn(name) == here, number
        return here


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Processes] = []

    def start(action: Callable[[int], object]) -> Processes:
        started.append(Processes(action))
        return started[-1]

    yield start
    for each in started:
        each.kill(*each.by_number)


# Who set 3 dies last of all that die, who set 8 was the last to set.
KILLED = (1, 8, 3)
AGGREGATED: dict[Mode, tuple[float, float]] = {
    "": (8, 8),
    "last": (8, 8),
    "mostrecent": (8, 8),
    "sum": (36, 36),
    "min": (1, 1),
    "max": (8, 8),
    "livesum": (36, 24),
    "livemin": (1, 2),
    "livemax": (8, 7),
    "livemostrecent": (8, 7),
}


@pytest.mark.parametrize("mode", AGGREGATED)
def test_a_gauge_is_what_its_mode_makes_of_all_processes(
    mode: Mode, name: str, start: Start
) -> None:
    gauge = Gauge(name, "Help.", ["a"], multiprocess_mode=mode)
    processes = start(lambda number: gauge.labels("x").set(number))
    processes.act()
    before, after = AGGREGATED[mode]
    assert processes.show(name) == {f"{name}.x": before}
    processes.kill(*KILLED)
    assert processes.show(name) == {f"{name}.x": after}


@pytest.mark.parametrize("mode", ["all", "liveall"])
def test_a_gauge_that_shows_its_processes_has_their_pids(
    mode: Mode, name: str, start: Start
) -> None:
    gauge = Gauge(name, "Help.", ["a"], multiprocess_mode=mode)
    processes = start(lambda number: gauge.labels("x").set(number))
    processes.act()
    pids = {number: worker.pid for number, worker in processes.by_number.items()}
    assert processes.show(name) == {f"{name}.x.{pid}": number for number, pid in pids.items()}
    processes.kill(*KILLED)
    kept = pids if mode == "all" else processes.by_number
    assert processes.show(name) == {f"{name}.x.{pids[number]}": number for number in kept}


def test_the_last_exemplar_of_all_processes_is_shown(name: str, start: Start) -> None:
    counter = Counter(f"{name}_c", "Help.")
    histogram = Histogram(f"{name}_h", "Help.", buckets=NUMBERS)

    def action(number: int) -> str:
        exemplar = {"process": str(number)}
        counter.inc(number, exemplar=exemplar)
        histogram.observe(number, exemplar)
        return text()

    def text() -> str:
        shown: bytes = generate_latest(REGISTRY.restricted_registry(names))
        return shown.decode()

    names = [f"{name}_c_total", f"{name}_h_bucket"]
    processes = start(action)
    texts = processes.act()
    processes.kill(*KILLED)
    texts.append(text())
    for number, told in zip((*NUMBERS, 8), texts):
        families = {each.name: each for each in text_string_to_metric_families(str(told))}
        (total,) = families[f"{name}_c"].samples
        assert total.value == sum(range(number + 1))
        assert (total.exemplar.labels, total.exemplar.value) == ({"process": str(number)}, number)
        found = {
            float(bucket.labels["le"]): bucket.exemplar.labels["process"]
            for bucket in families[f"{name}_h"].samples
            if bucket.exemplar
        }
        assert found == {float(n): str(n) for n in range(1, number + 1)}


def test_the_last_that_an_info_and_an_enum_were_told_is_shown(name: str, start: Start) -> None:
    info = Info(f"{name}_i", "Help.", ["a"])
    enum = Enum(f"{name}_e", "Help.", states=list(map(str, NUMBERS)))

    def action(number: int) -> None:
        info.labels("shared").info({"number": str(number)})
        info.labels(number).info({"own": str(number)})
        enum.state(str(number))

    processes = start(action)
    for last in 8, 3:
        processes.act([*NUMBERS, last])
        states = {f"{name}_e.{number}": float(number == last) for number in NUMBERS}
        own = {f"{name}_i_info.{number}.{number}": 1.0 for number in NUMBERS}
        assert processes.show(name) == {**states, **own, f"{name}_i_info.shared.{last}": 1}
    processes.kill(*KILLED)
    assert processes.show(name) == {**states, **own, f"{name}_i_info.shared.3": 1}


def test_what_one_process_removes_is_gone_for_all(name: str, start: Start) -> None:
    counter = Counter(name, "Help.", ["a", "even"])

    def series(number: int) -> Counter:
        return counter.labels(number, number % 2 == 0)

    def key(number: int) -> str:
        return f"{name}_total.{number}.{number % 2 == 0}"

    def action(request: int) -> None:
        # Numbers count, beyond them are the orders.
        if request in NUMBERS:
            series(request).inc(request)
        elif request < 20:
            counter.remove(request - 10, (request - 10) % 2 == 0)
        elif request == 20:
            counter.remove_by_labels({"even": "True"})
        elif request == 30:
            counter.clear()
        else:
            series(request - 40).reset()

    processes = start(action)
    processes.act()
    every = {key(number): float(number) for number in NUMBERS}
    assert processes.show(name) == every
    remover = processes.by_number[3]
    remover.turn(15)
    del every[key(5)]
    assert processes.show(name) == every
    # Whoever has an object of it begins it again.
    processes.act([5])
    assert processes.show(name) == {**every, key(5): 5}
    remover.turn(47)
    assert processes.show(name) == {**every, key(5): 5, key(7): 0}
    remover.turn(20)
    assert processes.show(name) == {key(1): 1, key(3): 3, key(5): 5, key(7): 0}
    remover.turn(30)
    assert processes.show(name) == {}
    processes.act()
    assert processes.show(name) == {key(number): float(number) for number in NUMBERS}


def test_functions_and_collectors_are_evaluated_in_their_own_process(
    name: str, start: Start
) -> None:
    registry = CollectorRegistry()
    gauge = Gauge(name, "Help.", registry=registry)

    def action(number: int) -> dict[str, float]:
        gauge.set_function(lambda: number)
        return shown(registry, name)

    processes = start(action)
    assert processes.act() == [{name: number} for number in NUMBERS]


def test_what_is_published_is_shown_by_all_processes(name: str, start: Start) -> None:
    gauge = Gauge(f"{name}_sum", "Help.", ["a"], multiprocess_mode="livesum")
    without = Gauge(f"{name}_last", "Help.")
    parent = os.getpid()
    publication = publish(3600)

    def action(number: int) -> None:
        assert os.getpid() != parent
        gauge.labels("x").set_function(lambda: number)
        without.set_function(lambda: number)
        publication.now()

    processes = start(action)
    try:
        processes.act()
        assert shown(REGISTRY, name) == {f"{name}_sum.x": 36, f"{name}_last": 8}
        assert processes.show(f"{name}_sum") == {f"{name}_sum.x": 36}
        processes.kill(*KILLED)
        assert processes.show(f"{name}_sum") == {f"{name}_sum.x": 24}
        # Without a mode it is the last that was said: each that shows publishes first.
        assert processes.by_number[4].turn(f"{name}_last") == {f"{name}_last": 4}
        assert shown(REGISTRY, f"{name}_last") == {f"{name}_last": 4}
    finally:
        publication.stop()


def test_each_process_adds_to_the_published_metrics_of_processes(name: str, start: Start) -> None:
    tallyboard.ProcessCollector(namespace=name)
    publication = publish(3600)
    resident = f"{name}_process_resident_memory_bytes"
    alone = shown(REGISTRY, name)[resident]
    processes = start(lambda _number: publication.now())
    try:
        processes.act()
        assert shown(REGISTRY, name)[resident] > 3 * alone
        processes.kill(*NUMBERS)
        assert shown(REGISTRY, name)[resident] < 1.5 * alone
    finally:
        publication.stop()


SERVED = """
import os, subprocess, tallyboard
from tallyboard import Counter, Enum, Gauge, Info

counter = Counter("served", "Help.", ["a"])
info, enum = Info("build", "Help."), Enum("phase", "Help.", states=["up", "down"])
queue = Gauge("queue", "Help.", multiprocess_mode="sum")
publication = tallyboard.publish(3600, modes={"python_info": None})
children, ready = [], []
for number in range(1, 9):
    done, child_end = os.pipe()
    wait, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        counter.labels("x").inc(exemplar={"process": str(number)})
        info.info({"number": str(number)})
        enum.state("down")
        queue.set_function(lambda: number)
        publication.now()
        os.write(child_end, b"x")
        os.read(wait, 1)
        os._exit(0)
    os.read(done, 1)
    children.append((pid, go))

def show():
    command = ["tallyboard", "dump", "--format", "openmetrics"]
    text = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    for line in text.splitlines():
        if line.startswith(("served_total", "build_info", "phase{", "queue")):
            print(" ".join(line.split()[:-1] if "#" in line else line.split()))

show()
for pid, go in children[:4]:
    os.kill(pid, 9)
    os.waitpid(pid, 0)
show()
for pid, go in children[4:]:
    os.kill(pid, 9)
"""


@pytest.mark.usefixtures("board")
@pytest.mark.skipif(shutil.which("tallyboard") is None, reason="needs the exporter")
def test_the_exporter_shows_the_same(run: Run) -> None:
    said = [
        'build_info{number="8"} 1',
        'phase{phase="up"} 0',
        'phase{phase="down"} 1',
        "queue 36.0",
        'served_total{a="x"} 8 # {process="8"} 1.0',
    ]
    after = [line.replace("36.0", "26.0") for line in said]
    assert sorted(run(SERVED).splitlines()) == sorted([*said, *after])
