"""The update path in the release library: what the processor is given to do.

The straight line from a function's entry to its return, every conditional jump not taken, is what an update does when
its unit has begun. It must contain the restartable add, no locked instruction, no call and no syscall, and no more
instructions than benches/budgets.json allows. A budget is lowered when the path gets shorter, and raised only with a
reason in the commit that does it.

Usage: python -m live.fast_path LIBTALLYBOARD.SO
"""

from __future__ import annotations

import itertools
import json
import pathlib
import re
import subprocess
import sys

BUDGETS = pathlib.Path(__file__).parents[2] / "benches" / "budgets.json"
FORBIDDEN = re.compile(r"^(lock|call|syscall|sysenter|int|xchg|mfence)\b")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S.*?)\s*$")


def disassemble(library: str, function: str) -> dict[int, str]:
    """Each instruction of the function by its address."""
    command = ["objdump", "--no-show-raw-insn", "-M", "intel", f"--disassemble={function}", library]
    listing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    matches = (INSTRUCTION.match(line) for line in listing.splitlines())
    return {int(match[1], 16): match[2] for match in matches if match}


def straight_line(instructions: dict[int, str]) -> list[str]:
    """The instructions from the entry to the return, following jumps that are always taken."""
    addresses = sorted(instructions)
    following = dict(itertools.pairwise(addresses))
    at, line = addresses[0], []
    while len(line) <= len(addresses):
        instruction = instructions[at]
        if not instruction.startswith(("nop", "data16", "cs nop")):
            line.append(instruction)
        if instruction.startswith("ret"):
            return line
        at = int(instruction.split()[1], 16) if instruction.startswith("jmp") else following[at]
    sys.exit("the straight line never returns")


def main() -> None:
    (library,) = sys.argv[1:]
    faults = []
    for function, budget in json.loads(BUDGETS.read_text())["fast_path_instructions"].items():
        line = straight_line(disassemble(library, function))
        print(f"{function}: {len(line)} instructions of at most {budget}")
        faults += [f"{function}: {instruction}" for instruction in line if FORBIDDEN.match(instruction)]
        if len(line) > budget:
            faults.append(f"{function}: {len(line)} instructions, more than {budget}")
        # Else what was read is not the update path, and the rest means nothing.
        if not any(instruction.startswith("mov") and "fs:" in instruction for instruction in line):
            faults.append(f"{function}: no restartable sequence on the straight line")
        if not any(re.match(r"(add|inc) +QWORD PTR", instruction) for instruction in line):
            faults.append(f"{function}: no add to memory on the straight line")
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
