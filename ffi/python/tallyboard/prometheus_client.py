"""The drop-in: existing code that imports prometheus_client counts on the board, unchanged.

Any of these turns it on, and processes that are forked have it with their parent:

* `python -m tallyboard.run app.py …`: see `tallyboard.run`;
* `TALLYBOARD_PROMETHEUS_CLIENT=1` in the environment: `install` is called in every Python that
  has the package, as it imports prometheus_client;
* `tallyboard.prometheus_client.install()` in the program.

What is prometheus_client's stays so: its classes, its registries, its text formats, its servers.
Its metrics get a counterpart on the board that they count into, each series in one place: a
histogram of prometheus_client, which is a value for its sum and one for each bucket there, is a
histogram of the board, so that every reader finds a whole one. `Info` and `Enum`, which
prometheus_client does not have in its multiprocess mode, go to the board's info and state set.

**Metrics that exist** when it is installed are moved over with what they have counted, whichever
registry they are in, with their labelled children; whoever holds one holds the same object.

**Showing.** `generate_latest`, servers and pushes show the sums over all processes, once, and in
the default registry also what only other processes have declared. `remove` and `clear` end series
on the board, for all. `set_function` is evaluated by the registry of its own process.

**`get`**, as in `counter._value.get()`, is what all processes have counted. With
`install(get="process")`, or `TALLYBOARD_PROMETHEUS_CLIENT_GET=process`, it is what this one has
counted since it was forked, which costs a lock at each update.

**Gauges** without a `multiprocess_mode` are one number that all processes share, the last `set`
wins; where `PROMETHEUS_MULTIPROC_DIR` is set they are of the mode `all`, as they were. A gauge
that was there before the installation with the mode `all` counts as one without. `inc` on
`mostrecent` is still refused.

**Multiprocess mode.** `MultiProcessCollector(registry)` shows the board, with or without a
directory, and `mark_process_dead` has nothing to do. No file is made, whether or not
`PROMETHEUS_MULTIPROC_DIR` is set. Files that are there are left alone.

Not as without the drop-in: `inc`, `set`, `observe` and `labels` are attributes of a metric object,
so replacing them in the class (`Counter.inc = …`) has no effect on objects that exist. Where there
is no board to count on, or `TALLYBOARD=off`, nothing is installed and prometheus_client is what
it was.
"""

from __future__ import annotations

import os

from . import board
from .trouble import warn_once

_installed: list[str] = []
"""What `get` means, once it is installed."""


def install(get: str | None = None) -> bool:
    """Lets prometheus_client count on the board, in this process and those forked from it.

    `get` says what `get()` of a metric's values means: 'all' processes, the default, or this
    'process'. Costs the import of prometheus_client; a pass over all objects of the program finds
    the metrics that there are. A second call changes nothing.

    Returns whether it is installed: not where there is no board (warned of once) or it is off.

    Errors: `ValueError` where `get` is something else, or not what it was at an earlier call. After
    any other, such as a `KeyboardInterrupt` or a warning that is an exception under `-W error`,
    another call finishes the work.
    """
    if get not in (None, "all", "process"):
        raise ValueError(f"get is {get!r}: it should be 'all' or 'process'")
    if _installed:
        if get not in (None, *_installed):
            raise ValueError(
                f"get is {_installed[0]!r} since the drop-in was installed: not {get!r}"
            )
        return True
    if board.opened() is None:
        return False
    meaning = get or _wanted()
    # Noted first: the import of prometheus_client may call this again (`hook.py`).
    _installed.append(meaning)
    try:
        _install(meaning)
    except BaseException:
        _installed.clear()
        raise
    return True


def _install(meaning: str) -> None:
    """Each of these does only what has not been done yet."""
    # Imports prometheus_client, which only those need who call this.
    from .drop_in import metrics, moving, registries, values

    values.replace_class()
    metrics.replace_methods(tallied=meaning == "process")
    registries.replace_methods()
    moving.move_all()


def _wanted() -> str:
    wanted = os.environ.get("TALLYBOARD_PROMETHEUS_CLIENT_GET") or "all"
    if wanted in ("all", "process"):
        return wanted
    message = f"TALLYBOARD_PROMETHEUS_CLIENT_GET is {wanted!r}: it should be 'all' or 'process'"
    warn_once("get", message)
    return "all"
