//! Every ordering names its partner, and the table in `DESIGN.md` names both ends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Lines above an ordering in which its comment may begin: the length of the longest
/// statement, with the comment before it.
const REACH: usize = 14;

const STRONG: [&str; 4] = [
    "Ordering::Acquire",
    "Ordering::Release",
    "Ordering::AcqRel",
    "Ordering::SeqCst",
];

fn sources() -> Vec<PathBuf> {
    fn collect(directory: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    collect(&src, &mut paths);
    // Tests and the models' stand-ins order nothing that ships.
    paths.retain(|path| {
        let inside = path.strip_prefix(&src).unwrap();
        !inside.starts_with("tests")
            && !inside.ends_with("tests.rs")
            && !inside.ends_with("sync.rs")
    });
    paths.sort();
    paths
}

/// The lines that ship: what a model or a test module says is left out.
fn shipping_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut until = None;
    let mut skipping = false;
    for line in text.lines() {
        let is_gate = line.trim_start().starts_with("#[cfg(all(test");
        if let Some(end) = until {
            if line == end {
                until = None;
            }
            lines.push("");
        } else if skipping {
            // The line after the gate opens what is left out.
            if line.trim_end().ends_with('{') {
                let indent = line.len() - line.trim_start().len();
                until = Some(match indent {
                    0 => "}",
                    4 => "    }",
                    _ => "        }",
                });
                skipping = false;
            } else if line.trim_end().ends_with(';') || line.trim_end().ends_with(',') {
                skipping = false;
            }
            lines.push("");
        } else if is_gate {
            skipping = true;
            lines.push("");
        } else {
            lines.push(line);
        }
    }
    lines
}

/// The labels in a line: `[L1]`.
fn labels(line: &str) -> impl Iterator<Item = &str> {
    line.split('[').skip(1).filter_map(|rest| {
        let (label, _) = rest.split_once(']')?;
        let (letter, number) = label.split_at_checked(1)?;
        let is_label = letter.chars().all(|c| c.is_ascii_uppercase())
            && !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit());
        is_label.then_some(label)
    })
}

/// The labels of the table of edges, each with its row.
fn table() -> BTreeMap<String, String> {
    let design = Path::new(env!("CARGO_MANIFEST_DIR")).join("DESIGN.md");
    let text = std::fs::read_to_string(design).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ["));
    rows.filter_map(|row| Some((labels(row).next()?.to_owned(), row.to_owned())))
        .collect()
}

#[test]
fn every_strong_ordering_says_what_it_pairs_with() {
    let mut silent = Vec::new();
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = shipping_lines(&text);
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("SeqCst") {
                silent.push(format!("{}:{}: SeqCst", path.display(), number + 1));
            }
            if !STRONG.iter().any(|word| code.contains(word)) {
                continue;
            }
            let before = &lines[number.saturating_sub(REACH)..number];
            if !before.iter().any(|line| line.contains("// ORDERING: ")) {
                silent.push(format!(
                    "{}:{}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(
        silent.is_empty(),
        "no ORDERING comment above:\n{}",
        silent.join("\n")
    );
}

#[test]
fn every_label_has_two_ends_and_a_row_in_the_table() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut in_ordering = false;
        for (number, line) in shipping_lines(&text).into_iter().enumerate() {
            let Some((_, comment)) = line.split_once("//") else {
                in_ordering = false;
                continue;
            };
            if comment.starts_with(" ORDERING: ") {
                in_ordering = true;
                let place = format!("{}:{}", path.display(), number + 1);
                assert!(labels(comment).next().is_some(), "{place}: no label");
            }
            if in_ordering {
                for label in labels(comment) {
                    let place = format!("{}:{}", path.display(), number + 1);
                    used.entry(label.to_owned()).or_default().insert(place);
                }
            }
        }
    }
    let table = table();
    for (label, places) in &used {
        assert!(places.len() > 1, "[{label}] has one end, at {places:?}");
        assert!(
            table.contains_key(label),
            "[{label}] is not in DESIGN.md: {places:?}"
        );
    }
    for (label, row) in &table {
        assert!(
            used.contains_key(label),
            "[{label}] is in DESIGN.md alone: {row}"
        );
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert!(
            cells.len() >= 3 && cells.iter().all(|cell| !cell.is_empty()),
            "[{label}] lacks an end in DESIGN.md: {row}"
        );
    }
}
