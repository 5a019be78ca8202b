"""The judges of prometheus_client: its parsers of text 0.0.4 and of OpenMetrics 1.0.0.

They read back every name, type, help, unit, label, value, time of creation and exemplar. Where they do not do as the
specifications say, that is one of these, and nothing else is forgiven:

1. Text: white space around a help is lost; OpenMetrics: spaces before it are.
2. Text: a counter's family has no `_total` and its samples do, whatever was written; so two counters may have one name
   then. One that is called `_total` and nothing more has none, and all of its body is refused: no body that has one is
   read by this parser.
3. OpenMetrics: a quote in an exemplar's labels, though escaped, ends its value for one of two looks at the line. Such
   an exemplar is found in its line character by character, and taken away from it before the parser reads it.
4. Both: labels that begin with two underscores are refused, which is what schemes make of two other characters.
   Prometheus takes them, all but `__name__`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client import parser as parser_of_text
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample

from oracle.blocks import Block
from oracle.lines import Labels, Line, ShownExemplar
from oracle.mismatch import MismatchError, compare
from oracle.names import LABEL
from oracle.truth import bits

Meta = tuple[str, str, str]
"""Type, help and unit."""
Read = tuple[str, tuple[Labels, str, int] | None]
"""A value's bits, and an exemplar: its labels, its value's bits and its time in milliseconds."""


def _is_no_name(label: str) -> None:
    """Difference 4: the rule that there is beside that of the characters, and of two labels with one name."""
    if not label or label == "__name__":
        raise ValueError(f"a label is called {label!r}")


# The parser of OpenMetrics reads labels by this one's functions.
parser_of_text._validate_labelname = _is_no_name


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _without_hard_exemplars(body: str, lines: Iterable[Line]) -> tuple[str, set[tuple[str, Labels]]]:
    """The body without the exemplars of difference 3, and the samples that had one."""
    had = set()
    for line in lines:
        exemplar = line.exemplar
        if exemplar is None or not any('"' in value for _, value in exemplar.labels):
            continue
        assert all(LABEL.fullmatch(name) for name, _ in exemplar.labels)
        labels = ",".join(f"{name}={_quoted(value)}" for name, value in exemplar.labels)
        for found in re.finditer(" # " + re.escape("{" + labels + "}") + r" (\S+) (\d+)\.(\d{3})\n", body):
            value, seconds, millis = found.groups()
            shown = ShownExemplar(exemplar.labels, bits(float(value)), int(seconds + millis))
            if shown == exemplar:
                body = body[: found.start()] + body[found.end() - 1 :]
                had.add((line.name, line.labels))
                break
        else:
            raise MismatchError(f"{line.name} {set(line.labels)} has not the exemplar {exemplar}")
    return body, had


def _read_back(help_text: str, body_format: str) -> str:
    """Difference 1. A line's end is no white space by then: it is written as two characters."""
    if body_format == "openmetrics":
        return help_text.lstrip(" ")
    written = help_text.replace("\\", "\\\\").replace("\n", "\\n").lstrip(string.whitespace).rstrip()
    return re.sub(r"\\(.)", lambda escape: {"n": "\n"}.get(escape[1], escape[1]), written)


def _exemplar(sample: Sample) -> tuple[Labels, str, int] | None:
    if sample.exemplar is None:
        return None
    at = sample.exemplar.timestamp
    assert at is not None
    assert sample.timestamp is None
    millis = int(at.sec) * 1000 + int(at.nsec) // 1_000_000
    return frozenset(sample.exemplar.labels.items()), bits(float(sample.exemplar.value)), millis


def judge(body_format: str, content: bytes, blocks: dict[str, Block], expected_lines: dict[str, list[Line]]) -> None:
    """Raises `MismatchError` unless the body says what was counted."""
    is_openmetrics = body_format == "openmetrics"
    if not is_openmetrics and "_total" in blocks and blocks["_total"].shown_kind == "counter":
        # Difference 2.
        return
    body = content.decode()
    hard: set[tuple[str, Labels]] = set()
    if is_openmetrics:
        body, hard = _without_hard_exemplars(body, (line for lines in expected_lines.values() for line in lines))
    try:
        families: list[Metric] = list((parse_openmetrics if is_openmetrics else parse_text)(body))
    except (ValueError, KeyError, IndexError) as error:
        raise MismatchError(f"the parser refuses the body: {error!r}") from error

    # Several of one name, which difference 2 may make, and nothing else: no more are expected then.
    meta: dict[str, list[Meta]] = {}
    samples: dict[tuple[str, Labels], list[Read]] = {}
    for family in families:
        meta.setdefault(family.name, []).append((family.type, family.documentation, family.unit))
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            samples.setdefault(key, []).append((bits(float(sample.value)), _exemplar(sample)))

    expected_meta: dict[str, list[Meta]] = {}
    expected: dict[tuple[str, Labels], list[Read]] = {}
    for name, lines in expected_lines.items():
        if not lines:
            # A family that has nothing to say is not there.
            continue
        block = blocks[name]
        shown, suffix = name, ""
        if not is_openmetrics and block.shown_kind == "counter":
            # Difference 2.
            shown, suffix = (name[:-6], "") if name.endswith("_total") else (name, "_total")
        known = (block.shown_kind, _read_back(block.help, body_format), block.unit)
        expected_meta.setdefault(shown, []).append(known)
        for line in lines:
            exemplar = line.exemplar
            key = (line.name + suffix, line.labels)
            is_read = exemplar is not None and key not in hard
            read = (frozenset(exemplar.labels), exemplar.value, exemplar.unix_millis) if exemplar and is_read else None
            expected.setdefault(key, []).append((line.value, read))
    for several in (*meta.values(), *expected_meta.values(), *samples.values(), *expected.values()):
        several.sort(key=repr)
    compare("type, help and unit of the family", meta, expected_meta)
    compare("the sample", samples, expected)
