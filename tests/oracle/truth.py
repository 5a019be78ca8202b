"""Cases from the program `oracle`: boards, what was counted on them, and what the exporter made of it."""

from __future__ import annotations

import base64
import json
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


def number(bits: str) -> float:
    """A number from its bits."""
    return float(struct.unpack(">d", bytes.fromhex(bits))[0])


def bits(value: float) -> str:
    """What two numbers share if they are the same, also -0 and NaN."""
    return "nan" if value != value else struct.pack(">d", value).hex()


@dataclass(frozen=True)
class Exemplar:
    place: int
    labels: tuple[tuple[str, str], ...]
    value: float
    unix_nanos: int


@dataclass(frozen=True)
class Series:
    labels: tuple[str, ...]
    created_unix_nanos: int
    counted: dict[str, Any]
    exemplars: dict[int, Exemplar]
    """The last one of each place."""

    @property
    def observed(self) -> list[float]:
        return [number(value) for value in self.counted["observed"]]


@dataclass(frozen=True)
class Window:
    schema: int
    first: int
    last: int
    signed: bool


@dataclass(frozen=True)
class Family:
    kind: str
    name: str
    help: str
    unit: str
    aggregation: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]
    native: Window | None
    states: tuple[str, ...]
    series: tuple[Series, ...]

    @property
    def is_by_process(self) -> bool:
        return self.aggregation in ("all", "liveall")


@dataclass(frozen=True)
class Board:
    label: str | None
    families: tuple[Family, ...]


@dataclass(frozen=True)
class Body:
    format: str
    escaping: str
    created: bool
    content: bytes
    clashes: int

    def __str__(self) -> str:
        return f"{self.format}, {self.escaping}{', created' if self.created else ''}"


@dataclass(frozen=True)
class Case:
    seed: int
    pid: int
    boards: tuple[Board, ...]
    bodies: tuple[Body, ...]


def _series(raw: dict[str, Any]) -> Series:
    exemplars = {
        one["place"]: Exemplar(
            one["place"],
            tuple((name, value) for name, value in one["labels"]),
            number(one["value"]),
            one["unix_nanos"],
        )
        for one in raw["exemplars"]
    }
    return Series(tuple(raw["labels"]), raw["created_unix_nanos"], raw["counted"], exemplars)


def _family(raw: dict[str, Any]) -> Family:
    return Family(
        kind=raw["kind"],
        name=raw["name"],
        help=raw["help"],
        unit=raw["unit"],
        aggregation=raw["aggregation"],
        labels=tuple(raw["labels"]),
        bounds=tuple(map(number, raw["bounds"])),
        native=Window(**raw["native"]) if raw["native"] else None,
        states=tuple(raw["states"]),
        series=tuple(map(_series, raw["series"])),
    )


def _case(raw: dict[str, Any]) -> Case:
    boards = tuple(Board(board["label"], tuple(map(_family, board["families"]))) for board in raw["boards"])
    bodies = tuple(
        Body(body["format"], body["escaping"], body["created"], base64.b64decode(body["bytes"]), body["clashes"])
        for body in raw["bodies"]
    )
    return Case(raw["seed"], raw["pid"], boards, bodies)


def cases(seed: int, count: int) -> Iterator[Case]:
    """Those of `count` seeds from `seed` on, one after the other."""
    command = ["oracle", "--seed", str(seed), "--count", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as program:
        assert program.stdout is not None
        for line in program.stdout:
            yield _case(json.loads(line))
    assert program.returncode == 0, f"{' '.join(command)} exited {program.returncode}"
