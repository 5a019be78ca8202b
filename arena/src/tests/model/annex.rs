//! `replace_annex`: of all that was annexed at a place the greatest serial stays, whoever replaces
//! it at once and whoever dies over it (13); what has ended keeps no annex (12); two who race
//! lose no slot (5).

use super::fixture::{Board, PAIR, breaks, explore, is_whole, live, trio_of_minutes};
use crate::Kind;
use crate::annex::{ANNEX_KEY, Site};
use crate::index::Lost;
use crate::mutation::Mutation;
use crate::record::{Cap, Draft, INFO, Key, SERIES};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::State;
use crate::step::Step;
use crate::sync::Ordering;
use loom::thread;

/// Where a replacement can die: as it registers, then as it removes what was there.
const DEATHS: [Step; 8] = [
    Step::Claimed,
    Step::Chained,
    Step::Written,
    Step::Linked,
    Step::Completed,
    Step::Removed,
    Step::Marked,
    Step::Unlinked,
];

/// The series, what is annexed to it, and what two writers put in its place.
const SLOTS: u32 = 4;

fn series(process: &Segment) -> Bound {
    let text = b"s";
    let draft = Draft {
        key: Key {
            hash: 1 << 32,
            kind: SERIES,
            parent: 0,
            text,
        },
        text,
        metric: Kind::Info.code(),
        aggregation: 0,
        cells: 0,
        parent_slot: 0,
        note: 0,
        cap: Cap::None,
    };
    process.register(&draft).expect("invariant 9: refused")
}

fn site(series: Bound) -> Site {
    Site {
        series,
        kind: INFO,
        place: 0,
    }
}

/// What is said, with room for the key before it.
fn text(said: u64) -> [u8; ANNEX_KEY + 8] {
    let mut text = [0; ANNEX_KEY + 8];
    text[ANNEX_KEY..].copy_from_slice(&said.to_le_bytes());
    text
}

fn replace(process: &Segment, series: Bound, said: u64) -> Result<(), Lost> {
    process.replace_annex(site(series), &mut text(said))
}

fn replaced(process: &Segment, series: Bound, said: u64) {
    replace(process, series, said).expect("invariant 9: refused");
}

/// What holds, and which of `0..4` it says. Where nobody else is at work.
fn holding(process: &Segment, series: Bound) -> (Bound, u64) {
    let holds = process.annex_at(site(series)).unwrap();
    let holds = holds.expect("invariant 13: nothing holds");
    let says = (0..4).find(|said| {
        let is_said = process.is_annexed(site(series), &mut text(*said));
        is_said.unwrap()
    });
    (holds, says.expect("invariant 2: an annex is not whole"))
}

/// The slots that are READY besides the series.
fn annexes(process: &Segment, series: Bound) -> Vec<Bound> {
    let slots = (0..SLOTS).filter_map(|index| process.slot(index));
    let ready =
        slots.filter_map(
            |slot| match State::of(process.state(slot).load(Ordering::Acquire)) {
                State::Ready { serial } => Some(Bound { slot, serial }),
                _ => None,
            },
        );
    ready.filter(|bound| *bound != series).collect()
}

/// Sweeps, and looks whether nothing is left but the series and what holds.
fn verify(process: &Segment, series: Bound) {
    process.reap_dead().expect("invariant 9: the sweep ends");
    assert_eq!(
        annexes(process, series).len(),
        1,
        "invariant 13: what was replaced is still there"
    );
    let free = (0..SLOTS).filter(|index| {
        let slot = process.slot(*index).unwrap();
        State::of(process.state(slot).load(Ordering::Acquire)) == State::Free
    });
    assert_eq!(
        free.count(),
        SLOTS as usize - 2,
        "invariant 5: a slot is lost"
    );
}

/// A board with a series to which something is annexed, under the turn that `replacements` lead to.
fn annexed(board: &Board, process: &Segment, replacements: u32) -> Bound {
    let series = series(process);
    for _ in 0..replacements {
        // Whose life ends here, so that the survivor has none of it in its memory.
        replaced(&board.attach_with_row(), series, 0);
    }
    series
}

/// Two processes replace what is there; the first may die.
fn race(replacements: u32) -> impl Fn(Option<Step>) + Clone + Send + Sync {
    move |death| {
        let board = Board::new(SLOTS, 3);
        let survivor = board.attach_with_row();
        let series = annexed(&board, &survivor, replacements);
        let mortal = board.attach_with_row();
        let theirs =
            thread::spawn(move || live(mortal, death, |process| replace(process, series, 1)));
        replaced(&survivor, series, 2);
        theirs.join().unwrap();
        let (_, says) = holding(&survivor, series);
        assert_ne!(says, 0, "invariant 13: what was replaced holds again");
        verify(&survivor, series);
        assert_eq!(holding(&survivor, series).1, says, "invariant 13");
    }
}

/// A process that had begun before two others did goes on while there is a third.
fn late(_: Option<Step>) {
    let board = Board::new(SLOTS, 2);
    let (slow, quick) = (board.attach_with_row(), board.attach_with_row());
    let series = series(&quick);
    // It saw that nothing was there, has a serial and a slot, and is stopped.
    let (row, serial) = (slow.own().unwrap().row, slow.next_serial().unwrap());
    let head = slow.claim(State::Building { row, serial }).unwrap();
    replaced(&quick, series, 2);
    replaced(&quick, series, 2);
    let (seen, _) = holding(&quick, series);
    let theirs = thread::spawn(move || {
        let mut text = text(1);
        let draft = slow.annex_draft(site(series), 0, &mut text);
        slow.build(head, serial, row, 1, &draft).unwrap();
        slow
    });
    replaced(&quick, series, 3);
    let _alive = theirs.join().unwrap();
    let (holds, says) = holding(&quick, series);
    assert!(
        holds.serial > seen.serial && says == 3,
        "invariant 13: a lesser serial holds again"
    );
}

/// A process died over a replacement, a second one dies over the next, while a third sweeps.
fn after_a_death(first: Step) -> impl Fn(Option<Step>) + Clone + Send + Sync {
    move |death| {
        let board = Board::new(SLOTS, 4);
        let survivor = board.attach_with_row();
        let series = annexed(&board, &survivor, 1);
        let dead = live(board.attach_with_row(), Some(first), |process| {
            replace(process, series, 1)
        });
        assert!(dead.is_none(), "it goes through that step");
        let is_published = !matches!(first, Step::Claimed | Step::Chained | Step::Written);
        let mortal = board.attach_with_row();
        let theirs =
            thread::spawn(move || live(mortal, death, |process| replace(process, series, 2)));
        survivor.reap_dead().expect("invariant 9: the sweep ends");
        let lived = theirs.join().unwrap().is_some();
        let (_, says) = holding(&survivor, series);
        assert!(
            says == 2 || (!lived && (says == 1 || !is_published)),
            "invariant 13: {says} holds again"
        );
        verify(&survivor, series);
        assert_eq!(holding(&survivor, series).1, says, "invariant 13");
    }
}

/// A reader goes by the state words while a process that may die replaces what it knows.
fn read(death: Option<Step>) {
    let board = Board::new(SLOTS, 2);
    let writer = board.attach_with_row();
    let series = annexed(&board, &writer, 1);
    let reader = board.attach();
    let known = annexes(&reader, series)[0];
    let writing =
        thread::spawn(move || drop(live(writer, death, |process| replace(process, series, 1))));
    let goes = reader.state(known.slot).load(Ordering::Acquire) != known.tag();
    let now = annexes(&reader, series);
    // What the reader knew is gone: who ended it had seen its successor, and so does the reader.
    assert!(
        !goes || now.iter().any(|annex| annex.serial > known.serial),
        "invariant 13: a reader finds nothing where something was"
    );
    writing.join().unwrap();
}

/// Something is annexed to a series that ends.
fn orphan(death: Option<Step>) {
    let board = Board::new(SLOTS, 3);
    let builder = board.attach_with_row();
    let series = annexed(&board, &builder, 1);
    let mortal = board.attach();
    let removing =
        thread::spawn(move || drop(live(mortal, death, |process| Ok(process.remove(series)?))));
    match replace(&builder, series, 1) {
        Ok(()) | Err(Lost::Orphaned) => {}
        Err(lost) => panic!("invariant 9: refused: {lost:?}"),
    }
    removing.join().unwrap();
    if death.is_some() {
        builder.reap_dead().unwrap();
    }
    assert_eq!(
        annexes(&builder, series),
        [],
        "invariant 12: an annex outlived its series"
    );
}

#[test]
fn what_two_annex_at_once_holds_and_what_was_there_does_not() {
    // What dies before it links is as in any registration.
    explore(trio_of_minutes(), &DEATHS[3..], race(1));
    // From the other turn.
    explore(trio_of_minutes(), &DEATHS[4..5], race(2));
}

#[test]
fn what_two_annex_first_at_once_holds() {
    explore(trio_of_minutes(), &DEATHS[..5], race(0));
}

#[test]
fn a_late_annex_does_not_take_the_place_of_a_newer_one() {
    explore(PAIR, &[], late);
}

#[test]
fn an_annex_stays_whoever_died_over_it() {
    // One that left the newer annex alone, one that left nothing, one that left both.
    let firsts = [Step::Removed, Step::Written, Step::Completed];
    let (firsts, deaths) = match is_whole() {
        true => (
            &firsts[..],
            &[Step::Linked, Step::Completed, Step::Removed][..],
        ),
        // The others take minutes even with one switch.
        false => (&[Step::Written][..], &[][..]),
    };
    for first in firsts {
        explore(trio_of_minutes(), deaths, after_a_death(*first));
    }
}

#[test]
fn a_reader_always_finds_an_annex_where_there_was_one() {
    explore(PAIR, &DEATHS, read);
}

#[test]
fn an_annex_does_not_outlive_its_series() {
    explore(
        trio_of_minutes(),
        &[Step::Removed, Step::Marked, Step::Unlinked],
        orphan,
    );
}

#[test]
fn faults_of_annexes_are_seen() {
    let bound = trio_of_minutes();
    let removed = [Step::Removed];
    let twice = after_a_death(Step::Completed);
    breaks(Mutation::AnnexRemovedFirst, PAIR, &[], read);
    breaks(Mutation::AnnexRemovedFirst, bound, &removed, race(1));
    breaks(Mutation::AnnexOlderKept, bound, &[], twice.clone());
    breaks(Mutation::AnnexesUnsorted, bound, &removed, twice);
    breaks(
        Mutation::AnnexKeptBySweep,
        bound,
        &[Step::Completed],
        race(1),
    );
    breaks(Mutation::AnnexOverLesser, PAIR, &[], late);
    breaks(Mutation::ParentLoaded, bound, &[], orphan);
}
