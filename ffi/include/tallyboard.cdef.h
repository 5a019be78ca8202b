/* Made from tallyboard.h, which documents everything, by ffi/cdef.sh. Do not edit. */
enum {
TB_ABI_VERSION = 1,
TB_REFUSED_REASONS = 16,
TB_BUCKETS_DEFAULT_COUNT = 11,
};
uint32_t tb_abi_version(void);
const char *tb_version(void);
uint32_t tb_layout_version(void);
typedef int32_t tb_status;
enum {
TB_OK = 0,
TB_INVALID_ARGUMENT = 1,
TB_NOT_FOUND = 2,
TB_EXISTS = 3,
TB_PERMISSION = 4,
TB_NO_SPACE = 5,
TB_VERSION = 6,
TB_DAMAGED = 7,
TB_UNSUPPORTED = 8,
TB_CLASH = 9,
TB_FULL = 10,
TB_READ_ONLY = 11,
TB_IO = 12,
TB_PANIC = 13,
TB_TOO_LONG = 14,
TB_FAMILY_FULL = 15
};
const char *tb_status_name(tb_status status);
const char *tb_last_error(void);
typedef struct tb_board tb_board;
typedef struct tb_board_options {
size_t struct_size;
uint32_t slots;
uint32_t processes;
uint32_t mode;
uint32_t has_group;
uint32_t group;
uint32_t allow_any_filesystem;
uint32_t series_cap;
uint32_t keep_dead_seconds;
} tb_board_options;
tb_status tb_board_open(const char *location, tb_board **board);
tb_status tb_board_open_with(const char *location, const tb_board_options *options, tb_board **board);
tb_status tb_board_create(const char *location, const tb_board_options *options, tb_board **board);
tb_status tb_board_attach(const char *location, tb_board **board);
tb_status tb_board_attach_read_only(const char *location, tb_board **board);
tb_status tb_board_remove(const char *location);
void tb_board_close(tb_board *board);
int32_t tb_board_is_off(const tb_board *board);
int32_t tb_board_is_retired(const tb_board *board);
int32_t tb_board_uses_rseq(const tb_board *board);
tb_status tb_board_location(const tb_board *board, char *buffer, size_t len, size_t *needed);
tb_status tb_board_path(const tb_board *board, char *buffer, size_t len, size_t *needed);
tb_status tb_board_uuid(const tb_board *board, uint8_t uuid[16]);
uint64_t tb_board_created_unix_nanos(const tb_board *board);
typedef struct tb_stats {
size_t struct_size;
uint64_t bytes_reserved;
uint64_t bytes_total;
uint32_t slots;
uint32_t slots_used;
uint32_t series;
uint32_t families;
uint32_t processes;
uint32_t processes_used;
uint32_t planes;
uint32_t planes_ready;
uint32_t planes_refused;
uint32_t refused_reasons;
uint64_t reclaimed;
uint64_t reaped;
uint64_t damaged;
uint64_t refused[16];
uint64_t parts;
uint64_t folded;
uint64_t overflowed;
uint64_t expired;
} tb_stats;
tb_status tb_board_stats(const tb_board *board, tb_stats *stats);
const char *tb_refused_reason_name(uint32_t reason);
typedef int32_t (*tb_fault_visitor)(const char *fault, void *context);
tb_status tb_board_check(const tb_board *board, tb_fault_visitor visit, void *context);
tb_status tb_board_reap(const tb_board *board);
tb_status tb_board_expire(const tb_board *board, uint64_t ttl_seconds, uint64_t *expired);
tb_status tb_board_enlist(const tb_board *board);
tb_status tb_board_leave(const tb_board *board);
typedef struct tb_process {
size_t struct_size;
uint32_t row;
int32_t is_alive;
uint64_t pid;
uint64_t pid_namespace;
uint64_t start_ticks;
uint64_t claimed_unix_nanos;
uint64_t gauges;
const char *name;
const char *version;
} tb_process;
typedef int32_t (*tb_process_visitor)(const tb_process *process, void *context);
tb_status tb_board_processes(const tb_board *board, tb_process_visitor visit, void *context);
typedef struct tb_label {
const char *name;
const char *value;
} tb_label;
typedef struct tb_native {
size_t struct_size;
int32_t schema;
uint32_t has_negative;
double lowest;
double highest;
} tb_native;
typedef struct tb_metric {
size_t struct_size;
const char *name;
const char *help;
const char *unit;
const tb_label *labels;
size_t label_count;
const double *bounds;
size_t bound_count;
uint32_t aggregation;
uint32_t series_cap;
const tb_native *native;
const char *const *states;
size_t state_count;
} tb_metric;
enum {
TB_AGGREGATION_LAST = 0,
TB_AGGREGATION_SUM = 1,
TB_AGGREGATION_MIN = 2,
TB_AGGREGATION_MAX = 3,
TB_AGGREGATION_ALL = 4,
TB_AGGREGATION_LIVESUM = 5,
TB_AGGREGATION_LIVEMIN = 6,
TB_AGGREGATION_LIVEMAX = 7,
TB_AGGREGATION_LIVEALL = 8,
TB_AGGREGATION_LIVEMOSTRECENT = 9
};
typedef struct tb_counter tb_counter;
tb_status tb_counter_register(const tb_board *board, const tb_metric *metric, tb_counter **counter);
void tb_counter_inc(const tb_counter *counter);
void tb_counter_add(const tb_counter *counter, uint64_t amount);
tb_status tb_counter_add_double(const tb_counter *counter, double amount);
void tb_counter_add_with_exemplar(const tb_counter *counter, uint64_t amount, const tb_label *labels, size_t label_count);
tb_status tb_counter_add_double_with_exemplar(const tb_counter *counter, double amount, const tb_label *labels, size_t label_count);
double tb_counter_value(const tb_counter *counter);
int32_t tb_counter_value_exact(const tb_counter *counter, uint64_t *value);
int32_t tb_counter_is_sink(const tb_counter *counter);
void tb_counter_free(tb_counter *counter);
typedef struct tb_gauge tb_gauge;
tb_status tb_gauge_register(const tb_board *board, const tb_metric *metric, tb_gauge **gauge);
void tb_gauge_set(const tb_gauge *gauge, double value);
void tb_gauge_inc(const tb_gauge *gauge);
void tb_gauge_dec(const tb_gauge *gauge);
void tb_gauge_add(const tb_gauge *gauge, double amount);
void tb_gauge_sub(const tb_gauge *gauge, double amount);
void tb_gauge_set_to_current_time(const tb_gauge *gauge);
double tb_gauge_value(const tb_gauge *gauge);
int32_t tb_gauge_is_sink(const tb_gauge *gauge);
void tb_gauge_free(tb_gauge *gauge);
typedef struct tb_histogram tb_histogram;
tb_status tb_histogram_register(const tb_board *board, const tb_metric *metric, tb_histogram **histogram);
void tb_histogram_observe(const tb_histogram *histogram, double value);
void tb_histogram_observe_with_exemplar(const tb_histogram *histogram, double value, const tb_label *labels, size_t label_count);
void tb_histogram_observe_since(const tb_histogram *histogram, uint64_t start_nanos);
int32_t tb_histogram_is_sink(const tb_histogram *histogram);
void tb_histogram_free(tb_histogram *histogram);
size_t tb_buckets_default(double *bounds, size_t count);
size_t tb_buckets_linear(double start, double width, double *bounds, size_t count);
size_t tb_buckets_exponential(double start, double factor, double *bounds, size_t count);
typedef struct tb_summary tb_summary;
tb_status tb_summary_register(const tb_board *board, const tb_metric *metric, tb_summary **summary);
void tb_summary_observe(const tb_summary *summary, double value);
void tb_summary_observe_since(const tb_summary *summary, uint64_t start_nanos);
int32_t tb_summary_is_sink(const tb_summary *summary);
void tb_summary_free(tb_summary *summary);
uint64_t tb_monotonic_nanos(void);
typedef struct tb_info tb_info;
tb_status tb_info_register(const tb_board *board, const tb_metric *metric, tb_info **info);
tb_status tb_info_set(const tb_info *info, const tb_label *pairs, size_t pair_count);
int32_t tb_info_is_sink(const tb_info *info);
void tb_info_free(tb_info *info);
typedef struct tb_state_set tb_state_set;
tb_status tb_state_set_register(const tb_board *board, const tb_metric *metric, tb_state_set **state_set);
tb_status tb_state_set_set(const tb_state_set *state_set, const char *state);
tb_status tb_state_set_set_place(const tb_state_set *state_set, size_t place);
size_t tb_state_set_place(const tb_state_set *state_set);
int32_t tb_state_set_is_sink(const tb_state_set *state_set);
void tb_state_set_free(tb_state_set *state_set);
typedef struct tb_counter_family tb_counter_family;
typedef struct tb_gauge_family tb_gauge_family;
typedef struct tb_histogram_family tb_histogram_family;
typedef struct tb_summary_family tb_summary_family;
typedef struct tb_info_family tb_info_family;
typedef struct tb_state_set_family tb_state_set_family;
tb_status tb_counter_family_register(const tb_board *board, const tb_metric *metric, tb_counter_family **family);
tb_status tb_counter_family_with(const tb_counter_family *family, const char *const *values, size_t value_count, tb_counter **counter);
tb_status tb_counter_family_remove(const tb_counter_family *family, const char *const *values, size_t value_count, int32_t *removed);
tb_status tb_counter_family_clear(const tb_counter_family *family, uint64_t *removed);
void tb_counter_family_free(tb_counter_family *family);
tb_status tb_gauge_family_register(const tb_board *board, const tb_metric *metric, tb_gauge_family **family);
tb_status tb_gauge_family_with(const tb_gauge_family *family, const char *const *values, size_t value_count, tb_gauge **gauge);
tb_status tb_gauge_family_remove(const tb_gauge_family *family, const char *const *values, size_t value_count, int32_t *removed);
tb_status tb_gauge_family_clear(const tb_gauge_family *family, uint64_t *removed);
void tb_gauge_family_free(tb_gauge_family *family);
tb_status tb_histogram_family_register(const tb_board *board, const tb_metric *metric, tb_histogram_family **family);
tb_status tb_histogram_family_with(const tb_histogram_family *family, const char *const *values, size_t value_count, tb_histogram **histogram);
tb_status tb_histogram_family_remove(const tb_histogram_family *family, const char *const *values, size_t value_count, int32_t *removed);
tb_status tb_histogram_family_clear(const tb_histogram_family *family, uint64_t *removed);
void tb_histogram_family_free(tb_histogram_family *family);
tb_status tb_summary_family_register(const tb_board *board, const tb_metric *metric, tb_summary_family **family);
tb_status tb_summary_family_with(const tb_summary_family *family, const char *const *values, size_t value_count, tb_summary **summary);
tb_status tb_summary_family_remove(const tb_summary_family *family, const char *const *values, size_t value_count, int32_t *removed);
tb_status tb_summary_family_clear(const tb_summary_family *family, uint64_t *removed);
void tb_summary_family_free(tb_summary_family *family);
tb_status tb_info_family_register(const tb_board *board, const tb_metric *metric, tb_info_family **family);
tb_status tb_info_family_with(const tb_info_family *family, const char *const *values, size_t value_count, tb_info **info);
tb_status tb_info_family_remove(const tb_info_family *family, const char *const *values, size_t value_count, int32_t *removed);
tb_status tb_info_family_clear(const tb_info_family *family, uint64_t *removed);
void tb_info_family_free(tb_info_family *family);
tb_status tb_state_set_family_register(const tb_board *board, const tb_metric *metric, tb_state_set_family **family);
tb_status tb_state_set_family_with(const tb_state_set_family *family, const char *const *values, size_t value_count, tb_state_set **state_set);
tb_status tb_state_set_family_remove(const tb_state_set_family *family, const char *const *values, size_t value_count, int32_t *removed);
tb_status tb_state_set_family_clear(const tb_state_set_family *family, uint64_t *removed);
void tb_state_set_family_free(tb_state_set_family *family);
enum {
TB_KIND_COUNTER = 1,
TB_KIND_GAUGE = 2,
TB_KIND_HISTOGRAM = 3,
TB_KIND_SUMMARY = 4,
TB_KIND_INFO = 6,
TB_KIND_STATE_SET = 7
};
typedef struct tb_native_bucket {
int32_t index;
uint64_t count;
} tb_native_bucket;
typedef struct tb_native_counts {
size_t struct_size;
int32_t schema;
uint32_t has_negative;
double zero_threshold;
uint64_t zero;
size_t positive_count;
const tb_native_bucket *positive;
size_t negative_count;
const tb_native_bucket *negative;
uint64_t below;
uint64_t above;
} tb_native_counts;
typedef struct tb_exemplar {
size_t bucket;
double value;
uint64_t unix_nanos;
size_t label_count;
const tb_label *labels;
} tb_exemplar;
typedef struct tb_sample {
size_t struct_size;
const char *name;
const char *help;
const char *unit;
int32_t kind;
int32_t is_integer;
size_t label_count;
const tb_label *labels;
double value;
uint64_t count;
double sum;
size_t bucket_count;
const double *bounds;
const uint64_t *buckets;
uint64_t created_unix_nanos;
const tb_native_counts *native;
size_t exemplar_count;
const tb_exemplar *exemplars;
} tb_sample;
typedef int32_t (*tb_visitor)(const tb_sample *sample, void *context);
tb_status tb_board_visit(const tb_board *board, tb_visitor visit, void *context);
typedef struct tb_reader tb_reader;
tb_status tb_reader_new(const tb_board *board, tb_reader **reader);
tb_status tb_reader_visit(tb_reader *reader, tb_visitor visit, void *context);
uint64_t tb_reader_damaged(const tb_reader *reader);
void tb_reader_free(tb_reader *reader);
