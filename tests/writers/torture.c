/* A writer of a torture that uses the C interface: tests/src/bin/worker/torture.rs tells what it does and why, and
 * tests/src/books.rs what its books are.
 *
 * Usage: torture BOOKS LANE SEED, with TALLYBOARD in the environment
 */

#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tallyboard.h"

enum { COUNTERS = 64, SIGNALS = 64, LAST = 65, OBSERVATIONS = 67, HISTOGRAMS = 8, ITEMS = 139, READY = 2 * ITEMS };
enum { CHILD_ROUNDS = 3000, PASSING_SERIES = 200 };

static uint64_t *books;
static uint64_t state;
static tb_board *board;
static tb_counter *counters[COUNTERS];
static tb_counter *signals;
static tb_histogram *histograms[HISTOGRAMS];
static tb_gauge *last;
static tb_histogram *native;
static tb_info *writer;
static tb_state_set *phase;

static const char *const phases[] = {"counting", "forking", "dying"};

static void must(tb_status status)
{
    if (status != TB_OK) {
        fprintf(stderr, "%s: %s\n", tb_status_name(status), tb_last_error());
        exit(1);
    }
}

/* On x86-64 these are full fences: what is begun is seen as begun before its update, and done after it. */
static void note(int word)
{
    __atomic_fetch_add(&books[word], 1, __ATOMIC_ACQ_REL);
}

static uint64_t below(uint64_t end)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 24) % end;
}

/* As `amount` of tests/src/passing.rs. */
static uint64_t amount(uint64_t number)
{
    uint64_t mixed = number * 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed >> 25 | (uint64_t)1 << 39 | 1;
}

static void on_signal(int number)
{
    (void)number;
    note(2 * SIGNALS);
    tb_counter_inc(signals);
    note(2 * SIGNALS + 1);
    note(2 * LAST);
    tb_gauge_inc(last);
    note(2 * LAST + 1);
}

static tb_counter *counter(const char *name, const char *help, const char *label, uint64_t number)
{
    char value[24];
    snprintf(value, sizeof value, "%llu", (unsigned long long)number);
    const tb_label labels[] = {{label, value}};
    tb_metric metric = TB_METRIC_WITH_LABELS(name, help, labels);
    tb_counter *counter;
    must(tb_counter_register(board, &metric, &counter));
    return counter;
}

static void round_of_work(uint64_t own)
{
    const int series = (int)below(COUNTERS);
    const int histogram = (int)below(HISTOGRAMS);
    switch (below(10)) {
    case 0: case 1: case 2: {
        char value[16];
        snprintf(value, sizeof value, "%d", series);
        const tb_label labels[] = {{"series", value}};
        note(2 * series);
        if (below(8) == 0)
            tb_counter_add_with_exemplar(counters[series], 1, labels, 1);
        else
            tb_counter_inc(counters[series]);
        note(2 * series + 1);
        break;
    }
    case 3: {
        tb_counter *again = counter("torture_total", "Updates.", "series", (uint64_t)series);
        note(2 * series);
        tb_counter_inc(again);
        note(2 * series + 1);
        tb_counter_free(again);
        break;
    }
    case 4:
        note(2 * (OBSERVATIONS + histogram));
        tb_histogram_observe(histograms[histogram], histogram / 4.0);
        note(2 * (OBSERVATIONS + histogram) + 1);
        break;
    case 5:
        note(2 * LAST);
        tb_gauge_inc(last);
        note(2 * LAST + 1);
        break;
    case 6:
        tb_histogram_observe_with_exemplar(native, 1, NULL, 0);
        break;
    case 7: {
        char word[16];
        snprintf(word, sizeof word, "%d", (int)below(1000));
        const tb_label said[] = {{"one", word}, {"other", word}};
        must(tb_info_set(writer, said, 2));
        must(tb_state_set_set(phase, phases[below(3)]));
        break;
    }
    default: {
        const uint64_t number = own + below(PASSING_SERIES);
        tb_counter *passing = counter("passing_total", "Series that come and go.", "number", number);
        tb_counter_add(passing, amount(number));
        tb_counter_free(passing);
    }
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    const uint64_t own = 1000 * strtoull(argv[2], NULL, 10);
    state = strtoull(argv[3], NULL, 10) | 1;
    const int file = open(argv[1], O_RDWR);
    books = mmap(NULL, 8 * (READY + 1), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (books == MAP_FAILED)
        return 3;
    must(tb_board_open(NULL, &board));
    for (int series = 0; series < COUNTERS; series++)
        counters[series] = counter("torture_total", "Updates.", "series", (uint64_t)series);
    for (int series = 0; series < HISTOGRAMS; series++) {
        char value[16];
        snprintf(value, sizeof value, "%d", series);
        const tb_label labels[] = {{"series", value}};
        tb_metric metric = TB_METRIC_WITH_LABELS("torture_seconds", "Durations.", labels);
        must(tb_histogram_register(board, &metric, &histograms[series]));
    }
    tb_metric metric = TB_METRIC("torture_signals_total", "Signals.");
    must(tb_counter_register(board, &metric, &signals));
    const tb_native buckets = {sizeof buckets, 3, 0, 0.001, 64};
    tb_metric durations = TB_METRIC("torture_native_seconds", "Durations, all of a second.");
    durations.native = &buckets;
    must(tb_histogram_register(board, &durations, &native));
    tb_metric last_writer = TB_METRIC("torture_writer", "Who was here last, said twice.");
    must(tb_info_register(board, &last_writer, &writer));
    tb_metric what = TB_METRIC("torture_phase", "What somebody does.");
    what.states = phases;
    what.state_count = 3;
    must(tb_state_set_register(board, &what, &phase));
    tb_metric gauge = TB_METRIC("torture_last", "A gauge of processes that die.");
    must(tb_gauge_register(board, &gauge, &last));

    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    note(READY);
    for (pid_t child = 0;;) {
        round_of_work(own);
        if (below(4000) != 0)
            continue;
        if (child != 0)
            waitpid(child, NULL, 0);
        child = fork();
        if (child != 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        state ^= (uint64_t)getpid() << 20;
        for (int done = 0; done < CHILD_ROUNDS; done++)
            round_of_work(own);
        if (below(2) == 0)
            kill(getpid(), SIGKILL);
        _exit(0);
    }
}
