/*
 * Counts in threads, closes the library under them, and counts on: it must stay mapped, since a
 * thread may be inside a restartable sequence whose descriptor lies in it.
 * Called with the path of the library, or of a plugin that contains it; wants TALLYBOARD_DIR.
 */
#define _GNU_SOURCE
#include <tallyboard.h>

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 2 };

static struct {
    void (*inc)(const tb_counter *);
    tb_counter *counter;
    atomic_int stop;
    atomic_ulong done[THREADS];
} shared;

static void *count(void *done) {
    while (!atomic_load(&shared.stop)) {
        shared.inc(shared.counter);
        atomic_fetch_add((atomic_ulong *)done, 1);
    }
    return NULL;
}

static unsigned long all_done(void) {
    unsigned long sum = 0;
    for (int i = 0; i < THREADS; i++)
        sum += atomic_load(&shared.done[i]);
    return sum;
}

static void find(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "%s: %s\n", name, dlerror());
        exit(1);
    }
    /* ISO C has no cast from an object's pointer to a function's; POSIX says they are the same. */
    memcpy(function, &found, sizeof found);
}

int main(int argc, char **argv) {
    tb_status (*open)(const char *, tb_board **);
    tb_status (*registers)(const tb_board *, const tb_metric *, tb_counter **);
    tb_status (*remove)(const char *);
    double (*value)(const tb_counter *);
    tb_metric metric = TB_METRIC("unload_total", "Counted while the library was closed.");
    tb_board *board;
    pthread_t thread[THREADS];

    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (library == NULL) {
        fprintf(stderr, "cannot open the library: %s\n", dlerror());
        return 1;
    }
    find(library, "tb_board_open", &open);
    find(library, "tb_counter_register", &registers);
    find(library, "tb_counter_inc", &shared.inc);
    find(library, "tb_counter_value", &value);
    find(library, "tb_board_remove", &remove);
    if (open(NULL, &board) != TB_OK || registers(board, &metric, &shared.counter) != TB_OK)
        return 2;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, count, &shared.done[i]) != 0)
            return 3;
    while (all_done() < 100000)
        sched_yield();
    if (dlclose(library) != 0)
        return 4;
    for (unsigned long before = all_done(); all_done() < before + 1000000;)
        sched_yield();
    if (dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) == NULL) {
        fprintf(stderr, "the library was unmapped\n");
        return 5;
    }
    atomic_store(&shared.stop, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    if (value(shared.counter) != (double)all_done())
        return 6;
    if (remove("default") != TB_OK)
        return 7;
    puts("ok");
    return 0;
}
