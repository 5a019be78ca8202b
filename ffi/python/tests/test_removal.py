"""Series that end: by `remove` and `clear`, and with their board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from workers import in_child

import tallyboard
from tallyboard import Counter, Gauge, Histogram, Summary

if TYPE_CHECKING:
    from conftest import Run


def values(name: str) -> dict[str, float]:
    found = (each for each in tallyboard.series() if each.name == name)
    return {each.labels["a"]: each.value or each.count for each in found}


def test_an_object_of_a_removed_series_begins_it_again(name: str) -> None:
    counter = Counter(name, "Help.", ["a"])
    kept = counter.labels("x")
    kept.inc(5)
    counter.labels("y").inc()
    counter.remove("x")
    assert values(f"{name}_total") == {"y": 1}
    assert kept.value() == 0
    kept.inc(2)
    counter.labels("x").inc()
    assert values(f"{name}_total") == {"x": 3, "y": 1}
    counter.clear()
    assert values(f"{name}_total") == {}
    kept.inc()
    assert values(f"{name}_total") == {"x": 1}


@pytest.mark.parametrize("kind", [Histogram, Summary])
def test_observations_of_a_removed_series_are_gone(
    kind: type[Histogram] | type[Summary], name: str
) -> None:
    metric = kind(name, "Help.", ["a"])
    kept = metric.labels("x")
    for amount in range(20):
        kept.observe(amount)
    metric.remove("x")
    kept.observe(3)
    assert values(name) == {"x": 1}
    (series,) = (each for each in tallyboard.series() if each.name == name)
    assert series.sum == 3


def test_parts_of_a_removed_gauge_are_gone(name: str) -> None:
    gauge = Gauge(name, "Help.", ["a"], multiprocess_mode="sum")
    kept = gauge.labels("x")
    kept.set(5)
    gauge.remove("x")
    assert values(name) == {}
    kept.inc(2)
    assert (values(name), kept.value()) == ({"x": 2}, 2)


def test_another_process_removes_and_this_one_counts_on(name: str) -> None:
    counter = Counter(name, "Help.", ["a"])
    kept = counter.labels("x")
    kept.inc(5)
    in_child(lambda: counter.remove("x"))
    assert values(f"{name}_total") == {}
    kept.inc()
    assert counter.labels("x") is kept
    assert values(f"{name}_total") == {"x": 1}


def test_removal_makes_room_and_keeps_nothing(name: str) -> None:
    counter = Counter(name, "Help.", ["a"])
    for n in range(20_000):
        counter.labels(n).inc()
        counter.remove(n)
    assert values(f"{name}_total") == {}
    assert counter._children == {}


@pytest.mark.usefixtures("unsaid")
def test_what_cannot_be_there_is_removed_without_a_word(name: str) -> None:
    gauge = Gauge(name, "Help.", ["a"])
    with pytest.warns(RuntimeWarning, match="NUL"):
        gauge.labels("a\0b").set(1)
    gauge.remove("a\0b")
    gauge.remove("\udc80")


def test_a_series_has_none_to_remove(name: str) -> None:
    # prometheus_client raises an AttributeError.
    child = Gauge(name, "Help.", ["a"]).labels("x")
    with pytest.raises(ValueError, match="already has labels set"):
        child.remove("x")
    with pytest.raises(ValueError, match="already has labels set"):
        child.clear()


OFF = """
from tallyboard import Counter
counter = Counter("a", "Help.", ["a"])
kept = counter.labels("x")
counter.remove("x")
counter.clear()
kept.inc()
print(kept.value())
"""


def test_off_has_nothing_to_remove(run: Run) -> None:
    assert run(OFF, TALLYBOARD="off") == "0.0\n"


MOVES = """
import ctypes, os
import tallyboard
from tallyboard import Counter, Gauge, lowlevel
from tallyboard.board import opened

counter = Counter("c", "Help.", ["a"])
kept = counter.labels("x")
kept.inc(5)
level = Gauge("level", "Help.", multiprocess_mode="livesum")
level.set(3)

assert ctypes.CDLL(lowlevel.path()).tb_board_remove(os.environ["TALLYBOARD"].encode()) == 0
kept.inc()
counter.labels("y").inc(2)
Counter("new", "Help.").inc()
level.inc()
if os.fork() == 0:
    kept.inc()
    os._exit(0)
os.wait()
counter.remove("y")
for each in tallyboard.series():
    print(each.name, each.labels, each.value)
"""


def test_metrics_move_to_the_board_that_comes_after_a_removed_one(run: Run, board: Path) -> None:
    assert run(MOVES).splitlines() == [
        "c_total {'a': 'x'} 2.0",
        "level {} 1.0",
        "new_total {} 1.0",
    ]
    assert len(list(board.iterdir())) == 1
