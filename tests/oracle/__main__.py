"""Boards by chance, written in every style, are read back exactly by parsers that others have written.

Names in any characters, labels with quotes, backslashes, ends of lines and control characters, every type of metric,
numbers on all edges, and boards whose names meet. The judges are prometheus_client's parsers of text and OpenMetrics,
Google's implementation of Protocol buffers, `promtool check metrics`, and, of the first cases, a real Prometheus.

Usage: python -m oracle [--boards NUMBER] [--scraped NUMBER] [--seed FIRST]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter

from oracle import prometheus, promtool, protobuf, python_client
from oracle.blocks import blocks
from oracle.lines import lines
from oracle.mismatch import MismatchError
from oracle.names import METRIC
from oracle.truth import Body, Case, cases
from rig.scratch import scratch

STUMBLES = {
    *("counter", "gauge", "histogram", "summary", "info", "stateset", "native histogram", "gauge by process"),
    *("unit", "help with an end of line", "name of other characters", "exemplar", "family left out"),
    *("label with a quote", "label without a value"),
}
"""What boards have on which formats stumble."""
ENOUGH = 100
"""Cases among which each of those is to be."""
MOST_TOLD = 40
"""Mismatches that are printed."""
CASES_A_SERVER = 40
"""Prometheus scrapes nine bodies of each, all within some seconds."""
CASES_A_RUN = 25
"""The program that counts never lets go of a board: a new one for so many."""


def seen(case: Case) -> Counter[str]:
    """What a case has of that on which formats stumble."""
    found: Counter[str] = Counter()
    for family in (family for board in case.boards for family in board.families):
        if not family.series:
            continue
        found[family.kind] += 1
        found["native histogram"] += family.native is not None
        found["gauge by process"] += family.is_by_process
        found["unit"] += bool(family.unit)
        found["help with an end of line"] += "\n" in family.help
        found["name of other characters"] += METRIC.fullmatch(family.name) is None
        for series in family.series:
            found["exemplar"] += len(series.exemplars)
            found["label with a quote"] += any('"' in value for value in series.labels)
            found["label without a value"] += "" in series.labels
    for body in case.bodies:
        found["family left out"] += body.clashes
    return found


def judge(case: Case, body: Body) -> int:
    """The number of samples that were read back; `MismatchError` if they are not what was counted."""
    found, clashes = blocks(case, body.format, body.escaping)
    if body.clashes != clashes:
        raise MismatchError(f"{body.clashes} families are left out, and not {clashes}")
    if body.format == "protobuf":
        return protobuf.judge(case, body, found)
    expected = {
        name: list(lines(block, case, body.format, body.escaping, body.created)) for name, block in found.items()
    }
    python_client.judge(body.format, body.content, found, expected)
    if body.format == "text" and body.escaping == "underscores":
        # The other schemes differ from it by names only, and the last one is not for this version of it.
        promtool.judge(body.content)
    return sum(map(len, expected.values()))


def run(first: int, count: int) -> tuple[list[str], Counter[str], Counter[str]]:
    """What is wrong with the boards of these seeds, how many samples were read back in which format, and what of."""
    problems = []
    read: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for case in cases(first, count):
        there += seen(case)
        for body in case.bodies:
            try:
                read[body.format] += judge(case, body)
            except MismatchError as mismatch:
                problems.append(f"seed {case.seed}, {body}: {mismatch}")
    return problems, read, there


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=500, help="how many cases [500]")
    parser.add_argument("--scraped", type=int, default=25, help="how many of them Prometheus scrapes [25]")
    parser.add_argument("--seed", type=int, default=1, help="the first one's seed [1]")
    options = parser.parse_args()
    end = options.seed + options.boards
    parts = [(first, min(CASES_A_RUN, end - first)) for first in range(options.seed, end, CASES_A_RUN)]
    begun = time.monotonic()
    read: Counter[str] = Counter()
    there: Counter[str] = Counter()
    problems: list[str] = []
    with multiprocessing.Pool(len(os.sched_getaffinity(0))) as pool:
        for found, samples, had in pool.starmap(run, parts, chunksize=1):
            problems += found
            read += samples
            there += had
    scraped = min(options.scraped, options.boards)
    for first in range(options.seed, options.seed + scraped, CASES_A_SERVER):
        end = min(first + CASES_A_SERVER, options.seed + scraped)
        with scratch("oracle") as folder:
            found, samples = prometheus.judge(list(cases(first, end - first)), folder)
        problems += found
        read["what Prometheus scraped"] += samples
    for problem in problems[:MOST_TOLD]:
        print(problem, file=sys.stderr)
    print("on the boards: " + ", ".join(f"{what} {count:,}" for what, count in sorted(there.items())))
    missing = STUMBLES - set(+there) if options.boards >= ENOUGH else set()
    assert not missing, f"there was no {', no '.join(sorted(missing))}: nothing was proved of it"
    told = ", ".join(f"{count:,} of {what}" for what, count in sorted(read.items()))
    print(f"{options.boards:,} cases in {time.monotonic() - begun:.0f} s: {len(problems)} mismatches; {told} read back")
    return 1 if problems or not read else 0


if __name__ == "__main__":
    sys.exit(main())
