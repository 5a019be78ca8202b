"""Bar 5: what `tallyboard bench --json` measures is within the limits.

Usage: python -m live.bench_gate
"""

from __future__ import annotations

import json
import subprocess
import sys

GATES = ["--max-ratio", "0.30", "--max-ratio-shared", "1.3"]
LIMITS = {"counter_inc_two_processes_ratio": 1.2, "counter_inc_shared_ratio": 1.3}
"""What the command does not gate by itself."""


def main() -> None:
    done = subprocess.run(["tallyboard", "bench", "--json", *GATES], stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    if done.returncode != 0:
        sys.exit(done.returncode)
    report = json.loads(done.stdout)
    assert report["sum_matches"], "the board's sum is not the updates made"
    above = {name: report[name] for name, limit in LIMITS.items() if report[name] > limit}
    if above:
        sys.exit(f"above the limits {LIMITS}: {above}")


if __name__ == "__main__":
    main()
