#!/usr/bin/env python3
"""Reads a board and prints what `tallyboard dump --json` prints.

Written from arena/LAYOUT.md alone, with nothing but `struct` and `mmap`: it shows that the text is
complete, and it would find a change of the bytes that the text does not tell. The section numbers in
the comments are those of LAYOUT.md.

A word is read by one native load of 8 bytes (struct's `<Q` would put it together from bytes), and
x86-64 keeps loads in order, which is all that a reader needs there.
"""

import argparse
import json
import mmap
import os
import struct
import sys

WORD = struct.Struct("@Q")
assert WORD.size == 8
assert sys.byteorder == "little"

# §2
PAGE = 4096
ROW, HEAD, STATE, LINK, RECORD, SHARED, TABLE, UNIT = 64, 8, 8, 8, 256, 48, 8, 32
CONTROL_LEN = 336

# §3
MAGIC = int.from_bytes(b"TALLYBRD", "little")
CHECKSUM = 240
RETIRED = 264

# §7
BUILDING, READY, CONT = 1, 2, 5

# §8
HEAD_TEXT, HEAD_TEXT_LEN = 64, 192
CONTINUATION_TEXT, CONTINUATION_TEXT_LEN = 8, 248
MAX_CHAIN = 64
MAX_TEXT_LEN = HEAD_TEXT_LEN + (MAX_CHAIN - 1) * CONTINUATION_TEXT_LEN
FAMILY, SERIES = 1, 2
COUNTER, GAUGE, HISTOGRAM, SUMMARY = 1, 2, 3, 4
TYPES = {COUNTER: "counter", GAUGE: "gauge", HISTOGRAM: "histogram", SUMMARY: "summary"}
RESERVED_LABEL = {HISTOGRAM: "le", SUMMARY: "quantile"}
LAST = 1

# §10
CELLS_OF_A_UNIT = 3
PLANE_READY = 1

MASK = (1 << 64) - 1


class NotABoardError(Exception):
    """The file cannot be read as a board of layout 1."""


class DamagedError(Exception):
    """A record breaks a rule."""


class GoneError(Exception):
    """The series has ended while it was read."""


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


class Family:
    """A family's definition (§9)."""

    def __init__(self, text: bytes, key_len: int) -> None:
        fields = Fields(text)
        self.metric, aggregation = fields.number(1), fields.number(1)
        if self.metric not in TYPES or aggregation != LAST:
            raise DamagedError("a type or an aggregation that this reader does not know")
        labels, bounds = fields.number(2), fields.number(2)
        self.name = fields.text()
        self.label_names = [fields.text() for _ in range(labels)]
        self.bounds = [to_float(fields.number(8)) for _ in range(bounds)]
        if len(text) - len(fields.rest) != key_len:
            raise DamagedError("a key of another length than it says")
        self.unit, self.help = fields.text(), fields.text()
        ordered = [name.encode() for name in self.label_names]
        if fields.rest or not self.name or ordered != sorted(set(ordered)):
            raise DamagedError("a definition that breaks a rule")
        if any(name in ("", RESERVED_LABEL.get(self.metric)) or name[:2] == "__" for name in self.label_names):
            raise DamagedError("a label name that is not allowed")
        limits = [float("-inf"), *self.bounds, float("inf")]
        if any(not limits[place] < limit for place, limit in enumerate(limits[1:])):
            raise DamagedError("bounds that do not ascend")


class Series:
    """A series' record (§8, §9)."""

    def __init__(self, slot: int, tag: int, chain: list[int], family: int, created: int, text: bytes) -> None:
        self.slot, self.tag, self.chain, self.family, self.created = slot, tag, chain, family, created
        fields = Fields(text)
        self.label_values: list[str] = []
        while fields.rest:
            self.label_values.append(fields.text())


class Board:
    """A board that is mapped for reading."""

    def __init__(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            header = os.pread(descriptor, RETIRED + 8, 0)
            length = os.fstat(descriptor).st_size
            self.geometry = self._check_header(header, length)
            self.map = mmap.mmap(descriptor, length, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)
        self.uuid = header[216:232].hex()
        self.hash_key = struct.unpack_from("<QQ", header, 184)
        self.created = int.from_bytes(header[232:240], "little")

    @staticmethod
    def _check_header(header: bytes, length: int) -> Geometry:
        """Everything that §3 wants checked, in its order."""
        if len(header) < RETIRED + 8:
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

    def record(self, slot: int, tag: int) -> Family | Series:
        """The record of a slot that was READY with this tag (§11)."""
        try:
            return self._copy(slot, tag)
        except DamagedError:
            self.expect(slot, tag)
            raise

    def _copy(self, slot: int, tag: int) -> Family | Series:
        at = self.geometry.records + RECORD * slot
        _hash, shape, lengths, chain, created, family, _owner, _incarnation = (
            self.word(at + 8 * field) for field in range(8)
        )
        kind, cells, slots = shape & 0xFF, shape >> 32 & 0xFFFF, shape >> 48
        key_len, text_len = lengths & 0xFFFF_FFFF, lengths >> 32
        if not key_len <= text_len <= MAX_TEXT_LEN:
            raise DamagedError("lengths out of range")
        needed = max(1 + -(-max(text_len - HEAD_TEXT_LEN, 0) // CONTINUATION_TEXT_LEN), -(-cells // 3))
        if slots != needed or slots > MAX_CHAIN:
            raise DamagedError("a chain of another length than it must have")
        text = bytearray(self._bytes(at + HEAD_TEXT, HEAD_TEXT_LEN))
        chained = [slot]
        continuation = CONT << 61 | (tag & ~(7 << 61)) | slot
        for _ in range(slots - 1):
            if not 1 <= chain <= self.geometry.slots or self.state(chain - 1) != continuation:
                raise DamagedError("a chain that is not its own")
            chained.append(chain - 1)
            at = self.geometry.records + RECORD * (chain - 1)
            chain = self.word(at)
            text += self._bytes(at + CONTINUATION_TEXT, CONTINUATION_TEXT_LEN)
        self.expect(slot, tag)
        # From here on the bytes are those of one life and may be judged.
        said = bytes(text[:text_len])
        if kind == FAMILY:
            return Family(said, key_len)
        if kind == SERIES and key_len == text_len:
            return Series(slot, tag, chained, family, created, said)
        raise DamagedError("neither a family nor a series")

    def _bytes(self, offset: int, length: int) -> bytes:
        words = (self.word(at) for at in range(offset, offset + length, 8))
        return b"".join(WORD.pack(word) for word in words)

    def expect(self, slot: int, tag: int) -> None:
        """Whether the life goes on: what was read before this is its own."""
        if self.state(slot) != tag:
            raise GoneError

    def cells(self, series: Series, cell: int, planes: list[int]) -> list[int]:
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
        total = 0.0
        for bits in self.cells(series, cell, planes):
            total += to_float(bits)
        return total


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


def value_of(board: Board, family: Family, series: Series, planes: list[int]) -> dict[str, object]:
    """The value of one series, by its type (§10); each sum is read before its counts."""
    if family.metric == COUNTER:
        integer, fraction = board.integer(series, 0, planes), board.number(series, 1, planes)
        value: dict[str, object] = {"value": integer if fraction == 0 else json_number(float(integer) + fraction)}
    elif family.metric == GAUGE:
        value = {"value": json_number(board.number(series, 0, []))}
    elif family.metric == HISTOGRAM:
        total, count, buckets = board.number(series, 0, planes), 0, []
        for place, bound in enumerate([*family.bounds, float("inf")]):
            count = (count + board.integer(series, 1 + place, planes)) & MASK
            buckets.append({"le": canonical(bound), "count": count})
        value = {"sum": json_number(total), "buckets": buckets, "count": count}
    else:
        value = {"sum": json_number(board.number(series, 0, planes)), "count": board.integer(series, 1, planes)}
    board.expect(series.slot, series.tag)
    return value


def cells_of(family: Family) -> int:
    """How many cells a series of this family has (§10)."""
    return {COUNTER: 2, GAUGE: 1, HISTOGRAM: len(family.bounds) + 2, SUMMARY: 2}[family.metric]


def is_invalid(state: int) -> bool:
    """Whether no rule makes this state word (§7)."""
    kind, argument = state >> 61, state & 0x3F_FFFF
    if kind == 0:
        return state != 0
    return kind > CONT or (kind not in (BUILDING, CONT) and argument != 0)


def dump(board: Board, location: str) -> dict[str, object]:
    """Everything on the board, in the shape of `tallyboard dump --json`."""
    planes = board.ready_planes()
    families: dict[int, Family] = {}
    members: list[Series] = []
    damaged = 0

    def look(slot: int) -> None:
        nonlocal damaged
        tag = board.state(slot)
        if is_invalid(tag):
            damaged += 1
        if tag >> 61 != READY or tag & 0x3F_FFFF or tag in families:
            return
        try:
            found = board.record(slot, tag)
        except GoneError:
            return
        except DamagedError:
            damaged += 1
            return
        if isinstance(found, Family):
            families[tag] = found
        else:
            members.append(found)

    for slot in range(board.geometry.slots):
        look(slot)
    # A family may have been registered after its slot was passed, and a series of it before its own.
    for series in [series for series in members if series.family not in families]:
        owner = board.word(board.geometry.records + RECORD * series.slot + 48)
        if owner >> 32 < board.geometry.slots and board.state(owner >> 32) == series.family:
            look(owner >> 32)

    newest: dict[str, int] = {}
    for tag, family in families.items():
        newest[family.name] = max(tag, newest.get(family.name, 0))
    shown: dict[int, list[tuple[list[bytes], dict[str, object]]]] = {tag: [] for tag in newest.values()}
    for series in members:
        if series.family not in families or len(families[series.family].label_names) != len(series.label_values):
            damaged += 1
            continue
        family = families[series.family]
        if series.family not in shown:
            continue
        if len(series.chain) * CELLS_OF_A_UNIT < cells_of(family):
            damaged += 1
            continue
        try:
            value = value_of(board, family, series, planes)
        except GoneError:
            continue
        labels = dict(zip(family.label_names, series.label_values, strict=True))
        order = [label.encode() for label in series.label_values]
        shown[series.family].append((order, {"labels": labels, "created_unix_nanos": series.created, **value}))
    return {
        "board": {
            "location": location,
            "uuid": board.uuid,
            "created_unix_nanos": board.created,
            "layout_version": 1,
        },
        "damaged": damaged,
        "families": [
            {
                "name": families[tag].name,
                "type": TYPES[families[tag].metric],
                "help": families[tag].help,
                "unit": families[tag].unit,
                "series": [series for _, series in sorted(shown[tag], key=lambda entry: entry[0])],
            }
            for tag in sorted(shown, key=lambda tag: families[tag].name.encode())
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
