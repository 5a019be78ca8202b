//! One board: the answer to `/api/board`.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tallyboard::{FamilyView, Reader, Stats};

use super::family::describe;
use super::processes;
use super::question::{BoardQuestion, Sort, choose};
use super::reading::{Reading, cells_of};
use crate::boards::{BoardSet, Target};

/// Boards that one answer names.
const MOST_BOARDS: usize = 500;

/// Words of the board that one answer reads, about: a few milliseconds' worth. Families beyond
/// come without values.
const MOST_CELLS: usize = 500_000;

pub(super) fn answer(boards: &BoardSet, question: &BoardQuestion) -> Value {
    let targets = boards.targets();
    let names = targets.iter().take(MOST_BOARDS).map(|target| {
        json!({
            "label": target.label(),
            "location": target.location().to_string(),
            "mapped": target.mapped().is_some(),
            "problem": target.problem(),
        })
    });
    let chosen = choose(boards, question.board.as_deref());
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "now_unix_millis": now.map_or(0, |now| now.as_millis() as u64),
        "boards": names.collect::<Vec<_>>(),
        "board": chosen.and_then(|target| one(target, question)),
    })
}

/// `None` if the board is not there.
fn one(target: &Target, question: &BoardQuestion) -> Option<Value> {
    let (board, reader) = target.mapped()?;
    let stats = target.stats()?;
    let refused = stats.refused.iter().filter(|(_, count)| *count > 0);
    let refused = refused.map(|(reason, count)| {
        json!({"reason": reason.to_string(), "count": count, "advice": reason.advice()})
    });
    let id = board.uuid().map(u128::from_be_bytes);
    Some(json!({
        "label": target.label(),
        "location": target.location().to_string(),
        "id": id.map(|id| format!("{id:032x}")),
        "created_unix_millis": board.created_unix_nanos() / 1_000_000,
        "fullness": fullness(stats, reader),
        "refused": refused.collect::<Vec<_>>(),
        "processes": processes::list(board.processes()),
        "families": families(reader, question, MOST_CELLS),
    }))
}

fn fullness(stats: &Stats, reader: &Reader) -> Value {
    json!({
        "bytes_reserved": stats.bytes_reserved,
        "bytes_total": stats.bytes_total,
        "slots": stats.slots,
        "slots_used": stats.slots_used,
        "leaked": stats.leaked,
        "series": stats.series,
        "families": stats.families,
        "parts": stats.parts,
        "processes": stats.processes,
        "processes_used": stats.processes_used,
        "planes": stats.planes,
        "planes_ready": stats.planes_ready,
        "planes_refused": stats.planes_refused,
        "reclaimed": stats.reclaimed,
        "reaped": stats.reaped,
        "folded": stats.folded,
        "overflowed": stats.overflowed,
        "expired": stats.expired,
        "damaged": reader.damaged(),
    })
}

fn families(reader: &Reader, question: &BoardQuestion, most_cells: usize) -> Value {
    let all = reader.families();
    let found = |family: &&FamilyView| {
        let texts = || vec![Cow::Borrowed(&*family.name), Cow::Borrowed(&*family.help)];
        question.search.finds(texts)
    };
    let mut matched: Vec<&FamilyView> = all.iter().filter(found).collect();
    if question.sort == Sort::Series {
        // Stable: those with as many stay in the order of their names.
        matched.sort_by_key(|family| std::cmp::Reverse(family.series.len()));
    }
    let mut left = most_cells;
    let shown = matched.iter().take(question.limit).map(|family| {
        let mut object = describe(reader, family);
        let cells = cells_of(family);
        if cells <= left {
            left -= cells;
            if let Some(reading) = Reading::of_all(reader, family) {
                reading.write(&mut object);
            }
        }
        Value::Object(object)
    });
    let shown: Vec<Value> = shown.collect();
    json!({"total": all.len(), "matched": matched.len(), "shown": shown})
}

#[cfg(test)]
mod tests {
    use tallyboard::{Board, Location};

    use super::*;
    use crate::ui::Question;

    #[test]
    fn a_family_too_large_to_be_added_up_every_second_has_no_value() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = directory.path().join("test.v1.board");
        let board = Board::open(&Location::Path(path)).unwrap();
        for (name, series) in [("a_total", 1), ("b_total", 3), ("c_total", 2)] {
            for label in 0..series {
                let counter = board.counter(name, "").label("n", &label.to_string());
                counter.register().unwrap().inc();
            }
        }
        let mut reader = Reader::new(&board);
        reader.refresh();
        let question = Question::parse("/api/board", None);
        let Ok(Question::Board(question)) = question else {
            panic!("{question:?}");
        };
        let values = |most_cells| {
            let families = families(&reader, &question, most_cells);
            [0, 1, 2].map(|at| families["shown"][at]["value"].clone())
        };
        assert_eq!(values(12), [json!(1), json!(3), json!(2)]);
        // What is small goes in although something before it was too large.
        assert_eq!(values(7), [json!(1), Value::Null, json!(2)]);
    }
}
