"""What is measured around a block of code or a function: its time, its exceptions, its being run.

Each is a context manager and a decorator. A decorated function keeps its name, signature and
documentation, may be called recursively and from several threads, and pickles (cloudpickle does
it by value for functions of `__main__`): the wrappers reach what they need through their closure
only, never through this module's globals.

A coroutine function becomes another one, and what is measured is its awaiting. prometheus_client
measures the making of the coroutine, which takes no time and raises nothing. Of generators, and
asynchronous ones, only the making is measured, here as there.
"""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from timeit import default_timer
from typing import TYPE_CHECKING, Any, Callable, Literal, TypeVar, cast

if TYPE_CHECKING:
    from types import TracebackType

    from .counter import Counter
    from .gauge import Gauge
    from .metric import Metric

F = TypeVar("F", bound=Callable[..., Any])


class Block:
    """Base: makes a context manager a decorator, too."""

    __slots__ = ()

    def __enter__(self) -> object:
        raise NotImplementedError

    def __exit__(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        raise NotImplementedError

    def __call__(self, function: F) -> F:
        again = self._again
        if iscoroutinefunction(function):

            @wraps(function)
            async def measured_until_awaited(*args: Any, **kwargs: Any) -> Any:
                with again():
                    return await function(*args, **kwargs)

            return cast(F, measured_until_awaited)

        @wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:
            with again():
                return function(*args, **kwargs)

        return cast(F, measured)

    def _again(self) -> Block:
        """What measures a call: this one, where one object can measure several at a time."""
        return self


class Timer(Block):
    """Hands the seconds that a block took to a metric: made by the `time()` of one.

    One object measures one block at a time; used as a decorator it makes another for each call.
    """

    __slots__ = ("_callback_name", "_metric", "_start", "duration")

    duration: float | None
    """Seconds that the last block took, None before the end of the first."""

    def __init__(self, metric: Metric, callback_name: str) -> None:
        self._metric = metric
        self._callback_name = callback_name
        self.duration = None

    def __enter__(self) -> Timer:
        self._start = default_timer()
        return self

    def __exit__(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A monotonic clock may still be wrong by a little across CPUs.
        self.duration = max(default_timer() - self._start, 0.0)
        getattr(self._metric, self._callback_name)(self.duration)

    def labels(self, *labelvalues: object, **labelkwargs: object) -> None:
        """Chooses the series within the block, when what it depends on is known.

        Errors: `ValueError`, as `labels` of the metric.
        """
        self._metric = self._metric.labels(*labelvalues, **labelkwargs)

    def _again(self) -> Timer:
        return type(self)(self._metric, self._callback_name)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # A start is a reading of this machine's clock: it means nothing elsewhere.
        return type(self), (self._metric, self._callback_name)


class InprogressTracker(Block):
    """Adds one to a gauge on entry and takes it off on exit: made by `track_inprogress()`.

    A process that is killed in between leaves its one on the gauge, unless that is of the mode
    'livesum'.
    """

    __slots__ = ("_gauge",)

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge

    def __enter__(self) -> None:
        self._gauge.inc()

    def __exit__(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._gauge.dec()

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return type(self), (self._gauge,)


class ExceptionCounter(Block):
    """Counts the exceptions that leave a block, and lets them: made by `count_exceptions()`."""

    __slots__ = ("_counter", "_exception")

    def __init__(
        self,
        counter: Counter,
        exception: type[BaseException] | tuple[type[BaseException], ...],
    ) -> None:
        self._counter = counter
        self._exception = exception

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        if isinstance(value, self._exception):
            self._counter.inc()
        return False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return type(self), (self._counter, self._exception)
