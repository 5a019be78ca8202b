<?php
// Counts records on the default board, like records.c: `php ffi/examples/records.php 1000`, with libtallyboard.so.1
// where the loader finds it. Web servers need FFI::load() in a preloaded file instead (php.ini, ffi.enable).
$records = (int) ($argv[1] ?? 1000);
$tb = FFI::cdef(file_get_contents(__DIR__ . '/../include/tallyboard.cdef.h'), 'libtallyboard.so.1');
$text = function (string $value) use ($tb) {  // Owned by nobody, so that it outlives this call.
    $copy = $tb->new('char[' . (strlen($value) + 1) . ']', false);
    FFI::memcpy($copy, $value, strlen($value));
    return $tb->cast('char *', $copy);
};
[$board, $loaded] = [$tb->new('tb_board *'), $tb->new('tb_counter *')];
[$label, $metric] = [$tb->new('tb_label'), $tb->new('tb_metric')];
[$label->name, $label->value] = [$text('source'), $text('php')];
[$metric->struct_size, $metric->name, $metric->help] = [FFI::sizeof($metric), $text('records_loaded_total'), $text('Records loaded.')];
[$metric->labels, $metric->label_count] = [FFI::addr($label), 1];
if ($tb->tb_board_open(null, FFI::addr($board)) !== $tb->TB_OK) {  // Counting never stops the work.
    fprintf(STDERR, "records: not counting: %s\n", $tb->tb_last_error());
}
$tb->tb_counter_register($board, FFI::addr($metric), FFI::addr($loaded));
for ($record = 0; $record < $records; $record++) {
    $tb->tb_counter_inc($loaded);  // After a record is loaded.
}
printf("counted %d records\n", $records);
