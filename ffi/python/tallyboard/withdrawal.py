"""Taking this process's part out of gauges that other processes may have parts of, too.

A removal ends a series for all processes, and the board has no call that ends one process's part.
So the part becomes one that adds nothing to the others', and the series is removed where nothing
else is left of it then:

* 'livesum': 0. Where the others' parts add up to 0, the series is removed, too, and comes back as
  one of them writes again.
* 'livemin' and 'livemax': NaN, which loses against every number.
* 'livemostrecent' and 'liveall' have nothing of the kind: what is written last is what is shown,
  and each part is a series of its own. They are removed, and the others' parts are gone until these
  write again.

Between the two, a reader may see the 0 or NaN of a series that is about to end, and what another
process writes first thing in it is gone until that one writes again.
"""

from __future__ import annotations

from math import nan
from typing import Collection

from . import board
from .gauge import Gauge
from .series import series_of

_NOTHING = {"livesum": 0.0, "livemin": nan, "livemax": nan}


def withdraw(gauges: Collection[Gauge]) -> None:
    """Ends this process's parts of these gauges, and the series where no other process has one.

    Cost: a pass over the board for all of them, and a removal for each that is left with nothing.

    Errors: `lowlevel.BoardError` for a damaged board.
    """
    nothings = {each: _NOTHING.get(each._definition.mode) for each in gauges}
    for gauge, nothing in nothings.items():
        if nothing is not None:
            gauge.set(nothing)
    names = {each._definition.name for each, nothing in nothings.items() if nothing is not None}
    shown = {
        (each.name, frozenset(each.labels.items())): each.value
        for each in (series_of(names) if names else [])
    }
    for gauge, nothing in nothings.items():
        definition, values = gauge._definition, gauge._labelvalues
        labels = frozenset(zip(definition.labelnames, values))
        left = shown.get((definition.name, labels), nothing)
        # A NaN does not equal itself.
        if left is None or left == nothing or (left != left and nothing != nothing):
            board.remove(Gauge._handle, definition, values)
