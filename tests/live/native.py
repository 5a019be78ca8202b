"""A real Prometheus takes native histograms, and reads from them what was observed.

`histogram_quantile` is in the bucket of the exact quantile of the data, so that the two are no further apart than that
bucket is wide. The observations are Python's; the bounds of buckets are computed here, not asked for.

Usage: python -m live.native
"""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rig.exporter import Exporter
from rig.prometheus import Prometheus
from rig.scratch import scratch

OBSERVATIONS = 20_000
QUANTILES = (0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1)


@dataclass(frozen=True)
class Data:
    """Observations, and the buckets that they are to be counted in; all of them lie in the window."""

    name: str
    draw: Callable[[random.Random], float]
    schema: int
    lowest: float
    highest: float
    negative: bool = False

    def bucket(self, value: float) -> tuple[float, float]:
        """The ends of the bucket that holds a value."""
        factor = 2.0 ** (2.0**-self.schema)
        zero = factor ** (math.ceil(math.log(self.lowest, factor) - 1e-9) - 1)
        if abs(value) <= zero:
            return (-zero if self.negative else 0.0, zero)
        upper = factor ** math.ceil(math.log(abs(value), factor) - 1e-9)
        return (upper / factor, upper) if value > 0 else (-upper, -upper / factor)


DATA = [
    Data("latencies", lambda dice: min(60, max(0.0011, dice.lognormvariate(-3, 1.5))), 3, 0.001, 64),
    Data("uniform", lambda dice: dice.uniform(1, 100), 4, 1, 100),
    Data("two_peaks", lambda dice: dice.gauss(dice.choice([10, 5000]), 1), 0, 1, 10_000),
    Data("fine", lambda dice: dice.uniform(0.7, 1), 8, 0.7, 1),
    Data("coarse", lambda dice: math.exp(dice.uniform(-300, 300)), -4, 1e-200, 1e200),
    Data("many_zeros", lambda dice: dice.choice([0, 0.0001, 1, 2, 3]), 2, 0.5, 4),
    Data("both_signs", lambda dice: dice.gauss(0, 1), 2, 0.01, 8, negative=True),
]


def observe(board: Path, drawn: dict[str, list[float]]) -> None:
    os.environ["TALLYBOARD"] = str(board)
    from tallyboard import Histogram, Native

    for data in DATA:
        native = Native(data.schema, data.lowest, data.highest, data.negative)
        histogram = Histogram(f"{data.name}_values", "Observed.", ["of"], native=native)
        series = histogram.labels("test")
        histogram.labels("nothing")
        for value in drawn[data.name]:
            series.observe(value)


def assert_quantiles(prometheus: Prometheus, data: Data, values: list[float]) -> float:
    """Returns the greatest part of a bucket that a quantile is off."""
    metric = f'{data.name}_values{{of="test"}}'
    assert prometheus.scalar(f"histogram_count({metric})") == len(values), "it is no native histogram, or lost some"
    total = prometheus.scalar(f"histogram_sum({metric})")
    assert math.isclose(total, math.fsum(values), rel_tol=1e-9, abs_tol=1e-6), total
    ascending = sorted(values)
    worst = 0.0
    for quantile in QUANTILES:
        exact = ascending[math.ceil(quantile * len(values)) - 1]
        low, high = data.bucket(exact)
        found = prometheus.scalar(f"histogram_quantile({quantile}, {metric})")
        slack = 1e-9 * (high - low)
        assert low - slack <= found <= high + slack, (
            f"{data.name}: {quantile} is {found}, exactly {exact}, of {low}-{high}"
        )
        worst = max(worst, abs(found - exact) / (high - low))
    return worst


def main() -> None:
    dice = random.Random(1)
    drawn = {data.name: [data.draw(dice) for _ in range(OBSERVATIONS)] for data in DATA}
    with scratch("native") as folder, Exporter(folder / "native.board", folder / "serve.log") as exporter:
        exporter.start()
        observe(exporter.board, drawn)
        with Prometheus(folder, exporter.address, features=["native-histograms"]) as prometheus:
            prometheus.wait_for_scrape_after(time.time())
            for data in DATA:
                worst = assert_quantiles(prometheus, data, drawn[data.name])
                empty = prometheus.scalar(f'histogram_count({data.name}_values{{of="nothing"}})')
                assert empty == 0, f"{empty} observations of nothing"
                print(f"{data.name}: {len(QUANTILES)} quantiles, at most {worst:.2f} of their bucket's width off")
            # And not as classic ones beside them.
            assert not prometheus.vector("latencies_values_bucket")
        # One that asks for none gets the classic buckets.
        (folder / "classic").mkdir()
        with Prometheus(folder / "classic", exporter.address) as prometheus:
            prometheus.wait_for_scrape_after(time.time())
            count = prometheus.scalar('latencies_values_bucket{of="test",le="+Inf"}')
            assert count == OBSERVATIONS, count
            half = prometheus.scalar('latencies_values_bucket{of="test",le="0.0625"}')
            exact = sum(value <= 0.0625 for value in drawn["latencies"])
            assert half == exact, f"{half} up to 0.0625, and not {exact}"
            print("without native histograms: its classic buckets are exact")


if __name__ == "__main__":
    main()
