"""Histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Iterable, Sequence

from . import lowlevel
from .bases import HistogramCore
from .blocks import Timer
from .declared import DEFAULT
from .definition import Native, bucket_bounds, check_exemplar, native_buckets
from .metric import SLOTS, Metric, number

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_INF = float("inf")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, _INF)


class Histogram(Metric, HistogramCore):
    """How many observations fell into each bucket, over all processes, and their sum.

    `buckets` are upper bounds, ascending; +Inf is added where it is missing. The default is
    prometheus_client's. Bounds belong to the family: a name that another process has put on the
    board with other bounds gets a second definition beside that one, with series of its own, and
    readers show only the newest.

    With `native=True`, or a `Native` that says which, the buckets are exponential and `buckets`
    should not be given: Prometheus gets a native histogram where it asks for one, and classic
    buckets that are put together from the same counts elsewhere. prometheus_client, as
    of 0.26, cannot make native histograms, so there is no name of its to follow.

    Without label names it is registered here and shows as 0; else at the first `labels(…)`.
    `registry` is where this process shows it, with what all processes have counted.

    `series_cap`, which is not prometheus_client's, is how many series the metric may have at most
    (0: what the board says). What goes beyond is counted in one whose label values are all
    'overflow'.

    Errors: `ValueError` for a bad name or label name (`le` is reserved), for buckets that are
    not ascending or of two kinds, and for a declaration that contradicts an earlier one with its
    registry. A board that cannot be opened or is full is one `RuntimeWarning`, and so are native
    buckets that it has no room for.
    """

    __slots__ = SLOTS

    _type = "histogram"
    _handle = lowlevel.HistogramHandle
    _reserved_labelnames = ("le",)
    _suffixes = ("_bucket", "_sum", "_count", "_created")

    DEFAULT_BUCKETS: ClassVar[tuple[float, ...]] = _BUCKETS

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: CollectorRegistry | None = DEFAULT,
        _labelvalues: Sequence[str] | None = None,
        buckets: Sequence[float | str] = _BUCKETS,
        *,
        series_cap: int = 0,
        native: Native | bool | None = None,
    ) -> None:
        exponential = native_buckets(native)
        if exponential and buckets is not _BUCKETS:
            raise ValueError("A native histogram has no buckets of another kind: leave them out")
        super().__init__(
            name,
            documentation,
            labelnames,
            namespace,
            subsystem,
            unit,
            registry,
            _labelvalues,
            bounds=() if exponential else bucket_bounds(buckets),
            series_cap=series_cap,
            native=exponential,
        )

    def _observe_this(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        self._check_updatable()
        double = number(amount)
        if self._registered is None:
            if exemplar:
                check_exemplar(exemplar)
            return
        library, handle = self._registered
        if not exemplar:
            library.histogram_observe(handle, double)
            return
        try:
            check_exemplar(exemplar)
        except ValueError:
            library.histogram_observe(handle, double)
            raise
        labels = lowlevel.label_array(exemplar)
        library.histogram_observe_with_exemplar(handle, double, labels, len(labels))

    def time(self) -> Timer:
        """Observes the seconds that a block or a decorated function took."""
        return Timer(self, "observe")
