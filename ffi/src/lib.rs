//! The C interface of Tallyboard. `include/tallyboard.h` says what each function does; this
//! crate says why it may.
//!
//! What a C caller promises, in that header, is the ground of every `SAFETY` comment here: a
//! pointer is NULL, or it points to what its type says, alive for as long as the call lasts and
//! not given back meanwhile. NULL is checked; the rest cannot be.
//!
//! Two kinds of function:
//!
//! * *Calls* that can fail go through [`boundary`], which turns errors and panics into a status
//!   and a message.
//! * *Updates* are a NULL test and the arena's inlined update, and nothing else: no thread-local
//!   (it may not be there yet in a signal handler), no `catch_unwind`. The arena's updates have no
//!   panicking path. Were one to appear, `extern "C"` makes of it an abort, never an unwind into C.

#[cfg(not(panic = "unwind"))]
compile_error!("TB_PANIC is promised to C callers: build libtallyboard with panic = \"unwind\"");

mod aggregation;
mod board;
mod boundary;
mod buckets;
mod check;
mod clock;
mod counter;
mod exemplar;
mod exemplars;
mod failure;
mod family;
mod gauge;
mod grown;
mod handle;
mod histogram;
mod info;
mod last_error;
mod maintenance;
mod metric;
mod native;
mod options;
mod processes;
#[cfg(feature = "python")]
mod python;
mod reader;
mod sample;
mod state_set;
mod stats;
mod status;
mod summary;
mod text;
mod version;

#[cfg(test)]
mod tests;
