"""prometheus_client, unchanged, with the drop-in: each test is a program of its own process."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

Run = Callable[..., str]

INSTALLED = """
import tallyboard.prometheus_client
assert tallyboard.prometheus_client.install()
import os
import prometheus_client as client
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
from tallyboard import series
from workers import in_children, start, wait

def shown(registry=client.REGISTRY):
    found = {}
    for family in registry.collect():
        for sample in family.samples:
            key = (sample.name, *sorted(sample.labels.items()))
            assert key not in found, f"{key} is there twice"
            if not sample.name.startswith(("python_", "process_")):
                found[key] = sample.value
    return found
"""

pytestmark = pytest.mark.usefixtures("board")


def test_metrics_that_are_there_are_moved_over_with_their_values(run: Run) -> None:
    run(
        """
import prometheus_client as client
counter = client.Counter("c", "Help.", ["a"])
child = counter.labels("x")
child.inc(3, {"trace": "1"})
child.inc(0.5)
bound = child.inc
other = client.CollectorRegistry()
in_other = client.Counter("u", "Help.", registry=other)
in_other.inc(2**40)
in_none = client.Counter("n", "Help.", registry=None)
in_none.inc()
histogram = client.Histogram("h", "Help.")
for amount in (-1, 0.003, 0.3, 0.3, 2, 70, 10):
    histogram.observe(amount, {"trace": str(amount)} if amount == 2 else None)
summary = client.Summary("s", "Help.")
for amount in (0.1, 0.2, 0.4):
    summary.observe(amount)
gauge = client.Gauge("g", "Help.")
gauge.set(-4)
function = client.Gauge("f", "Help.")
function.set_function(lambda: 42)
info = client.Info("i", "Help.")
info.info({"version": "1"})
state = client.Enum("e", "Help.", states=["off", "on"])
state.state("on")

def shown():
    return {
        (sample.name, *sample.labels.items()): sample
        for family in client.REGISTRY.collect()
        for sample in family.samples
        if not sample.name.startswith(("python_", "process_")) and "_created" not in sample.name
    }

before = shown()
import tallyboard.prometheus_client
assert tallyboard.prometheus_client.install()
after = shown()
assert after.keys() == before.keys()
for key, sample in before.items():
    assert abs(after[key].value - sample.value) < 1e-9, (sample, after[key])
    if sample.exemplar:
        assert after[key].exemplar[:2] == sample.exemplar[:2]
assert counter.labels("x") is child
assert in_other._value.get() == 2**40 and in_none._value.get() == 1

# What was held before counts where the rest does.
bound(1.5)
child.inc()
histogram.observe(0.3)
assert child._value.get() == 6
assert histogram._buckets[7].get() == 3
from tallyboard import series
assert {each.name: each.value for each in series()}["c_total"] == 6
"""
    )


def test_a_histogram_that_is_moved_keeps_its_buckets_and_its_sum(run: Run) -> None:
    run(
        """
import random
import prometheus_client as client
made = []
for seed in range(40):
    chance = random.Random(seed)
    bounds = sorted({chance.uniform(-5, 5) for _ in range(chance.randint(1, 6))})
    histogram = client.Histogram(f"h{seed}", "Help.", buckets=bounds)
    for _ in range(chance.randint(0, 30)):
        histogram.observe(chance.uniform(*chance.choice([(-9, 9), (0, 1), (-1e6, 0), (4, 1e6)])))
    counts = [bucket.get() for bucket in histogram._buckets]
    made.append((histogram, counts, histogram._sum.get()))
import tallyboard.prometheus_client
assert tallyboard.prometheus_client.install()
for histogram, counts, total in made:
    assert [bucket.get() for bucket in histogram._buckets] == counts
    moved = histogram._sum.get()
    assert abs(moved - total) <= 1e-9 * max(1, abs(total)), (moved, total)
"""
    )


def test_what_was_counted_in_files_is_moved_and_the_files_stay_as_they_are(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "multiprocess"
    folder.mkdir()
    run(
        """
import os, sys
import prometheus_client as client
counter = client.Counter("c", "Help.")
counter.inc(3)
histogram = client.Histogram("h", "Help.")
histogram.observe(0.3)
gauge = client.Gauge("g", "Help.")
gauge.set(4)
files = sorted(os.listdir(sys.argv[1]))
assert len(files) == 3, files
before = [open(os.path.join(sys.argv[1], each), "rb").read() for each in files]
"""
        + INSTALLED
        + """
def work(number):
    counter.inc()
    histogram.observe(0.3)

in_children(2, work)
found = shown()
assert found["c_total",] == 5 and found["h_sum",] == 0.3 + 0.3 + 0.3
assert found["g", ("pid", str(os.getpid()))] == 4
assert sorted(os.listdir(sys.argv[1])) == files
assert before == [open(os.path.join(sys.argv[1], each), "rb").read() for each in files]
""",
        str(folder),
        PROMETHEUS_MULTIPROC_DIR=str(folder),
    )


def test_a_metric_that_cannot_be_moved_is_one_warning_and_the_others_are(run: Run) -> None:
    run(
        """
import warnings
import prometheus_client as client

class Odd(client.Counter):
    def _metric_init(self):
        pass

odd, counter = Odd("odd", "Help."), client.Counter("c", "Help.")
counter.inc()
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    import tallyboard.prometheus_client
    assert tallyboard.prometheus_client.install()
assert "(odd) is not moved" in str(told[0].message) and len(told) == 1
from tallyboard import series
assert [(each.name, each.value) for each in series() if each.value] == [("c_total", 1)]
"""
    )


BROKEN_OFF = {
    "as methods are replaced": """
missing = multiprocess.mark_process_dead
del multiprocess.mark_process_dead
install_fails(AttributeError)
multiprocess.mark_process_dead = missing
""",
    # That the first is not moved is a warning, and the second is not reached.
    "as metrics are moved": """
warnings.simplefilter("error")
install_fails(RuntimeWarning)
""",
}


@pytest.mark.parametrize("get", ["all", "process"])
@pytest.mark.parametrize("broken_off", BROKEN_OFF)
def test_another_installation_finishes_one_that_is_broken_off(
    run: Run, broken_off: str, get: str
) -> None:
    run(
        """
import sys, warnings
import prometheus_client as client
import tallyboard.prometheus_client
from prometheus_client import multiprocess
from tallyboard import series

class Odd(client.Counter):
    def _metric_init(self):
        pass

warnings.simplefilter("ignore")
odd, counter = Odd("odd", "Help.", registry=None), client.Counter("c", "Help.")
counter.inc(2)

def install_fails(expected):
    try:
        tallyboard.prometheus_client.install(sys.argv[1])
    except expected:
        assert on_board() == {}
    else:
        raise AssertionError("it is installed")

def on_board():
    return {each.name: each.value for each in series() if each.value}
"""
        + BROKEN_OFF[broken_off]
        + """
assert tallyboard.prometheus_client.install(sys.argv[1])
counter.inc()
gauge = client.Gauge("g", "Help.")
gauge.inc(5)
summary = client.Summary("s", "Help.")
summary.observe(3)
assert on_board() == {"c_total": 3, "g": 5}, on_board()
# Two methods around one would count twice for this process.
assert (counter._value.get(), gauge._value.get()) == (3, 5)
assert (summary._count.get(), summary._sum.get()) == (1, 3)
multiprocess.mark_process_dead(1)
assert client.REGISTRY.get_sample_value("c_total") == 3
""",
        get,
    )


def test_a_warning_names_the_line_that_declares_the_metric(run: Run) -> None:
    run(
        INSTALLED
        + """
import warnings
from tallyboard import Histogram
Histogram("name", "Help.")
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    client.Gauge("name", "Help.")
    client.Gauge("other", "Help.").inc()
assert [each.filename for each in told] == [__file__], told
"""
    )


@pytest.mark.parametrize("way", ["before", "after", "a part of it", "looked for", "by us"])
def test_prometheus_client_may_be_imported_before_and_after_the_hook(run: Run, way: str) -> None:
    imports = {
        "before": "import prometheus_client\nimport tallyboard.hook",
        "after": "import tallyboard.hook\nimport prometheus_client",
        "a part of it": "import tallyboard.hook\nfrom prometheus_client.metrics import Counter",
        "by us": "import tallyboard.hook, tallyboard.collector",
        "looked for": "import tallyboard.hook, importlib.util\n"
        "assert importlib.util.find_spec('prometheus_client')",
    }
    run(
        imports[way]
        + """
import prometheus_client
prometheus_client.Counter("c", "Help.").inc()
from tallyboard import series
assert [(each.name, each.value) for each in series()] == [("c_total", 1)]
# The loader is what it was to whoever wants a file of the package.
import inspect, pkgutil
assert "class Counter" in inspect.getsource(prometheus_client.metrics)
assert b"class Counter" in pkgutil.get_data("prometheus_client", "metrics.py")
"""
    )


def test_hook_opens_no_board_for_a_program_without_prometheus_client(run: Run, board: Path) -> None:
    run("import tallyboard.hook, sys\nassert 'prometheus_client' not in sys.modules")
    assert not list(board.iterdir())


@pytest.mark.parametrize(
    "environment",
    [{"TALLYBOARD": "off"}, {"TALLYBOARD_LIBRARY": "/no/file", "TALLYBOARD_BACKEND": ""}],
    ids=["off", "no library"],
)
def test_without_a_board_prometheus_client_is_what_it_was(
    run: Run, environment: dict[str, str]
) -> None:
    told = run(
        """
import warnings
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    import tallyboard.hook, prometheus_client as client
counter = client.Counter("c", "Help.")
counter.inc()
assert type(counter._value).__module__ == "prometheus_client.values"
assert client.REGISTRY.get_sample_value("c_total") == 1
print(len(told))
""",
        **environment,
    )
    assert int(told) == len(environment) - 1


def test_a_gauge_without_a_mode_is_one_number_but_in_multiprocess_mode(
    run: Run, tmp_path: Path
) -> None:
    program = (
        INSTALLED
        + """
gauges = [
    client.Gauge("plain", "Help."),
    client.Gauge("labelled", "Help.", ["a"]).labels("x"),
    client.Gauge("own_label", "Help.", ["pid"]).labels("x"),
    client.Gauge("given", "Help.", multiprocess_mode="all"),
    client.Gauge("given_in_place", "Help.", (), "", "", "", client.REGISTRY, None, "all"),
]
in_children(2, lambda number: [gauge.inc(2) for gauge in gauges])
for name in sorted({key[0] for key in shown()}):
    print(name, *[value for key, value in shown().items() if key[0] == name])
"""
    )
    always = ["given 2.0 2.0", "given_in_place 2.0 2.0"]
    assert run(program).splitlines() == [*always, "labelled 4.0", "own_label 4.0", "plain 4.0"]
    told = run(program, TALLYBOARD="another", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert told.splitlines() == [*always, "labelled 2.0 2.0", "own_label 4.0", "plain 2.0 2.0"]


def test_multiprocess_mode_reads_the_board_and_makes_no_files(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "multiprocess"
    folder.mkdir()
    program = (
        INSTALLED
        + """
from prometheus_client import values
# As programs under uWSGI do, to have files for each of its workers.
values.ValueClass = values.MultiProcessValue(process_identifier=lambda: 7)
counter = client.Counter("c", "Help.", ["a"])
histogram = client.Histogram("h", "Help.")
gauge = client.Gauge("g", "Help.", multiprocess_mode="livesum")

def work(number):
    counter.labels("x").inc()
    histogram.observe(0.3)
    gauge.set(1)

for child in in_children(3, work):
    multiprocess.mark_process_dead(child)

def check(registry):
    found = shown(registry)
    assert found["c_total", ("a", "x")] == 3, found
    assert found["h_count",] == 3 and found["h_bucket", ("le", "0.5")] == 3
    assert found["g",] == 0

for path in (), (None,), ("/nowhere",):
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, *path)
    check(registry)
# Once also where it is beside the metrics.
multiprocess.MultiProcessCollector(client.REGISTRY)
check(client.REGISTRY)
counter.remove("x")
counter.labels("y")
counter.clear()
assert not [key for key in shown() if key[0] == "c_total"]
"""
    )
    run("import warnings\nwarnings.simplefilter('error')\n" + program)
    run(program, TALLYBOARD="another", PROMETHEUS_MULTIPROC_DIR=str(folder))
    assert not list(folder.iterdir())


def test_what_get_means(run: Run) -> None:
    program = """
counter = client.Counter("c", "Help.")
gauge = client.Gauge("g", "Help.", multiprocess_mode="sum")
histogram = client.Histogram("h", "Help.", buckets=[1, 2])
summary = client.Summary("s", "Help.")

def update(times):
    for _ in range(times):
        counter.inc(2)
        gauge.inc()
        histogram.observe(1.5)
        summary.observe(3)

def got():
    return [
        counter._value.get(), gauge._value.get(), summary._count.get(), summary._sum.get(),
        histogram._sum.get(), *[bucket.get() for bucket in histogram._buckets],
    ]

def work(number):
    update(2)
    assert got() == children_got, got()

update(1)
"""
    for_all = "children_got = [6, 3, 3, 9, 4.5, 0, 3, 0]\n"
    for_one = "children_got = [4, 2, 2, 6, 3, 0, 2, 0]\n"
    of_all = "in_children(1, work)\nassert got() == children_got, got()\n"
    of_one = "in_children(1, work)\nassert got() == [2, 1, 1, 3, 1.5, 0, 1, 0], got()\n"
    on_board = "assert [s.value for s in series() if s.name == 'c_total'] == [6]"
    run(INSTALLED + program + for_all + of_all + on_board)
    process = {"TALLYBOARD_PROMETHEUS_CLIENT_GET": "process"}
    run(INSTALLED + program + for_one + of_one + on_board, TALLYBOARD="another", **process)
    installed = INSTALLED.replace("install()", "install(get='process')")
    run(installed + program + for_one + of_one + on_board, TALLYBOARD="third")


def test_what_is_set_is_what_the_process_gets(run: Run) -> None:
    run(
        INSTALLED.replace("install()", "install(get='process')")
        + """
counter = client.Counter("c", "Help.")
gauge = client.Gauge("g", "Help.")
histogram = client.Histogram("h", "Help.", buckets=[1, 2])
summary = client.Summary("s", "Help.")
counter.inc(2)
counter._value.set(7)
gauge.inc(2)
gauge.set(-4)
assert (counter._value.get(), gauge._value.get()) == (7, -4)
histogram.observe(1.5)
summary.observe(3)
parts = [histogram._sum, *histogram._buckets, summary._count, summary._sum]
assert [part.get() for part in parts] == [1.5, 0, 1, 0, 1, 3]
for part in parts:
    part.set(0)
assert not any(part.get() for part in parts)
"""
    )


def test_get_is_all_or_process(run: Run) -> None:
    run(
        INSTALLED
        + """
install = tallyboard.prometheus_client.install
assert install() and install("all")
for wrong in "process", "mine":
    try:
        install(wrong)
    except ValueError as error:
        assert wrong in str(error)
    else:
        raise AssertionError(wrong)
"""
    )


def test_children_are_removed_under_the_lock_that_labels_holds(run: Run) -> None:
    run(
        INSTALLED
        + """
class Observed:
    # A lock that looks: which children there are as it is taken and as it is given back.
    def __init__(self, lock, children):
        self.lock, self.children = lock, children

    def __enter__(self):
        self.lock.acquire()
        self.taken = set(self.children)

    def __exit__(self, *_):
        self.given_back = set(self.children)
        self.lock.release()

def changes(remove):
    counter._lock.taken = counter._lock.given_back = None
    remove()
    return counter._lock.taken, counter._lock.given_back

counter = client.Counter("c", "Help.", ["a", "b"])
counter._lock = Observed(counter._lock, counter._metrics)
x1, x2, y1 = ("x", "1"), ("x", "2"), ("y", "1")
for key in x1, x2, y1:
    counter.labels(*key).inc()
assert changes(lambda: counter.remove("y", 1)) == ({x1, x2, y1}, {x1, x2})
assert changes(lambda: counter.remove("y", 1)) == ({x1, x2}, {x1, x2})
# An older prometheus_client does not have it.
if hasattr(counter, "remove_by_labels"):
    assert changes(lambda: counter.remove_by_labels({"b": "2"})) == ({x1, x2}, {x1})
    counter.labels(*x2)
assert changes(counter.clear) == ({x1, x2}, set())
assert list(series()) == []
counter.labels("x", 1).inc()
assert shown()["c_total", ("a", "x"), ("b", "1")] == 1
"""
    )


def test_who_is_warned_of_a_removal_may_ask_for_a_child(run: Run) -> None:
    run(
        INSTALLED
        + """
import warnings
from tallyboard import trouble
# The board refuses the counter that has its name, then, and its removal, too.
tallyboard.Gauge("taken_total", "Help.")
with warnings.catch_warnings(record=True):
    warnings.simplefilter("always")
    counter = client.Counter("taken", "Help.", ["a"])
    counter.labels("x")
trouble._said.clear()
told = []

def tell(message, *_, **__):
    # A deadlock, if the metric's lock were held.
    assert counter._lock.acquire(blocking=False)
    counter._lock.release()
    told.append(str(message))

warnings.showwarning = tell
warnings.simplefilter("always")
counter.remove("x")
trouble._said.clear()
counter.clear()
assert len(told) == 2, told
"""
    )


def test_values_that_a_program_uses_by_themselves(run: Run) -> None:
    run(
        INSTALLED
        + """
counter = client.Counter("c", "Help.")
counter.inc(2)
counter._value.inc(1)
counter._value.set(7.5)
assert counter._value.get() == shown()["c_total",] == 7.5
counter._value.set(1)
assert counter._value.get() == shown()["c_total",] == 1
counter._metric_init()
assert shown()["c_total",] == 0
counter.inc()
assert shown()["c_total",] == 1
gauge = client.Gauge("g", "Help.", ["a"])
gauge.labels("x")._value.set(3)
gauge.labels("x")._value.inc(1)
assert gauge.labels("x")._value.get() == shown()["g", ("a", "x")] == 4
histogram = client.Histogram("h", "Help.")
summary = client.Summary("s", "Help.")
# What prometheus_client's own `observe` does, which a subclass may have copied.
histogram._sum.inc(0.3)
histogram._buckets[7].inc(1)
summary._count.inc(1)
summary._sum.inc(0.3)
assert shown()["h_sum",] == shown()["s_sum",] == 0.3
assert shown()["h_count",] == shown()["s_count",] == 1
for value in (histogram._sum, *histogram._buckets, summary._count, summary._sum):
    value.set(0)
assert shown()["h_count",] == shown()["s_count",] == shown()["s_sum",] == 0
made = client.values.ValueClass("counter", "v", "v_total", ("a",), ("x",), "Help.")
made.inc(2)
assert shown()["v_total", ("a", "x")] == made.get() == 2
made = client.values.ValueClass("gauge", "w", "w", (), (), "Help.", multiprocess_mode="max")
made.set(2)
assert shown()["w",] == made.get() == 2
# A part of something that nobody has said is a number of this process.
made = client.values.ValueClass("histogram", "x", "x_sum", (), (), "Help.")
made.inc(2)
assert made.get() == 2 and not [key for key in shown() if key[0].startswith("x")]
histogram.observe(0.2, {"trace": "1"})
exemplars = [bucket.get_exemplar() for bucket in histogram._buckets]
assert [each.labels for each in exemplars if each] == [{"trace": "1"}] and exemplars[6]
# They can begin again, and are nothing else that can be set.
import warnings
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    histogram._sum.set(5)
assert "not set to 5" in str(told[0].message) and shown()["h_sum",] == 0.2
"""
    )


def test_a_subclass_keeps_the_methods_that_it_overrides(run: Run) -> None:
    run(
        INSTALLED
        + """
class Doubled(client.Counter):
    def inc(self, amount=1, exemplar=None):
        super().inc(2 * amount, exemplar)

class Labelled(client.Gauge):
    def labels(self, *values):
        return super().labels(*map(str.upper, values))

Doubled("c", "Help.").inc(exemplar={"trace": "1"})
Labelled("g", "Help.", ["a"]).labels("x").set(3)
assert shown()["c_total",] == 2 and shown()["g", ("a", "X")] == 3
(family,) = [each for each in client.REGISTRY.collect() if each.name == "c"]
assert family.samples[0].exemplar.labels == {"trace": "1"}
"""
    )


def test_what_registries_show(run: Run) -> None:
    run(
        INSTALLED
        + """
other = CollectorRegistry()
here = client.Counter("here", "Help.")
there = client.Counter("there", "Help.", registry=other)
# One name in two registries is one series.
twins = [client.Gauge("twin", "Help.", registry=each) for each in (client.REGISTRY, other)]

def work(number):
    if number == 0:
        client.Counter("elsewhere", "Help.").inc(5)
    here.inc()
    there.inc(2)
    twins[number].inc()

in_children(2, work)
client.disable_created_metrics()
assert shown() == {("here_total",): 2, ("twin",): 2, ("elsewhere_total",): 5}
assert shown(other) == {("there_total",): 4, ("twin",): 2}
assert other.get_sample_value("there_total") == 4
assert shown(client.REGISTRY.restricted_registry(["here_total"])) == {("here_total",): 2}
restricted = client.REGISTRY.restricted_registry(["elsewhere_total", "there_total", "twin"])
assert shown(restricted) == {("elsewhere_total",): 5, ("twin",): 2}
client.REGISTRY.unregister(here)
assert ("here_total",) not in shown()
labelled = client.Gauge("labelled", "Help.", ["a"])
labelled.labels("x").set(3)
labelled.labels("y").set_function(lambda: 4)
(family,) = labelled.collect()
assert sorted(each.value for each in family.samples) == [3, 4]
(family,) = labelled.labels("y").collect()
assert [(each.labels, each.value) for each in family.samples] == [({}, 4)]
client.enable_created_metrics()
assert ("there_created",) in shown(other)
"""
    )


def test_a_name_that_its_registry_refuses_does_not_come_to_the_board(run: Run) -> None:
    run(
        """
import warnings
warnings.simplefilter("error")
"""
        + INSTALLED
        + """
client.Gauge("name", "Help.")
try:
    client.Histogram("name", "Help.")
except ValueError as error:
    assert "Duplicated" in str(error)
assert [each.type for each in series()] == ["gauge"]
"""
    )


def test_an_info_that_the_board_cannot_say_is_one_warning(run: Run) -> None:
    run(
        """
import warnings
"""
        + INSTALLED
        + """
info = client.Info("i", "Help.")
info.info({"version": "1"})
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    info.info({"__version": "2"})
    info.info({"__version": "3"})
assert len(told) == 1 and "Reserved label name" in str(told[0].message), told
assert shown() == {("i_info", ("version", "1")): 1}
"""
    )


def test_what_is_only_set_cannot_be_added_to(run: Run) -> None:
    run(
        INSTALLED
        + """
for mode in "mostrecent", "livemostrecent":
    gauge = client.Gauge(mode, "Help.", ["a"], multiprocess_mode=mode).labels("x")
    gauge.set(3)
    for update in gauge.inc, gauge.dec:
        try:
            update()
        except RuntimeError as error:
            assert "mostrecent" in str(error)
        else:
            raise AssertionError(mode)
    assert shown()[mode, ("a", "x")] == 3
"""
    )


def test_over_eight_processes(run: Run) -> None:
    """The gauge modes, exemplars, `Info`, `Enum`, `remove`, `clear` and `set_function`."""
    run(
        INSTALLED
        + """
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
MODES = sorted(client.Gauge._MULTIPROC_MODES)
gauges = {mode: client.Gauge(f"g_{mode}", "Help.", multiprocess_mode=mode) for mode in MODES}
counter = client.Counter("c", "Help.", ["a"])
histogram = client.Histogram("h", "Help.", buckets=[1, 10])
info = client.Info("i", "Help.")
state = client.Enum("e", "Help.", states=["off", "on", "gone"])
function = client.Gauge("f", "Help.", multiprocess_mode="liveall")
labelled = client.Gauge("l", "Help.", ["a"])
ready, done = os.pipe(), os.pipe()

def work(number):
    for gauge in gauges.values():
        gauge.set(number + 1)
    counter.labels(str(number)).inc(number, {"trace": str(number)} if number else None)
    histogram.observe(number, {"trace": "3"} if number == 3 else None)
    labelled.labels(str(number)).set(number)
    function.set_function(lambda: number)
    assert shown()["f", ("pid", str(os.getpid()))] == number
    os.write(ready[1], str(os.getpid()).encode().ljust(16))
    os.read(done[0], 1)

# A child that goes on while the parent looks: all eight live.
children = []
for number in range(8):
    children.append(start(work, number))
    assert int(os.read(ready[0], 16)) == children[number]

found = shown()
assert {found["g_sum",], found["g_livesum",]} == {36}
assert {found["g_min",], found["g_livemin",]} == {1}
assert {found["g_max",], found["g_livemax",]} == {8}
assert {found["g_mostrecent",], found["g_livemostrecent",]} == {8}
for mode in "all", "liveall":
    for number, child in enumerate(children):
        assert found[f"g_{mode}", ("pid", str(child))] == number + 1
for number, child in enumerate(children):
    assert found["f", ("pid", str(child))] == number
    assert found["c_total", ("a", str(number))] == number
assert found["h_count",] == 8 and found["h_sum",] == 28

# What one process removes or says is so for all.
in_children(1, lambda number: (
    counter.remove("3"), labelled.clear(), info.info({"version": "2"}), state.state("gone")))
found = shown()
assert ("c_total", ("a", "3")) not in found and ("c_total", ("a", "4")) in found
assert not [key for key in found if key[0] == "l"]
assert found["i_info", ("version", "2")] == 1
assert [found["e", ("e", each)] for each in ("off", "on", "gone")] == [0, 0, 1]
text = openmetrics(client.REGISTRY).decode()
assert 'c_total{a="7"} 7.0 # {trace="7"} 7.0' in text
assert 'h_bucket{le="10.0"} 8.0 # {trace="3"} 3.0' in text

os.write(done[1], b"x" * 8)
for child in children:
    wait(child)
found = shown()
assert {found["g_sum",], found["g_min",], found["g_max",]} == {36, 1, 8}
assert found["g_livesum",] == 0 and found["c_total", ("a", "7")] == 7
live = [key for key in found if key[0] in ("g_livemin", "g_livemax", "g_liveall", "f")]
assert not live, live
assert len([key for key in found if key[0] == "g_all"]) == 8
"""
    )
