//! Infos.

use arena::{Board, Builder, Info};

use crate::boundary;
use crate::failure::Failure;
use crate::handle;
use crate::metric::{self, Definition, Label, Metric, registered};
use crate::status::Status;

fn begin(board: &Board, definition: &Definition<'_>) -> Result<Builder<Info>, Failure> {
    definition.refuse_bounds()?;
    definition.refuse_aggregation()?;
    definition.refuse_states()?;
    Ok(board.info(definition.name, definition.help))
}

registered!(Info, begin);

/// Finds or adds an info; a sink on failure.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `info` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_info_register(
    board: *const Board,
    metric: *const Metric,
    info: *mut *mut Info,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register(board, metric, info, "info") }
}

/// Says other pairs than before.
///
/// # Safety
///
/// `info` is NULL or an info that is not freed; `pairs` is NULL or points to `pair_count` labels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_info_set(
    info: *const Info,
    pairs: *const Label,
    pair_count: usize,
) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or that many labels, by this function's contract.
        let given = unsafe { metric::array(pairs, pair_count, "pairs") }?.unwrap_or(&[]);
        // SAFETY: each text is NULL or ends in NUL, by this function's contract.
        let pairs = unsafe { metric::label_texts(given) }?;
        // SAFETY: NULL or alive, by this function's contract.
        match unsafe { info.as_ref() } {
            Some(info) => Ok(info.set(&pairs)?),
            None => Ok(()),
        }
    })
}

/// Whether it says nothing to nobody.
///
/// # Safety
///
/// `info` is NULL or an info that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_info_is_sink(info: *const Info) -> i32 {
    // SAFETY: NULL or alive, by this function's contract.
    unsafe { info.as_ref() }.is_none_or(Info::is_sink).into()
}

/// Gives a handle back.
///
/// # Safety
///
/// `info` is NULL, or the handle's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_info_free(info: *mut Info) {
    // SAFETY: every `tb_info *` came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(info) };
}
