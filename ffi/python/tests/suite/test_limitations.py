"""What the documentation of prometheus_client's multiprocess mode says does not work there.

One test for each limitation, in the order of that list, over forked processes that are dead when
the scrape comes. The reference counts in its multiprocess mode here and has to fail each of them.
"""

from __future__ import annotations

import shutil
from typing import Callable

import pytest

RunClient = Callable[..., str]


def limitation(words: str) -> pytest.MarkDecorator:
    """One of that list. The reference must fail at it."""
    return pytest.mark.beyond(words, subjects=("prometheus_client",))


@limitation("Registries can not be used as normal, all instantiated metrics are exported")
def test_registries(run_client: RunClient) -> None:
    run_client("""
first, second = client.CollectorRegistry(), client.CollectorRegistry()
a = client.Counter("a", "Help.", ["k"], registry=first)
b = client.Counter("b", "Help.", registry=second)
hidden = client.Counter("hidden", "Help.", registry=None)

def work(number):
    a.labels(number % 2).inc()
    b.inc(2)
    hidden.inc()

in_children(4, work)
hidden.inc()

def lines(registry):
    text = client.generate_latest(registry).decode()
    return sorted(line for line in text.splitlines() if line[0] != "#" and "_created" not in line)

assert lines(first) == ['a_total{k="0"} 2.0', 'a_total{k="1"} 2.0'], lines(first)
assert lines(second) == ["b_total 8.0"], lines(second)
assert first.get_sample_value("a_total", {"k": "1"}) == 2
assert second.get_sample_value("a_total", {"k": "1"}) is None
second.unregister(b)
assert lines(second) == []
""")


@limitation("Registering metrics … may cause duplicate metrics to be exported")
def test_nothing_is_exported_twice(run_client: RunClient) -> None:
    run_client("""
counter = client.Counter("served", "Help.")
gauge = client.Gauge("level", "Help.")
in_children(4, lambda number: (counter.inc(), gauge.set(number)))
counter.inc()
lines = client.generate_latest().decode().splitlines()
assert lines.count("served_total 5.0") == 1, lines
for series in ("served_total ", "level"):
    assert len([line for line in lines if line.startswith(series)]) == 1, (series, lines)
""")


@limitation("Custom collectors do not work")
def test_custom_collectors(run_client: RunClient) -> None:
    run_client("""
from prometheus_client.core import GaugeMetricFamily

class Weather:
    def collect(self):
        yield GaugeMetricFamily("degrees", "Help.", value=21.5)

client.REGISTRY.register(Weather())
counter = client.Counter("served", "Help.")
in_children(4, lambda number: counter.inc())
lines = exposed().splitlines()
assert "degrees 21.5" in lines, lines
assert "served_total 4.0" in lines, lines
""")


@limitation("Custom collectors do not work (e.g. cpu and memory metrics)")
def test_cpu_and_memory_of_the_process_that_is_scraped(run_client: RunClient) -> None:
    run_client("""
counter = client.Counter("served", "Help.")
in_children(2, lambda number: counter.inc())
text = exposed()
assert "\\nserved_total 2.0\\n" in text
for series in ("process_cpu_seconds_total ", "process_resident_memory_bytes "):
    assert f"\\n{series}" in text, text
""")


@limitation("Custom collectors do not work (e.g. cpu and memory metrics)")
@pytest.mark.skipif(shutil.which("tallyboard") is None, reason="needs the exporter")
def test_cpu_and_memory_of_all_workers(run_client: RunClient) -> None:
    """The exporter adds up what its board's processes use: no collector has to run in them."""
    run_client("""
import os, pathlib, signal, subprocess, time

counter = client.Counter("served", "Help.")
counter.inc()
folder = pathlib.Path(os.environ["TALLYBOARD_DIR"])
assert any(folder.iterdir()), "there is no board"
file = folder / "workers.prom"
command = ["tallyboard", "textfile", "--interval", "100ms", "--output", file]
exporter = subprocess.Popen(command, stderr=subprocess.DEVNULL)
while not file.exists():
    assert exporter.poll() is None, exporter.returncode
    time.sleep(0.01)

def worker(ready):
    counter.inc()
    while time.process_time() < 0.1:
        pass
    os.write(ready, b"x")
    signal.pause()

workers = []
for _ in range(3):
    done, ready = os.pipe()
    workers.append(os.fork())
    if workers[-1] == 0:
        worker(ready)
    os.read(done, 1)

def shown():
    return {
        line.partition("{")[0]: float(line.rpartition(" ")[2])
        for line in file.read_text().splitlines()
        if line.startswith("tallyboard_workers")
    }

try:
    # The kernel cuts each process's time to hundredths of a second, in the program and in itself.
    deadline = time.monotonic() + 30
    while (values := shown())["tallyboard_workers_cpu_seconds_total"] < 3 * 0.08:
        assert time.monotonic() < deadline, values
        time.sleep(0.01)
    assert values["tallyboard_workers"] == 4, values
    exporter.terminate()
    assert exporter.wait() == 0
    resident = 0
    for process in [os.getpid(), *workers]:
        (line,) = [
            line
            for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
            if line.startswith("VmRSS:")
        ]
        resident += int(line.split()[1]) * 1024
finally:
    exporter.kill()
    for process in workers:
        os.kill(process, signal.SIGKILL)

values = shown()
memory = values["tallyboard_workers_resident_memory_bytes"]
assert 0.5 * resident < memory < 2 * resident, (memory, resident)
""")


@limitation("Gauges cannot use set_function")
def test_set_function(run_client: RunClient) -> None:
    run_client("""
queue = ["a", "b", "c"]
client.Gauge("waiting", "Help.").set_function(lambda: len(queue))
labelled = client.Gauge("level", "Help.", ["k"])
labelled.labels("x").set_function(lambda: 7)
in_children(2, lambda number: labelled.labels("y").set(5))
queue.pop()
lines = exposed().splitlines()
assert "waiting 2.0" in lines, lines
assert 'level{k="x"} 7.0' in lines, lines
assert 'level{k="y"} 5.0' in lines, lines
""")


@limitation("Info and Enum metrics do not work")
def test_info(run_client: RunClient) -> None:
    run_client("""
info = client.Info("build", "Help.")
labelled = client.Info("plugin", "Help.", ["name"])

def work(number):
    info.info({"version": "1.2.3"})
    labelled.labels(f"p{number}").info({"version": str(number)})

in_children(2, work)
lines = exposed().splitlines()
assert 'build_info{version="1.2.3"} 1.0' in lines, lines
assert 'plugin_info{name="p0",version="0"} 1.0' in lines, lines
assert 'plugin_info{name="p1",version="1"} 1.0' in lines, lines
""")


@limitation("Info and Enum metrics do not work")
def test_enum(run_client: RunClient) -> None:
    run_client("""
enum = client.Enum("task", "Help.", states=["starting", "running", "stopped"])
in_children(1, lambda number: enum.state("running"))
in_children(1, lambda number: enum.state("stopped"))
lines = exposed().splitlines()
assert 'task{task="starting"} 0.0' in lines, lines
assert 'task{task="running"} 0.0' in lines, lines
assert 'task{task="stopped"} 1.0' in lines, lines
""")


@limitation("The pushgateway cannot be used")
def test_pushgateway(run_client: RunClient, gateway: str) -> None:
    """Any process may push: what it pushes is the sum of all."""
    run_client(
        """
import sys
from urllib.request import urlopen

gateway = sys.argv[1]
done = client.Counter("records_done", "Help.")
in_children(3, lambda number: done.inc(10))

def work(number):
    done.inc()
    client.push_to_gateway(gateway, job="forked", registry=client.REGISTRY)

in_children(1, work)
with urlopen(f"http://{gateway}/metrics", timeout=10) as response:
    lines = response.read().decode().splitlines()
assert 'records_done_total{instance="",job="forked"} 31' in lines, lines
""",
        gateway,
    )


@limitation("Gauges cannot use the pid label")
@pytest.mark.parametrize("mode", ["sum", "livesum", "max", "mostrecent"])
def test_gauge_without_a_pid_label_of_its_own(run_client: RunClient, mode: str) -> None:
    """A `pid` of the program's is a label like any other, in every mode that shows one number."""
    run_client(
        """
import sys

mode = sys.argv[1]
gauge = client.Gauge("memory", "Help.", ["pid", "k"], multiprocess_mode=mode)

def work(number):
    gauge.labels(pid=f"worker-{number}", k="x").set(number + 1)

if mode.startswith("live"):
    work(0), work(1)
else:
    in_children(2, work)
lines = exposed().splitlines()
assert 'memory{k="x",pid="worker-0"} 1.0' in lines, lines
assert 'memory{k="x",pid="worker-1"} 2.0' in lines, lines
""",
        mode,
    )


@limitation("Exemplars are not supported")
def test_exemplars(run_client: RunClient) -> None:
    run_client("""
from prometheus_client.openmetrics.exposition import generate_latest

counter = client.Counter("served", "Help.")
histogram = client.Histogram("seconds", "Help.", buckets=[1, 2])

def work(number):
    counter.inc(2, {"trace_id": "abc"})
    histogram.observe(1.5, {"trace_id": "def"})

in_children(1, work)
text = generate_latest(client.REGISTRY).decode()
assert '\\nserved_total 2.0 # {trace_id="abc"} 2.0 ' in text, text
assert '\\nseconds_bucket{le="2.0"} 1.0 # {trace_id="def"} 1.5 ' in text, text
""")


@limitation("Remove and Clear of labels are currently not supported in multiprocess mode")
def test_remove(run_client: RunClient) -> None:
    run_client("""
counter = client.Counter("served", "Help.", ["method", "code"])

def work(number):
    for method in ("GET", "PUT"):
        for code in (200, 500):
            counter.labels(method, code).inc()

def shown():
    lines = exposed().splitlines()
    return sorted(line for line in lines if line.startswith("served_total{"))

in_children(3, work)
assert len(shown()) == 4, shown()
in_children(1, lambda number: counter.remove("PUT", "500"))
assert shown() == [
    'served_total{code="200",method="GET"} 3.0',
    'served_total{code="200",method="PUT"} 3.0',
    'served_total{code="500",method="GET"} 3.0',
], shown()
counter.remove_by_labels({"code": "200"})
assert shown() == ['served_total{code="500",method="GET"} 3.0'], shown()
in_children(1, work)
assert 'served_total{code="500",method="PUT"} 1.0' in shown(), shown()
assert 'served_total{code="500",method="GET"} 4.0' in shown(), shown()
""")


@limitation("Remove and Clear of labels are currently not supported in multiprocess mode")
def test_clear(run_client: RunClient) -> None:
    run_client("""
histogram = client.Histogram("seconds", "Help.", ["method"], buckets=[1])
in_children(3, lambda number: histogram.labels("GET").observe(number))
assert 'seconds_count{method="GET"} 3.0' in exposed()
histogram.clear()
assert "seconds_count" not in exposed()
in_children(1, lambda number: histogram.labels("GET").observe(number))
assert 'seconds_count{method="GET"} 1.0' in exposed()
""")
