/*
 * Uses every function of tallyboard.h once in the way it is meant and once in the way it is not.
 * Valid C11 and C++17. Wants TALLYBOARD_DIR set to an empty directory in memory, and prints "ok".
 * tests/every_function.rs builds and runs it; tests/header.rs checks that no function is missing.
 */
#ifndef _GNU_SOURCE /* C++ compilers define it themselves */
#define _GNU_SOURCE
#endif
#include <tallyboard.h>

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s (last error: %s)\n", __FILE__, __LINE__, #condition, tb_last_error()); \
            exit(1); \
        } \
    } while (0)

#define IS(status, call) is((status), (call), __LINE__, #call)

static void is(tb_status wanted, tb_status got, int line, const char *call) {
    if (wanted != got) {
        fprintf(stderr, "%s:%d: %s is %s, not %s (last error: %s)\n", __FILE__, line, call, tb_status_name(got),
                tb_status_name(wanted), tb_last_error());
        exit(1);
    }
    if (got != TB_OK)
        CHECK(*tb_last_error() != '\0'); /* every failure has words */
}

/* ---- what the board holds, through a visitor ---- */

struct search {
    const char *name;
    const char *value; /* of the first label; NULL: any */
    int found;
    tb_sample sample;          /* its numbers; the pointers in it are dead after the visit */
    uint64_t buckets[32];
    char help[128], unit[32];
    tb_native_counts native; /* its numbers */
    tb_native_bucket positive[8], negative[8];
    tb_exemplar exemplars[8]; /* their numbers */
    char traces[8][64];       /* and their labels, as name=value, */
};

static int32_t look(const tb_sample *sample, void *context) {
    struct search *search = (struct search *)context;
    CHECK(sample->struct_size >= sizeof(tb_sample));
    if (strcmp(sample->name, search->name) != 0)
        return 0;
    if (search->value != NULL && (sample->label_count == 0 || strcmp(sample->labels[0].value, search->value) != 0))
        return 0;
    search->found += 1;
    search->sample = *sample;
    snprintf(search->help, sizeof search->help, "%s", sample->help);
    snprintf(search->unit, sizeof search->unit, "%s", sample->unit);
    CHECK(sample->bucket_count <= 32);
    for (size_t i = 0; i < sample->bucket_count; i++)
        search->buckets[i] = sample->buckets[i];
    if (sample->native != NULL) {
        search->native = *sample->native;
        CHECK(search->native.struct_size == sizeof(tb_native_counts));
        CHECK(search->native.positive_count <= 8 && search->native.negative_count <= 8);
        for (size_t i = 0; i < search->native.positive_count; i++)
            search->positive[i] = search->native.positive[i];
        for (size_t i = 0; i < search->native.negative_count; i++)
            search->negative[i] = search->native.negative[i];
    }
    CHECK(sample->exemplar_count <= 8 && (sample->exemplar_count == 0) == (sample->exemplars == NULL));
    for (size_t i = 0; i < sample->exemplar_count; i++) {
        const tb_exemplar *exemplar = &sample->exemplars[i];
        size_t length = 0;
        search->exemplars[i] = *exemplar;
        CHECK((exemplar->label_count == 0) == (exemplar->labels == NULL));
        search->traces[i][0] = 0;
        for (size_t j = 0; j < exemplar->label_count && length < sizeof search->traces[i]; j++)
            length += (size_t)snprintf(search->traces[i] + length, sizeof search->traces[i] - length, "%s=%s,",
                                       exemplar->labels[j].name, exemplar->labels[j].value);
    }
    return 0;
}

static struct search find(const tb_board *board, const char *name, const char *value) {
    struct search search;
    memset(&search, 0, sizeof search);
    search.name = name;
    search.value = value;
    IS(TB_OK, tb_board_visit(board, look, &search));
    return search;
}

/* ---- the parts ---- */

static void versions_and_errors(void) {
    CHECK(tb_abi_version() == TB_ABI_VERSION);
    CHECK(strchr(tb_version(), '.') != NULL);
    CHECK(tb_layout_version() >= 1);
    CHECK(strcmp(tb_status_name(TB_OK), "TB_OK") == 0);
    CHECK(strcmp(tb_status_name(TB_PANIC), "TB_PANIC") == 0);
    CHECK(strcmp(tb_status_name(-7), "TB_UNKNOWN") == 0);
    CHECK(strcmp(tb_last_error(), "") == 0);
}

static int32_t count_faults(const char *fault, void *context) {
    fprintf(stderr, "fault: %s\n", fault);
    *(int *)context += 1;
    return 0;
}

static void text_of_a_board(const tb_board *board, const char *ending,
                            tb_status (*text)(const tb_board *, char *, size_t, size_t *)) {
    char buffer[4096];
    size_t needed = 0, again = 0;
    IS(TB_OK, text(board, NULL, 0, &needed));
    CHECK(needed > strlen(ending) && needed < sizeof buffer);
    IS(TB_OK, text(board, buffer, needed, NULL));
    CHECK(strlen(buffer) + 1 == needed);
    CHECK(strcmp(buffer + strlen(buffer) - strlen(ending), ending) == 0);
    IS(TB_NO_SPACE, text(board, buffer, needed - 1, &again));
    CHECK(again == needed && buffer[0] == '\0');
    IS(TB_INVALID_ARGUMENT, text(board, NULL, 1, NULL));
    IS(TB_INVALID_ARGUMENT, text(NULL, buffer, sizeof buffer, &needed));
}

static void boards(void) {
    tb_board *board = NULL, *other = NULL;
    tb_board_options options = TB_BOARD_OPTIONS;
    char path[4096];
    uint8_t uuid[16], other_uuid[16];
    const uint8_t zeros[16] = { 0 };
    struct stat file;
    int faults = 0;

    IS(TB_NOT_FOUND, tb_board_attach("boards", &board));
    CHECK(board == NULL);
    IS(TB_NOT_FOUND, tb_board_attach_read_only("boards", &board));
    IS(TB_INVALID_ARGUMENT, tb_board_open("boards", NULL));
    IS(TB_INVALID_ARGUMENT, tb_board_open(".hidden", &board));

    options.slots = 256;
    options.processes = 16;
    options.mode = 0640;
    options.has_group = 1;
    options.group = (uint32_t)getegid();
    IS(TB_OK, tb_board_create("boards", &options, &board));
    CHECK(board != NULL && !tb_board_is_off(board) && !tb_board_is_retired(board));
    IS(TB_EXISTS, tb_board_create("boards", &options, &other));
    CHECK(other == NULL);
    IS(TB_OK, tb_board_path(board, path, sizeof path, NULL));
    CHECK(stat(path, &file) == 0 && (file.st_mode & 07777) == 0640 && file.st_gid == getegid());
    text_of_a_board(board, ".board", tb_board_path);
    text_of_a_board(board, "", tb_board_location);
    CHECK(tb_board_uses_rseq(board) == 0 || tb_board_uses_rseq(board) == 1);
    CHECK(tb_board_created_unix_nanos(board) > UINT64_C(1700000000000000000));

    IS(TB_OK, tb_board_attach("boards", &other));
    IS(TB_OK, tb_board_uuid(board, uuid));
    IS(TB_OK, tb_board_uuid(other, other_uuid));
    CHECK(memcmp(uuid, other_uuid, 16) == 0 && memcmp(uuid, zeros, 16) != 0);
    IS(TB_INVALID_ARGUMENT, tb_board_uuid(NULL, uuid));
    IS(TB_INVALID_ARGUMENT, tb_board_uuid(board, NULL));
    tb_board_close(other);

    IS(TB_OK, tb_board_check(board, count_faults, &faults));
    IS(TB_OK, tb_board_check(board, NULL, NULL));
    CHECK(faults == 0);
    IS(TB_INVALID_ARGUMENT, tb_board_check(NULL, NULL, NULL));

    /* Handles outlive their board, and see it removed. */
    IS(TB_INVALID_ARGUMENT, tb_board_remove(NULL));
    IS(TB_INVALID_ARGUMENT, tb_board_remove("private"));
    IS(TB_OK, tb_board_remove("boards"));
    CHECK(tb_board_is_retired(board));
    CHECK(stat(path, &file) != 0);
    IS(TB_NOT_FOUND, tb_board_remove("boards"));
    tb_board_close(board);

    /* A NULL is a board on which nothing can be done. */
    CHECK(tb_board_is_off(NULL) && !tb_board_is_retired(NULL) && !tb_board_uses_rseq(NULL));
    CHECK(tb_board_created_unix_nanos(NULL) == 0);
    tb_board_close(NULL);

    /* `off` succeeds in everything; `private` has no file. */
    IS(TB_OK, tb_board_open("off", &board));
    CHECK(tb_board_is_off(board));
    IS(TB_NOT_FOUND, tb_board_uuid(board, uuid));
    CHECK(memcmp(uuid, zeros, 16) == 0);
    tb_board_close(board);
    IS(TB_OK, tb_board_open("private", &board));
    CHECK(!tb_board_is_off(board));
    size_t needed = 1;
    IS(TB_NOT_FOUND, tb_board_path(board, path, sizeof path, &needed));
    CHECK(needed == 0);
    tb_board_close(board);

    /* Things that are not boards. */
    snprintf(path, sizeof path, "%s/junk.v1.board", getenv("TALLYBOARD_DIR"));
    FILE *junk = fopen(path, "w");
    CHECK(junk != NULL);
    for (int i = 0; i < 100000; i++)
        fputc(i * 31, junk);
    fclose(junk);
    CHECK(chmod(path, 0600) == 0);
    IS(TB_DAMAGED, tb_board_attach("junk", &board));
    CHECK(board == NULL && unlink(path) == 0);
}

/* A newer program's options: as ours, and a field that we do not know. */
struct newer_options {
    tb_board_options known;
    uint64_t unknown;
};

static void growing_structs(void) {
    tb_board *board = NULL;
    struct newer_options newer;
    tb_metric metric = TB_METRIC("growing_total", "Grows.");
    tb_counter *counter = NULL;

    memset(&newer, 0, sizeof newer);
    newer.known.struct_size = sizeof newer;
    newer.known.slots = 128;
    IS(TB_OK, tb_board_open_with("growing", &newer.known, &board));
    tb_board_close(board);
    newer.unknown = 1;
    IS(TB_UNSUPPORTED, tb_board_open_with("growing", &newer.known, &board));
    newer.known.struct_size = offsetof(tb_board_options, series_cap); /* an older program's */
    IS(TB_OK, tb_board_open_with("growing", &newer.known, &board));
    tb_board_close(board);
    newer.known.struct_size -= 1;
    IS(TB_INVALID_ARGUMENT, tb_board_open_with("growing", &newer.known, &board));
    IS(TB_OK, tb_board_open_with("growing", NULL, &board));

    struct {
        tb_stats known;
        uint64_t unknown;
    } stats;
    memset(&stats, 0xff, sizeof stats);
    stats.known.struct_size = sizeof stats;
    IS(TB_OK, tb_board_stats(board, &stats.known));
    CHECK(stats.unknown == 0 && stats.known.struct_size == sizeof stats && stats.known.slots == 128);
    memset(&stats, 0xff, sizeof stats);
    stats.known.struct_size = sizeof(tb_stats);
    IS(TB_OK, tb_board_stats(board, &stats.known));
    CHECK(stats.unknown == UINT64_MAX);
    stats.known.struct_size = 8;
    IS(TB_INVALID_ARGUMENT, tb_board_stats(board, &stats.known));
    IS(TB_INVALID_ARGUMENT, tb_board_stats(board, NULL));
    IS(TB_INVALID_ARGUMENT, tb_board_stats(NULL, &stats.known));

    metric.struct_size = 0;
    IS(TB_INVALID_ARGUMENT, tb_counter_register(board, &metric, &counter));
    CHECK(counter != NULL && tb_counter_is_sink(counter));
    tb_counter_free(counter);
    tb_board_close(board);
    IS(TB_OK, tb_board_remove("growing"));
}

static void counters(const tb_board *board) {
    tb_metric metric = TB_METRIC("c_requests_total", "Requests served.");
    tb_counter *counter = NULL, *same = NULL;
    uint64_t exact = 1;

    IS(TB_OK, tb_counter_register(board, &metric, &counter));
    CHECK(!tb_counter_is_sink(counter));
    CHECK(tb_counter_value(counter) == 0);
    tb_counter_inc(counter);
    tb_counter_add(counter, 41);
    CHECK(tb_counter_value(counter) == 42);
    tb_counter_add(counter, UINT64_C(1) << 60);
    CHECK(tb_counter_value_exact(counter, &exact) && exact == (UINT64_C(1) << 60) + 42);
    tb_counter_add(counter, 0 - (UINT64_C(1) << 60)); /* modulo 2^64 */
    IS(TB_OK, tb_counter_add_double(counter, 0.5));
    CHECK(tb_counter_value(counter) == 42.5);
    CHECK(!tb_counter_value_exact(counter, &exact) && exact == 0);
    CHECK(tb_counter_add_double(counter, -1) == TB_INVALID_ARGUMENT);
    CHECK(tb_counter_add_double(counter, (double)NAN) == TB_INVALID_ARGUMENT);
    CHECK(tb_counter_add_double(counter, (double)INFINITY) == TB_INVALID_ARGUMENT);
    CHECK(tb_counter_value(counter) == 42.5);

    /* The same series again: another handle, one value. */
    IS(TB_OK, tb_counter_register(board, &metric, &same));
    tb_counter_inc(same);
    tb_counter_free(same);
    CHECK(tb_counter_value(counter) == 43.5);

    struct search seen = find(board, "c_requests_total", NULL);
    CHECK(seen.found == 1 && seen.sample.kind == TB_KIND_COUNTER && seen.sample.value == 43.5);
    CHECK(seen.sample.is_integer == 0 && seen.sample.label_count == 0);
    CHECK(strcmp(seen.help, "Requests served.") == 0 && strcmp(seen.unit, "") == 0);
    CHECK(seen.sample.created_unix_nanos > UINT64_C(1700000000000000000));
    tb_counter_free(counter);

    tb_counter_inc(NULL);
    tb_counter_add(NULL, 1);
    CHECK(tb_counter_add_double(NULL, 1) == TB_OK);
    CHECK(tb_counter_add_double(NULL, -1) == TB_INVALID_ARGUMENT);
    CHECK(tb_counter_value(NULL) == 0 && tb_counter_is_sink(NULL));
    CHECK(tb_counter_value_exact(NULL, &exact) && !tb_counter_value_exact(NULL, NULL));
    tb_counter_free(NULL);
}

static void gauges(const tb_board *board) {
    tb_metric metric = TB_METRIC("c_queue_bytes", "Length of the queue.");
    tb_gauge *gauge = NULL;

    metric.unit = "bytes";
    IS(TB_OK, tb_gauge_register(board, &metric, &gauge));
    CHECK(!tb_gauge_is_sink(gauge));
    tb_gauge_set(gauge, 10);
    tb_gauge_inc(gauge);
    tb_gauge_dec(gauge);
    tb_gauge_add(gauge, 2.5);
    tb_gauge_sub(gauge, 20);
    CHECK(tb_gauge_value(gauge) == -7.5);
    struct search seen = find(board, "c_queue_bytes", NULL);
    CHECK(seen.found == 1 && seen.sample.kind == TB_KIND_GAUGE && seen.sample.value == -7.5);
    CHECK(strcmp(seen.unit, "bytes") == 0);
    tb_gauge_set_to_current_time(gauge);
    CHECK(tb_gauge_value(gauge) > 1.7e9);
    tb_gauge_free(gauge);

    tb_gauge_set(NULL, 1);
    tb_gauge_inc(NULL);
    tb_gauge_dec(NULL);
    tb_gauge_add(NULL, 1);
    tb_gauge_sub(NULL, 1);
    tb_gauge_set_to_current_time(NULL);
    CHECK(tb_gauge_value(NULL) == 0 && tb_gauge_is_sink(NULL));
    tb_gauge_free(NULL);
}

/* ---- gauges of several processes ---- */

struct by_pid {
    const char *name;
    pid_t pid;
    int found, others;
    double value;
};

static int32_t look_for_pid(const tb_sample *sample, void *context) {
    struct by_pid *search = (struct by_pid *)context;
    if (strcmp(sample->name, search->name) != 0)
        return 0;
    /* Among labels sorted by name. */
    CHECK(sample->label_count == 3 && strcmp(sample->labels[1].name, "pid") == 0);
    CHECK(strcmp(sample->labels[0].value, "a") == 0 && strcmp(sample->labels[2].value, "z") == 0);
    if (atol(sample->labels[1].value) == (long)search->pid) {
        search->found += 1;
        search->value = sample->value;
    } else {
        search->others += 1;
    }
    return 0;
}

/* In a child that is killed: its update of an inherited gauge, which gives it a part of its own. */
static pid_t add_and_die(const tb_gauge *gauge, double amount) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        tb_gauge_add(gauge, amount);
        raise(SIGKILL);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    return pid;
}

static void gauges_of_processes(void) {
    tb_board *board = NULL;
    const struct {
        uint32_t aggregation;
        double before, after; /* 3 of the parent, then 2 and 5 of children; when they are reaped */
    } table[] = {
        { TB_AGGREGATION_LAST, 10, 10 },
        { TB_AGGREGATION_SUM, 10, 10 },
        { TB_AGGREGATION_MIN, 2, 2 },
        { TB_AGGREGATION_MAX, 5, 5 },
        { TB_AGGREGATION_LIVESUM, 3, 3 },
        { TB_AGGREGATION_LIVEMIN, 3, 3 },
        { TB_AGGREGATION_LIVEMAX, 3, 3 },
        { TB_AGGREGATION_LIVEMOSTRECENT, 3, 3 },
    };
    char name[32];
    tb_metric metric = TB_METRIC(name, "Of several processes.");
    tb_gauge *gauge = NULL;
    tb_stats stats = TB_STATS;

    IS(TB_OK, tb_board_open("gauges", &board));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        snprintf(name, sizeof name, "g_%d", (int)table[i].aggregation);
        metric.aggregation = table[i].aggregation;
        IS(TB_OK, tb_gauge_register(board, &metric, &gauge));
        /* A minimum of nothing is no number. */
        int is_nothing = table[i].aggregation != TB_AGGREGATION_LAST && table[i].aggregation != TB_AGGREGATION_SUM &&
                         table[i].aggregation != TB_AGGREGATION_LIVESUM;
        CHECK(find(board, name, NULL).found == !is_nothing);
        tb_gauge_set(gauge, 3);
        add_and_die(gauge, 2);
        add_and_die(gauge, 5);
        CHECK(find(board, name, NULL).sample.value == table[i].before);
        IS(TB_OK, tb_board_reap(board));
        CHECK(find(board, name, NULL).sample.value == table[i].after);
        CHECK(tb_gauge_value(gauge) == (i == 0 ? 10 : 3)); /* this process's own */
        tb_gauge_free(gauge);
    }
    IS(TB_OK, tb_board_stats(board, &stats));
    CHECK(stats.folded == 6 && stats.parts == 7);

    const tb_label labels[] = { { "z", "z" }, { "a", "a" } };
    tb_metric labelled = TB_METRIC_WITH_LABELS(name, "A sample for each.", labels);
    for (uint32_t how = TB_AGGREGATION_ALL; how <= TB_AGGREGATION_LIVEALL; how += TB_AGGREGATION_LIVEALL - TB_AGGREGATION_ALL) {
        snprintf(name, sizeof name, "g_%d", (int)how);
        labelled.aggregation = how;
        IS(TB_OK, tb_gauge_register(board, &labelled, &gauge));
        CHECK(find(board, name, NULL).found == 0); /* nobody has set it */
        tb_gauge_set(gauge, 3);
        struct by_pid own = { name, getpid(), 0, 0, 0 }, dead = { name, add_and_die(gauge, 2), 0, 0, 0 };
        IS(TB_OK, tb_board_visit(board, look_for_pid, &own));
        IS(TB_OK, tb_board_visit(board, look_for_pid, &dead));
        CHECK(own.found == 1 && own.value == 3);
        CHECK(dead.others == 1 && dead.found == (how == TB_AGGREGATION_ALL));
        CHECK(how != TB_AGGREGATION_ALL || dead.value == 2);
        tb_gauge_free(gauge);
    }

    metric.aggregation = 99;
    IS(TB_INVALID_ARGUMENT, tb_gauge_register(board, &metric, &gauge));
    tb_gauge_free(gauge);
    metric.aggregation = TB_AGGREGATION_SUM;
    tb_counter *counter = NULL;
    tb_histogram *histogram = NULL;
    tb_summary *summary = NULL;
    IS(TB_INVALID_ARGUMENT, tb_counter_register(board, &metric, &counter));
    IS(TB_INVALID_ARGUMENT, tb_histogram_register(board, &metric, &histogram));
    IS(TB_INVALID_ARGUMENT, tb_summary_register(board, &metric, &summary));
    tb_counter_free(counter);
    tb_histogram_free(histogram);
    tb_summary_free(summary);
    tb_board_close(board);
    IS(TB_OK, tb_board_remove("gauges"));
}

static void caps(void) {
    const tb_label names[] = { { "n", NULL } };
    tb_metric metric = TB_METRIC_WITH_LABELS("capped_total", "Few series.", names);
    tb_board_options options = TB_BOARD_OPTIONS;
    tb_board *board = NULL;
    tb_counter_family *counters = NULL;
    tb_gauge_family *gauges = NULL;
    tb_stats stats = TB_STATS;

    options.slots = 64;
    options.series_cap = 3;
    options.keep_dead_seconds = 1;
    IS(TB_OK, tb_board_create("capped", &options, &board));
    metric.series_cap = 2; /* says more than the board's */
    IS(TB_OK, tb_counter_family_register(board, &metric, &counters));
    metric.name = "capped";
    metric.series_cap = 0;
    IS(TB_OK, tb_gauge_family_register(board, &metric, &gauges));
    for (int i = 0; i < 5; i++) {
        char text[16];
        const char *const value[] = { text };
        tb_counter *counter = NULL;
        tb_gauge *gauge = NULL;
        snprintf(text, sizeof text, "%d", i);
        IS(TB_OK, tb_counter_family_with(counters, value, 1, &counter));
        tb_counter_inc(counter);
        tb_counter_free(counter);
        IS(i < 3 ? TB_OK : TB_FAMILY_FULL, tb_gauge_family_with(gauges, value, 1, &gauge));
        CHECK(tb_gauge_is_sink(gauge) == (i >= 3));
        tb_gauge_free(gauge);
    }
    CHECK(find(board, "capped_total", NULL).found == 3);
    CHECK(find(board, "capped_total", "overflow").sample.value == 3);
    CHECK(find(board, "capped", NULL).found == 3);
    IS(TB_OK, tb_board_stats(board, &stats));
    CHECK(stats.overflowed == 5);

    /* Nothing is older than the longest time; everything is older than none, at the second look. */
    uint64_t expired = 7;
    IS(TB_OK, tb_board_expire(board, UINT64_MAX, &expired));
    CHECK(expired == 0);
    IS(TB_OK, tb_board_expire(board, 0, &expired));
    CHECK(expired == stats.series);
    IS(TB_OK, tb_board_expire(board, 0, NULL));
    IS(TB_INVALID_ARGUMENT, tb_board_expire(NULL, 0, &expired));
    CHECK(expired == 0);
    IS(TB_OK, tb_board_stats(board, &stats));
    CHECK(stats.expired == 6 && stats.series == 0);
    tb_counter_family_free(counters);
    tb_gauge_family_free(gauges);
    tb_board_close(board);
    IS(TB_OK, tb_board_remove("capped"));
}

static void native_histograms(const tb_board *board) {
    tb_metric metric = TB_METRIC("c_native_seconds", "How long.");
    tb_native native = TB_NATIVE;
    const double bound = 1;
    tb_histogram *histogram = NULL;
    tb_counter *counter = NULL;

    metric.native = &native;
    IS(TB_OK, tb_histogram_register(board, &metric, &histogram));
    CHECK(!tb_histogram_is_sink(histogram));
    tb_histogram_observe(histogram, 0.0001);
    tb_histogram_observe(histogram, 1);
    tb_histogram_observe(histogram, 1.5);
    tb_histogram_observe(histogram, 100);
    struct search seen = find(board, "c_native_seconds", NULL);
    /* Up to 2^-10, and a bucket for each doubling up to 64. */
    CHECK(seen.found == 1 && seen.sample.kind == TB_KIND_HISTOGRAM && seen.sample.bucket_count == 18);
    CHECK(seen.buckets[0] == 1 && seen.buckets[10] == 1 && seen.buckets[11] == 1 && seen.buckets[17] == 1);
    CHECK(seen.sample.count == 4 && seen.sample.sum == 102.5001);
    CHECK(seen.native.schema == 3 && seen.native.has_negative == 0 && seen.native.zero == 1);
    CHECK(seen.native.zero_threshold == 1.0 / 1024 && seen.native.below == 0 && seen.native.above == 1);
    CHECK(seen.native.positive_count == 3 && seen.native.negative_count == 0 && seen.native.negative == NULL);
    CHECK(seen.positive[0].index == 0 && seen.positive[1].index == 5 && seen.positive[2].index == 48);
    CHECK(seen.positive[0].count == 1 && seen.positive[1].count == 1 && seen.positive[2].count == 1);
    CHECK(find(board, "c_seconds", NULL).sample.native == NULL);
    tb_histogram_free(histogram);

    metric.name = "c_bad_native_seconds";
    native.schema = 8;
    IS(TB_INVALID_ARGUMENT, tb_histogram_register(board, &metric, &histogram));
    CHECK(strstr(tb_last_error(), "a schema of at most 3") != NULL && tb_histogram_is_sink(histogram));
    tb_histogram_free(histogram);
    native.schema = 1000;
    IS(TB_INVALID_ARGUMENT, tb_histogram_register(board, &metric, &histogram));
    tb_histogram_free(histogram);
    native.schema = -4;
    native.has_negative = 1;
    IS(TB_OK, tb_histogram_register(board, &metric, &histogram));
    tb_histogram_observe(histogram, -1);
    tb_histogram_observe(histogram, -1e9);
    seen = find(board, "c_bad_native_seconds", NULL);
    CHECK(seen.native.schema == -4 && seen.native.has_negative == 1 && seen.native.below == 1);
    CHECK(seen.native.negative_count == 2 && seen.negative[0].index == 0 && seen.negative[1].index == 1);
    tb_histogram_free(histogram);
    metric.bounds = &bound;
    metric.bound_count = 1;
    IS(TB_INVALID_ARGUMENT, tb_histogram_register(board, &metric, &histogram));
    tb_histogram_free(histogram);
    metric.bounds = NULL;
    metric.bound_count = 0;
    native.struct_size = 8;
    IS(TB_INVALID_ARGUMENT, tb_histogram_register(board, &metric, &histogram));
    tb_histogram_free(histogram);
    native.struct_size = sizeof native;
    IS(TB_INVALID_ARGUMENT, tb_counter_register(board, &metric, &counter));
    CHECK(strstr(tb_last_error(), "only a histogram can") != NULL);
    tb_counter_free(counter);
}

static void histograms(const tb_board *board) {
    double bounds[TB_BUCKETS_DEFAULT_COUNT] = { 0 };
    tb_metric metric = TB_METRIC("c_seconds", "How long.");
    tb_histogram *histogram = NULL;

    CHECK(tb_buckets_default(NULL, 0) == TB_BUCKETS_DEFAULT_COUNT);
    CHECK(tb_buckets_default(bounds, 2) == TB_BUCKETS_DEFAULT_COUNT && bounds[1] == 0.01 && bounds[2] == 0);
    CHECK(tb_buckets_default(bounds, 99) == TB_BUCKETS_DEFAULT_COUNT && bounds[0] == 0.005 && bounds[10] == 10);
    CHECK(tb_buckets_linear(1, 0.5, bounds, 3) == 3 && bounds[0] == 1 && bounds[2] == 2);
    CHECK(tb_buckets_exponential(1, 4, bounds, 3) == 3 && bounds[1] == 4 && bounds[2] == 16);
    CHECK(tb_buckets_linear(1, 0, bounds, 3) == 0 && tb_buckets_linear(1, 1, NULL, 3) == 0);
    CHECK(tb_buckets_linear(1, 1, bounds, SIZE_MAX) == 0 && tb_buckets_linear(1, (double)NAN, bounds, 2) == 0);
    CHECK(tb_buckets_exponential(0, 2, bounds, 3) == 0 && tb_buckets_exponential(1, 1, bounds, 3) == 0);
    CHECK(tb_buckets_exponential(1, 1e300, bounds, 3) == 0 && bounds[2] == 16);

    metric.bounds = bounds;
    metric.bound_count = 3; /* 1, 4, 16 */
    IS(TB_OK, tb_histogram_register(board, &metric, &histogram));
    CHECK(!tb_histogram_is_sink(histogram));
    tb_histogram_observe(histogram, 1); /* a bound belongs to its bucket */
    tb_histogram_observe(histogram, 1.5);
    tb_histogram_observe(histogram, 100);
    struct search seen = find(board, "c_seconds", NULL);
    CHECK(seen.found == 1 && seen.sample.kind == TB_KIND_HISTOGRAM && seen.sample.bucket_count == 4);
    CHECK(seen.buckets[0] == 1 && seen.buckets[1] == 1 && seen.buckets[2] == 0 && seen.buckets[3] == 1);
    CHECK(seen.sample.count == 3 && seen.sample.sum == 102.5);

    tb_histogram_observe_since(histogram, tb_monotonic_nanos() - UINT64_C(2000000000));
    tb_histogram_observe_since(histogram, UINT64_MAX); /* the future is 0 */
    seen = find(board, "c_seconds", NULL);
    CHECK(seen.sample.count == 5 && seen.buckets[0] == 2 && seen.sample.sum >= 104.5);
    tb_histogram_free(histogram);

    /* Without bounds it has the default ones. */
    metric.name = "c_default_seconds";
    metric.bounds = NULL;
    metric.bound_count = 0;
    IS(TB_OK, tb_histogram_register(board, &metric, &histogram));
    CHECK(find(board, "c_default_seconds", NULL).sample.bucket_count == TB_BUCKETS_DEFAULT_COUNT + 1);
    tb_histogram_free(histogram);

    bounds[1] = 0.5; /* not ascending */
    metric.name = "c_bad_seconds";
    metric.bounds = bounds;
    metric.bound_count = 3;
    IS(TB_INVALID_ARGUMENT, tb_histogram_register(board, &metric, &histogram));
    CHECK(histogram != NULL && tb_histogram_is_sink(histogram));
    tb_histogram_observe(histogram, 1);
    tb_histogram_free(histogram);

    native_histograms(board);

    tb_histogram_observe(NULL, 1);
    tb_histogram_observe_since(NULL, 1);
    CHECK(tb_histogram_is_sink(NULL));
    tb_histogram_free(NULL);
}

static void summaries(const tb_board *board) {
    tb_metric metric = TB_METRIC("c_sizes", "How large.");
    const double bound = 1;
    tb_summary *summary = NULL;

    IS(TB_OK, tb_summary_register(board, &metric, &summary));
    CHECK(!tb_summary_is_sink(summary));
    tb_summary_observe(summary, 2);
    tb_summary_observe(summary, 0.25);
    struct search seen = find(board, "c_sizes", NULL);
    CHECK(seen.found == 1 && seen.sample.kind == TB_KIND_SUMMARY);
    CHECK(seen.sample.count == 2 && seen.sample.sum == 2.25);
    tb_summary_observe_since(summary, tb_monotonic_nanos() - UINT64_C(1000000000));
    CHECK(find(board, "c_sizes", NULL).sample.sum >= 3.25);
    tb_summary_free(summary);

    metric.name = "c_bounded";
    metric.bounds = &bound;
    metric.bound_count = 1;
    IS(TB_INVALID_ARGUMENT, tb_summary_register(board, &metric, &summary));
    tb_summary_free(summary);

    tb_summary_observe(NULL, 1);
    tb_summary_observe_since(NULL, 1);
    CHECK(tb_summary_is_sink(NULL));
    tb_summary_free(NULL);
}

/* Text comes back as it went in: escaping is the exporter's business. */
/* How often an exemplar was refused for its labels. */
static uint64_t bad_exemplars(const tb_board *board) {
    tb_stats stats = TB_STATS;
    IS(TB_OK, tb_board_stats(board, &stats));
    for (uint32_t i = 0; i < stats.refused_reasons; i++)
        if (strcmp(tb_refused_reason_name(i), "bad_exemplar") == 0)
            return stats.refused[i];
    CHECK(!"bad_exemplar is a reason");
    return 0;
}

static void exemplars(const tb_board *board) {
    tb_metric metric = TB_METRIC("c_traced_total", "Traced.");
    const tb_label trace[] = { { "trace_id", "4bf92f" }, { "span_id", "" } };
    const tb_label bad[] = { { "a", NULL }, { NULL, "b" }, { "\xff", "b" }, { "", "b" }, { "__a", "b" } };
    tb_label many[129];
    tb_counter *counter = NULL;
    const tb_native native = { sizeof native, 0, 0, 1, 8 };
    tb_histogram *histogram = NULL;
    struct search seen;

    IS(TB_OK, tb_counter_register(board, &metric, &counter));
    CHECK(find(board, "c_traced_total", NULL).sample.exemplar_count == 0);
    tb_counter_add_with_exemplar(counter, 3, trace, 2);
    tb_counter_add_with_exemplar(counter, 1, NULL, 0);
    IS(TB_OK, tb_counter_add_double_with_exemplar(counter, 0.5, trace, 2));
    CHECK(bad_exemplars(board) == 0);
    CHECK(tb_counter_value(counter) == 4.5);
    /* The addition is made whatever is wrong with the exemplar. */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        tb_counter_add_with_exemplar(counter, 1, &bad[i], 1);
    for (size_t i = 0; i < 129; i++)
        many[i] = trace[1];
    tb_counter_add_with_exemplar(counter, 1, many, 2); /* twice the same name */
    tb_counter_add_with_exemplar(counter, 1, many, 129);
    tb_counter_add_with_exemplar(counter, 1, NULL, 1);
    CHECK(bad_exemplars(board) == 8);
    CHECK(tb_counter_value(counter) == 12.5);
    seen = find(board, "c_traced_total", NULL);
    CHECK(seen.sample.exemplar_count == 1 && seen.exemplars[0].bucket == 0 && seen.exemplars[0].value == 0.5);
    CHECK(seen.exemplars[0].unix_nanos >= seen.sample.created_unix_nanos);
    CHECK(strcmp(seen.traces[0], "trace_id=4bf92f,span_id=,") == 0);
    tb_counter_add_with_exemplar(counter, 0, NULL, 0);
    seen = find(board, "c_traced_total", NULL);
    CHECK(seen.sample.exemplar_count == 1 && seen.exemplars[0].value == 0 && seen.exemplars[0].label_count == 0);
    IS(TB_INVALID_ARGUMENT, tb_counter_add_double_with_exemplar(counter, -1, trace, 2));
    IS(TB_INVALID_ARGUMENT, tb_counter_add_double_with_exemplar(NULL, (double)NAN, trace, 2));
    IS(TB_OK, tb_counter_add_double_with_exemplar(NULL, 1, trace, 2));
    CHECK(tb_counter_value(counter) == 12.5);
    tb_counter_add_with_exemplar(NULL, 1, trace, 2);
    tb_counter_free(counter);

    metric.name = "c_traced_seconds";
    IS(TB_OK, tb_histogram_register(board, &metric, &histogram));
    tb_histogram_observe_with_exemplar(histogram, 0.3, trace, 2);
    tb_histogram_observe_with_exemplar(NULL, 0.3, trace, 2);
    tb_histogram_observe_with_exemplar(histogram, 1e9, NULL, 0);
    seen = find(board, "c_traced_seconds", NULL);
    CHECK(seen.sample.count == 2 && seen.sample.exemplar_count == 2);
    CHECK(seen.sample.bounds != NULL && seen.exemplars[0].bucket == 6 && seen.exemplars[0].value == 0.3);
    CHECK(strcmp(seen.traces[0], "trace_id=4bf92f,span_id=,") == 0);
    CHECK(seen.exemplars[1].bucket == seen.sample.bucket_count - 1 && seen.exemplars[1].value == 1e9);
    CHECK(seen.exemplars[1].label_count == 0);
    CHECK(bad_exemplars(board) == 8);
    tb_histogram_free(histogram);

    metric.name = "c_traced_natively_seconds";
    metric.native = &native;
    IS(TB_OK, tb_histogram_register(board, &metric, &histogram));
    tb_histogram_observe_with_exemplar(histogram, 3, trace, 2);
    tb_histogram_observe_with_exemplar(histogram, 0, NULL, 0);
    seen = find(board, "c_traced_natively_seconds", NULL);
    CHECK(seen.sample.exemplar_count == 2 && seen.exemplars[0].bucket == 0 && seen.exemplars[0].value == 0);
    /* Its classic bounds are 0.5, 1, 2, 4 and 8. */
    CHECK(seen.exemplars[1].bucket == 3 && seen.exemplars[1].value == 3);
    tb_histogram_free(histogram);
}

static void infos(const tb_board *board) {
    const tb_label side[] = { { "side", "left" } };
    tb_metric metric = TB_METRIC_WITH_LABELS("c_build", "What was built.", side);
    const tb_label pairs[] = { { "version", "1.2" }, { "commit", "af09" } };
    const tb_label overlap[] = { { "side", "right" } }, empty[] = { { "", "x" } };
    tb_info *info = NULL;

    IS(TB_OK, tb_info_register(board, &metric, &info));
    CHECK(!tb_info_is_sink(info));
    struct search seen = find(board, "c_build", "left");
    CHECK(seen.found == 1 && seen.sample.kind == TB_KIND_INFO && seen.sample.label_count == 1);
    IS(TB_OK, tb_info_set(info, pairs, 2));
    seen = find(board, "c_build", "af09"); /* `commit` comes first */
    CHECK(seen.found == 1 && seen.sample.value == 1 && seen.sample.label_count == 3);
    IS(TB_INVALID_ARGUMENT, tb_info_set(info, overlap, 1));
    CHECK(strstr(tb_last_error(), "side") != NULL);
    IS(TB_INVALID_ARGUMENT, tb_info_set(info, empty, 1));
    IS(TB_INVALID_ARGUMENT, tb_info_set(info, NULL, 1));
    CHECK(find(board, "c_build", "af09").found == 1);
    IS(TB_OK, tb_info_set(info, NULL, 0));
    CHECK(find(board, "c_build", "af09").found == 0);
    IS(TB_OK, tb_info_set(NULL, pairs, 2));
    CHECK(tb_info_is_sink(NULL));
    tb_info_free(info);
    tb_info_free(NULL);

    metric.unit = "seconds";
    IS(TB_INVALID_ARGUMENT, tb_info_register(board, &metric, &info));
    CHECK(tb_info_is_sink(info));
    tb_info_free(info);
}

static void state_sets(const tb_board *board) {
    static const char *const states[] = { "loading", "linking", "done" };
    tb_metric metric = TB_METRIC("c_phase", "Of the job.");
    tb_state_set *phase = NULL;
    tb_counter *counter = NULL;

    IS(TB_INVALID_ARGUMENT, tb_state_set_register(board, &metric, &phase));
    CHECK(tb_state_set_is_sink(phase) && strstr(tb_last_error(), "states") != NULL);
    tb_state_set_free(phase);
    metric.states = states;
    metric.state_count = 3;
    IS(TB_INVALID_ARGUMENT, tb_counter_register(board, &metric, &counter));
    tb_counter_free(counter);
    IS(TB_OK, tb_state_set_register(board, &metric, &phase));
    CHECK(!tb_state_set_is_sink(phase) && tb_state_set_place(phase) == 0);
    struct search seen = find(board, "c_phase", NULL);
    CHECK(seen.found == 3 && seen.sample.kind == TB_KIND_STATE_SET);
    CHECK(find(board, "c_phase", "loading").sample.value == 1);
    IS(TB_OK, tb_state_set_set(phase, "done"));
    CHECK(tb_state_set_place(phase) == 2);
    CHECK(find(board, "c_phase", "loading").sample.value == 0 && find(board, "c_phase", "done").sample.value == 1);
    IS(TB_INVALID_ARGUMENT, tb_state_set_set(phase, "lunch"));
    CHECK(strstr(tb_last_error(), "lunch") != NULL);
    IS(TB_INVALID_ARGUMENT, tb_state_set_set(phase, NULL));
    IS(TB_INVALID_ARGUMENT, tb_state_set_set_place(phase, 3));
    CHECK(tb_state_set_place(phase) == 2);
    IS(TB_OK, tb_state_set_set_place(phase, 1));
    CHECK(tb_state_set_place(phase) == 1);
    tb_state_set_free(phase);

    IS(TB_OK, tb_state_set_set(NULL, "anything"));
    IS(TB_OK, tb_state_set_set_place(NULL, 9));
    CHECK(tb_state_set_place(NULL) == 0 && tb_state_set_is_sink(NULL));
    tb_state_set_free(NULL);
}

static void labels(const tb_board *board) {
    static const char *const values[] = {
        "", "plain", "quote \" backslash \\ newline \n tab \t", "{a=\"b\"} # HELP", "\xe2\x82\xac \xf0\x9f\xa6\x80 \xc3\xa9",
    };
    const size_t count = sizeof values / sizeof values[0];
    for (size_t i = 0; i < count; i++) {
        const tb_label pair[] = { { "value", values[i] }, { "zone", "z" } };
        tb_metric metric = TB_METRIC_WITH_LABELS("c_texts_total", "Help with \\ and \n newline.", pair);
        tb_counter *counter = NULL;
        IS(TB_OK, tb_counter_register(board, &metric, &counter));
        tb_counter_add(counter, i + 1);
        tb_counter_free(counter);
    }
    for (size_t i = 0; i < count; i++) {
        struct search seen = find(board, "c_texts_total", values[i]);
        CHECK(seen.found == 1 && seen.sample.value == (double)(i + 1) && seen.sample.label_count == 2);
        CHECK(seen.sample.is_integer == 1 && seen.sample.count == i + 1);
        CHECK(strcmp(seen.help, "Help with \\ and \n newline.") == 0);
    }

    const tb_label bad[][2] = {
        { { "a", "1" }, { "a", "2" } },          /* twice */
        { { "__reserved", "1" }, { "b", "2" } }, /* Prometheus's own */
        { { "a", "\xff\xfe" }, { "b", "2" } },   /* not UTF-8 */
        { { "a", NULL }, { "b", "2" } },
        { { NULL, "1" }, { "b", "2" } },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tb_metric metric = TB_METRIC_WITH_LABELS("c_bad_total", "Bad.", bad[i]);
        tb_counter *counter = NULL;
        IS(TB_INVALID_ARGUMENT, tb_counter_register(board, &metric, &counter));
        CHECK(counter != NULL && tb_counter_is_sink(counter));
        tb_counter_inc(counter);
        CHECK(tb_counter_value(counter) == 0);
        tb_counter_free(counter);
    }
    const tb_label le[] = { { "le", "1" } };
    tb_metric metric = TB_METRIC_WITH_LABELS("c_bad_seconds", "Bad.", le);
    tb_histogram *histogram = NULL;
    IS(TB_INVALID_ARGUMENT, tb_histogram_register(board, &metric, &histogram));
    tb_histogram_free(histogram);
    CHECK(find(board, "c_bad_total", NULL).found == 0);
}

static void refusals(const tb_board *board) {
    tb_metric metric = TB_METRIC("c_requests_total", "Requests served.");
    tb_gauge *gauge = NULL;
    tb_counter *counter = NULL;

    IS(TB_CLASH, tb_gauge_register(board, &metric, &gauge)); /* it is a counter */
    CHECK(strstr(tb_last_error(), "c_requests_total") != NULL);
    CHECK(gauge != NULL && tb_gauge_is_sink(gauge));
    tb_gauge_set(gauge, 5);
    tb_gauge_free(gauge);

    IS(TB_INVALID_ARGUMENT, tb_counter_register(board, &metric, NULL));
    IS(TB_INVALID_ARGUMENT, tb_counter_register(board, NULL, &counter));
    CHECK(counter != NULL);
    tb_counter_free(counter);
    IS(TB_INVALID_ARGUMENT, tb_counter_register(NULL, &metric, &counter));
    CHECK(counter != NULL && tb_counter_is_sink(counter));
    tb_counter_inc(counter);
    tb_counter_free(counter);
    metric.name = NULL;
    IS(TB_INVALID_ARGUMENT, tb_counter_register(board, &metric, &counter));
    tb_counter_free(counter);
    metric.name = "";
    IS(TB_INVALID_ARGUMENT, tb_counter_register(board, &metric, &counter));
    tb_counter_free(counter);
    metric.name = "c_lost_total";
    metric.label_count = 3;
    IS(TB_INVALID_ARGUMENT, tb_counter_register(board, &metric, &counter));
    tb_counter_free(counter);

    /* Everything is fine on a board that is off. */
    tb_board *off = NULL;
    metric.label_count = 0;
    IS(TB_OK, tb_board_open("off", &off));
    IS(TB_OK, tb_counter_register(off, &metric, &counter));
    CHECK(tb_counter_is_sink(counter));
    tb_counter_inc(counter);
    tb_counter_free(counter);
    tb_board_close(off);
}

static void full_and_read_only(void) {
    tb_board *board = NULL, *reader = NULL;
    tb_board_options options = TB_BOARD_OPTIONS;
    tb_stats stats = TB_STATS;
    tb_counter *counter = NULL;
    tb_status status = TB_OK;
    char name[32];
    tb_metric metric = TB_METRIC(name, "One of many.");
    uint64_t refused = 0;

    options.slots = 64;
    IS(TB_OK, tb_board_create("small", &options, &board));
    for (int i = 0; i < 1000 && status == TB_OK; i++) {
        snprintf(name, sizeof name, "many_%d_total", i);
        status = tb_counter_register(board, &metric, &counter);
        CHECK(counter != NULL);
        tb_counter_inc(counter);
        tb_counter_free(counter);
    }
    IS(TB_FULL, status);
    IS(TB_OK, tb_board_stats(board, &stats));
    CHECK(stats.slots == 64 && stats.series > 0 && stats.slots_used <= 64);
    CHECK(stats.refused_reasons > 0 && stats.refused_reasons <= TB_REFUSED_REASONS);
    for (uint32_t i = 0; i < stats.refused_reasons; i++) {
        CHECK(tb_refused_reason_name(i) != NULL && *tb_refused_reason_name(i) != '\0');
        refused += stats.refused[i];
    }
    CHECK(refused > 0);
    CHECK(tb_refused_reason_name(stats.refused_reasons) == NULL);

    IS(TB_OK, tb_board_attach_read_only("small", &reader));
    CHECK(find(reader, "many_0_total", NULL).sample.value == 1);
    snprintf(name, sizeof name, "new_total");
    IS(TB_READ_ONLY, tb_counter_register(reader, &metric, &counter));
    CHECK(counter != NULL && tb_counter_is_sink(counter));
    tb_counter_free(counter);
    tb_board_close(reader);
    tb_board_close(board);
    IS(TB_OK, tb_board_remove("small"));
}

static void families(const tb_board *board) {
    const tb_label names[] = { { "method", NULL }, { "code", NULL } };
    const char *const get[] = { "GET", "200" };
    const char *const bad[] = { "GET", NULL };
    tb_metric metric = TB_METRIC_WITH_LABELS("f_requests_total", "Requests.", names);
    tb_counter_family *counters = NULL;
    tb_gauge_family *gauges = NULL;
    tb_histogram_family *histograms = NULL;
    tb_summary_family *summaries = NULL;
    tb_counter *counter = NULL, *again = NULL;
    tb_gauge *gauge = NULL;
    tb_histogram *histogram = NULL;
    tb_summary *summary = NULL;
    int32_t removed = 7;
    uint64_t cleared = 7;

    IS(TB_OK, tb_counter_family_register(board, &metric, &counters));
    IS(TB_OK, tb_counter_family_with(counters, get, 2, &counter));
    IS(TB_OK, tb_counter_family_with(counters, get, 2, &again));
    IS(TB_INVALID_ARGUMENT, tb_counter_family_with(counters, get, 2, NULL));
    tb_counter_add(again, 2);
    tb_counter_free(again);
    IS(TB_INVALID_ARGUMENT, tb_counter_family_with(counters, get, 1, &again));
    CHECK(again != NULL && tb_counter_is_sink(again));
    tb_counter_free(again);
    IS(TB_INVALID_ARGUMENT, tb_counter_family_with(counters, bad, 2, &again));
    tb_counter_free(again);
    IS(TB_INVALID_ARGUMENT, tb_counter_family_with(counters, NULL, 2, &again));
    tb_counter_free(again);
    IS(TB_INVALID_ARGUMENT, tb_counter_family_with(NULL, get, 2, &again));
    CHECK(again != NULL && tb_counter_is_sink(again));
    tb_counter_free(again);

    /* A series that was removed begins again with the next update of a handle. */
    IS(TB_OK, tb_counter_family_remove(counters, get, 2, &removed));
    CHECK(removed == 1 && tb_counter_value(counter) == 0 && find(board, "f_requests_total", NULL).found == 0);
    IS(TB_OK, tb_counter_family_remove(counters, get, 2, &removed));
    CHECK(removed == 0);
    IS(TB_OK, tb_counter_family_remove(counters, get, 2, NULL));
    removed = 7;
    IS(TB_INVALID_ARGUMENT, tb_counter_family_remove(counters, get, 1, &removed));
    CHECK(removed == 0);
    IS(TB_INVALID_ARGUMENT, tb_counter_family_remove(NULL, get, 2, &removed));
    tb_counter_add(counter, 2);
    IS(TB_OK, tb_counter_family_clear(counters, &cleared));
    CHECK(cleared == 1);
    cleared = 7;
    IS(TB_OK, tb_counter_family_clear(counters, &cleared));
    CHECK(cleared == 0);
    IS(TB_OK, tb_counter_family_clear(counters, NULL));
    IS(TB_INVALID_ARGUMENT, tb_counter_family_clear(NULL, &cleared));
    tb_counter_add(counter, 2);

    tb_counter_family_free(counters);
    tb_counter_inc(counter); /* outlives its family */
    CHECK(tb_counter_value(counter) == 3);
    tb_counter_free(counter);
    /* Labels are sorted by name, whatever order the family had: code comes first. */
    CHECK(find(board, "f_requests_total", "200").sample.value == 3);

    metric.name = "f_level";
    IS(TB_OK, tb_gauge_family_register(board, &metric, &gauges));
    IS(TB_OK, tb_gauge_family_with(gauges, get, 2, &gauge));
    tb_gauge_set(gauge, 4);
    IS(TB_OK, tb_gauge_family_remove(gauges, get, 2, &removed));
    CHECK(removed == 1 && find(board, "f_level", NULL).found == 0);
    tb_gauge_set(gauge, 4);
    IS(TB_OK, tb_gauge_family_clear(gauges, &cleared));
    CHECK(cleared == 1 && find(board, "f_level", NULL).found == 0);
    tb_gauge_set(gauge, 4);
    tb_gauge_free(gauge);
    tb_gauge_family_free(gauges);
    CHECK(find(board, "f_level", "200").sample.value == 4);

    metric.name = "f_seconds";
    IS(TB_OK, tb_histogram_family_register(board, &metric, &histograms));
    IS(TB_OK, tb_histogram_family_with(histograms, get, 2, &histogram));
    tb_histogram_observe(histogram, 4);
    IS(TB_OK, tb_histogram_family_remove(histograms, get, 2, &removed));
    CHECK(removed == 1 && find(board, "f_seconds", NULL).found == 0);
    tb_histogram_observe(histogram, 4);
    IS(TB_OK, tb_histogram_family_clear(histograms, &cleared));
    CHECK(cleared == 1 && find(board, "f_seconds", NULL).found == 0);
    tb_histogram_observe(histogram, 4);
    tb_histogram_free(histogram);
    tb_histogram_family_free(histograms);
    CHECK(find(board, "f_seconds", "200").sample.count == 1);

    metric.name = "f_sizes";
    IS(TB_OK, tb_summary_family_register(board, &metric, &summaries));
    IS(TB_OK, tb_summary_family_with(summaries, get, 2, &summary));
    tb_summary_observe(summary, 4);
    IS(TB_OK, tb_summary_family_remove(summaries, get, 2, &removed));
    CHECK(removed == 1 && find(board, "f_sizes", NULL).found == 0);
    tb_summary_observe(summary, 4);
    IS(TB_OK, tb_summary_family_clear(summaries, &cleared));
    CHECK(cleared == 1 && find(board, "f_sizes", NULL).found == 0);
    tb_summary_observe(summary, 4);
    tb_summary_free(summary);
    tb_summary_family_free(summaries);

    static const char *const states[] = { "on", "off" };
    const tb_label version[] = { { "version", "7" } };
    tb_info_family *described = NULL;
    tb_info *info = NULL;
    metric.name = "f_build";
    IS(TB_OK, tb_info_family_register(board, &metric, &described));
    IS(TB_OK, tb_info_family_with(described, get, 2, &info));
    IS(TB_OK, tb_info_set(info, version, 1));
    IS(TB_OK, tb_info_family_remove(described, get, 2, &removed));
    CHECK(removed == 1 && find(board, "f_build", NULL).found == 0);
    IS(TB_OK, tb_info_set(info, version, 1));
    CHECK(find(board, "f_build", "200").sample.label_count == 3);
    IS(TB_OK, tb_info_family_clear(described, &cleared));
    CHECK(cleared == 1);
    tb_info_free(info);
    tb_info_family_free(described);

    tb_state_set_family *phases = NULL;
    tb_state_set *phase = NULL;
    metric.name = "f_phase";
    metric.states = states;
    metric.state_count = 2;
    IS(TB_OK, tb_state_set_family_register(board, &metric, &phases));
    IS(TB_OK, tb_state_set_family_with(phases, get, 2, &phase));
    IS(TB_OK, tb_state_set_set(phase, "off"));
    CHECK(find(board, "f_phase", "200").found == 2);
    IS(TB_OK, tb_state_set_family_remove(phases, get, 2, &removed));
    CHECK(removed == 1);
    IS(TB_OK, tb_state_set_set(phase, "off"));
    IS(TB_OK, tb_state_set_family_clear(phases, &cleared));
    CHECK(cleared == 1);
    tb_state_set_free(phase);
    tb_state_set_family_free(phases);
    metric.states = NULL;
    metric.state_count = 0;
    CHECK(find(board, "f_sizes", "200").sample.sum == 4);

    const tb_label valued[] = { { "method", "GET" } };
    tb_metric wrong = TB_METRIC_WITH_LABELS("f_wrong_total", "A value too early.", valued);
    IS(TB_INVALID_ARGUMENT, tb_counter_family_register(board, &wrong, &counters));
    CHECK(counters == NULL);
    IS(TB_INVALID_ARGUMENT, tb_counter_family_register(board, &metric, NULL));
    tb_counter_family_free(NULL);
    tb_gauge_family_free(NULL);
    tb_histogram_family_free(NULL);
    tb_summary_family_free(NULL);
    tb_info_family_free(NULL);
    tb_state_set_family_free(NULL);
}

struct tour {
    int visited, stop_after;
    char last[128];
};

static int32_t walk(const tb_sample *sample, void *context) {
    struct tour *tour = (struct tour *)context;
    CHECK(strcmp(tour->last, sample->name) <= 0); /* sorted by name */
    snprintf(tour->last, sizeof tour->last, "%s", sample->name);
    tour->visited += 1;
    return tour->visited == tour->stop_after;
}

static void reading(const tb_board *board) {
    tb_reader *reader = NULL;
    tb_stats stats = TB_STATS;
    struct tour all = { 0, 0, "" }, two = { 0, 2, "" }, more = { 0, 0, "" };
    tb_metric metric = TB_METRIC("r_new_total", "Came later.");
    tb_counter *counter = NULL;

    IS(TB_OK, tb_board_stats(board, &stats));
    IS(TB_OK, tb_board_visit(board, walk, &all));
    /* c_phase is one series and three samples. */
    CHECK(all.visited == (int)stats.series + 2 && stats.families > 0);
    IS(TB_OK, tb_board_visit(board, walk, &two));
    CHECK(two.visited == 2);
    IS(TB_INVALID_ARGUMENT, tb_board_visit(board, NULL, NULL));
    IS(TB_INVALID_ARGUMENT, tb_board_visit(NULL, walk, &all));

    IS(TB_OK, tb_reader_new(board, &reader));
    IS(TB_INVALID_ARGUMENT, tb_reader_new(board, NULL));
    IS(TB_INVALID_ARGUMENT, tb_reader_visit(reader, NULL, NULL));
    IS(TB_OK, tb_reader_visit(reader, walk, &more));
    CHECK(more.visited == all.visited);
    IS(TB_OK, tb_counter_register(board, &metric, &counter));
    struct tour after = { 0, 0, "" };
    IS(TB_OK, tb_reader_visit(reader, walk, &after));
    CHECK(after.visited == all.visited + 1);
    CHECK(tb_reader_damaged(reader) == 0 && tb_reader_damaged(NULL) == 0);
    tb_counter_free(counter);
    tb_reader_free(reader);
    IS(TB_INVALID_ARGUMENT, tb_reader_new(NULL, &reader));
    CHECK(reader == NULL);
    IS(TB_INVALID_ARGUMENT, tb_reader_visit(NULL, walk, &all));
    tb_reader_free(NULL);
}

struct roll {
    pid_t pid;
    int all, found;
    uint64_t gauges;
};

static int32_t call_roll(const tb_process *process, void *context) {
    struct roll *roll = (struct roll *)context;
    CHECK(process->struct_size >= sizeof(tb_process));
    roll->all += 1;
    if (process->pid == (uint64_t)roll->pid) {
        CHECK(process->is_alive && process->start_ticks > 0 && process->pid_namespace > 0);
        CHECK(process->claimed_unix_nanos > UINT64_C(1700000000000000000));
        CHECK(*process->name != '\0' && strcmp(process->version, tb_version()) == 0);
        roll->found += 1;
        roll->gauges = process->gauges;
    }
    return 0;
}

static int32_t only_one(const tb_process *process, void *context) {
    (void)process;
    *(int *)context += 1;
    return 1;
}

/* Who writes to a board. */
static void lists(void) {
    tb_board *board = NULL;
    tb_metric metric = TB_METRIC("listed", "Level.");
    tb_gauge *gauge = NULL;
    struct roll roll = { getpid(), 0, 0, 0 };
    int told = 0, up[2], down[2];
    char byte = 0;

    IS(TB_OK, tb_board_open("listed", &board));
    IS(TB_OK, tb_board_processes(board, call_roll, &roll));
    CHECK(roll.all == 0);
    metric.aggregation = TB_AGGREGATION_SUM;
    IS(TB_OK, tb_gauge_register(board, &metric, &gauge));
    tb_gauge_set(gauge, 2);
    IS(TB_OK, tb_board_processes(board, call_roll, &roll));
    CHECK(roll.all == 1 && roll.found == 1 && roll.gauges == 1);

    CHECK(pipe(up) == 0 && pipe(down) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        IS(TB_OK, tb_board_enlist(board));
        CHECK(write(up[1], &byte, 1) == 1 && read(down[0], &byte, 1) == 1);
        IS(TB_OK, tb_board_leave(board));
        _exit(0);
    }
    CHECK(read(up[0], &byte, 1) == 1);
    struct roll child = { pid, 0, 0, 0 };
    IS(TB_OK, tb_board_processes(board, call_roll, &child));
    CHECK(child.all == 2 && child.found == 1 && child.gauges == 0);
    IS(TB_OK, tb_board_processes(board, only_one, &told));
    CHECK(told == 1);
    CHECK(write(down[1], &byte, 1) == 1 && wait(NULL) == pid);
    for (int end = 0; end < 2; end++)
        CHECK(close(up[end]) == 0 && close(down[end]) == 0);

    IS(TB_OK, tb_board_leave(board));
    told = 0;
    IS(TB_OK, tb_board_processes(board, only_one, &told));
    CHECK(told == 0 && find(board, "listed", NULL).sample.value == 2);
    tb_gauge_add(gauge, 1); /* comes back, with a part of its own */
    CHECK(find(board, "listed", NULL).sample.value == 3);

    IS(TB_INVALID_ARGUMENT, tb_board_enlist(NULL));
    IS(TB_INVALID_ARGUMENT, tb_board_leave(NULL));
    IS(TB_INVALID_ARGUMENT, tb_board_processes(NULL, only_one, &told));
    IS(TB_INVALID_ARGUMENT, tb_board_processes(board, NULL, NULL));

    /* Handles move to the board that has the name after it was removed. */
    IS(TB_OK, tb_board_remove("listed"));
    tb_gauge_set(gauge, 7);
    tb_gauge_free(gauge);
    tb_board_close(board);
    IS(TB_OK, tb_board_attach("listed", &board));
    CHECK(find(board, "listed", NULL).sample.value == 7);
    tb_board_close(board);
    IS(TB_OK, tb_board_remove("listed"));
}

/* Children count on what they have inherited and on what they register; one is killed midway. */
static void processes(const tb_board *board) {
    enum { CHILDREN = 4, ROUNDS = 50000 };
    tb_metric metric = TB_METRIC("p_rounds_total", "Rounds.");
    tb_metric own = TB_METRIC("p_children_total", "Children.");
    tb_counter *rounds = NULL, *children = NULL;

    IS(TB_OK, tb_counter_register(board, &metric, &rounds));
    for (int child = 0; child < CHILDREN; child++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            for (int i = 0; i < ROUNDS; i++)
                tb_counter_inc(rounds);
            IS(TB_OK, tb_counter_register(board, &own, &children));
            tb_counter_inc(children);
            if (child == 0)
                raise(SIGKILL);
            _exit(0);
        }
    }
    for (int child = 0; child < CHILDREN; child++) {
        int status;
        CHECK(wait(&status) > 0);
        CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    }
    CHECK(tb_counter_value(rounds) == CHILDREN * ROUNDS);
    tb_counter_free(rounds);
    IS(TB_OK, tb_counter_register(board, &own, &children));
    CHECK(tb_counter_value(children) == CHILDREN);
    tb_counter_free(children);
    IS(TB_OK, tb_board_reap(board));
    IS(TB_INVALID_ARGUMENT, tb_board_reap(NULL));
    IS(TB_OK, tb_board_check(board, NULL, NULL));
}

static struct {
    tb_counter *counter;
    tb_gauge *gauge;
    tb_histogram *histogram;
    volatile sig_atomic_t fired;
} in_handler;

static void count_signal(int signal) {
    (void)signal;
    tb_counter_inc(in_handler.counter);
    tb_counter_add(in_handler.counter, 2);
    tb_counter_add_double(in_handler.counter, 0.5);
    tb_gauge_add(in_handler.gauge, 1);
    tb_histogram_observe(in_handler.histogram, 1);
    in_handler.fired += 1;
}

/* A handler counts on the same metrics that it interrupts the counting of. */
static void signals(const tb_board *board) {
    tb_metric counted = TB_METRIC("s_counted_total", "Counted.");
    tb_metric level = TB_METRIC("s_level", "Level.");
    tb_metric seconds = TB_METRIC("s_seconds", "Seconds.");
    struct sigaction action, before;
    const struct itimerval tick = { { 0, 200 }, { 0, 200 } }, none = { { 0, 0 }, { 0, 0 } };
    uint64_t rounds = 0;

    IS(TB_OK, tb_counter_register(board, &counted, &in_handler.counter));
    IS(TB_OK, tb_gauge_register(board, &level, &in_handler.gauge));
    IS(TB_OK, tb_histogram_register(board, &seconds, &in_handler.histogram));
    memset(&action, 0, sizeof action);
    action.sa_handler = count_signal;
    CHECK(sigaction(SIGALRM, &action, &before) == 0);
    CHECK(setitimer(ITIMER_REAL, &tick, NULL) == 0);
    while (in_handler.fired < 200) {
        tb_counter_inc(in_handler.counter);
        tb_gauge_add(in_handler.gauge, 1);
        tb_histogram_observe(in_handler.histogram, 1);
        rounds += 1;
    }
    CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
    CHECK(sigaction(SIGALRM, &before, NULL) == 0);
    double fired = (double)in_handler.fired;
    CHECK(tb_counter_value(in_handler.counter) == (double)rounds + 3.5 * fired);
    CHECK(tb_gauge_value(in_handler.gauge) == (double)rounds + fired);
    struct search seen = find(board, "s_seconds", NULL);
    CHECK((double)seen.sample.count == (double)rounds + fired && seen.sample.sum == (double)rounds + fired);
    tb_counter_free(in_handler.counter);
    tb_gauge_free(in_handler.gauge);
    tb_histogram_free(in_handler.histogram);
}

static void *count_in_thread(void *context) {
    for (int i = 0; i < 50000; i++)
        tb_counter_inc((const tb_counter *)context);
    /* Each thread has its own last error, and this one has had none. */
    CHECK(strcmp(tb_last_error(), "") == 0);
    return NULL;
}

static void threads(tb_board *board) {
    tb_metric metric = TB_METRIC("t_rounds_total", "Rounds.");
    tb_counter *counter = NULL;
    pthread_t thread[4];

    IS(TB_INVALID_ARGUMENT, tb_board_attach("nowhere", NULL));
    CHECK(strcmp(tb_last_error(), "") != 0);
    IS(TB_OK, tb_counter_register(board, &metric, &counter));
    tb_board_close(board); /* the counter holds it */
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&thread[i], NULL, count_in_thread, counter) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    CHECK(tb_counter_value(counter) == 200000);
    tb_counter_free(counter);
}

int main(void) {
    tb_board *board = NULL;

    CHECK(getenv("TALLYBOARD_DIR") != NULL && getenv("TALLYBOARD") == NULL);
    versions_and_errors();
    boards();
    growing_structs();
    IS(TB_OK, tb_board_open(NULL, &board));
    counters(board);
    gauges(board);
    gauges_of_processes();
    caps();
    histograms(board);
    summaries(board);
    exemplars(board);
    infos(board);
    state_sets(board);
    labels(board);
    refusals(board);
    full_and_read_only();
    families(board);
    reading(board);
    processes(board);
    lists();
    signals(board);
    threads(board);
    IS(TB_OK, tb_board_remove("default"));
    puts("ok");
    return 0;
}
