"""What can be done to metrics, as data: the same is done to a subject and to the model.

A plan declares some metrics in a registry of their own and then does something to one after the
other. `Bench` does it with the client that it is given, whichever that is.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

from prometheus_client.samples import Sample


class Declaration(NamedTuple):
    """A metric to be made. `options` are keyword arguments of its class."""

    kind: str
    labelnames: tuple[str, ...]
    options: dict[str, Any]


class Operation(NamedTuple):
    """Something to be done to the metric of this number, or to its child of these label values."""

    metric: int
    labels: tuple[object, ...] | None
    verb: str
    arguments: tuple[Any, ...]


class Plan(NamedTuple):
    declarations: list[Declaration]
    operations: list[Operation]


class Shown(NamedTuple):
    """A family as a registry shows it. A sample is its value, and its exemplar's labels and value.

    `created` are the series whose time of creation is shown: the time is another in each process.
    """

    type: str
    documentation: str
    unit: str
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[float, Any]]
    created: list[tuple[tuple[str, str], ...]]


class Bench:
    """Metrics that one client has made, in one registry."""

    def __init__(self, client: ModuleType, prefix: str, declarations: list[Declaration]) -> None:
        self.client = client
        self.prefix = prefix
        self.declarations = declarations
        self.registry = client.CollectorRegistry()
        self.metrics = [self.declare(number) for number in range(len(declarations))]

    def declare(self, number: int) -> Any:
        kind, labelnames, options = self.declarations[number]
        name = f"{self.prefix}_{number}"
        make = getattr(self.client, kind)
        return make(name, f"Of {name}.", labelnames, registry=self.registry, **options)

    def do(self, operation: Operation) -> str | None:
        """The name of the exception that it raises, or None."""
        target = self.metrics[operation.metric]
        try:
            if operation.labels is not None:
                target = target.labels(*operation.labels)
            getattr(self, operation.verb, self.call)(target, operation)
        except Exception as error:
            # A subclass is as good: DuplicateTimeseries is a ValueError.
            known = (TypeError, ValueError, RuntimeError, AttributeError, KeyError)
            return next((k.__name__ for k in known if isinstance(error, k)), repr(error))
        return None

    def call(self, target: Any, operation: Operation) -> None:
        getattr(target, operation.verb)(*operation.arguments)

    def touch(self, target: Any, operation: Operation) -> None:
        """Nothing but the child."""

    def declare_again(self, target: Any, operation: Operation) -> None:
        self.declare(operation.metric)

    def raise_inside(self, target: Any, operation: Operation) -> None:
        raised, counted = operation.arguments
        try:
            with target.count_exceptions(counted):
                raise raised
        except raised:
            pass

    def run_inside(self, target: Any, operation: Operation) -> None:
        with target.track_inprogress():
            pass

    def set_function(self, target: Any, operation: Operation) -> None:
        (value,) = operation.arguments
        target.set_function(lambda: value)

    def leave_and_return(self, target: Any, operation: Operation) -> None:
        self.registry.unregister(target)
        self.registry.register(target)

    def families(self) -> dict[str, Shown]:
        return {
            metric.name.replace(self.prefix, ""): Shown(
                metric.type,
                metric.documentation.replace(self.prefix, ""),
                metric.unit,
                {
                    (each.name.replace(self.prefix, ""), self.labels_of(each)): (
                        each.value,
                        each.exemplar and (each.exemplar.labels, each.exemplar.value),
                    )
                    for each in metric.samples
                    if not each.name.endswith("_created")
                },
                sorted(
                    self.labels_of(each)
                    for each in metric.samples
                    if each.name.endswith("_created")
                ),
            )
            for metric in self.registry.collect()
        }

    def labels_of(self, sample: Sample) -> tuple[tuple[str, str], ...]:
        # A state set has its own name for a label.
        return tuple(
            sorted((name.replace(self.prefix, ""), value) for name, value in sample.labels.items())
        )
