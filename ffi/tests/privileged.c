/* Says what the default board is taken to be, without making one. */
#include <tallyboard.h>

#include <stdio.h>

int main(void) {
    tb_board *board;
    tb_status status = tb_board_attach(NULL, &board);
    printf("%s %s\n", tb_status_name(status), tb_board_is_off(board) ? "off" : "on");
    tb_board_close(board);
    return 0;
}
