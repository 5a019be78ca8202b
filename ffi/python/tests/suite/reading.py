"""What a registry shows, in a form that tests can compare at a glance."""

from __future__ import annotations

from typing import Any, Dict

from prometheus_client.samples import Exemplar, Sample

Shown = Dict[str, float]


def series(sample: Sample) -> str:
    """The name and labels of a sample: `name` or `name{a="x",b="y"}`."""
    if not sample.labels:
        return sample.name
    labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
    return f"{sample.name}{{{labels}}}"


def samples(collector: Any) -> list[Sample]:
    return [sample for metric in collector.collect() for sample in metric.samples]


def shown(collector: Any) -> Shown:
    """The value of every series, without the times at which they were made."""
    found = [each for each in samples(collector) if not each.name.endswith("_created")]
    values = {series(sample): sample.value for sample in found}
    assert len(values) == len(found), f"a series is shown twice: {found}"
    return values


def created(collector: Any) -> Shown:
    """The times at which series were made."""
    return {
        series(sample): sample.value
        for sample in samples(collector)
        if sample.name.endswith("_created")
    }


def exemplars(collector: Any) -> dict[str, Exemplar]:
    return {series(each): each.exemplar for each in samples(collector) if each.exemplar}
