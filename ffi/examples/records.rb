# Counts records on the default board: `ruby ffi/examples/records.rb 1000`, where the loader finds libtallyboard.so.1.
require "fiddle/import"

module Tallyboard
  extend Fiddle::Importer
  dlload "libtallyboard.so.1"
  extern "const char *tb_last_error(void)"
  extern "int tb_board_open(const char *, void **)"
  extern "int tb_counter_register(void *, void *, void **)"
  extern "void tb_counter_inc(void *)"
end

records = (ARGV[0] || 1000).to_i
label = ["source", "ruby"].pack("pp") # An array of one tb_label: two pointers.
# A tb_metric: its size, name, help, unit, labels, label_count, bounds, bound_count, aggregation, series_cap.
metric = [72, "records_loaded_total", "Records loaded.", nil, label, 1, nil, 0, 0, 0].pack("JpppPJPJLL")
board, loaded = Array.new(2) { Fiddle::Pointer[[0].pack("J")] }
unless Tallyboard.tb_board_open(nil, board).zero? && Tallyboard.tb_counter_register(board.ptr, metric, loaded).zero?
  warn "records: not counting: #{Tallyboard.tb_last_error}" # Counting never stops the work.
end
records.times { Tallyboard.tb_counter_inc(loaded.ptr) } # After each record that is loaded; NULL is ignored.
puts "counted #{records} records"
