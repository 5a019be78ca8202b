"""What becomes of names: Prometheus's escaping schemes, and what the exporter promises about labels that meet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def escaped(name: str, scheme: str, legacy: re.Pattern[str]) -> str:
    """The name in this scheme."""
    if scheme == "allow-utf-8" or legacy.fullmatch(name):
        return name
    # A character stays if it may stand there: the first as a name of its own, a later one behind a letter.
    stays = [bool(legacy.fullmatch(char if at == 0 else "a" + char)) for at, char in enumerate(name)]
    pairs = zip(name, stays, strict=True)
    if scheme == "underscores":
        return "".join(char if stay else "_" for char, stay in pairs)
    if scheme == "dots":
        special = {".": "_dot_", "_": "__"}
        return "".join(special.get(char, char if stay else "__") for char, stay in pairs)
    return "U__" + "".join("__" if char == "_" else char if stay else f"_{ord(char):x}_" for char, stay in pairs)


def label_names(names: Sequence[str], taken: Iterable[str], scheme: str) -> list[str]:
    """The labels' names, each different from the others: the later of two that have become one gets underscores."""
    written: list[str] = []
    for name in names:
        own = escaped(name, scheme, LABEL)
        # `__name__` is the metric's name: no label can be, but one may become it.
        if own in taken or own == "__name__":
            own = f"exported_{own}"
        while own in written or (own != name and own in names):
            own += "_"
        written.append(own)
    return written
