// Counts records on the default board, like records.c: `go run ffi/examples/records.go 1000`, after ffi/install.sh,
// with PKG_CONFIG_PATH and the loader's path set as README.md says.
package main

/*
#cgo pkg-config: tallyboard
#include <tallyboard.h>

static tb_status records_register(tb_board *board, tb_counter **loaded) {
	const tb_label labels[] = {{"source", "go"}};
	tb_metric metric = TB_METRIC_WITH_LABELS("records_loaded_total", "Records loaded.", labels);
	return tb_counter_register(board, &metric, loaded);
}
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

func main() {
	records := 1000
	if len(os.Args) > 1 {
		records, _ = strconv.Atoi(os.Args[1])
	}
	runtime.LockOSThread() // tb_last_error tells of the calls of its own thread.
	var board *C.tb_board
	var loaded *C.tb_counter
	if C.tb_board_open(nil, &board) != C.TB_OK { // Counting never stops the work.
		fmt.Fprintln(os.Stderr, "records: not counting:", C.GoString(C.tb_last_error()))
	}
	C.records_register(board, &loaded)
	runtime.UnlockOSThread()
	for record := 0; record < records; record++ {
		C.tb_counter_inc(loaded) // After a record is loaded.
	}
	fmt.Println("counted", records, "records")
}
