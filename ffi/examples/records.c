/*
 * Counts records on the default board. This line builds it, from the root of the repository:
 *
 *     cargo build --release -p tallyboard-ffi && cc -O2 -o records ffi/examples/records.c -I ffi/include target/release/libtallyboard.a -lpthread -ldl -lm
 *
 * Run `./records 100000` as often as you like, several at once, and kill some: the count goes on. See it with
 * `cargo run --release -- dump`.
 */
#include <tallyboard.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    unsigned long records = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    const tb_label labels[] = { { "source", "example" } };
    tb_metric loaded_metric = TB_METRIC_WITH_LABELS("records_loaded_total", "Records loaded.", labels);
    tb_metric seconds_metric = TB_METRIC("record_load_seconds", "Time to load a record.");
    tb_board *board;
    tb_counter *loaded;
    tb_histogram *seconds;

    /* Counting must never stop the work: say what is wrong, and go on without a board. */
    if (tb_board_open(NULL, &board) != TB_OK)
        fprintf(stderr, "records: not counting: %s\n", tb_last_error());
    tb_counter_register(board, &loaded_metric, &loaded);
    seconds_metric.unit = "seconds";
    tb_histogram_register(board, &seconds_metric, &seconds);

    for (unsigned long i = 0; i < records; i++) {
        uint64_t start = tb_monotonic_nanos();
        /* ... load a record ... */
        tb_counter_inc(loaded);
        tb_histogram_observe_since(seconds, start);
    }

    uint64_t total = 0;
    tb_counter_value_exact(loaded, &total);
    printf("counted %lu records; the board says %" PRIu64 "\n", records, total);

    tb_histogram_free(seconds);
    tb_counter_free(loaded);
    tb_board_close(board);
    return 0;
}
