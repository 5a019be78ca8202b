//! Label sets that never come again: registered, updated and removed, with removals that race updates.
//!
//! Each process has numbers of its own, told to the others through the ledger. To a series it adds an amount that no
//! other series has, so that an update in the wrong series shows in the value. A process keeps handles to its own
//! latest series and to some of another process's, which that one removes meanwhile; whoever gives a handle up removes
//! the series, since an update may have brought it back.

use std::collections::VecDeque;
use std::error::Error;
use std::path::Path;

use tallyboard::{Board, Counter, Family, Ledger, Number};
use tallyboard_tests::{PASSING, amount, is_made_of};

/// Handles that are kept of one's own series, and of another's.
const KEPT: usize = 24;
/// Every so many of one's own series, one of another process's.
const FOREIGN: u64 = 3;

struct Kept {
    number: u64,
    handle: Counter,
}

/// Goes on where the last process with this number ended.
pub(crate) fn run(
    board: &Board,
    actor: usize,
    actors: usize,
    ledger: &Path,
) -> Result<(), Box<dyn Error>> {
    let progress = Ledger::open(ledger)?;
    let family = board
        .counter(PASSING, "Series that come and go.")
        .labels(&["number"])
        .family()?;
    super::wait_for_start(board)?;
    let number_of = |actor: usize, step: u64| step * actors as u64 + actor as u64;
    let mut own: VecDeque<Kept> = VecDeque::new();
    let mut foreign: VecDeque<Kept> = VecDeque::new();
    for step in progress.get(actor).. {
        let number = number_of(actor, step);
        own.push_back(update(&family, number)?);
        progress.add_one(actor);
        if step % FOREIGN == 0 {
            let other = (actor + 1 + step as usize / FOREIGN as usize % (actors - 1)) % actors;
            let theirs = progress.get(other).saturating_sub(1);
            foreign.push_back(update(&family, number_of(other, theirs))?);
        }
        // Handles of every age: most of another's series have been removed by now, and perhaps brought back.
        for kept in own.iter().step_by(7).chain(foreign.iter().step_by(5)) {
            kept.handle.add(amount(kept.number));
        }
        for kept in [&mut own, &mut foreign] {
            if kept.len() > KEPT
                && let Some(oldest) = kept.pop_front()
            {
                give_up(&family, &oldest)?;
            }
        }
    }
    Ok(())
}

fn update(family: &Family<Counter>, number: u64) -> Result<Kept, Box<dyn Error>> {
    let handle = family.try_with(&[&number.to_string()])?;
    handle.add(amount(number));
    Ok(Kept { number, handle })
}

fn give_up(family: &Family<Counter>, kept: &Kept) -> Result<(), Box<dyn Error>> {
    kept.handle.add(amount(kept.number));
    let value = kept.handle.get();
    if !matches!(value, Number::Int(value) if is_made_of(value, kept.number)) {
        return Err(format!("series {} has the value {value:?}", kept.number).into());
    }
    family.remove(&[&kept.number.to_string()])?;
    Ok(())
}
