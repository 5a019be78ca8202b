"""Whatever is wrong with the board, the program goes on: one warning for each cause."""

from __future__ import annotations

import ctypes
import os
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import pytest

import tallyboard
from tallyboard import Counter, Enum, Gauge, Histogram, Summary, backend, lowlevel

if TYPE_CHECKING:
    from conftest import Run

USE = """
import os, pickle, sys, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import tallyboard
    from tallyboard import Counter, Gauge, Histogram, Summary
    assert not caught, "importing says nothing"
    counter = Counter("c", "Help.")
    labelled = Counter("l", "Help.", ["a"])
    gauge = Gauge("g", "H", multiprocess_mode="livemostrecent")
    histogram, summary = Histogram("h", "H"), Summary("s", "H")

    def use():
        counter.inc(); counter.inc(2); counter.inc(0.5); counter.inc(2**70); gauge.inc()
        gauge.dec(2); gauge.set(3); gauge.set_to_current_time(); histogram.observe(1)
        summary.observe(1)
        for n in range(3):
            labelled.labels(n).inc()
        with histogram.time(), gauge.track_inprogress(), counter.count_exceptions():
            pass
        pickle.loads(pickle.dumps(labelled.labels("x"))).inc()

    use()
    if os.fork() == 0:
        use()
        os._exit(len(caught))
    child = os.waitpid(-1, 0)[1] >> 8
    assert child == len(caught), "what was said before the fork is not said again"
    for wrong in (lambda: counter.inc(-1), labelled.inc, lambda: labelled.labels()):
        try:
            wrong()
        except ValueError:
            continue
        sys.exit("mistakes in the program are told all the same")
    print(counter.value(), gauge.value(), tallyboard.series())
for warning in caught:
    print(warning.category.__name__, os.path.basename(warning.filename), warning.message)
"""


def test_off_does_nothing_and_says_nothing(run: Run, tmp_path: Path) -> None:
    # Nor does it need a library.
    missing = str(tmp_path / "missing.so")
    assert run(USE, TALLYBOARD="off", TALLYBOARD_LIBRARY=missing) == "0.0 0.0 []\n"


def test_private_counts_and_leaves_no_file(run: Run, board: Path) -> None:
    (values,) = run(USE, TALLYBOARD="private").splitlines()
    # The child counted the same again.
    assert float(values.split()[0]) == 2 * 2**70
    assert list(board.iterdir()) == []


def test_a_missing_library_is_one_warning(run: Run, tmp_path: Path) -> None:
    values, warning = run(USE, TALLYBOARD_LIBRARY=str(tmp_path / "missing.so")).splitlines()
    assert values == "0.0 0.0 []"
    assert warning.startswith("RuntimeWarning program")
    assert "metrics of this process are not counted: cannot load" in warning


def test_another_library_of_that_name_is_one_warning(run: Run) -> None:
    import _ctypes

    _values, warning = run(USE, TALLYBOARD_LIBRARY=_ctypes.__file__).splitlines()
    assert "is not a whole libtallyboard" in warning


def test_a_library_of_another_abi_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowlevel, "ABI_VERSION", 2)
    with pytest.raises(lowlevel.LibraryUnusable, match="has version 1 of the C ABI"):
        lowlevel.load()


def test_a_package_without_its_library_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TALLYBOARD_LIBRARY", raising=False)
    monkeypatch.setattr(backend, "native", None)
    monkeypatch.setattr(lowlevel, "__file__", str(tmp_path / "lowlevel.py"))
    with pytest.raises(lowlevel.LibraryUnusable, match="install the package again"):
        lowlevel.load()


def test_a_board_that_cannot_be_opened_is_one_warning(run: Run, tmp_path: Path) -> None:
    values, warning = run(USE, TALLYBOARD=str(tmp_path / "no" / "such" / "board")).splitlines()
    assert values == "0.0 0.0 []"
    assert warning.startswith("RuntimeWarning program")
    assert "metrics of this process are not counted" in warning


FILL = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from tallyboard import Counter
    a, b = Counter("a", "Help.", ["n"]), Counter("b", "Help.", ["n"])
    for n in range(70_000):
        a.labels(n).inc()
        if caught:
            break
    for m in range(1000):
        b.labels(m).inc()
    a.labels(0).inc()
    print(n > 0, a.labels(0).value(), a.labels(n).value(), b.labels(0).value(), len(caught))
print(caught[0].category.__name__, caught[0].message)
"""


@pytest.mark.usefixtures("board")
def test_a_full_board_is_one_warning_and_what_is_there_counts_on(run: Run) -> None:
    values, warning = run(FILL).splitlines()
    assert values == "True 2.0 0.0 0.0 1"
    assert warning.startswith("RuntimeWarning tallyboard: a_total is not counted: ")


@pytest.mark.usefixtures("unsaid")
def test_label_values_that_c_has_no_text_for_are_not_counted(name: str) -> None:
    gauge = Gauge(name, "Help.", ["file"])
    with pytest.warns(RuntimeWarning, match=f"{name} is not counted.*NUL"):
        gauge.labels("a\0b").set(1)
    # Once for each metric.
    gauge.labels(os.fsdecode(b"\xff")).set(1)
    assert [each for each in tallyboard.series() if each.name == name] == []


@pytest.mark.usefixtures("unsaid")
def test_amounts_that_no_sum_survives_are_not_counted(name: str) -> None:
    counter = Counter(name, "Help.")
    counter.inc(1.5)
    with pytest.warns(RuntimeWarning, match="was not counted"):
        counter.inc(float("nan"))
    counter.inc(float("inf"))
    assert counter.value() == 1.5


CLASH = """
import sys, warnings
from tallyboard import Counter, Gauge, Summary
if len(sys.argv) == 1:
    Summary("taken", "Help.").observe(1)
else:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gauge = Gauge("taken", "Help.")
        gauge.set(1)
        Gauge("taken", "Help.")
        Gauge("free", "Help.").set(1)
    print(gauge.value(), [str(each.message)[:33] for each in caught])
"""


@pytest.mark.usefixtures("board")
def test_a_name_that_another_process_has_otherwise_is_one_warning(run: Run) -> None:
    run(CLASH)
    assert run(CLASH, "again") == "0.0 ['tallyboard: taken is not counted:']\n"


def test_warnings_may_be_errors(run: Run, tmp_path: Path) -> None:
    program = """
import warnings
from tallyboard import Counter
warnings.simplefilter("error")
try:
    Counter("a", "Help.")
except RuntimeWarning:
    Counter("a", "Help.").inc()
    print("once")
"""
    assert run(program, TALLYBOARD_LIBRARY=str(tmp_path / "missing.so")) == "once\n"


def test_help_is_never_a_reason_not_to_count(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        counter = Counter(name, "A NUL \0 and half a \ud83d character.")
    counter.inc()
    assert counter.value() == 1


def test_a_wrong_handle_never_reaches_c(name: str) -> None:
    from tallyboard import board

    opened = board.opened()
    assert opened is not None
    found = board.register(Counter._handle, Counter(name, "Help.")._definition, ())
    assert found is not None
    wrong: Callable[..., object] = opened.library.gauge_set
    with pytest.raises(ctypes.ArgumentError, match="argument 1: "):
        wrong(found[1], 1.0)


def test_set_to_current_time(name: str) -> None:
    gauge = Gauge(name, "Help.")
    before = time.time()
    gauge.set_to_current_time()
    assert before <= gauge.value() <= time.time()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_handles_are_freed(name: str) -> None:
    """Children that lose the race to the dictionary, and metrics declared again."""
    first = Histogram(name, "Help.")
    for _ in range(1000):
        Histogram(name, "Help.").observe(1)
    first.observe(1)
    (series,) = (each for each in tallyboard.series() if each.name == name)
    assert series.count == 1001
    assert Summary(f"{name}_s", "Help.")


def test_an_enum_without_that_state_says_which_it_has(name: str) -> None:
    phase = Enum(name, "Help.", states=["loading", "linking"])
    with pytest.raises(ValueError, match=f"{name} has no state 'done'.*'loading', 'linking'"):
        phase.state("done")


def test_an_integer_beyond_all_floats_is_not_counted(name: str) -> None:
    counter = Counter(name, "Help.")
    with pytest.warns(RuntimeWarning, match="asked to add inf, which was not counted"):
        counter.inc(10**400)
    counter.inc(10**400)
    # More digits than Python writes out.
    counter.inc(10**5000)
    counter.inc(3)
    assert counter.value() == 3
