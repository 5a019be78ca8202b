/*
 * tallyboard.h - metrics in shared memory, for C11, C++17 and everything that can call C.
 *
 * A board is a segment of shared memory that holds metrics. Every process of the machine that
 * opens the same board counts on the same metrics; `tallyboard serve` reads the board and serves
 * it to Prometheus. An update is a few plain instructions: no system call, no lock, no error.
 * What a process has counted stays when it dies, however it dies.
 *
 *     tb_board *board;
 *     tb_counter *served;
 *     tb_metric metric = TB_METRIC("http_requests_total", "Requests served.");
 *
 *     tb_board_open(NULL, &board);                          // the default board, made if it is not there
 *     tb_counter_register(board, &metric, &served);
 *     tb_counter_inc(served);
 *
 * The example ignores both statuses on purpose: a board that could not be opened is NULL,
 * registering on NULL gives a handle that goes nowhere, and the program runs on uncounted.
 *
 *
 * RULES FOR ALL FUNCTIONS. What a function's own text adds comes on top of these.
 *
 * Strings     given to this library end in NUL and are UTF-8, except locations, which are any
 *             bytes the file system takes. They are copied: free them as soon as the call returns.
 * Ownership   what a function hands out through a `T **` belongs to the caller, who gives it back
 *             once, with the function named in its text. Giving back NULL does nothing. What a
 *             function returns as `const char *` belongs to the library.
 * NULL        a NULL handle is ignored by updates and reads as 0. A NULL that a function cannot
 *             take is TB_INVALID_ARGUMENT, never a crash. Any other bad pointer is undefined.
 * Threads     any function may run in any thread, and any number of threads may use one object at
 *             the same time. Two exceptions: nobody may use an object while, or after, it is given
 *             back; and a tb_reader is used by one thread at a time.
 * Signals     a function is safe in a signal handler exactly when its text says "Signals: safe".
 *             Updates are, also when they interrupt an update of the same metric, but for
 *             tb_info_set() and tb_state_set_set().
 * Fork        everything goes on in a child of fork() with nothing to call: its updates count on
 *             the same board. (POSIX allows the child of a process with several threads only what
 *             is safe in a signal handler; the updates are.) Between vfork() and exec, in threads
 *             made by a raw clone() and in a process restored by CRIU, call nothing of this.
 * Errors      functions that can fail return a tb_status; tb_last_error() says it in words. Those
 *             that return nothing cannot fail.
 * Memory      the library ends the process when malloc fails, as most programs in Rust do. Updates
 *             that are safe in a signal handler never allocate.
 * Panics      a bug in the library is TB_PANIC and a message on standard error; it never unwinds
 *             into the caller. Visitors must not throw or longjmp through the library either: a
 *             C++ exception that gets there ends the process.
 * Environment TALLYBOARD and TALLYBOARD_DIR say which board the default is, TALLYBOARD_RSEQ=off
 *             chooses the slower update path. They are read when a board is opened, as
 *             secure_getenv(3) reads: a program that runs with more rights than its caller (setuid,
 *             setgid, file capabilities) has none of them. Do not call setenv() meanwhile.
 * Unloading   dlclose() leaves the library mapped (it is linked with -z nodelete): threads that
 *             count may go on, and handles stay good.
 * Growth      within one TB_ABI_VERSION, functions, status codes and fields at the end of structs
 *             are added, and nothing else changes. A struct that begins with `struct_size` may
 *             grow; its size says which version of it the caller means. A size smaller than that of
 *             ABI 1 is TB_INVALID_ARGUMENT. A larger one than the library knows is taken as long as
 *             all bytes of the unknown tail are 0; otherwise the caller asks for something that
 *             this library cannot do, and that is TB_UNSUPPORTED.
 *
 * Everything is there since ABI 1 unless its text says otherwise.
 */
#ifndef TALLYBOARD_H
#define TALLYBOARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------ */
/* Versions                                                                                   */
/* ------------------------------------------------------------------------------------------ */

/* The ABI this header describes. It is also the number in the name libtallyboard.so.1. */
#define TB_ABI_VERSION 1

/*
 * The ABI of the library that was loaded: compare it with TB_ABI_VERSION before the first other
 * call when the library was found with dlopen(). A program linked with -ltallyboard need not: the
 * loader has compared the names. Signals: safe.
 */
uint32_t tb_abi_version(void);

/*
 * The version of the library, such as "0.1.0". A static string, never NULL. Signals: safe.
 */
const char *tb_version(void);

/*
 * The version of the bytes in the segment. Libraries with different layout versions use different
 * files, `NAME.v1.board`, and so never meet; the exporter reads all that it knows. Signals: safe.
 */
uint32_t tb_layout_version(void);

/* ------------------------------------------------------------------------------------------ */
/* Errors                                                                                     */
/* ------------------------------------------------------------------------------------------ */

/* What a call came to: one of the constants below, or one that a later library has added. */
typedef int32_t tb_status;

enum {
    TB_OK = 0,
    TB_INVALID_ARGUMENT = 1, /* a NULL, a bad name, text that is not UTF-8, an impossible number */
    TB_NOT_FOUND = 2,        /* there is no such board */
    TB_EXISTS = 3,           /* there is already a board of that name */
    TB_PERMISSION = 4,       /* the board, or its directory, is not this user's to open */
    TB_NO_SPACE = 5,         /* the file system is too small for the board, or a buffer for its text */
    TB_VERSION = 6,          /* the board was made by another layout version */
    TB_DAMAGED = 7,          /* it is not a board, or its bytes are bad */
    TB_UNSUPPORTED = 8,      /* this file system, system or library version cannot do that */
    TB_CLASH = 9,            /* the name is taken by a metric of another type */
    TB_FULL = 10,            /* no slot, process row or serial number is free on the board */
    TB_READ_ONLY = 11,       /* the board was attached for reading only */
    TB_IO = 12,              /* the system refused, or too much changed at once: what has no code of its own */
    TB_PANIC = 13,           /* a bug in the library; please report what tb_last_error() says */
    TB_TOO_LONG = 14,        /* text or buckets are longer than any record can be */
    TB_FAMILY_FULL = 15      /* a gauge, info or state set has as many series as it may have */
};

/*
 * The name of a status as it is written above, such as "TB_NOT_FOUND"; "TB_UNKNOWN" for a number
 * this library does not know. A static string, never NULL. Signals: safe.
 */
const char *tb_status_name(tb_status status);

/*
 * What the last call that failed in this thread failed of, in words that say what to do about it.
 * "" when none has failed. A call that succeeds leaves it alone, so look at the status first.
 * Never NULL; belongs to the library and is good until this thread's next failing call, or its
 * end. Of the updates, only tb_info_set() and tb_state_set_set() write it: it would cost the others
 * their signal safety.
 */
const char *tb_last_error(void);

/* ------------------------------------------------------------------------------------------ */
/* Boards                                                                                     */
/* ------------------------------------------------------------------------------------------ */

/*
 * An open board. Opening costs some system calls, so do it once and keep it. Metrics hold the
 * board they are on, so it may be closed before they are freed.
 *
 * A location, wherever a function takes one, is
 *     NULL           what the environment variable TALLYBOARD says, in any of the forms below; else
 *                    the name `default`
 *     a path         that is, text with a `/` in it
 *     shm:NAME       the POSIX shared-memory object of that name
 *     off            no board: everything succeeds and nothing is counted
 *     private        a board without a name, for this process and the children it forks
 *     any other text a name, looked up in $TALLYBOARD_DIR; else in /run/tallyboard where this
 *                    process may write there; else in /dev/shm/tallyboard.UID
 */
typedef struct tb_board tb_board;

/*
 * How to make a board. Begin with TB_BOARD_OPTIONS; 0 in any field means its default. The options
 * of a board that is there already are its own: those given here are not compared with them.
 */
typedef struct tb_board_options {
    size_t struct_size;            /* sizeof(tb_board_options) */
    uint32_t slots;                /* 64 to 4194304; default 16384. A family, a counter, a gauge, a
                                    * summary and a state set take one each, an info two, a histogram
                                    * one for three buckets, and long texts take more; an exemplar
                                    * takes one, and each process's part of a gauge that keeps
                                    * processes apart */
    uint32_t processes;            /* living processes that register, 1 to 65535; default 1024 */
    uint32_t mode;                 /* of the file: 0600 and further permissions; default 0600 */
    uint32_t has_group;            /* 1: give the file to `group`; 0: leave it with the process's */
    uint32_t group;                /* a gid */
    uint32_t allow_any_filesystem; /* 1: also where writeback would block updates, such as a disk */
    uint32_t series_cap;           /* series that a family may have at most, where its own definition
                                    * does not say; default: any number. See tb_metric.series_cap */
    uint32_t keep_dead_seconds;    /* how long TB_AGGREGATION_ALL shows a gauge's value of a process
                                    * that has died; default 300 */
} tb_board_options;

/* Options that are all default: `tb_board_options options = TB_BOARD_OPTIONS;` */
#define TB_BOARD_OPTIONS { sizeof(tb_board_options), 0, 0, 0, 0, 0, 0, 0, 0 }

/*
 * Opens the board at `location`, and makes it with default options if it is not there. When
 * several processes do so at once, one makes it and all get the same board, complete.
 *
 * `*board` is given back with tb_board_close(). On failure it is NULL, which every function takes
 * for a board on which nothing can be registered.
 *
 * TB_INVALID_ARGUMENT (no possible location, or `board` is NULL), TB_PERMISSION (also for a
 * symbolic link and a directory that others may write, which anyone could have put there),
 * TB_NO_SPACE, TB_VERSION, TB_DAMAGED, TB_UNSUPPORTED (a file system that is not memory, or a board
 * that needs a newer library), TB_IO (also where its directory is not there).
 */
tb_status tb_board_open(const char *location, tb_board **board);

/*
 * As tb_board_open(), making the board with `options` if it is not there. NULL options are the
 * default ones. `allow_any_filesystem` matters also for a board that is there already.
 *
 * As tb_board_open(); TB_INVALID_ARGUMENT also for a number out of range, TB_UNSUPPORTED also for
 * options that this library does not know.
 */
tb_status tb_board_open_with(const char *location, const tb_board_options *options, tb_board **board);

/*
 * Makes a board where there is none, and opens it. NULL options are the default ones.
 * As tb_board_open_with(), and TB_EXISTS. After a failure no file is left behind. `off` and
 * `private` are opened here and in the next two functions as tb_board_open() opens them.
 */
tb_status tb_board_create(const char *location, const tb_board_options *options, tb_board **board);

/*
 * Opens a board that is there. As tb_board_open(), and TB_NOT_FOUND.
 */
tb_status tb_board_attach(const char *location, tb_board **board);

/*
 * Opens a board that is there, for reading: its memory is mapped without the right to write, and
 * registering on it is TB_READ_ONLY. As tb_board_attach().
 */
tb_status tb_board_attach_read_only(const char *location, tb_board **board);

/*
 * Retires the board at `location`, ends its series and removes its file. Processes that still have
 * it open see that by tb_board_is_retired(), and open the board anew to read. Handles move by
 * themselves: the next update is counted, from zero, on the board that has the name by then; if
 * there is none, it makes one like the old where that was its own user's. A damaged board, or one
 * of another layout version, is just unlinked, and so is a file NAME.v1.board that is no board.
 *
 * TB_INVALID_ARGUMENT for `off` and `private`, and for NULL: what destroys wants to be told what.
 * TB_NOT_FOUND, TB_PERMISSION, TB_DAMAGED (any other file that is no board), TB_IO.
 */
tb_status tb_board_remove(const char *location);

/*
 * Gives a board back. The metrics registered on it stay valid and go on counting. Once something was
 * registered on it, it stays mapped until the process ends: an update may be under way in a thread or
 * signal handler. Else it is unmapped with its last tb_board and tb_reader. The board itself stays: it
 * is the processes' in common. NULL is ignored.
 */
void tb_board_close(tb_board *board);

/*
 * 1 when nothing is counted here: the location was `off`, or `board` is NULL. Else 0.
 * Signals: safe.
 */
int32_t tb_board_is_off(const tb_board *board);

/*
 * 1 when tb_board_remove() or `tallyboard rm` was called on this board. Else 0, also for NULL.
 * Signals: safe.
 */
int32_t tb_board_is_retired(const tb_board *board);

/*
 * 1 when this process updates this board by restartable sequences, about a nanosecond each; 0 when
 * by compare-and-swap on the plane that all CPUs share, some five times that (no rseq in this
 * kernel or C library, a board of another boot or kernel, TALLYBOARD_RSEQ=off, NULL).
 */
int32_t tb_board_uses_rseq(const tb_board *board);

/*
 * Writes where the board is, in the form in which a location is given, into the `len` bytes at
 * `buffer`, with a NUL at the end, and into `*needed` the bytes that takes, the NUL included.
 *
 * Either pointer may be NULL (`buffer` when `len` is 0): call with none, then with a buffer of the
 * size needed. TB_NO_SPACE when `len` is too small; the buffer then holds "" where it has a byte.
 * TB_INVALID_ARGUMENT for a NULL board.
 */
tb_status tb_board_location(const tb_board *board, char *buffer, size_t len, size_t *needed);

/*
 * As tb_board_location(), but the path of the board's file. TB_NOT_FOUND when it has none (`off`,
 * `private`): `*needed` is then 0.
 */
tb_status tb_board_path(const tb_board *board, char *buffer, size_t len, size_t *needed);

/*
 * Writes the board's 128-bit identity: two boards never have the same, also when one was made at
 * the path of the other. TB_NOT_FOUND, and zeros, when the board is off. TB_INVALID_ARGUMENT for a
 * NULL.
 */
tb_status tb_board_uuid(const tb_board *board, uint8_t uuid[16]);

/*
 * When the board was made, in nanoseconds since 1970; 0 when it is off or NULL.
 */
uint64_t tb_board_created_unix_nanos(const tb_board *board);

/* Entries of tb_stats.refused, used or not. Fixed for ABI 1, so that the struct can grow after it. */
#define TB_REFUSED_REASONS 16

/* What tb_board_stats() tells. Begin with TB_STATS. */
typedef struct tb_stats {
    size_t struct_size;       /* sizeof(tb_stats), set by the caller */
    uint64_t bytes_reserved;  /* memory the board holds now */
    uint64_t bytes_total;     /* memory it can come to hold: its file's length */
    uint32_t slots;           /* capacity */
    uint32_t slots_used;
    uint32_t series;
    uint32_t families;
    uint32_t processes;       /* capacity */
    uint32_t processes_used;
    uint32_t planes;          /* CPUs it can give a plane of their own */
    uint32_t planes_ready;    /* CPUs that have one */
    uint32_t planes_refused;  /* CPUs that were refused one, for lack of memory */
    uint32_t refused_reasons; /* entries of `refused` that this library uses */
    uint64_t reclaimed;       /* slots reclaimed after a death or a removal, ever */
    uint64_t reaped;          /* process rows freed after a death or by tb_board_leave(), ever */
    uint64_t damaged;         /* records found with bad bytes */
    uint64_t refused[TB_REFUSED_REASONS]; /* registrations and exemplars refused, ever, by reason */
    uint64_t parts;           /* what single processes contribute to gauges: see tb_metric.aggregation */
    uint64_t folded;          /* parts of dead processes that went into their gauge, ever */
    uint64_t overflowed;      /* lookups and registrations beyond the cap of a family, ever */
    uint64_t expired;         /* series ended because they did not change for long, ever */
} tb_stats;

/* An empty struct to fill: `tb_stats stats = TB_STATS;` */
#define TB_STATS \
    { sizeof(tb_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
      { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 0, 0, 0, 0 }

/*
 * Fills `stats`, up to its struct_size; what a newer caller has beyond that is set to 0. Reads
 * every slot: some tens of microseconds on a default board.
 * TB_INVALID_ARGUMENT for a NULL or a struct_size that is too small.
 */
tb_status tb_board_stats(const tb_board *board, tb_stats *stats);

/*
 * The name of the reason that counts in tb_stats.refused[reason], such as "board_full"; NULL when
 * this library has no such reason. A static string. Signals: safe.
 */
const char *tb_refused_reason_name(uint32_t reason);

/*
 * Is told of one fault of a board: one line of text, good until it returns. A return other than 0
 * asks to hear no more. `context` is what was given to tb_board_check().
 */
typedef int32_t (*tb_fault_visitor)(const char *fault, void *context);

/*
 * Checks the whole board against its own rules, as `tallyboard check` does, while others use it.
 * Calls `visit`, if it is not NULL, for each fault. Reads every record; where something looks wrong,
 * five times within 30 ms, since work in progress does for a moment. TB_OK: the board is sound.
 * TB_DAMAGED: it has faults, and tb_last_error() is the first. TB_INVALID_ARGUMENT for a NULL board.
 */
tb_status tb_board_check(const tb_board *board, tb_fault_visitor visit, void *context);

/*
 * Does what processes that have died cannot do any more: completes or gives back what they were
 * registering, settles their gauges, gives their places back. An exporter does it all the time, and
 * processes do it when they find no room. Passes over the whole board, and a syscall for each process;
 * never waits. Does nothing on a board that was attached for reading. TB_INVALID_ARGUMENT for a NULL
 * board.
 */
tb_status tb_board_reap(const tb_board *board);

/*
 * Ends the series whose value has not changed for `ttl_seconds`, but for infos, and writes how many
 * into `*expired`, which may be NULL. What was never looked at by this is looked at from now on: call it
 * again and again, from any process, at least four times in each `ttl_seconds`. A handle to such a
 * series registers it again with its next update, from zero. Passes over all values; never waits.
 * Does nothing on a board that was attached for reading. TB_INVALID_ARGUMENT for a NULL board.
 */
tb_status tb_board_expire(const tb_board *board, uint64_t ttl_seconds, uint64_t *expired);

/*
 * Enters this process into the board's list of processes now. A process that registers a new series
 * is entered by that; this is for a child of fork() that only counts on what it has inherited, and
 * is to be listed. Some system calls if it is not there yet. What stands in the way, such as a full
 * list, is met again, and told, when the entry is needed. TB_INVALID_ARGUMENT for a NULL board.
 */
tb_status tb_board_enlist(const tb_board *board);

/*
 * Takes this process off the list of processes and settles its gauges, as is done after its death:
 * for a process that is about to end and would rather not leave that to others. Nothing is lost
 * without it. No other thread may register or change a gauge meanwhile. What is registered
 * afterwards enters the process again. TB_INVALID_ARGUMENT for a NULL board.
 */
tb_status tb_board_leave(const tb_board *board);

/*
 * A process on the board's list. Everything in it, and everything it points to, is good until the
 * visitor returns.
 */
typedef struct tb_process {
    size_t struct_size;          /* set by the library: a field beyond it is not there */
    uint32_t row;                /* its place in the list */
    int32_t is_alive;            /* 0: it has died and nobody has reaped it yet */
    uint64_t pid;                /* in its own PID namespace */
    uint64_t pid_namespace;      /* the inode of that namespace; 0 where it could not be found out */
    uint64_t start_ticks;        /* when it was started: field 22 of /proc/PID/stat */
    uint64_t claimed_unix_nanos; /* when it came to the board, in nanoseconds since 1970 */
    uint64_t gauges;             /* gauges of which it has a part: see tb_metric.aggregation */
    const char *name;            /* of its command, 16 bytes at most */
    const char *version;         /* of the library it uses, such as "0.1.0" */
} tb_process;

/* Is told of one process. A return other than 0 ends the visit. */
typedef int32_t (*tb_process_visitor)(const tb_process *process, void *context);

/*
 * Calls `visit` for every process on the board's list: those that have registered something, or were
 * enlisted, and have not left. One system call for each. TB_OK also when the visitor ended it;
 * TB_INVALID_ARGUMENT for a NULL board or visitor.
 */
tb_status tb_board_processes(const tb_board *board, tb_process_visitor visit, void *context);

/* ------------------------------------------------------------------------------------------ */
/* What a metric is                                                                           */
/* ------------------------------------------------------------------------------------------ */

/* One label of a series. This struct never grows: it comes in arrays. */
typedef struct tb_label {
    const char *name;  /* does not begin with `__`; `le` is a histogram's own */
    const char *value; /* any UTF-8; NULL in the definition of a family, and nowhere else */
} tb_label;

/*
 * The exponential buckets of a native histogram: each bound is 2 to the power of 2^-schema times the
 * one before. Begin with TB_NATIVE. Where Prometheus asks for native histograms it gets these;
 * elsewhere the histogram is shown with classic buckets that are put together from them.
 *
 * They are fixed: what is nearer to 0 than the lowest is counted in the bucket of zero, what is above
 * the highest is shown in that one, and tb_sample.native says how often that was. There is room for
 * 188, or 94 on each side; a series takes (buckets + 4) / 3 slots of the board, rounded up. What does
 * not fit is TB_INVALID_ARGUMENT, and tb_last_error() says what would.
 */
typedef struct tb_native {
    size_t struct_size;    /* sizeof(tb_native) */
    int32_t schema;        /* -4 to 8: 0 doubles, 3 is 9 % from one bound to the next, 8 is 0.3 % */
    uint32_t has_negative; /* 1: as many buckets again for negative values, the same range mirrored */
    double lowest;         /* above 0: what is to have buckets of its own begins here, */
    double highest;        /* and ends here */
} tb_native;

/* For seconds: 9 % apart, from a millisecond to 64 seconds, 44 slots.
 * `tb_native native = TB_NATIVE;` */
#define TB_NATIVE { sizeof(tb_native), 3, 0, 0.001, 64.0 }

/*
 * What to register: a family, and one series of it by its labels. Begin with TB_METRIC or
 * TB_METRIC_WITH_LABELS and set what else is needed.
 *
 * All processes that register the same name must mean the same type; else the later one gets
 * TB_CLASH. Other label names, other bounds, native buckets or states, or another aggregation are
 * another definition of that name, whose series stand beside the old: that is how a new release of
 * a program changes them, and readers show the newest definition. Of unit and help, too, the newest
 * are shown.
 */
typedef struct tb_metric {
    size_t struct_size;     /* sizeof(tb_metric) */
    const char *name;       /* as Prometheus is to show it; counters usually end in `_total` */
    const char *help;       /* one sentence; NULL is "" */
    const char *unit;       /* such as "seconds"; NULL or "": none */
    const tb_label *labels; /* in any order; NULL when label_count is 0 */
    size_t label_count;
    const double *bounds;   /* histograms: upper bounds, ascending, +Inf implied; NULL: the default
                             * ones, tb_buckets_default(). Other metrics: NULL */
    size_t bound_count;
    uint32_t aggregation;   /* gauges: TB_AGGREGATION_...; other metrics: 0 */
    uint32_t series_cap;    /* series that the metric may have at most, as far as this process is
                             * concerned; 0: what the board says. What goes beyond is counted in one
                             * series whose label values are all `overflow`; a gauge, an info and a
                             * state set are refused, TB_FAMILY_FULL. Registrations that race, and
                             * processes with another cap, may exceed it */
    const tb_native *native; /* histograms: exponential buckets, and no bounds then; NULL: none */
    const char *const *states; /* state sets: one at least, none empty, none twice; the first holds
                             * until another is set. Other metrics: NULL */
    size_t state_count;
} tb_metric;

/*
 * How the values that several processes give to a gauge become one: tb_metric.aggregation. But for
 * LAST each process has a part of its own, and a child of fork() gets another with its first
 * update. A process that never updated the gauge contributes nothing: a minimum of nothing is left
 * out by readers, a sum of nothing is 0. What a process contributed to SUM, MIN and MAX stays when
 * it dies; to those that begin with LIVE it counts no more from its death on.
 */
enum {
    TB_AGGREGATION_LAST = 0,          /* one value for all: the last set wins, inc and dec add up */
    TB_AGGREGATION_SUM = 1,           /* over all processes, the dead included */
    TB_AGGREGATION_MIN = 2,
    TB_AGGREGATION_MAX = 3,
    TB_AGGREGATION_ALL = 4,           /* a sample for each process, with its `pid` as a label; those
                                       * of the dead stay for tb_board_options.keep_dead_seconds */
    TB_AGGREGATION_LIVESUM = 5,       /* over living processes */
    TB_AGGREGATION_LIVEMIN = 6,
    TB_AGGREGATION_LIVEMAX = 7,
    TB_AGGREGATION_LIVEALL = 8,       /* a sample for each living process, with its `pid` */
    TB_AGGREGATION_LIVEMOSTRECENT = 9 /* what a living process set last */
};

/* A metric without labels: `tb_metric metric = TB_METRIC("jobs_total", "Jobs done.");` */
#define TB_METRIC(name, help) { sizeof(tb_metric), (name), (help), NULL, NULL, 0, NULL, 0, 0, 0, NULL, NULL, 0 }

/*
 * A metric with the labels of an array (not of a pointer):
 *     const tb_label labels[] = { { "method", "GET" }, { "code", "200" } };
 *     tb_metric metric = TB_METRIC_WITH_LABELS("requests_total", "Requests.", labels);
 */
#define TB_METRIC_WITH_LABELS(name, help, labels) \
    { sizeof(tb_metric), (name), (help), NULL, (labels), sizeof(labels) / sizeof((labels)[0]), NULL, 0, 0, 0, NULL, NULL, \
      0 }

/*
 * All tb_KIND_register() functions do the same for their kind of metric:
 *
 * They find the series on the board, or add it with the value 0, and hand out a handle to it.
 * Any number of handles, in any number of processes, update one series. It costs a microsecond or
 * so, never waits for another process, and on the first new series of a process some system calls:
 * keep the handle. `metric` is only read.
 *
 * `*handle` is given back with tb_KIND_free(). On failure it still is a good handle, one that goes
 * nowhere: it can be updated and freed, and tb_KIND_is_sink() says 1. So a program may register
 * everything, count, and look at the statuses or not. (It is not written when the pointer to it is
 * NULL; and NULL, ignored by all functions, after the worst of TB_PANIC.)
 *
 * The series may end while handles to it are held: it is removed (tb_KIND_family_remove()), expires
 * (tb_board_expire()), or its board is removed (tb_board_remove()). Then the handle's next update
 * registers it again, from zero, on the board that has the name by then, and that one update costs
 * as much as a registration, and is as safe in a signal handler as any. Where it cannot be
 * registered, the update goes nowhere. Until then the handle reads as 0.
 *
 * TB_INVALID_ARGUMENT: a NULL or bad name, label, bound, state or aggregation; tb_last_error() names it; a
 * NULL board. TB_CLASH: the name is registered with another type.
 * TB_FULL: no slot is free, or no process row is. TB_FAMILY_FULL: see tb_metric.series_cap.
 * TB_TOO_LONG: text and buckets fit no record. TB_READ_ONLY, TB_DAMAGED, TB_UNSUPPORTED
 * (struct_size), TB_IO (also when the board's file is gone, when the board was removed and none has
 * its place yet, and when other processes change the same list too often meanwhile).
 */

/* ------------------------------------------------------------------------------------------ */
/* Counters                                                                                   */
/* ------------------------------------------------------------------------------------------ */

/* A number that only grows: requests, bytes, errors. */
typedef struct tb_counter tb_counter;

/* Finds or adds a counter: see "What a metric is". Give it back with tb_counter_free(). */
tb_status tb_counter_register(const tb_board *board, const tb_metric *metric, tb_counter **counter);

/*
 * Adds one. About a nanosecond; no system call (but for one at a CPU's first update of the board, to
 * reserve memory), no lock, cannot fail. Signals: safe.
 */
void tb_counter_inc(const tb_counter *counter);

/*
 * Adds `amount`, exactly, and modulo 2^64 as Prometheus clients do. Costs the same as
 * tb_counter_inc(). Signals: safe.
 */
void tb_counter_add(const tb_counter *counter, uint64_t amount);

/*
 * Adds an amount that is not whole. The counter keeps whole and other amounts apart and shows their
 * sum, so tb_counter_inc() on the same counter stays exact. TB_INVALID_ARGUMENT, and nothing added,
 * when `amount` is negative, infinite or not a number; tb_last_error() is not written. Costs about
 * the same as tb_counter_inc(). Signals: safe.
 */
tb_status tb_counter_add_double(const tb_counter *counter, double amount);

/*
 * Adds `amount`, as tb_counter_add(), and makes it the counter's exemplar: where one of the additions
 * came from, such as `{ "trace_id", "4bf92f" }`. The last one that any process gave stays. About a
 * microsecond, and in a process that has not registered anything yet some system calls; no lock, no
 * allocation. Signals: safe.
 *
 * The addition is made in any case. An exemplar that cannot be kept is counted, by its reason, in
 * tb_stats.refused: as `bad_exemplar` when a name is NULL, empty, there twice or begins with `__`, a
 * value is NULL, text is not UTF-8, or names and values are more than 128 characters together; as
 * `board_full` when no slot is free, of which it takes one. On a board that has used up half of its
 * serial numbers, one stays for a second.
 */
void tb_counter_add_with_exemplar(const tb_counter *counter, uint64_t amount, const tb_label *labels,
                                  size_t label_count);

/*
 * Adds an amount that is not whole, as tb_counter_add_double(), and makes it the counter's exemplar,
 * as tb_counter_add_with_exemplar(). TB_INVALID_ARGUMENT, and neither is done, for an amount that
 * tb_counter_add_double() does not take. Signals: safe.
 */
tb_status tb_counter_add_double_with_exemplar(const tb_counter *counter, double amount, const tb_label *labels,
                                              size_t label_count);

/*
 * The value now: what all processes have added. 0 for a sink and for NULL. Reads one cell for each
 * CPU; meant for tests and for showing, not for hot loops. Beyond 2^53 a double has no room for
 * every integer: see tb_counter_value_exact().
 */
double tb_counter_value(const tb_counter *counter);

/*
 * Writes the value as an integer and returns 1; returns 0, and writes 0, when it is not one because
 * tb_counter_add_double() has been used on it. A NULL counter is 0, exactly. A NULL `value`
 * returns 0.
 */
int32_t tb_counter_value_exact(const tb_counter *counter, uint64_t *value);

/* 1 when updates go nowhere: registration failed, the board is off, or NULL. Signals: safe. */
int32_t tb_counter_is_sink(const tb_counter *counter);

/* Gives a handle back. The counter stays on the board, with its value. NULL is ignored. */
void tb_counter_free(tb_counter *counter);

/* ------------------------------------------------------------------------------------------ */
/* Gauges                                                                                     */
/* ------------------------------------------------------------------------------------------ */

/*
 * A number that goes up and down: a queue's length, a temperature. Processes share one value, the
 * last write wins; or each has a part of its own, and tb_metric.aggregation says what is shown.
 */
typedef struct tb_gauge tb_gauge;

/* Finds or adds a gauge: see "What a metric is". Give it back with tb_gauge_free(). */
tb_status tb_gauge_register(const tb_board *board, const tb_metric *metric, tb_gauge **gauge);

/* Sets the value; where processes are kept apart, this process's own. Some nanoseconds; no system
 * call (but at a process's first update of a gauge that keeps them apart), no lock, cannot fail.
 * Signals: safe. */
void tb_gauge_set(const tb_gauge *gauge, double value);

/* Adds 1. Costs as tb_gauge_set(); retries while other processes write at the same instant.
 * Signals: safe. */
void tb_gauge_inc(const tb_gauge *gauge);

/* Subtracts 1. As tb_gauge_inc(). Signals: safe. */
void tb_gauge_dec(const tb_gauge *gauge);

/* Adds `amount`, of any sign. As tb_gauge_inc(). Signals: safe. */
void tb_gauge_add(const tb_gauge *gauge, double amount);

/* Subtracts `amount`, of any sign. As tb_gauge_inc(). Signals: safe. */
void tb_gauge_sub(const tb_gauge *gauge, double amount);

/*
 * Sets the value to the seconds since 1970, with fractions. Reads the clock through the vDSO,
 * which is no system call on common machines. Signals: safe.
 */
void tb_gauge_set_to_current_time(const tb_gauge *gauge);

/* The value now; where processes are kept apart, this process's own. 0 for a sink and for NULL.
 * Signals: safe. */
double tb_gauge_value(const tb_gauge *gauge);

/* 1 when updates go nowhere: registration failed, the board is off, or NULL. Signals: safe. */
int32_t tb_gauge_is_sink(const tb_gauge *gauge);

/* Gives a handle back. The gauge stays on the board, with its value. NULL is ignored. */
void tb_gauge_free(tb_gauge *gauge);

/* ------------------------------------------------------------------------------------------ */
/* Histograms                                                                                 */
/* ------------------------------------------------------------------------------------------ */

/* Observations counted in buckets, and their sum: durations, sizes. */
typedef struct tb_histogram tb_histogram;

/* Finds or adds a histogram: see "What a metric is". Give it back with tb_histogram_free(). */
tb_status tb_histogram_register(const tb_board *board, const tb_metric *metric, tb_histogram **histogram);

/*
 * Counts `value` in its bucket and adds it to the sum. A few nanoseconds; no system call, no lock,
 * cannot fail. A process killed between the two leaves the sum one observation short. Not a number
 * counts in the bucket of +Inf and makes the sum not a number, as in every Prometheus client.
 * Signals: safe.
 */
void tb_histogram_observe(const tb_histogram *histogram, double value);

/*
 * Counts `value`, as tb_histogram_observe(), and makes it the exemplar of its bucket. The rest is as
 * tb_counter_add_with_exemplar() says. Signals: safe.
 */
void tb_histogram_observe_with_exemplar(const tb_histogram *histogram, double value, const tb_label *labels,
                                        size_t label_count);

/*
 * Observes the seconds since `start_nanos`, which tb_monotonic_nanos() gave:
 *     uint64_t start = tb_monotonic_nanos();
 *     work();
 *     tb_histogram_observe_since(duration, start);
 * A start that lies in the future observes 0. Signals: safe.
 */
void tb_histogram_observe_since(const tb_histogram *histogram, uint64_t start_nanos);

/* 1 when updates go nowhere: registration failed, the board is off, or NULL. Signals: safe. */
int32_t tb_histogram_is_sink(const tb_histogram *histogram);

/* Gives a handle back. The histogram stays on the board, with its counts. NULL is ignored. */
void tb_histogram_free(tb_histogram *histogram);

/* Buckets of the default histogram: 0.005 to 10, for seconds of work on a network. Those of the Python
 * package are others, as prometheus_client's are: a histogram that both count in needs its bounds said. */
#define TB_BUCKETS_DEFAULT_COUNT 11

/*
 * Writes the first `count` of the default bounds and returns how many there are in all,
 * TB_BUCKETS_DEFAULT_COUNT. Writes nothing when `bounds` is NULL. Signals: safe.
 */
size_t tb_buckets_default(double *bounds, size_t count);

/*
 * Writes `count` bounds: start, start + width, start + 2 width, ... Returns `count`; or 0, and
 * writes nothing, when they would not be finite and ascending, or `bounds` is NULL. The same
 * numbers to the last bit from every language, so that the same call never clashes.
 */
size_t tb_buckets_linear(double start, double width, double *bounds, size_t count);

/*
 * Writes `count` bounds: start, start * factor, start * factor^2, ... As tb_buckets_linear().
 */
size_t tb_buckets_exponential(double start, double factor, double *bounds, size_t count);

/* ------------------------------------------------------------------------------------------ */
/* Summaries                                                                                  */
/* ------------------------------------------------------------------------------------------ */

/* The count and the sum of observations, without buckets: for averages. */
typedef struct tb_summary tb_summary;

/* Finds or adds a summary: see "What a metric is". Give it back with tb_summary_free(). */
tb_status tb_summary_register(const tb_board *board, const tb_metric *metric, tb_summary **summary);

/* Counts an observation and adds it to the sum. As tb_histogram_observe(). Signals: safe. */
void tb_summary_observe(const tb_summary *summary, double value);

/* Observes the seconds since `start_nanos`. As tb_histogram_observe_since(). Signals: safe. */
void tb_summary_observe_since(const tb_summary *summary, uint64_t start_nanos);

/* 1 when updates go nowhere: registration failed, the board is off, or NULL. Signals: safe. */
int32_t tb_summary_is_sink(const tb_summary *summary);

/* Gives a handle back. The summary stays on the board, with its values. NULL is ignored. */
void tb_summary_free(tb_summary *summary);

/*
 * Nanoseconds of the clock that only goes forward (CLOCK_MONOTONIC), to time work with. Read
 * through the vDSO, which is no system call on common machines. Signals: safe.
 */
uint64_t tb_monotonic_nanos(void);

/* ------------------------------------------------------------------------------------------ */
/* Infos                                                                                      */
/* ------------------------------------------------------------------------------------------ */

/*
 * Names with values that describe something and do not change often: a version, a commit. Shown as
 * `NAME_info`, with the pairs as labels and the value 1; NAME may end in `_info` already. It has no
 * unit, and does not expire.
 */
typedef struct tb_info tb_info;

/* Finds or adds an info, which says nothing at first. Give it back with tb_info_free(). */
tb_status tb_info_register(const tb_board *board, const tb_metric *metric, tb_info **info);

/*
 * Says these pairs, in any order, and no more what any process said before. A few microseconds; no
 * lock. A process that dies meanwhile leaves the one or the other. `pairs` is NULL when `pair_count`
 * is 0. A NULL `info` or a sink takes all.
 *
 * TB_INVALID_ARGUMENT: a NULL, a name that is empty, begins with `__`, is there twice or is a label
 * of the metric. TB_TOO_LONG, TB_FULL (it takes a second slot for the moment), TB_DAMAGED, TB_IO.
 * What was said before stays.
 */
tb_status tb_info_set(const tb_info *info, const tb_label *pairs, size_t pair_count);

/* 1 when it goes nowhere: registration failed, the board is off, or NULL. Signals: safe. */
int32_t tb_info_is_sink(const tb_info *info);

/* Gives a handle back. The info stays on the board, with what it says. NULL is ignored. */
void tb_info_free(tb_info *info);

/* ------------------------------------------------------------------------------------------ */
/* State sets                                                                                 */
/* ------------------------------------------------------------------------------------------ */

/*
 * Which of some states holds, such as the phase of a job: tb_metric.states. All processes share it,
 * the last one wins. Shown as a series for each state, 1 for the one that holds and 0 for the others,
 * with a label that is called as the metric is. It has no unit.
 */
typedef struct tb_state_set tb_state_set;

/* Finds or adds a state set. Give it back with tb_state_set_free(). */
tb_status tb_state_set_register(const tb_board *board, const tb_metric *metric, tb_state_set **state_set);

/*
 * Sets the state that holds. A comparison for each state, then as tb_gauge_set().
 * TB_INVALID_ARGUMENT, and nothing is changed, for a NULL and a state that was not declared.
 */
tb_status tb_state_set_set(const tb_state_set *state_set, const char *state);

/*
 * As tb_state_set_set(), by the state's place in tb_metric.states, from 0. TB_INVALID_ARGUMENT when
 * there is no such place; tb_last_error() is not written. Signals: safe.
 */
tb_status tb_state_set_set_place(const tb_state_set *state_set, size_t place);

/* The place of the state that holds; 0 for a sink and for NULL. Signals: safe. */
size_t tb_state_set_place(const tb_state_set *state_set);

/* 1 when updates go nowhere: registration failed, the board is off, or NULL. Signals: safe. */
int32_t tb_state_set_is_sink(const tb_state_set *state_set);

/* Gives a handle back. The state set stays on the board, with its state. NULL is ignored. */
void tb_state_set_free(tb_state_set *state_set);

/* ------------------------------------------------------------------------------------------ */
/* Families: series by label values that are known only when something happens                */
/* ------------------------------------------------------------------------------------------ */

/*
 * A family holds what its series have in common, checked once:
 *
 *     const tb_label labels[] = { { "method", NULL }, { "code", NULL } };
 *     tb_metric metric = TB_METRIC_WITH_LABELS("requests_total", "Requests.", labels);
 *     tb_counter_family_register(board, &metric, &requests);
 *     ...
 *     const char *const values[] = { "GET", "200" };
 *     tb_counter_family_with(requests, values, 2, &counter);
 *
 * tb_KIND_family_register() takes label names without values (a value is TB_INVALID_ARGUMENT),
 * and otherwise what tb_KIND_register() takes. `*family` is given back with
 * tb_KIND_family_free(). On failure it is NULL, on which the next function gives sinks.
 *
 * tb_KIND_family_with() finds or adds the series with these label values, in the order in which
 * the definition named the labels, and hands out a handle as tb_KIND_register() does, sink on
 * failure included. It looks the series up each time: keep the handles of series that are used
 * often. TB_INVALID_ARGUMENT also when `value_count` is not the number of labels.
 *
 * tb_KIND_family_remove() ends the series with these label values: what it counted, by all
 * processes, is gone from the next scrape on, and its place is free at once. `*removed` is 1 if
 * there was such a series, else 0; it may be NULL. tb_KIND_family_clear() ends all series of the
 * family, in a pass over the board, and writes how many. Handles to them stay good, in every
 * process: the next update registers the series again, from zero. TB_INVALID_ARGUMENT as with
 * tb_KIND_family_with(), and TB_DAMAGED.
 *
 * Freeing a family leaves the handles it gave valid.
 */
typedef struct tb_counter_family tb_counter_family;
typedef struct tb_gauge_family tb_gauge_family;
typedef struct tb_histogram_family tb_histogram_family;
typedef struct tb_summary_family tb_summary_family;
typedef struct tb_info_family tb_info_family;
typedef struct tb_state_set_family tb_state_set_family;

/* Checks a family of counters. Give it back with tb_counter_family_free(). */
tb_status tb_counter_family_register(const tb_board *board, const tb_metric *metric, tb_counter_family **family);
/* Finds or adds one of its counters. Give it back with tb_counter_free(). */
tb_status tb_counter_family_with(const tb_counter_family *family, const char *const *values, size_t value_count,
                                 tb_counter **counter);
/* Ends one of its counters. */
tb_status tb_counter_family_remove(const tb_counter_family *family, const char *const *values, size_t value_count,
                                   int32_t *removed);
/* Ends all of its counters. */
tb_status tb_counter_family_clear(const tb_counter_family *family, uint64_t *removed);
/* Gives a family back. NULL is ignored. */
void tb_counter_family_free(tb_counter_family *family);

/* Checks a family of gauges. Give it back with tb_gauge_family_free(). */
tb_status tb_gauge_family_register(const tb_board *board, const tb_metric *metric, tb_gauge_family **family);
/* Finds or adds one of its gauges. Give it back with tb_gauge_free(). */
tb_status tb_gauge_family_with(const tb_gauge_family *family, const char *const *values, size_t value_count,
                               tb_gauge **gauge);
/* Ends one of its gauges. */
tb_status tb_gauge_family_remove(const tb_gauge_family *family, const char *const *values, size_t value_count,
                                 int32_t *removed);
/* Ends all of its gauges. */
tb_status tb_gauge_family_clear(const tb_gauge_family *family, uint64_t *removed);
/* Gives a family back. NULL is ignored. */
void tb_gauge_family_free(tb_gauge_family *family);

/* Checks a family of histograms. Give it back with tb_histogram_family_free(). */
tb_status tb_histogram_family_register(const tb_board *board, const tb_metric *metric, tb_histogram_family **family);
/* Finds or adds one of its histograms. Give it back with tb_histogram_free(). */
tb_status tb_histogram_family_with(const tb_histogram_family *family, const char *const *values, size_t value_count,
                                   tb_histogram **histogram);
/* Ends one of its histograms. */
tb_status tb_histogram_family_remove(const tb_histogram_family *family, const char *const *values, size_t value_count,
                                     int32_t *removed);
/* Ends all of its histograms. */
tb_status tb_histogram_family_clear(const tb_histogram_family *family, uint64_t *removed);
/* Gives a family back. NULL is ignored. */
void tb_histogram_family_free(tb_histogram_family *family);

/* Checks a family of summaries. Give it back with tb_summary_family_free(). */
tb_status tb_summary_family_register(const tb_board *board, const tb_metric *metric, tb_summary_family **family);
/* Finds or adds one of its summaries. Give it back with tb_summary_free(). */
tb_status tb_summary_family_with(const tb_summary_family *family, const char *const *values, size_t value_count,
                                 tb_summary **summary);
/* Ends one of its summaries. */
tb_status tb_summary_family_remove(const tb_summary_family *family, const char *const *values, size_t value_count,
                                   int32_t *removed);
/* Ends all of its summaries. */
tb_status tb_summary_family_clear(const tb_summary_family *family, uint64_t *removed);
/* Gives a family back. NULL is ignored. */
void tb_summary_family_free(tb_summary_family *family);

/* Checks a family of infos. Give it back with tb_info_family_free(). */
tb_status tb_info_family_register(const tb_board *board, const tb_metric *metric, tb_info_family **family);
/* Finds or adds one of its infos. Give it back with tb_info_free(). */
tb_status tb_info_family_with(const tb_info_family *family, const char *const *values, size_t value_count,
                                 tb_info **info);
/* Ends one of its infos. */
tb_status tb_info_family_remove(const tb_info_family *family, const char *const *values, size_t value_count,
                                   int32_t *removed);
/* Ends all of its infos. */
tb_status tb_info_family_clear(const tb_info_family *family, uint64_t *removed);
/* Gives a family back. NULL is ignored. */
void tb_info_family_free(tb_info_family *family);

/* Checks a family of state sets. Give it back with tb_state_set_family_free(). */
tb_status tb_state_set_family_register(const tb_board *board, const tb_metric *metric, tb_state_set_family **family);
/* Finds or adds one of its state sets. Give it back with tb_state_set_free(). */
tb_status tb_state_set_family_with(const tb_state_set_family *family, const char *const *values, size_t value_count,
                                 tb_state_set **state_set);
/* Ends one of its state sets. */
tb_status tb_state_set_family_remove(const tb_state_set_family *family, const char *const *values, size_t value_count,
                                   int32_t *removed);
/* Ends all of its state sets. */
tb_status tb_state_set_family_clear(const tb_state_set_family *family, uint64_t *removed);
/* Gives a family back. NULL is ignored. */
void tb_state_set_family_free(tb_state_set_family *family);

/* ------------------------------------------------------------------------------------------ */
/* Reading a board                                                                            */
/* ------------------------------------------------------------------------------------------ */

/* Types of a metric: tb_sample.kind. Later libraries add more; pass over those you do not know. */
enum {
    TB_KIND_COUNTER = 1,
    TB_KIND_GAUGE = 2,
    TB_KIND_HISTOGRAM = 3,
    TB_KIND_SUMMARY = 4,
    TB_KIND_INFO = 6,
    TB_KIND_STATE_SET = 7
};

/* One native bucket: above 2^((index - 1) / 2^schema), up to 2^(index / 2^schema). This struct never
 * grows: it comes in arrays. */
typedef struct tb_native_bucket {
    int32_t index;
    uint64_t count; /* never 0: empty buckets are left out */
} tb_native_bucket;

/* What a native histogram has counted, read together with the rest of its sample. */
typedef struct tb_native_counts {
    size_t struct_size;     /* set by the library: a field beyond it is not there */
    int32_t schema;         /* -4 to 8 */
    uint32_t has_negative;  /* 1 when there are buckets for negative values */
    double zero_threshold;  /* `zero` is what is as near to 0 as this, or nearer */
    uint64_t zero;
    size_t positive_count;
    const tb_native_bucket *positive; /* ascending by index; NULL when there are none */
    size_t negative_count;
    const tb_native_bucket *negative; /* the mirror images, ascending by index; NULL when there are none */
    uint64_t below;         /* of all observations those below the lowest bucket: they are among that
                             * one's, or `zero` where has_negative is 0 */
    uint64_t above;         /* those above the highest bucket, and not a number: among that one's */
} tb_native_counts;

/* One update of a counter, or one observation of a histogram, and where it came from. This struct never
 * grows: it comes in arrays. */
typedef struct tb_exemplar {
    size_t bucket;          /* histogram: which of `buckets` it is in; counter: 0 */
    double value;           /* what was added or observed */
    uint64_t unix_nanos;    /* when */
    size_t label_count;
    const tb_label *labels; /* as they were given; NULL when there are none */
} tb_exemplar;

/*
 * One series with its value; of a gauge that shows its processes apart (TB_AGGREGATION_ALL and
 * LIVEALL), one process with its value, and its `pid` among the labels; of an info with its pairs
 * among the labels, and the value 1; of a state set one state, as a label that is called as the metric
 * is, with the value 1 if it holds, else 0. Everything in it, and
 * everything it points to, is good until the visitor returns. Fields that are not of its kind are 0
 * or NULL.
 *
 * Text is as it was registered, not escaped for any format. A NUL inside of it, which C has no
 * room for, is shown as U+FFFD.
 */
typedef struct tb_sample {
    size_t struct_size;          /* set by the library: a field beyond it is not there */
    const char *name;
    const char *help;            /* "" when there is none */
    const char *unit;            /* "" when there is none */
    int32_t kind;                /* TB_KIND_... */
    int32_t is_integer;          /* counter: 1 when only integers were added; see `count` */
    size_t label_count;
    const tb_label *labels;      /* sorted by name */
    double value;                /* counter, gauge, info, state set */
    uint64_t count;              /* histogram, summary: observations; counter: its value,
                                  * exactly, when is_integer is 1 */
    double sum;                  /* histogram, summary */
    size_t bucket_count;         /* histogram: the bounds, and one more for +Inf */
    const double *bounds;        /* histogram: bucket_count of them, the last is +Inf */
    const uint64_t *buckets;     /* histogram: observations in each bucket alone, not cumulative */
    uint64_t created_unix_nanos; /* when the series began */
    const tb_native_counts *native; /* native histogram: its own buckets, which bounds and buckets
                                  * agree with; else NULL */
    size_t exemplar_count;       /* counter: 1 at most; histogram: one a bucket at most */
    const tb_exemplar *exemplars; /* the last of each bucket, ascending by bucket; NULL when there are
                                  * none */
} tb_sample;

/*
 * Is told of one series. A return other than 0 ends the visit. `context` is what was given with
 * the visitor. It may call any function of this library, except on the tb_reader that calls it.
 */
typedef int32_t (*tb_visitor)(const tb_sample *sample, void *context);

/*
 * Calls `visit` for every series of the board, sorted by name and then by label values. A series
 * whose bytes are bad, or that goes away meanwhile, is left out, and so is a gauge without a value.
 * Each value is read at its own instant, while others count. The same as a tb_reader that is used
 * once: O(slots), and an allocation for each series. TB_OK also when the visitor ended it;
 * TB_INVALID_ARGUMENT for NULLs.
 */
tb_status tb_board_visit(const tb_board *board, tb_visitor visit, void *context);

/*
 * Reads a board again and again: keeps what it has decoded, so that a series costs its decoding
 * once. One thread at a time.
 */
typedef struct tb_reader tb_reader;

/*
 * Makes a reader, to be given back with tb_reader_free(); it holds the board. On failure
 * `*reader` is NULL. TB_INVALID_ARGUMENT for NULLs.
 */
tb_status tb_reader_new(const tb_board *board, tb_reader **reader);

/*
 * Finds the series that came and went, O(slots), and visits them all as tb_board_visit() does.
 */
tb_status tb_reader_visit(tb_reader *reader, tb_visitor visit, void *context);

/* Series that the last visit left out because their bytes are bad; 0 for NULL. */
uint64_t tb_reader_damaged(const tb_reader *reader);

/* Gives a reader back. NULL is ignored. */
void tb_reader_free(tb_reader *reader);

#ifdef __cplusplus
}
#endif

#endif /* TALLYBOARD_H */
