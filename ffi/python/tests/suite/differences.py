"""Where a subject differs from prometheus_client on purpose, and why. Nowhere else does the
comparison with the model look away.

What is said of `Declaration` and `Operation` is asked for by the plans, what of `Shown` is left out
of what is compared.
"""

from __future__ import annotations

import math
import re
from typing import Any

from .operations import Operation, Plan, Shown

MODES = ("min", "max", "sum", "livemin", "livemax", "livesum", "all", "liveall")
"""Modes in which a gauge shows the number of the one process that there is; without one it does so
for any number of processes.

Not `mostrecent`: there `inc` and `dec` are errors for prometheus_client, which keeps the time of
each `set` only. A board's number is one for all processes, so that they work.
"""

INTEGERS = 2**60
"""Whole amounts up to here. A counter of the board adds them exactly; prometheus_client's is a
float, and rounds beyond 2**53."""

NOT_IN_TEXT = "\0"
"""A label value with a NUL is not counted, and warned of: the board's C interface ends texts there.
"""

REMOVALS = ("remove", "remove_by_labels", "clear")
"""These end series for all processes. But a child that another process has already asked for is the
same object there afterwards, and shown again only from its next update on."""

FRACTION = 1024
"""Amounts are multiples of 1/FRACTION below 2**30, whose sums are the same in any order: a board
adds up per CPU, which is another order than that of the program."""


WARNING = "tallyboard: .* tracks what is in progress"
"""prometheus_client need not warn of that: without processes, nobody is killed inside a block."""


REFUSE_WRONG_AMOUNTS = ("Counter", "Gauge", "Histogram")
"""Kinds that are given what is no number. prometheus_client's summary refuses it when it has been
counted already; what tallyboard refuses has changed nothing."""


def outcome(plan: Plan, operation: Operation, raised: str | None) -> str | None:
    # A module may be reloaded and a notebook's cell run twice: tallyboard gives another object on
    # the same series. The drop-in leaves prometheus_client's own registry as it is.
    if operation.verb == "declare_again":
        return None
    # A gauge with a function does nothing else, and does not look at what it is given.
    if operation.verb == "set" and any(
        (each.metric, each.verb) == (operation.metric, "set_function") for each in plan.operations
    ):
        return None
    # A labelled metric without values is refused as elsewhere, and not by an accident.
    if operation.verb in ("info", "reset") and raised == "AttributeError":
        return "ValueError"
    return raised


def families(shown: dict[str, Shown], plan: Plan) -> dict[str, Any]:
    compared = {}
    for name, family in shown.items():
        found = re.search(r"_(\d+)", name)
        assert found is not None
        number = int(found[1])
        was_reset = any(each[0] == number and each.verb == "reset" for each in plan.operations)
        mode = plan.declarations[number].options.get("multiprocess_mode", "")
        compared[name] = family._replace(
            samples={
                (series, _without_pid(labels)): (
                    _value(value),
                    # What a counter counts again from zero has no exemplar yet. prometheus_client
                    # keeps that of before.
                    None if was_reset else exemplar,
                )
                for (series, labels), (value, exemplar) in family.samples.items()
                # No process has set such a gauge, or one has set it to 0: the first is not shown.
                # 0 would be the minimum of what others set, and there is no process to name.
                if not (mode.endswith(("min", "max", "all")) and value == 0)
            },
            created=sorted(map(_without_pid, family.created)),
        )
    return compared


def _without_pid(labels: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    # A gauge that is asked to show each process says which one, also where there is only one.
    return tuple(each for each in labels if each[0] != "pid")


def _value(value: float) -> Any:
    if math.isnan(value):
        return "NaN"
    # See INTEGERS: at most 60 roundings of 2**-53 each.
    return f"{value:.13e}" if abs(value) >= 2**53 and math.isfinite(value) else value
