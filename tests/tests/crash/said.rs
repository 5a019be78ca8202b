//! What processes say of their series, held against the boards: exemplars, infos and states.

use std::collections::BTreeMap;
use std::fmt::Display;

use tallyboard::{FamilyView, Reader, SeriesView};
use tallyboard_tests::{Metric, PHASE, PIECE, STATES};

/// Of each key: something is said once a piece is done, it is whole, and where nobody died in the middle of a piece
/// it is what the last piece said in the end.
pub(crate) fn assert_said(
    reader: &Reader,
    metric: Metric,
    bounds: &BTreeMap<String, (u64, u64)>,
    case: &impl Display,
) {
    if !matches!(metric, Metric::Exemplar | Metric::Info | Metric::States) {
        return;
    }
    let mut families = reader.families().iter();
    let family = families.find(|family| family.name == metric.name());
    for (key, (begun, done)) in bounds {
        let said = family.and_then(|family| {
            let mut series = family.series.iter();
            let series = series.find(|series| {
                let values = reader.label_values(*series);
                values.is_some_and(|values| values[0] == *key)
            })?;
            said(reader, metric, family, series, key)
        });
        let is_right = match said {
            None => *done == 0,
            Some(Said::Begun) => *done < *begun,
            Some(Said::Done) => *begun > 0,
        };
        assert!(
            is_right,
            "{case}: {key}: begun {begun}, done {done}, said {said:?}"
        );
    }
}

/// How far a piece was when it was last said something of.
#[derive(Debug)]
enum Said {
    Begun,
    Done,
}

fn said(
    reader: &Reader,
    metric: Metric,
    family: &FamilyView,
    series: SeriesView<'_>,
    key: &str,
) -> Option<Said> {
    let is_done = match metric {
        Metric::Exemplar => {
            let exemplar = reader.exemplar(series, 0)?;
            assert_eq!(exemplar.labels, [(PIECE.to_owned(), key.to_owned())]);
            match exemplar.value {
                0.0 => false,
                1.0 => true,
                value => panic!("{key}: an exemplar of {value}"),
            }
        }
        Metric::Info => {
            let (name, begun, done) = PHASE;
            let (phase, piece, process) = match reader.info(series)? {
                [] => return None,
                [phase, piece, process] => (phase, piece, process),
                other => panic!("{key}: {other:?}"),
            };
            let is_of = piece.0 == PIECE && piece.1 == key && process.0 == "process";
            let is_whole = phase.0 == name && (phase.1 == begun || phase.1 == done);
            assert!(is_of && is_whole, "{key}: {:?}", reader.info(series));
            phase.1 == done
        }
        Metric::States => match STATES[reader.state(family, series)?] {
            state if state == STATES[0] => return None,
            state => state == STATES[2],
        },
        _ => return None,
    };
    Some(if is_done { Said::Done } else { Said::Begun })
}
