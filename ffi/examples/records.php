<?php // Counts records on the default board: `php ffi/examples/records.php 1000`, where the loader finds the library.
// Web servers need FFI::load() in a preloaded file instead (php.ini, ffi.enable).
$tb = FFI::cdef(file_get_contents(__DIR__ . '/../include/tallyboard.cdef.h'), 'libtallyboard.so.1');
$text = function (string $value) use ($tb) { // Owned by nobody, so that it outlives this call.
    $copy = $tb->new('char[' . (strlen($value) + 1) . ']', false);
    FFI::memcpy($copy, $value, strlen($value));
    return $tb->cast('char *', $copy);
};
[$board, $loaded, $label, $metric] = array_map(fn ($type) => $tb->new($type), ['tb_board *', 'tb_counter *', 'tb_label', 'tb_metric']);
[$label->name, $label->value] = [$text('source'), $text('php')];
[$metric->struct_size, $metric->name, $metric->help] = [FFI::sizeof($metric), $text('records_loaded_total'), $text('Records loaded.')];
[$metric->labels, $metric->label_count] = [FFI::addr($label), 1];
if ($tb->tb_board_open(null, FFI::addr($board)) !== $tb->TB_OK
    || $tb->tb_counter_register($board, FFI::addr($metric), FFI::addr($loaded)) !== $tb->TB_OK) {
    fprintf(STDERR, "records: not counting: %s\n", $tb->tb_last_error()); // Counting never stops the work.
}
for ($record = 0; $record < (int) ($argv[1] ?? 1000); $record++) {
    $tb->tb_counter_inc($loaded); // After a record is loaded; NULL is ignored.
}
printf("counted %d records\n", $record);
