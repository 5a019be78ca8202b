"""What this process has declared, and with which registry: all that is known of registries without
prometheus_client, which is imported when one is made or shown.

A name may be declared any number of times as long as its declarations mean the same series. One
that contradicts an earlier one of its registry raises, as in prometheus_client. With two
registries it does not raise there, so it is only warned of here: the board has one family of a
name, and both registries show that.

No lock is held, for the reason given in `board.py`. Two threads that declare one name differently
at the same time may both get it; the board then shows the newer definition.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator

from . import board
from .trouble import warn_once

if TYPE_CHECKING:
    from prometheus_client.registry import CollectorRegistry

    from .metric import Metric


class _Default:
    """Stands for `tallyboard.REGISTRY` as a parameter's default, which would have to import it."""

    def __repr__(self) -> str:
        return "tallyboard.REGISTRY"


# Any: to a type checker it is the registry that it stands for.
DEFAULT: Any = _Default()

# By each name that a scrape may show: what was declared with the default registry.
_by_default: dict[str, Metric] = {}

# By its name on the board: the last declaration of each family, with whatever registry.
_known: dict[str, Metric] = {}

# At most one: the default registry, once it was asked for.
_default_registry: list[CollectorRegistry] = []


def declare(metric: Metric, registry: CollectorRegistry | None) -> None:
    """Notes a metric that is about to be made, and registers it with its registry.

    Errors: `ValueError` (`DuplicateTimeseries` where prometheus_client has that) for a name that
    this registry has as something else.
    """
    if registry is DEFAULT:
        _declare_by_default(metric)
    elif registry and not _has(registry, metric):
        registry.register(metric)
    name = metric._definition.name
    earlier = _known.get(name)
    # Of another kind, it is refused by the board, which is warned of already.
    if earlier is not None and earlier._type == metric._type and not earlier._same_series(metric):
        message = (
            f"{name} has two declarations here that differ: the board has one family of a name, "
            "and shows the newest definition"
        )
        warn_once(("declarations", name), message)
    _known[name] = metric


def is_known(board_name: str) -> bool:
    """Whether code of this process has declared a family of this name, with whatever registry."""
    return board_name in _known


def make_default(registry: CollectorRegistry) -> None:
    """Makes this the default registry, with all that was and will be declared with it."""
    _default_registry.append(registry)
    for metric in list(_by_default.values()):
        _register(registry, metric)


def forget(registry: CollectorRegistry, metric: Metric) -> None:
    """Takes back what `metric` was declared with `registry` as: the names are free there."""
    if registry in _default_registry:
        for name in metric._shown_names():
            _by_default.pop(name, None)


@contextmanager
def restored() -> Iterator[None]:
    """Takes back what the block declares: the names may be declared anew after it."""
    by_default, known = dict(_by_default), dict(_known)
    try:
        yield
    finally:
        for registry in _default_registry:
            for name, metric in list(_by_default.items()):
                if name not in by_default and _has(registry, metric):
                    registry.unregister(metric)
        board.restore(_by_default, by_default)
        board.restore(_known, known)


def registered(registry: CollectorRegistry, metric: Metric) -> Metric | None:
    """The one that a registry has of all metrics that mean the same series as this."""
    # There is no other way to ask, and it has been there since there are registries; but what only
    # looks like one need not have it.
    names = getattr(registry, "_names_to_collectors", None)
    return next(_same(names, metric), None) if isinstance(names, dict) else None


def _has(registry: CollectorRegistry, metric: Metric) -> bool:
    return registered(registry, metric) is not None


def _declare_by_default(metric: Metric) -> None:
    names = metric._shown_names()
    for name in names:
        earlier = _by_default.get(name)
        if earlier is not None and not earlier._same_series(metric):
            raise _duplicated(name, earlier)
    for registry in _default_registry:
        _register(registry, metric)
    for name in names:
        _by_default[name] = metric


def _register(registry: CollectorRegistry, metric: Metric) -> None:
    try:
        metric.describe()
    except ValueError as error:
        # It is counted all the same. Before 0.22, prometheus_client knew ASCII names only.
        warn_once(("shown", metric._definition.name), f"{metric} is not shown here: {error}")
        return
    if not _has(registry, metric):
        registry.register(metric)


def _same(names: dict[str, Any], metric: Metric) -> Iterator[Metric]:
    for name in metric._shown_names():
        # Not asked by its class, which is in a module that imports this one.
        is_same = getattr(names.get(name), "_same_series", None)
        if is_same is not None and is_same(metric):
            yield names[name]


def _duplicated(name: str, earlier: Metric) -> ValueError:
    message = f"Duplicated timeseries: {name} is declared already, by {earlier!r}"
    try:
        from prometheus_client.registry import DuplicateTimeseries
    except ImportError:
        return ValueError(message)
    error = DuplicateTimeseries({name})
    error.args = (message,)
    return error
