#!/usr/bin/env python3
"""Reads a board and prints what `tallyboard dump --json` prints.

Written from arena/LAYOUT.md alone, with nothing but `struct` and `mmap`: it shows that the text is
complete, and it would find a change of the bytes that the text does not tell. The section numbers in
the comments are those of LAYOUT.md.

A word is read by one native load of 8 bytes (struct's `<Q` would put it together from bytes), and
x86-64 keeps loads in order, which is all that a reader needs there.
"""

import argparse
import fcntl
import json
import mmap
import os
import pathlib
import re
import struct
import sys
import time
from typing import NamedTuple

WORD = struct.Struct("@Q")
assert WORD.size == 8
assert sys.byteorder == "little"

# §2
PAGE = 4096
ROW, HEAD, STATE, LINK, RECORD, SHARED, TABLE, UNIT = 64, 8, 8, 8, 256, 48, 8, 32
CONTROL_LEN = 424

# §3
MAGIC = int.from_bytes(b"TALLYBRD", "little")
CHECKSUM = 240
KEEP_DEAD_SECONDS = 256
HEADER_LEN = 272
DEFAULT_KEEP_DEAD_SECONDS = 300

# §7
BUILDING, READY, FOLDING, CONT = 1, 2, 3, 5

# §8
HEAD_TEXT, HEAD_TEXT_LEN = 64, 192
CONTINUATION_TEXT, CONTINUATION_TEXT_LEN = 8, 248
MAX_CHAIN = 64
MAX_TEXT_LEN = HEAD_TEXT_LEN + (MAX_CHAIN - 1) * CONTINUATION_TEXT_LEN
FAMILY, SERIES, PART, HELP, EXEMPLAR, INFO_RECORD = 1, 2, 3, 4, 5, 6
COUNTER, GAUGE, HISTOGRAM, SUMMARY, INFO, STATE_SET = 1, 2, 3, 4, 6, 7
TYPES = {
    **{COUNTER: "counter", GAUGE: "gauge", HISTOGRAM: "histogram", SUMMARY: "summary"},
    **{INFO: "info", STATE_SET: "stateset"},
}
RESERVED_LABEL = {HISTOGRAM: "le", SUMMARY: "quantile"}
AGGREGATIONS = [
    *("", "last", "sum", "min", "max", "all"),
    *("livesum", "livemin", "livemax", "liveall", "livemostrecent"),
]
"""By their numbers; 0 is none."""

# §9
PART_KEY_LEN, PART_LEN = 16, 32
ANNEX_KEY_LEN = 8
MOST_EXEMPLAR_CHARACTERS = 128

NATIVE = 0xFFFF

# §10
CELLS_OF_A_UNIT = 3
MOST_CLASSIC = 23

# §14
FINEST = 8
IN_A_DOUBLING = 1 << FINEST
LAYOUT = pathlib.Path(__file__).parents[2] / "arena" / "LAYOUT.md"
MANTISSAS = [int(digits, 16) for digits in re.findall(r"\b[0-9a-f]{13}\b", LAYOUT.read_text().split("## 14. ")[1])]
assert len(MANTISSAS) == IN_A_DOUBLING
PLANE_READY = 1

MASK = (1 << 64) - 1


class NotABoardError(Exception):
    """The file cannot be read as a board of layout 1."""


class DamagedError(Exception):
    """A record breaks a rule."""


class GoneError(Exception):
    """The record has ended while it was read."""


def align(length: int) -> int:
    """Rounds up to a multiple of a page (§1)."""
    return -(-length // PAGE) * PAGE


def to_float(bits: int) -> float:
    """The float with this bit pattern."""
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def siphash13(key: tuple[int, int], data: bytes) -> int:
    """SipHash with 1 compression and 3 finalization rounds (§9)."""
    v0, v1 = key[0] ^ 0x736F6D6570736575, key[1] ^ 0x646F72616E646F6D
    v2, v3 = key[0] ^ 0x6C7967656E657261, key[1] ^ 0x7465646279746573

    def rotate(value: int, bits: int) -> int:
        return (value << bits | value >> (64 - bits)) & MASK

    def rounds(count: int) -> None:
        nonlocal v0, v1, v2, v3
        for _ in range(count):
            v0 = (v0 + v1) & MASK
            v1 = rotate(v1, 13) ^ v0
            v0 = rotate(v0, 32)
            v2 = (v2 + v3) & MASK
            v3 = rotate(v3, 16) ^ v2
            v0 = (v0 + v3) & MASK
            v3 = rotate(v3, 21) ^ v0
            v2 = (v2 + v1) & MASK
            v1 = rotate(v1, 17) ^ v2
            v2 = rotate(v2, 32)

    whole = len(data) // 8 * 8
    last = data[whole:] + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for at in range(0, whole + 8, 8):
        block = int.from_bytes(data[at : at + 8] if at < whole else last, "little")
        v3 ^= block
        rounds(1)
        v0 ^= block
    v2 ^= 0xFF
    rounds(3)
    return v0 ^ v1 ^ v2 ^ v3


class Geometry:
    """Where the sections lie: a function of the three capacities (§2)."""

    def __init__(self, slots: int, processes: int, planes: int) -> None:
        if not (64 <= slots <= 1 << 22 and 1 <= processes <= 65_535 and planes <= 8_192):
            raise NotABoardError("its capacities are out of range")
        self.slots, self.processes, self.planes = slots, processes, planes
        self.heads = 1
        while self.heads < 2 * slots:
            self.heads *= 2
        self.control = PAGE
        self.rows = self.control + align(CONTROL_LEN)
        self.heads_at = self.rows + align(processes * ROW)
        self.states = self.heads_at + align(self.heads * HEAD)
        self.links = self.states + align(slots * STATE)
        self.records = self.links + align(slots * LINK)
        self.shared = self.records + align(slots * RECORD)
        self.table = self.shared + align(slots * SHARED)
        self.planes_at = self.table + align(planes * TABLE)
        self.plane_stride = align(slots * UNIT)
        self.total_len = self.planes_at + planes * self.plane_stride

    def words(self) -> list[int]:
        """The header's words 4 to 22 as §3 has them."""
        return [
            *(self.total_len, self.slots, self.processes, self.planes),
            *(self.control, self.rows, ROW, self.heads_at, self.heads, self.states, self.links),
            *(self.records, RECORD, self.shared, SHARED, self.table),
            *(self.planes_at, self.plane_stride, UNIT),
        ]


class Fields:
    """Takes the fields of a text one after the other (§9)."""

    def __init__(self, text: bytes) -> None:
        self.rest = text

    def take(self, length: int) -> bytes:
        if length > len(self.rest):
            raise DamagedError("a text ends too soon")
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "little")

    def text(self) -> str:
        try:
            return self.take(self.number(2)).decode("utf-8")
        except UnicodeDecodeError as error:
            raise DamagedError("a text is not UTF-8") from error


class Parent(NamedTuple):
    """What a record belongs to (§8)."""

    tag: int
    slot: int


class Window:
    """The buckets of a native histogram (§9)."""

    def __init__(self, text: bytes) -> None:
        self.schema, sides, self.buckets, self.first = struct.unpack("<bBHi", text)
        self.last = self.first + self.buckets - 1
        self.is_signed = sides == 2
        ends = [index << (FINEST - self.schema) for index in (self.first - 1, self.last)] if self.schema <= 8 else []
        if not (
            -4 <= self.schema <= FINEST
            and sides in (1, 2)
            and 1 <= self.buckets * sides <= 188
            and self.buckets >= 1
            and all(-1022 * IN_A_DOUBLING <= end <= 1023 * IN_A_DOUBLING for end in ends)
        ):
            raise DamagedError("a window that no native histogram has")
        self.cells = self.buckets * sides + 4

    def bound(self, index: int) -> float:
        """B (§14)."""
        exponent, place = divmod(index << (FINEST - self.schema), IN_A_DOUBLING)
        return to_float((exponent + 1023) << 52 | MANTISSAS[place])

    def classic(self) -> list[int]:
        """For each bucket which classic one it is part of, from 0; the last index of each (§10)."""
        shift = max(self.schema, 0)
        while True:
            groups = [-(-index >> shift) for index in range(self.first, self.last + 1)]
            if groups[-1] - groups[0] + 1 <= MOST_CLASSIC:
                return [min(group << shift, self.last) for group in groups]
            shift += 1

    def bounds(self) -> list[float]:
        return [self.bound(index) for index in (self.first - 1, *sorted(set(self.classic())))]


class Family:
    """A family's definition (§9)."""

    def __init__(self, text: bytes, key_len: int, rank: int) -> None:
        fields = Fields(text)
        self.rank = rank
        self.metric, aggregation = fields.number(1), fields.number(1)
        if self.metric not in TYPES or not 1 <= aggregation < len(AGGREGATIONS):
            raise DamagedError("a type or an aggregation that this reader does not know")
        if self.metric != GAUGE and aggregation != 1:
            raise DamagedError("an aggregation of something that is no gauge")
        self.aggregation = AGGREGATIONS[aggregation]
        labels, bounds = fields.number(2), fields.number(2)
        self.name = fields.text()
        self.label_names = [fields.text() for _ in range(labels)]
        self.bounds: list[float] = []
        self.states: list[str] = []
        self.window = Window(fields.take(8)) if bounds == NATIVE and self.metric != STATE_SET else None
        if self.window is not None:
            self.bounds = self.window.bounds()
        elif self.metric == STATE_SET:
            self.states = [fields.text() for _ in range(bounds)]
        else:
            self.bounds = [to_float(fields.number(8)) for _ in range(bounds)]
        if len(text) - len(fields.rest) != key_len:
            raise DamagedError("a key of another length than it says")
        self.unit, self.help = fields.text(), fields.text()
        ordered = [name.encode() for name in self.label_names]
        if fields.rest or not self.name or ordered != sorted(set(ordered)):
            raise DamagedError("a definition that breaks a rule")
        if any(name in ("", RESERVED_LABEL.get(self.metric)) or name[:2] == "__" for name in self.label_names):
            raise DamagedError("a label name that is not allowed")
        if self.has_a_value_for_each_process() and "pid" in self.label_names:
            raise DamagedError("a label that every process would have twice")
        if self.metric in (INFO, STATE_SET) and self.unit:
            raise DamagedError("a unit of something that has none")
        if self.metric == STATE_SET:
            if not self.states or "" in self.states or len(set(self.states)) != len(self.states):
                raise DamagedError("states that are not told apart")
            if self.name in self.label_names:
                raise DamagedError("a label that every state would have twice")
        if (self.bounds or self.window) and self.metric != HISTOGRAM:
            raise DamagedError("bounds or a window of something that is no histogram")
        limits = [float("-inf"), *self.bounds, float("inf")]
        if any(not limits[place] < limit for place, limit in enumerate(limits[1:])):
            raise DamagedError("bounds that do not ascend")

    def has_a_value_for_each_process(self) -> bool:
        return self.aggregation in ("all", "liveall")


class Series:
    """A series' record (§8, §9)."""

    def __init__(self, slot: int, tag: int, chain: list[int], parent: Parent, created: int, text: bytes) -> None:
        self.slot, self.tag, self.chain, self.parent, self.created = slot, tag, chain, parent, created
        fields = Fields(text)
        self.label_values: list[str] = []
        while fields.rest:
            self.label_values.append(fields.text())


class Part:
    """What one process contributes to a gauge (§8, §9)."""

    def __init__(self, slot: int, tag: int, parent: Parent, text: bytes) -> None:
        if len(text) != PART_LEN:
            raise DamagedError("a part of another length than it must have")
        self.slot, self.tag, self.chain, self.parent = slot, tag, [slot], parent
        self.key = text[:PART_KEY_LEN]
        row, self.incarnation, self.pid, self.pid_namespace = struct.unpack("<4Q", text)
        self.row = row - 1


class Help:
    """Other words than a family was registered with (§8, §9)."""

    def __init__(self, parent: Parent, text: bytes) -> None:
        fields = Fields(text)
        self.parent, self.unit, self.help = parent, fields.text(), fields.text()
        if fields.rest:
            raise DamagedError("a help with more than its words")


class Annex:
    """An exemplar, or what an info says (§8, §9)."""

    def __init__(self, kind: int, tag: int, parent: Parent, created: int, text: bytes) -> None:
        self.kind, self.tag, self.parent, self.created = kind, tag, parent, created
        self.key = text[:ANNEX_KEY_LEN]
        self.place, turn = struct.unpack("<II", self.key)
        fields = Fields(text[ANNEX_KEY_LEN:])
        self.value = to_float(fields.number(8)) if kind == EXEMPLAR else 0.0
        self.pairs: list[tuple[str, str]] = []
        while fields.rest:
            self.pairs.append((fields.text(), fields.text()))
        names = [name for name, _ in self.pairs]
        if turn > 1 or len(set(names)) != len(names) or any(not name or name[:2] == "__" for name in names):
            raise DamagedError("a turn or a name that is not allowed")
        if kind == EXEMPLAR and sum(len(name) + len(value) for name, value in self.pairs) > MOST_EXEMPLAR_CHARACTERS:
            raise DamagedError("an exemplar that is too long")
        if kind == INFO_RECORD and (self.place or names != sorted(names, key=str.encode)):
            raise DamagedError("an info whose place or order is wrong")


class Board:
    """A board that is mapped for reading."""

    def __init__(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            header = os.pread(descriptor, HEADER_LEN, 0)
            length = os.fstat(descriptor).st_size
            self.geometry = self._check_header(header, length)
            self.map = mmap.mmap(descriptor, length, prot=mmap.PROT_READ)
        except BaseException:
            os.close(descriptor)
            raise
        # Kept, to ask for locks through it.
        self.descriptor = descriptor
        self.keep_dead_seconds = (
            int.from_bytes(header[KEEP_DEAD_SECONDS : KEEP_DEAD_SECONDS + 8], "little") or DEFAULT_KEEP_DEAD_SECONDS
        )
        self.pid_namespace = os.stat("/proc/self/ns/pid").st_ino
        self.uuid = header[216:232].hex()
        self.hash_key = struct.unpack_from("<QQ", header, 184)
        self.created = int.from_bytes(header[232:240], "little")

    @staticmethod
    def _check_header(header: bytes, length: int) -> Geometry:
        """Everything that §3 wants checked, in its order."""
        if len(header) < HEADER_LEN:
            raise NotABoardError("it is shorter than a header")
        words = struct.unpack_from(f"<{CHECKSUM // 8 + 1}Q", header)
        if words[0] != MAGIC:
            raise NotABoardError("it does not begin with TALLYBRD")
        if words[1] != 1:
            raise NotABoardError(f"its layout version is {words[1] & 0xFFFF_FFFF}")
        if words[CHECKSUM // 8] != siphash13((0, 0), header[:CHECKSUM]):
            raise NotABoardError("its header's checksum does not match")
        if words[2] != 0:
            raise NotABoardError("it requires a feature that this reader does not know")
        geometry = Geometry(*words[5:8])
        if list(words[4:23]) != geometry.words():
            raise NotABoardError("its sections do not lie where they must")
        if length != geometry.total_len:
            raise NotABoardError("the file is not as long as its header says")
        return geometry

    def word(self, offset: int) -> int:
        """The word at `offset`, in one load."""
        return int(WORD.unpack_from(self.map, offset)[0])

    def state(self, slot: int) -> int:
        return self.word(self.geometry.states + STATE * slot)

    def ready_planes(self) -> list[int]:
        """The CPUs whose planes may be read, ascending (§10)."""
        table = self.geometry.table
        return [cpu for cpu in range(self.geometry.planes) if self.word(table + TABLE * cpu) == PLANE_READY]

    def record(self, slot: int, state: int) -> Family | Series | Part | Help | Annex:
        """The record of a slot that had this state, READY or FOLDING (§11)."""
        try:
            return self._copy(slot, state)
        except DamagedError:
            self.expect(slot, state)
            raise

    def _copy(self, slot: int, state: int) -> Family | Series | Part | Help | Annex:
        at = self.geometry.records + RECORD * slot
        _hash, shape, lengths, chain, created, *parent, note = (self.word(at + 8 * field) for field in range(8))
        kind, cells, slots = shape & 0xFF, shape >> 32 & 0xFFFF, shape >> 48
        key_len, text_len = lengths & 0xFFFF_FFFF, lengths >> 32
        if not key_len <= text_len <= MAX_TEXT_LEN:
            raise DamagedError("lengths out of range")
        needed = max(1 + -(-max(text_len - HEAD_TEXT_LEN, 0) // CONTINUATION_TEXT_LEN), -(-cells // 3))
        if slots != needed or slots > MAX_CHAIN:
            raise DamagedError("a chain of another length than it must have")
        text = bytearray(self._bytes(at + HEAD_TEXT, HEAD_TEXT_LEN))
        chained = [slot]
        continuation = CONT << 61 | (state & ~(7 << 61)) | slot
        for _ in range(slots - 1):
            if not 1 <= chain <= self.geometry.slots or self.state(chain - 1) != continuation:
                raise DamagedError("a chain that is not its own")
            chained.append(chain - 1)
            at = self.geometry.records + RECORD * (chain - 1)
            chain = self.word(at)
            text += self._bytes(at + CONTINUATION_TEXT, CONTINUATION_TEXT_LEN)
        self.expect(slot, state)
        # From here on the bytes are those of one life and may be judged.
        tag = READY << 61 | (state & ~(7 << 61))
        said = bytes(text[:text_len])
        if kind == PART and key_len == PART_KEY_LEN:
            return Part(slot, tag, Parent(*parent), said)
        if state != tag:
            raise DamagedError("FOLDING, and no part")
        if kind == FAMILY:
            return Family(said, key_len, note or tag)
        if kind == SERIES and key_len == text_len:
            return Series(slot, tag, chained, Parent(*parent), created, said)
        if kind == HELP and key_len == 0:
            return Help(Parent(*parent), said)
        if kind in (EXEMPLAR, INFO_RECORD) and key_len == ANNEX_KEY_LEN:
            return Annex(kind, tag, Parent(*parent), created, said)
        raise DamagedError("a kind of record that this reader does not know")

    def _bytes(self, offset: int, length: int) -> bytes:
        words = (self.word(at) for at in range(offset, offset + length, 8))
        return b"".join(WORD.pack(word) for word in words)

    def expect(self, slot: int, state: int) -> None:
        """Whether the life goes on: what was read before this is its own."""
        if self.state(slot) != state:
            raise GoneError

    def is_ended(self, parent: Parent) -> bool:
        """Whether what names this parent is an orphan (§8)."""
        return parent.slot >= self.geometry.slots or self.state(parent.slot) != parent.tag

    def is_alive(self, part: Part) -> bool:
        """Whether the owner of a part lives (§9, §5)."""
        if not 0 <= part.row < self.geometry.processes:
            return False
        if self.word(self.geometry.rows + ROW * part.row) != part.incarnation << 1 | 1:
            return False
        life = self.geometry.total_len + 2 * part.row
        question = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, life, 1, 0)
        answer = struct.unpack("hhqqi4x", fcntl.fcntl(self.descriptor, fcntl.F_OFD_GETLK, question))
        return bool(answer[0] != fcntl.F_UNLCK)

    def cells(self, series: Series | Part, cell: int, planes: list[int]) -> list[int]:
        """A cell's words on all planes, in the order in which they are added (§10)."""
        slot, index = series.chain[cell // CELLS_OF_A_UNIT], cell % CELLS_OF_A_UNIT
        found = []
        pair = self.geometry.shared + SHARED * slot + 16 * index
        if self.word(pair + 8) == series.tag:
            value = self.word(pair)
            if self.word(pair + 8) == series.tag:
                found.append(value)
        for cpu in planes:
            unit = self.geometry.planes_at + self.geometry.plane_stride * cpu + UNIT * slot
            if self.word(unit) == series.tag:
                found.append(self.word(unit + 8 + 8 * index))
        return found

    def integer(self, series: Series, cell: int, planes: list[int]) -> int:
        return sum(self.cells(series, cell, planes)) & MASK

    def number(self, series: Series, cell: int, planes: list[int]) -> float:
        # Not `sum`, which compensates for rounding since Python 3.12.
        added = 0.0
        for bits in self.cells(series, cell, planes):
            added += to_float(bits)
        return added

    def contribution(self, part: Part) -> float | None:
        """What a part says, if it was set and has not ended (§10, §11)."""
        folding = FOLDING << 61 | (part.tag & ~(7 << 61))
        if self.state(part.slot) not in (part.tag, folding):
            return None
        found = self.cells(part, 0, [])
        return to_float(found[0]) if found else None

    def moment(self, part: Part) -> int:
        """The time of a part (§10)."""
        found = self.cells(part, 1, [])
        return found[0] if found else 0

    def accumulator(self, series: Series) -> tuple[int, int]:
        """What it names, and its value (§10)."""
        pair = self.geometry.shared + SHARED * series.slot
        return self.word(pair + 8), self.word(pair)


def least(one: float, other: float) -> float:
    """Of two numbers, of which one may be none (§11)."""
    return min((value for value in (one, other) if value == value), default=one)


def greatest(one: float, other: float) -> float:
    return max((value for value in (one, other) if value == value), default=one)


def total(one: float, other: float) -> float:
    return one + other


FOLDS = {"sum": total, "min": least, "max": greatest}
LIVE_FOLDS = {f"live{name}": fold for name, fold in FOLDS.items()}


def canonical(value: float) -> str:
    """A bound as the exposition formats write it: `0.005`, `1.0`, `1e-05`, `1e+06`, `+Inf`."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    digits, _, exponent = f"{value!r}".partition("e")
    if exponent:
        return f"{digits.removesuffix('.0')}e{int(exponent):+03d}"
    if abs(value) < 1e6:
        return digits
    whole, _, fraction = digits.partition(".")
    sign, whole = ("-", whole[1:]) if whole[0] == "-" else ("", whole)
    mantissa = f"{whole[0]}.{whole[1:]}{fraction}".rstrip("0").rstrip(".")
    return f"{sign}{mantissa}e{len(whole) - 1:+03d}"


def json_number(value: float) -> float | str:
    """JSON has no word for what is not finite."""
    return value if abs(value) < float("inf") else canonical(value)


def combined(board: Board, family: Family, series: Series, parts: list[Part]) -> float | None:
    """The one value of a split gauge; nothing if nobody has set it (§11)."""
    if family.aggregation == "livemostrecent":
        alive = [part for part in parts if board.is_alive(part)]
        values = [(board.moment(part), value) for part in alive if (value := board.contribution(part)) is not None]
        return max(values)[1] if values else None
    fold = (FOLDS | LIVE_FOLDS)[family.aggregation]
    if family.aggregation in LIVE_FOLDS:
        parts = [part for part in parts if board.is_alive(part)]
    while True:
        accumulator = board.accumulator(series)
        named, bits = accumulator
        result = to_float(bits) if named != series.tag and family.aggregation in FOLDS else None
        for part in parts:
            if named == FOLDING << 61 | (part.tag & ((1 << 39) - 1) << 22) | part.slot:
                continue
            value = board.contribution(part)
            if value is not None:
                result = value if result is None else fold(result, value)
        if board.accumulator(series) == accumulator:
            return 0.0 if result is None and fold is total else result


def each_process(board: Board, family: Family, parts: list[Part]) -> list[dict[str, object]]:
    """The values of a gauge that has one for each process, by their label `pid` (§11)."""
    found: dict[str, tuple[int, float]] = {}
    for part in parts:
        if not board.is_alive(part):
            # Without a time it was found dead by this reader, just now.
            age = time.time() - (board.moment(part) / 1e9 or time.time())
            if family.aggregation == "liveall" or age > board.keep_dead_seconds:
                continue
        value = board.contribution(part)
        if value is None:
            continue
        pid = pid_of(board, part)
        found[pid] = max((part.tag, value), found.get(pid, (0, value)))
    return [{"pid": pid, "value": json_number(found[pid][1])} for pid in sorted(found)]


def contributions(board: Board, family: Family, parts: list[Part]) -> list[dict[str, object]]:
    """What each process contributes to a gauge that is one value of several."""
    counting = [part for part in parts if family.aggregation in FOLDS or board.is_alive(part)]
    values = [(pid_of(board, part), value) for part in counting if (value := board.contribution(part)) is not None]
    return [{"pid": pid, "value": json_number(value)} for pid, value in sorted(values)]


def pid_of(board: Board, part: Part) -> str:
    """What the label `pid` calls a process (§11)."""
    elsewhere = part.pid_namespace not in (0, board.pid_namespace)
    return f"{part.pid}@{part.pid_namespace}" if elsewhere else str(part.pid)


Annexes = dict[tuple[int, int, int], Annex]
"""Those that hold: by the series' tag, kind and place."""


def exemplar(annexes: Annexes, series: Series, place: int) -> dict[str, object]:
    """What a counter's series or a bucket has besides its value, if it has an exemplar (§9)."""
    found = annexes.get((series.tag, EXEMPLAR, place))
    if found is None:
        return {}
    return {
        "exemplar": {
            "labels": dict(found.pairs),
            "value": json_number(found.value),
            "unix_nanos": found.created,
        }
    }


def value_of(
    board: Board, family: Family, series: Series, parts: list[Part], annexes: Annexes, planes: list[int]
) -> dict[str, object] | None:
    """The value of one series, by its type (§10); each sum is read before its counts."""
    if family.metric == COUNTER:
        integer, fraction = board.integer(series, 0, planes), board.number(series, 1, planes)
        value: dict[str, object] = {"value": integer if fraction == 0 else json_number(float(integer) + fraction)}
        value |= exemplar(annexes, series, 0)
    elif family.metric == INFO:
        said = annexes.get((series.tag, INFO_RECORD, 0))
        pairs = said.pairs if said else []
        value = {"info": {name: text for name, text in pairs if name not in family.label_names}}
    elif family.metric == STATE_SET:
        number = next(iter(board.cells(series, 0, [])), 0)
        if number >= len(family.states):
            return None
        value = {"state": family.states[number]}
    elif family.metric == GAUGE and family.has_a_value_for_each_process():
        value = {"processes": each_process(board, family, parts)}
    elif family.metric == GAUGE and family.aggregation != "last":
        result = combined(board, family, series, parts)
        if result is None:
            return None
        value = {"value": json_number(result), "processes": contributions(board, family, parts)}
    elif family.metric == GAUGE:
        value = {"value": json_number(board.number(series, 0, []))}
    elif family.window is not None:
        value = native_value(board, family.window, series, planes)
    elif family.metric == HISTOGRAM:
        sum_, count, buckets = board.number(series, 0, planes), 0, []
        for place, bound in enumerate([*family.bounds, float("inf")]):
            count = (count + board.integer(series, 1 + place, planes)) & MASK
            buckets.append({"le": canonical(bound), "count": count, **exemplar(annexes, series, place)})
        value = {"sum": json_number(sum_), "buckets": buckets, "count": count}
    else:
        value = {"sum": json_number(board.number(series, 0, planes)), "count": board.integer(series, 1, planes)}
    board.expect(series.slot, series.tag)
    return value


def native_value(board: Board, window: Window, series: Series, planes: list[int]) -> dict[str, object]:
    """The value of a native histogram's series (§10)."""
    sum_ = board.number(series, 0, planes)
    below, *cells, above = (board.integer(series, cell, planes) for cell in range(1, window.cells))
    negative = cells[: window.buckets][::-1] if window.is_signed else []
    zero, *positive = cells[len(negative) :]
    # Everything from below to zero, each of the coarser buckets, and what is above.
    counts = {window.first - 1: below + zero + sum(negative)}
    for end, count in zip(window.classic(), positive, strict=True):
        counts[end] = counts.get(end, 0) + count
    bounds = [canonical(window.bound(index)) for index in counts]
    buckets, total = [], 0
    for bound, count in zip([*bounds, "+Inf"], [*counts.values(), above], strict=True):
        total = (total + count) & MASK
        buckets.append({"le": bound, "count": total})
    # What is outside is shown in the buckets at the ends.
    positive[-1] = (positive[-1] + above) & MASK
    if negative:
        negative[-1] = (negative[-1] + below) & MASK
    else:
        zero = (zero + below) & MASK

    def shown(side: list[int]) -> list[dict[str, int]]:
        return [{"index": window.first + place, "count": count} for place, count in enumerate(side) if count]

    native = {"schema": window.schema, "zero_threshold": json_number(window.bound(window.first - 1)), "zero": zero}
    native |= {"below": below, "above": above, "positive": shown(positive), "negative": shown(negative)}
    return {"sum": json_number(sum_), "buckets": buckets, "count": total, "native": native}


def cells_of(family: Family) -> int:
    """How many cells a series of this family has (§10)."""
    if family.window is not None:
        return family.window.cells
    return {COUNTER: 2, GAUGE: 1, HISTOGRAM: len(family.bounds) + 2, SUMMARY: 2, INFO: 0, STATE_SET: 1}[family.metric]


def is_invalid(state: int) -> bool:
    """Whether no rule makes this state word (§7)."""
    kind, argument = state >> 61, state & 0x3F_FFFF
    if kind == 0:
        return state != 0
    return kind > CONT or (kind not in (BUILDING, CONT) and argument != 0)


class Contents:
    """Every record on a board, by what it belongs to."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.families: dict[int, Family] = {}
        self.series: list[Series] = []
        self.parts: dict[int, list[Part]] = {}
        self.helps: dict[int, Help] = {}
        self.annexes: Annexes = {}
        self.damaged = 0
        for slot in range(board.geometry.slots):
            self._look(slot)
        # A family may have been registered after its slot was passed, and a series of it before its own; and a part
        # or a help after its slot was passed, but this series without it is as good as it was a moment ago.
        for series in [series for series in self.series if series.parent.tag not in self.families]:
            if not board.is_ended(series.parent) and series.parent.tag not in self.families:
                self._look(series.parent.slot)

    def _look(self, slot: int) -> None:
        state = self.board.state(slot)
        if is_invalid(state):
            self.damaged += 1
        if state >> 61 not in (READY, FOLDING) or state & 0x3F_FFFF or state in self.families:
            return
        try:
            found = self.board.record(slot, state)
        except GoneError:
            return
        except DamagedError:
            self.damaged += 1
            return
        if isinstance(found, Family):
            self.families[state] = found
        elif isinstance(found, Series):
            self.series.append(found)
        elif isinstance(found, Part):
            self.parts.setdefault(found.parent.tag, []).append(found)
        elif isinstance(found, Annex):
            at = (found.parent.tag, found.kind, found.place)
            self.annexes[at] = max(found, self.annexes.get(at, found), key=lambda annex: annex.tag)
        else:
            self.helps[found.parent.tag] = found

    def shown(self) -> list[int]:
        """The tags of the families that are shown, by name: of each name the newest definition (§9)."""
        newest: dict[str, tuple[int, int]] = {}
        for tag, family in self.families.items():
            newest[family.name] = max((family.rank, tag), newest.get(family.name, (0, 0)))
        by_name = sorted(newest, key=lambda name: name.encode())
        return [newest[name][1] for name in by_name]


def dump(board: Board, location: str) -> dict[str, object]:
    """Everything on the board, in the shape of `tallyboard dump --json`."""
    planes = board.ready_planes()
    contents = Contents(board)
    families = contents.families
    shown: dict[int, list[tuple[list[bytes], dict[str, object]]]] = {tag: [] for tag in contents.shown()}
    for series in contents.series:
        family = families.get(series.parent.tag)
        if family is None or len(family.label_names) != len(series.label_values):
            contents.damaged += family is not None or not board.is_ended(series.parent)
            continue
        if series.parent.tag not in shown:
            continue
        if len(series.chain) * CELLS_OF_A_UNIT < cells_of(family):
            contents.damaged += 1
            continue
        try:
            value = value_of(board, family, series, contents.parts.get(series.tag, []), contents.annexes, planes)
        except GoneError:
            continue
        if value is None:
            continue
        labels = dict(zip(family.label_names, series.label_values, strict=True))
        shown[series.parent.tag].append(
            (series.slot, {"labels": labels, "created_unix_nanos": series.created, **value})
        )
    words = {tag: contents.helps.get(tag, families[tag]) for tag in shown}
    return {
        "board": {
            "location": location,
            "uuid": board.uuid,
            "created_unix_nanos": board.created,
            "layout_version": 1,
        },
        "damaged": contents.damaged,
        "families": [
            {
                "name": families[tag].name,
                "type": TYPES[families[tag].metric],
                "aggregation": families[tag].aggregation,
                "help": words[tag].help,
                "unit": words[tag].unit,
                "series": [series for _, series in sorted(shown[tag], key=lambda entry: entry[0])],
            }
            for tag in shown
        ],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Print everything on a board as `tallyboard dump --json` does.")
    parser.add_argument("board", help="the board's file")
    path = parser.parse_args().board
    try:
        board = Board(path)
    except (NotABoardError, OSError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 1
    json.dump(dump(board, path), sys.stdout, indent=2, ensure_ascii=False)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
