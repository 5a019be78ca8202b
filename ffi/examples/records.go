package main // Counts records on the default board: `go run ffi/examples/records.go 1000`, with README.md's paths set.

// #cgo pkg-config: tallyboard
// #include <tallyboard.h>
// const tb_label labels[] = {{"source", "go"}};
// tb_metric metric = TB_METRIC_WITH_LABELS("records_loaded_total", "Records loaded.", labels);
import "C"
import "fmt"
import "os"
import "runtime"

func main() {
	board, loaded, records, done := (*C.tb_board)(nil), (*C.tb_counter)(nil), 1000, 0
	runtime.LockOSThread() // tb_last_error tells of the calls of its own thread.
	if C.tb_board_open(nil, &board) != C.TB_OK || C.tb_counter_register(board, &C.metric, &loaded) != C.TB_OK {
		fmt.Fprintln(os.Stderr, "records: not counting:", C.GoString(C.tb_last_error())) // Counting never stops the work.
	}
	for fmt.Sscan(os.Args[len(os.Args)-1], &records); done < records; done++ {
		C.tb_counter_inc(loaded) // After a record is loaded; NULL is ignored.
	}
	fmt.Println("counted", done, "records")
}
