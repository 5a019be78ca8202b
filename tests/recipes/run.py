"""Runs the recipes: web servers, a queue's workers and pools of processes, on boards of their own.

Usage: python -m recipes.run [PART...]
"""

from __future__ import annotations

import argparse
import time

from recipes import pools, queues, servers
from rig.scratch import scratch

PARTS = {"servers": servers.check_all, "queues": queues.check_all, "pools": pools.check_all}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all if none is given")
    options = arguments.parse_args()
    for part in options.parts or PARTS:
        started = time.monotonic()
        with scratch("recipes") as folder:
            PARTS[part](folder)
        print(f"{part}: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
