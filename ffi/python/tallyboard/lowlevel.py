"""The C ABI, declared once: every function with its argtypes, restype and errcheck.

Nothing else in the package calls C. `ffi/include/tallyboard.h` is the reference; this file says
only what Python adds to it.

Two ways of calling are used. Functions that may wait (opening, registering, reading a whole
board) go through `ctypes.CDLL`, which lets other threads run meanwhile. Updates go through
`ctypes.PyDLL`, which keeps the interpreter lock: they are a few nanoseconds of work that never
waits, and giving up the lock would cost more than the update itself and invite a thread switch
at each of them.

A handle is an object of a subclass of `c_void_p`, made once and passed as it is. An `argtypes`
entry of exactly its class is the cheapest conversion that still checks the type, so a gauge's
handle can never reach a counter's function. The handle owns what it points to: whoever holds it
(a `functools.partial` over an update, say) keeps it usable.
"""

from __future__ import annotations

import ctypes
import enum
import os
import sys
from typing import Any, Callable, ClassVar, Mapping, NamedTuple, Protocol, Sequence

from . import backend

ABI_VERSION = 1
"""The `TB_ABI_VERSION` that this file was written for."""


class LibraryUnusable(Exception):
    """There is no libtallyboard here, or not one that this package can call. Says what to do."""


class Status(enum.IntEnum):
    """`tb_status`."""

    OK = 0
    INVALID_ARGUMENT = 1
    NOT_FOUND = 2
    EXISTS = 3
    PERMISSION = 4
    NO_SPACE = 5
    VERSION = 6
    DAMAGED = 7
    UNSUPPORTED = 8
    CLASH = 9
    FULL = 10
    READ_ONLY = 11
    IO = 12
    PANIC = 13
    TOO_LONG = 14
    FAMILY_FULL = 15


class BoardError(Exception):
    """A call that the library refused, in the library's own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        """One of `Status`, or a number that a newer library has added to them."""


class Handle(ctypes.c_void_p):
    """A pointer that the library gave out, freed when the last Python reference to it goes."""

    # Any: a checker would take a Callable here for a method.
    _free: ClassVar[Any]

    def __del__(self) -> None:
        if self:
            self._free(self)


class BoardHandle(Handle):
    """`tb_board *`."""


class CounterHandle(Handle):
    """`tb_counter *`."""


class GaugeHandle(Handle):
    """`tb_gauge *`."""


class HistogramHandle(Handle):
    """`tb_histogram *`."""


class SummaryHandle(Handle):
    """`tb_summary *`."""


class InfoHandle(Handle):
    """`tb_info *`."""


class StateSetHandle(Handle):
    """`tb_state_set *`."""


class CounterFamilyHandle(Handle):
    """`tb_counter_family *`."""


class GaugeFamilyHandle(Handle):
    """`tb_gauge_family *`."""


class HistogramFamilyHandle(Handle):
    """`tb_histogram_family *`."""


class SummaryFamilyHandle(Handle):
    """`tb_summary_family *`."""


class InfoFamilyHandle(Handle):
    """`tb_info_family *`."""


class StateSetFamilyHandle(Handle):
    """`tb_state_set_family *`."""


class LabelStruct(ctypes.Structure):
    """`tb_label`."""

    _fields_ = (("name", ctypes.c_char_p), ("value", ctypes.c_char_p))


class NativeStruct(ctypes.Structure):
    """`tb_native`."""

    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("schema", ctypes.c_int32),
        ("has_negative", ctypes.c_uint32),
        ("lowest", ctypes.c_double),
        ("highest", ctypes.c_double),
    )


class MetricStruct(ctypes.Structure):
    """`tb_metric`."""

    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("name", ctypes.c_char_p),
        ("help", ctypes.c_char_p),
        ("unit", ctypes.c_char_p),
        ("labels", ctypes.POINTER(LabelStruct)),
        ("label_count", ctypes.c_size_t),
        ("bounds", ctypes.POINTER(ctypes.c_double)),
        ("bound_count", ctypes.c_size_t),
        ("aggregation", ctypes.c_uint32),
        ("series_cap", ctypes.c_uint32),
        ("native", ctypes.POINTER(NativeStruct)),
        ("states", ctypes.POINTER(ctypes.c_char_p)),
        ("state_count", ctypes.c_size_t),
    )


class ExemplarStruct(ctypes.Structure):
    """`tb_exemplar`."""

    _fields_ = (
        ("bucket", ctypes.c_size_t),
        ("value", ctypes.c_double),
        ("unix_nanos", ctypes.c_uint64),
        ("label_count", ctypes.c_size_t),
        ("labels", ctypes.POINTER(LabelStruct)),
    )


class SampleStruct(ctypes.Structure):
    """`tb_sample`: one series as a reader sees it, valid during the visit."""

    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("name", ctypes.c_char_p),
        ("help", ctypes.c_char_p),
        ("unit", ctypes.c_char_p),
        ("kind", ctypes.c_int32),
        ("is_integer", ctypes.c_int32),
        ("label_count", ctypes.c_size_t),
        ("labels", ctypes.POINTER(LabelStruct)),
        ("value", ctypes.c_double),
        ("count", ctypes.c_uint64),
        ("sum", ctypes.c_double),
        ("bucket_count", ctypes.c_size_t),
        ("bounds", ctypes.POINTER(ctypes.c_double)),
        ("buckets", ctypes.POINTER(ctypes.c_uint64)),
        ("created_unix_nanos", ctypes.c_uint64),
        # Of a struct that nothing here looks into.
        ("native", ctypes.c_void_p),
        ("exemplar_count", ctypes.c_size_t),
        ("exemplars", ctypes.POINTER(ExemplarStruct)),
    )


Visitor = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(SampleStruct), ctypes.c_void_p)
"""`tb_visitor`. What it raises is printed and lost, so it has to keep its own exceptions."""


KINDS = {1: "counter", 2: "gauge", 3: "histogram", 4: "summary", 6: "info", 7: "stateset"}
"""`TB_KIND_…` in Prometheus's words."""


AGGREGATIONS = {
    "": 0,
    "sum": 1,
    "min": 2,
    "max": 3,
    "all": 4,
    "livesum": 5,
    "livemin": 6,
    "livemax": 7,
    "liveall": 8,
    "livemostrecent": 9,
}
"""`TB_AGGREGATION_…` by `Definition.mode`."""


class RegisterFunction(Protocol):
    """`tb_*_register`. Raises `BoardError`, and has made a handle that goes nowhere then too."""

    def __call__(self, board: BoardHandle, metric: Any, out: Any, /) -> None: ...


class Family(NamedTuple):
    """What can be done with all series of one kind of metric."""

    kind: type[Handle]
    register: RegisterFunction
    remove: Callable[[Any, Any, int, None], None]
    """Takes the family, an array of label values and how many they are. Raises `BoardError`."""
    clear: Callable[[Any, None], None]
    """Raises `BoardError`."""


class Library:
    """One loaded libtallyboard; an attribute for each function, without its `tb_` prefix."""

    last_error: Callable[[], bytes]

    board_open: Callable[[bytes | None, Any], None]
    """With None the default board, which `$TALLYBOARD` names."""
    board_is_off: Callable[[BoardHandle], int]
    board_uses_rseq: Callable[[BoardHandle], int]
    board_is_retired: Callable[[BoardHandle], int]
    board_visit: Callable[[BoardHandle, Any, None], None]
    board_enlist: Callable[[BoardHandle], None]
    board_path: Callable[[BoardHandle, Any, int, None], None]
    """Takes a buffer and its length. Raises `BoardError`, also where the board has no file."""
    board_expire: Callable[[BoardHandle, int, None], None]
    """Ends the series that have not changed for so many seconds, as far back as it has looked."""
    board_leave: Callable[[BoardHandle], None]
    """Keeps the interpreter lock, so that no thread of Python's changes a gauge meanwhile."""

    register: dict[type[Handle], RegisterFunction]
    """All `tb_*_register`, by the handle that they make."""
    families: dict[type[Handle], Family]
    """Their families, by the handle of a series."""

    counter_inc: Callable[[CounterHandle], None]
    counter_add: Callable[[CounterHandle, int], None]
    """The amount is an int from 0 to 2**64 - 1; ctypes cuts a greater one without a word."""
    counter_add_double: Callable[[CounterHandle, float], int]
    """Returns a `Status`: an errcheck would cost more than the update."""
    counter_value: Callable[[CounterHandle], float]
    gauge_set: Callable[[GaugeHandle, float], None]
    gauge_add: Callable[[GaugeHandle, float], None]
    gauge_value: Callable[[GaugeHandle], float]
    histogram_observe: Callable[[HistogramHandle, float], None]
    summary_observe: Callable[[SummaryHandle, float], None]
    info_set: Callable[[InfoHandle, Any, int], None]
    """Takes an array of `LabelStruct` and how many they are. Raises `BoardError`."""
    state_set_set_place: Callable[[StateSetHandle, int], int]
    """Returns a `Status`: the place was looked up before."""
    counter_add_with_exemplar: Callable[[CounterHandle, int, Any, int], None]
    """Takes an array of `LabelStruct` and how many they are, as the next two."""
    counter_add_double_with_exemplar: Callable[[CounterHandle, float, Any, int], int]
    """Returns a `Status`."""
    histogram_observe_with_exemplar: Callable[[HistogramHandle, float, Any, int], None]

    def __init__(self, path: str) -> None:
        """Loads `path`, checks its ABI version before any other call, and declares the rest.

        Errors: `LibraryUnusable`.
        """
        try:
            waiting = ctypes.CDLL(path)
            # PyPy has no PyDLL.
            updating: Any = getattr(ctypes, "PyDLL", ctypes.CDLL)(path)
        except OSError as error:
            raise LibraryUnusable(f"cannot load {path}: {error}") from error
        try:
            found = _declare(waiting, "tb_abi_version", ctypes.c_uint32, [])()
            if found != ABI_VERSION:
                raise LibraryUnusable(
                    f"{path} has version {found} of the C ABI and this package calls "
                    f"version {ABI_VERSION}: install both from one release"
                )
            self._declare_waiting(waiting)
            self._declare_updates(updating)
        except AttributeError as error:
            raise LibraryUnusable(f"{path} is not a whole libtallyboard: {error}") from error

    def _declare_waiting(self, dll: ctypes.CDLL) -> None:
        self.last_error = _declare(dll, "tb_last_error", ctypes.c_char_p, [])
        out = ctypes.POINTER(ctypes.c_void_p)
        self.board_open = self._checked(dll, "tb_board_open", [ctypes.c_char_p, out])
        self.board_is_off = _declare(dll, "tb_board_is_off", ctypes.c_int32, [BoardHandle])
        self.board_uses_rseq = _declare(dll, "tb_board_uses_rseq", ctypes.c_int32, [BoardHandle])
        self.board_is_retired = _declare(dll, "tb_board_is_retired", ctypes.c_int32, [BoardHandle])
        self.board_enlist = self._checked(dll, "tb_board_enlist", [BoardHandle])
        text = [BoardHandle, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
        self.board_path = self._checked(dll, "tb_board_path", text)
        expire = [BoardHandle, ctypes.c_uint64, ctypes.c_void_p]
        self.board_expire = self._checked(dll, "tb_board_expire", expire)
        self.board_visit = self._checked(
            dll, "tb_board_visit", [BoardHandle, Visitor, ctypes.c_void_p]
        )
        self.counter_value = _declare(dll, "tb_counter_value", ctypes.c_double, [CounterHandle])
        self.gauge_value = _declare(dll, "tb_gauge_value", ctypes.c_double, [GaugeHandle])
        self.register = {}
        self.families = {}
        for kind, family, name in METRIC_HANDLES:
            arguments = [BoardHandle, ctypes.POINTER(MetricStruct), out]
            self.register[kind] = self._checked(dll, f"tb_{name}_register", arguments)
            kind._free = _declare(dll, f"tb_{name}_free", None, [kind])
            family._free = _declare(dll, f"tb_{name}_family_free", None, [family])
            values = [family, ctypes.POINTER(ctypes.c_char_p), ctypes.c_size_t, ctypes.c_void_p]
            self.families[kind] = Family(
                family,
                self._checked(dll, f"tb_{name}_family_register", arguments),
                self._checked(dll, f"tb_{name}_family_remove", values),
                self._checked(dll, f"tb_{name}_family_clear", [family, ctypes.c_void_p]),
            )
        BoardHandle._free = _declare(dll, "tb_board_close", None, [BoardHandle])

    def _declare_updates(self, dll: ctypes.PyDLL) -> None:
        self.board_leave = self._checked(dll, "tb_board_leave", [BoardHandle])
        self.counter_inc = _declare(dll, "tb_counter_inc", None, [CounterHandle])
        self.counter_add = _declare(dll, "tb_counter_add", None, [CounterHandle, ctypes.c_uint64])
        self.counter_add_double = _declare(
            dll, "tb_counter_add_double", ctypes.c_int32, [CounterHandle, ctypes.c_double]
        )
        self.gauge_set = _declare(dll, "tb_gauge_set", None, [GaugeHandle, ctypes.c_double])
        self.gauge_add = _declare(dll, "tb_gauge_add", None, [GaugeHandle, ctypes.c_double])
        self.histogram_observe = _declare(
            dll, "tb_histogram_observe", None, [HistogramHandle, ctypes.c_double]
        )
        self.summary_observe = _declare(
            dll, "tb_summary_observe", None, [SummaryHandle, ctypes.c_double]
        )

        labels = [ctypes.POINTER(LabelStruct), ctypes.c_size_t]
        self.info_set = self._checked(dll, "tb_info_set", [InfoHandle, *labels])
        self.state_set_set_place = _declare(
            dll, "tb_state_set_set_place", ctypes.c_int32, [StateSetHandle, ctypes.c_size_t]
        )
        self.counter_add_with_exemplar = _declare(
            dll, "tb_counter_add_with_exemplar", None, [CounterHandle, ctypes.c_uint64, *labels]
        )
        self.counter_add_double_with_exemplar = _declare(
            dll,
            "tb_counter_add_double_with_exemplar",
            ctypes.c_int32,
            [CounterHandle, ctypes.c_double, *labels],
        )
        self.histogram_observe_with_exemplar = _declare(
            dll,
            "tb_histogram_observe_with_exemplar",
            None,
            [HistogramHandle, ctypes.c_double, *labels],
        )

    def _checked(self, dll: ctypes.CDLL, name: str, argtypes: Sequence[Any]) -> Callable[..., None]:
        """A function that returns `tb_status`: raises `BoardError` where that is not OK."""

        def errcheck(status: int, _function: object, _arguments: object) -> None:
            if status != Status.OK:
                words = self.last_error() or b""
                message = words.decode("utf-8", "replace") or f"{name} failed: status {status}"
                raise BoardError(status, message)

        function = _declare(dll, name, ctypes.c_int32, argtypes)
        function.errcheck = errcheck
        return function  # type: ignore[no-any-return]


METRIC_HANDLES: Sequence[tuple[type[Handle], type[Handle], str]] = (
    (CounterHandle, CounterFamilyHandle, "counter"),
    (GaugeHandle, GaugeFamilyHandle, "gauge"),
    (HistogramHandle, HistogramFamilyHandle, "histogram"),
    (SummaryHandle, SummaryFamilyHandle, "summary"),
    (InfoHandle, InfoFamilyHandle, "info"),
    (StateSetHandle, StateSetFamilyHandle, "state_set"),
)
"""By the handle of a series: that of its family, and what both are called in C."""


def label_array(pairs: Mapping[str, str]) -> Any:
    """An array of `LabelStruct`, which keeps its texts. Errors: `UnicodeEncodeError`."""
    labels = [LabelStruct(name.encode(), value.encode()) for name, value in pairs.items()]
    return (LabelStruct * len(labels))(*labels)


def _declare(dll: ctypes.CDLL, name: str, restype: Any, argtypes: Sequence[Any]) -> Any:
    function = dll[name]
    function.restype = restype
    function.argtypes = argtypes
    return function


def load() -> Library:
    """The library that is at `path()`; where boards are not available, what counts without one.

    Errors: `LibraryUnusable`.
    """
    if sys.platform != "linux" and not os.environ.get("TALLYBOARD_LIBRARY"):
        from .by_python import private_library

        return private_library
    return Library(path())


def default_board(library: Library) -> tuple[str | None, bool]:
    """The default board's file, None where it has none, and whether it is off. Opens the board.

    Errors: `BoardError`.
    """
    handle = BoardHandle()
    library.board_open(None, ctypes.byref(handle))
    file = ctypes.create_string_buffer(4096)
    try:
        library.board_path(handle, file, len(file), None)
    except BoardError:
        return None, bool(library.board_is_off(handle))
    return os.fsdecode(file.value), False


def path() -> str:
    """Where the library is: the accelerator, where that counts; else what `$TALLYBOARD_LIBRARY`
    names; else the accelerator's file, which is a library, too, or a plain one beside it.

    Errors: `LibraryUnusable`.
    """
    # First: its classes take the handles of no other library, whatever the variable says by now.
    if backend.native is not None:
        return str(backend.native.__file__)
    named = os.environ.get("TALLYBOARD_LIBRARY")
    if named:
        return os.path.abspath(named)
    folder = os.path.dirname(os.path.abspath(__file__))
    for name in ("_native.abi3.so", "libtallyboard.so"):
        beside = os.path.join(folder, name)
        if os.path.exists(beside):
            return beside
    raise LibraryUnusable(
        f"there is no library in {folder}: install the package again, or let TALLYBOARD_LIBRARY "
        "name one"
    )
