"""Which families stand in a body, and which are left out because an earlier one has their name.

The earlier board goes first, and on a board the older family. Of one name a board shows the newest definition that has
series. Families of one name and type on different boards are one family of the body.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from oracle.names import METRIC, escaped, label_names
from oracle.truth import Board, Case, Family

TEXT_SUFFIXES = {"histogram": ["_bucket", "_sum", "_count"], "summary": ["_sum", "_count"]}
OPENMETRICS_SUFFIXES = {
    "counter": ["_total", "_created"],
    "info": ["_info"],
    "histogram": ["_bucket", "_sum", "_count", "_created"],
    "summary": ["_sum", "_count", "_created"],
}


@dataclass
class Block:
    """One family of a body."""

    name: str
    kind: str
    """On the boards."""
    shown_kind: str
    """In the body."""
    help: str
    unit: str
    parts: list[tuple[Board, Family]] = field(default_factory=list)


def taken_labels(board: Board, family: Family) -> set[str]:
    """Those that the exporter writes itself."""
    taken = {"board"} if board.label is not None else set()
    if family.kind == "histogram":
        taken.add("le")
    if family.is_by_process:
        taken.add("pid")
    return taken


def written_labels(board: Board, family: Family, scheme: str) -> list[str]:
    """The names of a family's labels; of a state set the last one tells the states apart."""
    names = list(family.labels)
    if family.kind == "stateset":
        names.append(family.name)
    return label_names(names, taken_labels(board, family), scheme)


def _family_name(family: Family, body_format: str, scheme: str) -> str:
    name = escaped(family.name, scheme, METRIC)
    if body_format != "openmetrics":
        return name + "_info" if family.kind == "info" and not name.endswith("_info") else name
    suffix = {"counter": "_total", "info": "_info"}.get(family.kind, "")
    return name[: -len(suffix)] if suffix and name.endswith(suffix) and name != suffix else name


def _shown_kind(board: Board, family: Family, name: str, body_format: str, scheme: str) -> str:
    if body_format != "openmetrics":
        return "gauge" if family.kind in ("info", "stateset") else family.kind
    if family.kind == "stateset" and written_labels(board, family, scheme)[-1] != name:
        # The specification wants the label to be called as the family is.
        return "gauge"
    return family.kind


def _shown_unit(family: Family, name: str, body_format: str) -> str:
    if body_format == "text":
        return ""
    if body_format == "openmetrics":
        # The name has to end with it; and there is no way to escape one.
        is_word = METRIC.fullmatch("_" + family.unit) is not None
        return family.unit if family.unit and is_word and name.endswith("_" + family.unit) else ""
    return family.unit


def shown(board: Board) -> list[Family]:
    """One family of each name, the oldest first."""
    newest: dict[str, tuple[bool, int]] = {}
    for place, family in enumerate(board.families):
        newest[family.name] = max(newest.get(family.name, (False, -1)), (bool(family.series), place))
    return [board.families[place] for _, place in sorted(newest.values(), key=lambda pair: pair[1])]


def blocks(case: Case, body_format: str, scheme: str) -> tuple[dict[str, Block], int]:
    """The families of a body by name, and how many are left out."""
    owners: dict[str, Block] = {}
    found: dict[str, Block] = {}
    clashes = 0
    suffixes = OPENMETRICS_SUFFIXES if body_format == "openmetrics" else TEXT_SUFFIXES
    for board in case.boards:
        for family in shown(board):
            name = _family_name(family, body_format, scheme)
            owner = owners.get(name)
            joins = (
                owner is not None
                and (owner.name, owner.kind) == (name, family.kind)
                and all(other is not board for other, _ in owner.parts)
            )
            if owner is not None and joins:
                owner.parts.append((board, family))
                continue
            owned = [name + suffix for suffix in ["", *suffixes.get(family.kind, [])]]
            if any(other in owners for other in owned):
                clashes += 1
                continue
            kind = _shown_kind(board, family, name, body_format, scheme)
            block = Block(name, family.kind, kind, family.help, _shown_unit(family, name, body_format))
            block.parts.append((board, family))
            owners.update(dict.fromkeys(owned, block))
            found[name] = block
    return found, clashes
