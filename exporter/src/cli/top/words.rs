//! What infos say and which states hold, on one line.

use tallyboard::{FamilyView, Kind, Reader};

use crate::said::{self, Said};

/// Values of one name that are told apart on a line.
const MOST_VALUES: usize = 3;

/// `version="1.2", os="linux"`.
pub(super) fn of_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    pairs.join(", ")
}

/// All series of an info or a state set together. One is what it says; of several, every value
/// that is said of a name, first what most say, and how many are in each state.
pub(super) fn of_family(reader: &Reader, family: &FamilyView) -> String {
    match family.kind {
        Kind::Info => {
            let mut said = Said::default();
            for series in &family.series {
                if let Some(pairs) = said::pairs(reader, family, series) {
                    said.note(pairs);
                }
            }
            let names = said.names();
            let names: Vec<String> = names
                .map(|(name, values)| format!("{name}={}", of_values(&values)))
                .collect();
            names.join(", ")
        }
        Kind::StateSet => of_states(&family.states, &said::held(reader, family)),
        _ => String::new(),
    }
}

fn of_values(values: &[(&str, u64)]) -> String {
    let shown = values.iter().take(MOST_VALUES);
    let mut shown: Vec<String> = shown.map(|(value, _)| format!("{value:?}")).collect();
    if values.len() > MOST_VALUES {
        shown.push("…".to_owned());
    }
    shown.join("|")
}

fn of_states(states: &[String], held: &[u64]) -> String {
    let series: u64 = held.iter().sum();
    let mut found: Vec<(&String, u64)> = states.iter().zip(held.iter().copied()).collect();
    found.retain(|(_, count)| *count > 0);
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words = found.iter().map(|(state, count)| match series {
        1 => (*state).clone(),
        _ => format!("{state}:{count}"),
    });
    words.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_for_many() {
        let states = ["loading", "linking", "done"].map(str::to_owned);
        assert_eq!(of_states(&states, &[0, 1, 0]), "linking");
        assert_eq!(of_states(&states, &[1, 0, 2]), "done:2 loading:1");
        assert_eq!(of_states(&states, &[0, 0, 0]), "");
        assert_eq!(of_values(&[("1.2", 2), ("1.1", 1)]), r#""1.2"|"1.1""#);
        let many = [("a", 4), ("b", 3), ("c", 2), ("d", 1)];
        assert_eq!(of_values(&many), r#""a"|"b"|"c"|…"#);
    }
}
