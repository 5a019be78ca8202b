"""Instructions of one lookup, of one encoded counter, and of updates of the shared plane, counted by callgrind.

Two runs of the same work with different counts; the difference is what one operation costs. benches/budgets.json has
what is allowed; 5 % are left for the C library's choices by processor.

Usage: python -m live.instructions BINARY
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BUDGETS = pathlib.Path(__file__).parents[2] / "benches" / "budgets.json"
FEW, MANY = 20, 220
ENCODED = 1000
"""Counters in one scrape, which is one unit of `encode`'s count."""
SHARED = ("shared", "observe", "native")
TOLERANCE = 1.05


def counted(binary: str, work: str, count: int) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={scratch}/out"]
        command = [*tool, binary, work, str(count)]
        environment = {**os.environ, **({"TALLYBOARD_RSEQ": "off"} if work in SHARED else {})}
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=True)
    (found,) = re.findall(r"Collected : (\d+)", done.stderr)
    return int(found)


def main() -> None:
    (binary,) = sys.argv[1:]
    above = []
    for work, budget in json.loads(BUDGETS.read_text())["callgrind_instructions"].items():
        scale, operations = (1, ENCODED) if work == "encode" else (1000, 1)
        more = counted(binary, work, MANY * scale) - counted(binary, work, FEW * scale)
        each = more / ((MANY - FEW) * scale * operations)
        print(f"{work}: {each:.1f} instructions; the budget is {budget}, and 5 %")
        if each > budget * TOLERANCE:
            above.append(work)
    if above:
        sys.exit(f"more instructions than benches/budgets.json allows: {', '.join(above)}")


if __name__ == "__main__":
    main()
