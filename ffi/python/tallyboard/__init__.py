"""Metrics that every process of a machine counts into one shared board.

The classes have prometheus_client's names and signatures::

    from tallyboard import Counter

    served = Counter("http_requests_total", "Requests served.", ["method"])
    served.labels("GET").inc()

Nothing has to be set up. The first metric that is declared opens the default board (see
``TALLYBOARD`` in the README); every process that declares the same metric adds to the same
series, forked or not, and `tallyboard serve` shows the sum. A metric pickles by its definition,
so it can be declared in a Spark driver script and used in a function that runs elsewhere.

Counting is never an error. Where there is no board to count on, one `RuntimeWarning` says why
and updates go nowhere. `ValueError` is kept for mistakes in the program: a bad name, a wrong
number of labels, a counter that is asked to go down.
"""

from .blocks import ExceptionCounter, InprogressTracker, Timer
from .counter import Counter
from .definition import Native
from .enum import Enum
from .gauge import Gauge
from .histogram import Histogram
from .info import Info
from .series import Series, series
from .summary import Summary

__version__ = "0.1.0"

__all__ = [
    "Counter",
    "Enum",
    "ExceptionCounter",
    "Gauge",
    "Histogram",
    "Info",
    "InprogressTracker",
    "Native",
    "Series",
    "Summary",
    "Timer",
    "series",
]
