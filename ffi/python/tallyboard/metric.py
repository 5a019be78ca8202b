"""What all kinds of metric share: declaring, labels, pickling.

What is called in a loop (updates, and `labels` where the child is there) is in the base that
`bases.py` gives each kind. What is out of the ordinary comes back here, and what it needs of the
board is in `_registered`.

Declaring a name again, with the same kind, label names, unit, buckets and mode, gives a second
object that counts into the same series. prometheus_client raises here, because in its registry
the name was taken; on a board, many declarations of one name are what it is for, and a notebook
cell that is run twice or a reloaded module is just another of them. A declaration that
contradicts an earlier one with the same registry raises `ValueError`, as there (`declared.py`).

No lock is held in this module either, for the reason given in `board.py`. Children are made
outside the dictionary and put in by `setdefault`; making one twice registers one series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Iterable, Sequence, TypeVar
from weakref import WeakValueDictionary

from . import board, declared, lowlevel
from . import definition as names
from .definition import Definition, Native
from .series import series_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client import Metric as Family

M = TypeVar("M", bound="Metric")

# Whatever this process has by definition: what unpickling looks for before it makes another.
_by_definition: dict[tuple[type[Metric], Definition], Metric] = {}

# Every object there is, by its id: what `fresh_board` moves to another board and back.
_living: WeakValueDictionary[int, Metric] = WeakValueDictionary()

_NO_CHILDREN: dict[tuple[str, ...], Any] = {}


SLOTS = ("__weakref__", "_children", "_definition", "_labelvalues", "_registered")
"""Of each kind of metric. Not of `Metric` itself: a class has one base with a layout of its own."""


class Metric:
    """Base of `Counter`, `Gauge`, `Histogram`, `Summary`, `Info` and `Enum`; not made by itself."""

    __slots__ = SLOTS if TYPE_CHECKING else ()

    _type: ClassVar[str]
    _handle: ClassVar[type[lowlevel.Handle]]
    _reserved_labelnames: ClassVar[Sequence[str]] = ()
    _suffixes: ClassVar[Sequence[str]] = ()
    """What a scrape may append to the name, which no other metric may end in then."""

    _definition: Definition
    _labelvalues: tuple[str, ...]
    _children: dict[tuple[str, ...], Any]
    _registered: tuple[lowlevel.Library, Any] | None
    """The library, and a handle of the class `_handle`; None where updates go nowhere."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: CollectorRegistry | None = declared.DEFAULT,
        _labelvalues: Sequence[str] | None = None,
        *,
        bounds: tuple[float, ...] = (),
        mode: str = "",
        series_cap: int = 0,
        native: Native | None = None,
        states: tuple[str, ...] = (),
    ) -> None:
        base = names.full_name(self._type, name, namespace, subsystem, unit)
        on_board = base + "_total" if self._type == "counter" else base
        labels = names.label_names(labelnames, self._reserved_labelnames)
        cap = names.series_cap(series_cap)
        definition = Definition(
            on_board, documentation, labels, unit, bounds, mode, cap, native, states
        )
        if _labelvalues:
            # prometheus_client's way of making what `labels()` returns.
            self._start(definition, tuple(_labelvalues))
            return
        self._definition = definition
        declared.declare(self, registry)
        self._start(definition, ())
        _by_definition[type(self), definition] = self

    def _shown_names(self) -> list[str]:
        """Each name that a scrape may show, which nothing else in a registry may have."""
        base = self._definition.name
        if self._type == "counter":
            base = base[: -len("_total")]
        return [base, *(base + suffix for suffix in self._suffixes)]

    def _same_series(self, other: Metric) -> bool:
        return self._type == other._type and self._definition.same_series(other._definition)

    @classmethod
    def _make(cls: type[M], definition: Definition, labelvalues: tuple[str, ...]) -> M:
        # Not by calling cls: a user's subclass may have an __init__ of another signature.
        metric = cls.__new__(cls)
        metric._start(definition, labelvalues)
        return metric

    def _start(self, definition: Definition, labelvalues: tuple[str, ...]) -> None:
        self._definition = definition
        self._labelvalues = labelvalues
        self._children = _NO_CHILDREN
        self._registered = None
        _living[id(self)] = self
        if definition.labelnames and not labelvalues:
            self._children = {}
            self._be_family(definition.labelnames, self._children)
            # So that children that are forked now are on a private board with this process.
            board.opened()
            return
        self._count_on(board.register(self._handle, definition, labelvalues))

    def _count_on(self, registered: tuple[lowlevel.Library, Any] | None) -> None:
        """Updates go there from now on."""
        self._registered = registered
        if registered is None:
            self._go_nowhere()
        else:
            self._connect(*registered)

    if TYPE_CHECKING:
        # Of the kind's other base.
        def labels(self: M, *labelvalues: object, **labelkwargs: object) -> M: ...
        def _be_family(
            self, labelnames: tuple[str, ...], children: dict[tuple[str, ...], Any]
        ) -> None: ...
        def _connect(self, library: lowlevel.Library, handle: Any) -> None: ...
        def _go_nowhere(self) -> None: ...

    def _key(
        self, labelvalues: tuple[object, ...], labelkwargs: dict[str, object]
    ) -> tuple[str, ...]:
        self._check_labelable()
        if labelvalues:
            raise ValueError("Can't pass both *args and **kwargs")
        labelnames = self._definition.labelnames
        if len(labelkwargs) != len(labelnames):
            raise ValueError("Incorrect label names")
        try:
            return tuple(str(labelkwargs[name]) for name in labelnames)
        except KeyError:
            raise ValueError("Incorrect label names") from None

    def _child(self: M, key: tuple[str, ...]) -> M:
        self._check_labelable()
        if len(key) != len(self._definition.labelnames):
            raise ValueError("Incorrect label count")
        child: M = self._children.setdefault(key, self._make(self._definition, key))
        return child

    def _check_labelable(self) -> None:
        if not self._definition.labelnames:
            raise ValueError(f"No label names were set when constructing {self}")
        if self._labelvalues:
            values = dict(zip(self._definition.labelnames, self._labelvalues))
            raise ValueError(
                f"{self} already has labels set ({values}); can not chain calls to .labels()"
            )

    def remove(self, *labelvalues: object) -> None:
        """Ends the series with these label values, if there is one; `str()` is applied to each.

        It ends on the board, so what any process counted in it is gone from the next scrape on,
        and its room is free at once. An object that `labels()` has returned for it stays good, in
        every process: its next update registers the series again, from zero. Cost: microseconds.

        Errors: `ValueError` for a wrong number of values, and where there are no label names.
        """
        self._check_labelable()
        expected = len(self._definition.labelnames)
        if len(labelvalues) != expected:
            raise ValueError(f"Incorrect label count (expected {expected}, got {labelvalues})")
        key = tuple(map(str, labelvalues))
        self._remove(key)

    def remove_by_labels(self, labels: dict[str, str]) -> None:
        """Ends all series that have these labels, whatever others they have, as `remove` does one.

        Cost: a pass over the board. Without any labels, nothing is done.

        Errors: `TypeError` for what is not a dictionary, `ValueError` for a label that the metric
        does not have, and as `remove`.
        """
        self._check_labelable()
        if not isinstance(labels, dict):
            raise TypeError(f"labels should be a dict of names and values, and is {labels!r}")
        unknown = [name for name in labels if name not in self._definition.labelnames]
        if unknown:
            raise ValueError(
                f"Unknown label names: {unknown}; expected {self._definition.labelnames}"
            )
        if not labels:
            return
        wanted = {(name, str(value)) for name, value in labels.items()}
        for key in self._keys():
            if wanted.issubset(zip(self._definition.labelnames, key)):
                self._remove(key)

    def _remove(self, key: tuple[str, ...]) -> None:
        self._children.pop(key, None)
        board.remove(self._handle, self._definition, key)

    def _keys(self) -> set[tuple[str, ...]]:
        """The label values of all series: this process's children, and what the board shows."""
        keys = set(self._children)
        labelnames = self._definition.labelnames
        for each in series_of({self._definition.name}):
            # Another definition of the name may have others.
            if all(name in each.labels for name in labelnames):
                keys.add(tuple(each.labels[name] for name in labelnames))
        return keys

    def clear(self) -> None:
        """Ends all series of the metric, as `remove` does one; nothing where it has no label names.

        Cost: a pass over the board. Errors: `ValueError` on what `labels()` has returned.
        """
        if not self._definition.labelnames:
            return
        self._check_labelable()
        self._children.clear()
        board.clear(self._handle, self._definition)

    def describe(self) -> Iterable[Family]:
        """The family without its samples, as prometheus_client's registries ask for it."""
        from . import collector

        return [collector.empty(self)]

    def collect(self) -> Iterable[Family]:
        """The family with what all processes have counted: of a metric that `labels()` has
        returned, only its own series, without its labels.

        Cost and errors as `collector.read`, which is a pass over the board.
        """
        from . import collector

        return [collector.family(self)]

    def _check_updatable(self) -> None:
        if self._definition.labelnames and not self._labelvalues:
            raise ValueError(f"{self._type} metric is missing label values")

    def __str__(self) -> str:
        return f"{self._type}:{self._shown_names()[0]}"

    def __repr__(self) -> str:
        return f"{type(self).__module__}.{type(self).__name__}({self._shown_names()[0]})"

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickles as what it is, not as what it has counted: see `_restore`."""
        return _restore, (type(self), self._definition, self._labelvalues)


def _restore(cls: type[M], definition: Definition, labelvalues: tuple[str, ...]) -> M:
    """The metric of this definition in the process that unpickles it, made if there is none.

    It does not contend for the name with this process's own declarations: a worker that is
    reused may get a definition that the driver has changed since. On the board, other label names
    or buckets are then a new definition of the name beside the old one, and readers show only the
    newest; another kind is refused and warned of.
    """
    known: Any = _by_definition.get((cls, definition))
    if known is None:
        made = cls._make(definition, ())
        known = _by_definition.setdefault((cls, definition), made)
    family: M = known
    return family.labels(*labelvalues) if labelvalues else family


def number(amount: Any) -> float:
    """What is a number, but not one that C takes as it is, such as numpy's.

    Errors: `TypeError` for what is none, for which ctypes has an exception of its own.
    """
    if not hasattr(amount, "__float__") and not hasattr(amount, "__index__"):
        raise TypeError(f"a number is needed, not {amount!r}") from None
    return float(amount)
