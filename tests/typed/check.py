"""A type checker sees in tallyboard what it sees in prometheus_client, and has nothing to remark on its use.

`program.py` uses all of the public interface: mypy --strict and pyright's strict mode find nothing, and it runs. Every
line of `mistakes.py` that is wrong is found, with either package. And the type that is revealed of everything public is
the same in both, but for what is told in DIFFERENCES.

Usage: python -m typed.check
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import prometheus_client

HERE = Path(__file__).parent
OURS, THEIRS = "tallyboard", "prometheus_client"


def made(kind: str) -> str:
    states = ', states=["b"]' if kind == "Enum" else ""
    return f'client.{kind}("a", "Help."{states})'


METRICS = ("Counter", "Gauge", "Summary", "Histogram", "Info", "Enum")
BLOCKS = (
    ("Counter", "count_exceptions"),
    ("Gauge", "track_inprogress"),
    ("Gauge", "time"),
    ("Summary", "time"),
    ("Histogram", "time"),
)

# Of a program that calls functions without types.
UNTYPED = ("no-untyped-call",)

BARE_CALLABLE = ("make_wsgi_app", "make_asgi_app", "push_to_gateway", "pushadd_to_gateway", "delete_from_gateway")
"""Functions with a `Callable` that does not say of what, which pyright's strict mode remarks on in either package."""

SAME = (
    # The packages, and the modules in them.
    (r"\b(?:tallyboard|prometheus_client)(?:\.\w+)*\.(\w+)", r"\1"),
    (r"\b(Dict|List|Tuple|Type)\b", lambda found: found[1].lower()),
    # The class that has the method, and a variable for it.
    (r"\bself: \w+(, )?", ""),
    (r"\[\w+ <: \w+\] ", ""),
    # Names of defaults, which are compared by their types.
    (r"= (DEFAULT|REGISTRY|_BUCKETS|DEFAULT_BUCKETS)\b", "= ..."),
    (r'""', "''"),
    # What is made into text.
    (r"\*labelvalues: Any", "*labelvalues: object"),
    # prometheus_client's own, for children.
    (r", _labelvalues: Sequence\[str\] \| None = None", ""),
    (r", _labelvalues: typing.Sequence\[str\] \| None =", ""),
    # Ours, by keyword only.
    (r", \*, (?:series_cap|native): .*(?=\) ->|\)\"$)", ""),
)
"""Patterns and what is written instead, before two types are compared."""

UNTYPED_THERE = "it has no types in prometheus_client"
WIDER = "ours takes more"
DIFFERENCES = {
    "client.disable_created_metrics": UNTYPED_THERE,
    "client.enable_created_metrics": UNTYPED_THERE,
    f"{made('Gauge')}.track_inprogress().__enter__()": UNTYPED_THERE,
    f"{made('Gauge')}.time().__enter__()": UNTYPED_THERE,
    f"{made('Summary')}.time().__enter__()": UNTYPED_THERE,
    f"{made('Histogram')}.time().__enter__()": UNTYPED_THERE,
    "client.Gauge": "no mode is a mode of ours, and `last` is its name",
    "client.Gauge.__init__": "no mode is a mode of ours, and `last` is its name",
    "client.Enum": f"{WIDER}: label names as of the other classes",
    "client.Enum.__init__": f"{WIDER}: label names as of the other classes",
    f"{made('Info')}.info": f"{WIDER}: any mapping",
    f"{made('Histogram')}.DEFAULT_BUCKETS": "how many there are is not part of the type",
}
"""By expression, why its type is another in ours."""


NOTHING = "nothing is revealed"


class Remark(NamedTuple):
    """What a checker says of a line."""

    path: Path
    line: int
    severity: str
    message: str
    rule: str | None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.severity}: {self.message} [{self.rule}]"


Checker = Callable[[list[Path]], list[Remark]]


def mypy(paths: list[Path]) -> list[Remark]:
    command = ["mypy", "--strict", "--output=json", "--cache-dir=/dev/null", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [
        Remark(Path(each["file"]), each["line"], each["severity"], each["message"], each["code"])
        for each in map(json.loads, done.stdout.splitlines())
    ]


def pyright(paths: list[Path]) -> list[Remark]:
    command = ["pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [
        Remark(
            Path(each["file"]),
            each["range"]["start"]["line"] + 1,
            each["severity"],
            each["message"],
            each.get("rule"),
        )
        for each in json.loads(done.stdout)["generalDiagnostics"]
    ]


def revealed() -> list[str]:
    """Expressions of every public name of prometheus_client's, and of all that its classes have under public names."""
    expressions = []
    for name in prometheus_client.__all__:
        expressions.append(f"client.{name}")
        found = getattr(prometheus_client, name)
        if isinstance(found, type):
            # Of an object, since `self` is called by whichever class has the method.
            owner = made(name) if name in METRICS else f"client.{name}"
            expressions.append(f"client.{name}.__init__")
            expressions += [f"{owner}.{each}" for each in dir(found) if not each.startswith("_")]
    # What a child is, what is entered, and what a decorated function is.
    expressions += [f"{made(kind)}.labels(1)" for kind in METRICS]
    for kind, method in BLOCKS:
        block = f"{made(kind)}.{method}()"
        expressions += [block, f"{block}.__enter__()", f"{block}(length)", f"{block}(fetch)"]
    return expressions


def said_of_types(checker: Checker, folder: Path, expressions: list[str]) -> dict[str, dict[str, str]]:
    """By package, what is revealed of each expression, in words that do not name the package."""
    lines = [
        "def length(text: str, *, twice: bool = False) -> int: ...",
        "async def fetch(url: str) -> bytes: ...",
        *(f"reveal_type({expression})" for expression in expressions),
    ]
    paths = {
        package: write(folder / f"revealed_{package}.py", "\n".join([f"import {package} as client", *lines]))
        for package in (OURS, THEIRS)
    }
    remarks = [each for each in checker(list(paths.values())) if each.severity in ("note", "information")]
    said = {}
    for package, path in paths.items():
        of_line = {each.line: each.message for each in remarks if each.path == path}
        first = len(lines) - len(expressions) + 2
        said[package] = {
            expression: without_package(of_line.get(first + number, NOTHING))
            for number, expression in enumerate(expressions)
        }
    return said


def without_package(message: str) -> str:
    """What is revealed, without what is another word for the same or nobody's to use."""
    message = re.sub(r'^(Revealed type is|Type of ".*" is) ', "", message)
    for pattern, instead in SAME:
        message = re.sub(pattern, instead, message)
    return message


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def with_package(name: str, package: str, folder: Path) -> Path:
    """A copy of one of these programs that uses this package."""
    text = (HERE / name).read_text(encoding="utf-8")
    assert text.count(f"import {OURS} as client\n") == 1
    return write(
        folder / name.replace(".py", f"_{package}.py"),
        text.replace(f"import {OURS} as client", f"import {package} as client"),
    )


def check(checker: Checker, folder: Path) -> list[str]:
    """What is not as it should be."""
    faults = []

    programs = {package: with_package("program.py", package, folder) for package in (OURS, THEIRS)}
    # Theirs cannot be used so that strictness finds nothing: some of its functions have no types.
    write(programs[OURS], "# pyright: strict\n" + programs[OURS].read_text(encoding="utf-8"))
    mistakes = {package: with_package("mistakes.py", package, folder) for package in (OURS, THEIRS)}
    remarks = checker([*programs.values(), *mistakes.values()])
    for each in remarks:
        allowed = each.path == programs[THEIRS] and each.rule in UNTYPED
        if each.path == programs[OURS] and (each.rule or "").startswith("reportUnknown"):
            line = each.path.read_text(encoding="utf-8").splitlines()[each.line - 1]
            allowed = any(name in line for name in BARE_CALLABLE)
        if each.path in programs.values() and not allowed:
            faults.append(str(each))
    for path in mistakes.values():
        found = {each.line for each in remarks if each.path == path and each.severity == "error"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.endswith("# wrong") != (number in found):
                faults.append(f"{path}:{number}: {'not ' * line.endswith('# wrong')}found: {line}")

    said = said_of_types(checker, folder, revealed())
    for expression, ours in said[OURS].items():
        theirs = said[THEIRS][expression]
        if ours == NOTHING:
            faults.append(f"{expression} has no type")
        if ours != theirs and expression not in DIFFERENCES:
            faults.append(f"{expression}\n  ours   {ours}\n  theirs {theirs}")
    print(f"{checker.__name__}: {len(said[OURS])} types compared, {len(remarks)} remarks", flush=True)
    return faults


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        faults = [fault for checker in (mypy, pyright) for fault in check(checker, folder / checker.__name__)]
        for package in (OURS, THEIRS):
            program = with_package("program.py", package, folder)
            subprocess.run(
                [sys.executable, "-W", "error", program], check=True, env={**os.environ, "TALLYBOARD": "private"}
            )
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
