//! Tests that look inside; what a C program sees is tested from C, in `tests/`.

mod drift;
mod failures;
mod growth;
