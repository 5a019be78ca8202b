"""Any sequence of operations shows what it shows with prometheus_client in one process.

The model is prometheus_client as published, in a process of its own. The subject does the same in
one process, and then in three that take turns: to whoever looks there is no difference.
"""

from __future__ import annotations

import itertools
import math
import tempfile
from contextlib import ExitStack
from typing import Any, Callable, Iterator

import hypothesis
import pytest
from hypothesis import strategies as st

from . import differences
from .operations import Declaration, Operation, Plan
from .worker import Worker

EXAMPLES = 60
OPERATIONS = 25

_prefixes = (f"p{number}" for number in itertools.count())

numbers = st.one_of(
    st.integers(-3, 10),
    st.integers(-(2**30) * differences.FRACTION, 2**30 * differences.FRACTION).map(
        lambda whole: whole / differences.FRACTION
    ),
    st.booleans(),
)
great = st.integers(0, differences.INTEGERS)
wrong = st.sampled_from(["1", "x", None, (1,)])
texts = st.one_of(
    st.sampled_from(["x", "y", "", 'q"\\\n', "\u00fc\U0001f4ca"]),
    st.text(st.characters(codec="utf-8", exclude_characters=differences.NOT_IN_TEXT), max_size=8),
)
label_values = st.one_of(st.sampled_from(["x", "y", "1", 1, True, None, 1.0, ""]), texts)
exemplars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.just({}),
    st.dictionaries(st.sampled_from(["trace_id", "a", "b"]), texts, min_size=1),
)
names = st.sampled_from([(), ("a",), ("a", "b"), ("b", "a", "c")])


def declarations(modes: tuple[str, ...]) -> st.SearchStrategy[Declaration]:
    def of(kind: str, **options: st.SearchStrategy[Any]) -> st.SearchStrategy[Declaration]:
        given = st.fixed_dictionaries({}, optional=options)
        return st.builds(Declaration, st.just(kind), names, given)

    unit = st.sampled_from(["", "seconds", "bytes"])
    bounds = st.lists(
        st.integers(-4, 40).map(lambda quarter: quarter / 4), min_size=1, max_size=6, unique=True
    ).map(sorted)
    infinite = bounds.map(lambda finite: [*finite, math.inf])
    options = {"unit": unit}
    if modes:
        options["multiprocess_mode"] = st.sampled_from(modes)
    states = st.lists(texts.filter(bool), min_size=1, max_size=4, unique=True)
    return st.one_of(
        of("Counter", unit=unit, subsystem=st.just("s")),
        of("Gauge", **options),
        of("Summary", unit=unit),
        of("Histogram", unit=unit, buckets=st.one_of(bounds, infinite)),
        of("Info"),
        states.flatmap(enum),
    )


def enum(states: list[str]) -> st.SearchStrategy[Declaration]:
    return st.builds(Declaration, st.just("Enum"), names, st.just({"states": states}))


@st.composite
def plans(draw: st.DrawFn, modes: tuple[str, ...], alone: bool) -> Plan:
    made = draw(st.lists(declarations(modes), min_size=1, max_size=3))
    done = draw(st.lists(operations(made, alone), max_size=OPERATIONS))
    return Plan(made, done)


@st.composite
def operations(draw: st.DrawFn, made: list[Declaration], alone: bool) -> Operation:
    number = draw(st.integers(0, len(made) - 1))
    kind, labelnames, options = made[number]
    labels = None
    if labelnames:
        labels = tuple(draw(label_values) for _ in labelnames)
    amounts = st.one_of(numbers, wrong) if kind in differences.REFUSE_WRONG_AMOUNTS else numbers
    verbs: dict[str, Callable[[], tuple[Any, ...]]] = {
        "inc": lambda: (draw(numbers),),
        "touch": tuple,
        "declare_again": tuple,
    }
    if kind == "Counter":
        verbs["inc"] = lambda: (draw(st.one_of(amounts, great)), draw(exemplars))
        verbs["reset"] = tuple
        verbs["raise_inside"] = lambda: draw(
            st.tuples(
                st.sampled_from([KeyError, ValueError, ZeroDivisionError]),
                st.sampled_from([Exception, LookupError, (ValueError, KeyError)]),
            )
        )
    elif kind == "Gauge":
        verbs["dec"] = lambda: (draw(numbers),)
        extremes = st.sampled_from([math.inf, -math.inf, math.nan])
        verbs["set"] = lambda: (draw(st.one_of(amounts, extremes)),)
        verbs["run_inside"] = tuple
        if alone:
            verbs["set_function"] = lambda: (draw(numbers),)
    elif kind == "Summary":
        verbs["observe"] = lambda: (draw(amounts),)
    elif kind == "Histogram":
        verbs["observe"] = lambda: (draw(amounts), draw(exemplars))
    elif kind == "Info":
        keys = st.sampled_from(["version", "host", "a"])
        values = st.one_of(texts, st.none()) if draw(st.booleans()) else texts
        verbs["info"] = lambda: (draw(st.dictionaries(keys, values)),)
    elif kind == "Enum":
        states = st.sampled_from([*options["states"], "no such state"])
        verbs["state"] = lambda: (draw(states),)
    verb = draw(st.sampled_from(sorted(verbs)))
    arguments = verbs[verb]()
    if labelnames and draw(st.integers(0, 4)) == 0:
        # To the whole metric, which `inc` and its like refuse.
        labels = None
        of_the_whole: st.SearchStrategy[tuple[str, tuple[Any, ...]]] = st.one_of(
            st.just((verb, arguments)),
            st.just(("clear", ())),
            st.just(("leave_and_return", ())),
            st.tuples(st.just("remove"), st.lists(label_values, max_size=3).map(tuple)),
            st.tuples(
                st.just("remove_by_labels"),
                st.tuples(st.dictionaries(st.sampled_from(["a", "b", "c"]), label_values)),
            ),
        )
        verb, arguments = draw(of_the_whole)
    return Operation(number, labels, verb, arguments)


@pytest.fixture
def workers(subject: str) -> Iterator[tuple[Worker, list[Worker]]]:
    """The model, and three processes of the subject that are on one board."""
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="tallyboard-test-") as folder:
        environment = {"TALLYBOARD_DIR": folder, "TALLYBOARD": "test", "PYTHONWARNINGS": "error"}
        with ExitStack() as stack:
            model, *subjects = [
                stack.enter_context(Worker(client, environment))
                for client in ("prometheus_client", subject, subject, subject)
            ]
            yield model, subjects


def check(plan: Plan, model: Worker, subjects: list[Worker]) -> None:
    prefix = next(_prefixes)
    for each in [model, *subjects]:
        each.begin(prefix, plan.declarations)
    for operation, at_work in zip(plan.operations, itertools.cycle(subjects)):
        expected = differences.outcome(plan, operation, model.do(operation))
        outcome = differences.outcome(plan, operation, at_work.do(operation))
        assert outcome == expected, operation
        if operation.verb in differences.REMOVALS and len(subjects) > 1:
            compare(plan, model, subjects)
            for each in subjects:
                each.do(operation)
    compare(plan, model, subjects)


def compare(plan: Plan, model: Worker, subjects: list[Worker]) -> None:
    expected = differences.families(model.families(), plan)
    for each in subjects:
        assert differences.families(each.families(), plan) == expected


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.config.getoption("--seeds")))


def search(plans: st.SearchStrategy[Plan], seed: int, check: Callable[[Plan], None]) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    @hypothesis.given(plans)
    def test(plan: Plan) -> None:
        check(plan)

    test()


def test_one_process(workers: tuple[Worker, list[Worker]], seed: int) -> None:
    model, subjects = workers
    search(plans(differences.MODES, True), seed, lambda plan: check(plan, model, subjects[:1]))


def test_three_processes(workers: tuple[Worker, list[Worker]], seed: int, subject: str) -> None:
    if subject == "prometheus_client":
        pytest.skip("it does not count over processes without a directory for its files")
    model, subjects = workers
    search(plans((), False), seed, lambda plan: check(plan, model, subjects))
