"""What `tallyboard bench --json` measures is within the limits.

Usage: python -m live.bench_gate
"""

from __future__ import annotations

import json
import subprocess
import sys

GATES = ["--max-ratio", "0.30", "--max-ratio-shared", "1.3"]
LIMITS = {"counter_inc_two_processes_ratio": 1.2, "counter_inc_shared_ratio": 1.3}
"""What the command does not gate by itself."""


ATTEMPTS = 3
"""A neighbour on a shared machine may spoil a run. A path that has got slower fails in all of them."""


def what_is_above() -> str:
    """Runs the command once; says which limits its figures are above, or nothing."""
    done = subprocess.run(["tallyboard", "bench", "--json", *GATES], stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    report = json.loads(done.stdout)
    if not report["sum_matches"]:
        sys.exit("the board's sum is not the updates made")
    above = {name: report[name] for name, limit in LIMITS.items() if report[name] > limit}
    if above:
        return f"above the limits {LIMITS}: {above}"
    return f"{' '.join(done.args)} exited with {done.returncode}" if done.returncode else ""


def main() -> None:
    for _ in range(ATTEMPTS):
        above = what_is_above()
        if not above:
            return
        print(above, flush=True)
    sys.exit(f"in {ATTEMPTS} runs out of {ATTEMPTS}")


if __name__ == "__main__":
    main()
