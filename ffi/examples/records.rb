# Counts records on the default board, like records.c: `ruby ffi/examples/records.rb 1000`, with libtallyboard.so.1
# where the loader finds it. Fiddle comes with Ruby; the ffi gem works in the same way.
require "fiddle/import"

module Tallyboard
  extend Fiddle::Importer
  dlload "libtallyboard.so.1"
  typealias "tb_status", "int"
  extern "const char *tb_last_error(void)"
  extern "tb_status tb_board_open(const char *, void **)"
  extern "tb_status tb_counter_register(void *, void *, void **)"
  extern "void tb_counter_inc(void *)"
  Metric = struct ["size_t struct_size", "char *name", "char *help", "char *unit", "void *labels", "size_t label_count",
                   "double *bounds", "size_t bound_count", "uint32_t aggregation", "uint32_t series_cap"]
end

records = (ARGV[0] || 1000).to_i
label = ["source", "ruby"].pack("pp") # An array of one tb_label: two pointers.
metric = Tallyboard::Metric.malloc(Fiddle::RUBY_FREE)
metric.to_ptr[0, Tallyboard::Metric.size] = "\0" * Tallyboard::Metric.size
metric.struct_size, metric.name, metric.help = Tallyboard::Metric.size, "records_loaded_total", "Records loaded."
metric.labels, metric.label_count = Fiddle::Pointer[label], 1
board, loaded = Fiddle::Pointer[[0].pack("J")], Fiddle::Pointer[[0].pack("J")]
unless Tallyboard.tb_board_open(nil, board).zero? # Counting never stops the work.
  warn "records: not counting: #{Tallyboard.tb_last_error}"
end
Tallyboard.tb_counter_register(board.ptr, metric, loaded)
records.times { Tallyboard.tb_counter_inc(loaded.ptr) } # After each record that is loaded.
puts "counted #{records} records"
