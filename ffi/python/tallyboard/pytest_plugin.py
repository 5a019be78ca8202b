"""The pytest plugin: a fixture that gives each test a board of its own.

pytest finds it by itself where the package is installed. It does nothing in a test that does not
ask for it; for all tests of a folder, ask in its `conftest.py`::

    @pytest.fixture(autouse=True)
    def _fresh(tallyboard_board):
        pass
"""

from __future__ import annotations

from typing import Iterator, Mapping

import pytest


class FreshBoard:
    """The board of a test, to look at: what the test's processes have counted, from zero."""

    def get_sample_value(self, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        """The value of a sample as Prometheus would be shown it; None where there is none.

        The name and the labels are those of the sample, as `requests_total`, or `seconds_bucket`
        with `{"le": "0.5"}`. Cost: a pass over the board.
        """
        from .collector import BoardCollector

        wanted = dict(labels or {})
        for family in BoardCollector().collect():
            for sample in family.samples:
                if sample.name == name and sample.labels == wanted:
                    return sample.value
        return None


@pytest.fixture
def tallyboard_board() -> Iterator[FreshBoard]:
    """An empty board for this test alone; see `tallyboard.fresh_board.fresh_board`."""
    # Here and not above: pytest loads its plugins before a `conftest.py` can set the environment.
    from .fresh_board import fresh_board

    with fresh_board():
        yield FreshBoard()
