"""An independent reader of boards, and its comparison with `tallyboard dump`."""
