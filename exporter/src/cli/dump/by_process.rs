//! What processes contribute to gauges, as comments below the text format.
//!
//! ```text
//! # process 4711: depth{queue="mail"} 3.0
//! ```

use std::io::{self, Write};

use tallyboard::{FamilyView, Kind, Reader};

use crate::encode::canonical_float;

/// Writes a line for each process and each series of such a gauge: Prometheus passes over them.
pub(super) fn write(reader: &Reader, out: &mut Vec<u8>) -> io::Result<()> {
    let gauges = reader.families().iter();
    for family in gauges.filter(|family| family.kind == Kind::Gauge) {
        for series in &family.series {
            let contributions = reader.contributions(series);
            if contributions.is_empty() {
                continue;
            }
            // It has ended meanwhile, and so have they.
            let Some(values) = reader.label_values(series) else {
                continue;
            };
            let (name, labels) = (family.name.escape_debug(), labels(family, &values));
            for (pid, value) in contributions {
                let value = canonical_float(value);
                writeln!(out, "# process {pid}: {name}{labels} {value}")?;
            }
        }
    }
    Ok(())
}

fn labels(family: &FamilyView, values: &[String]) -> String {
    let pairs = family.label_names.iter().zip(values);
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={value:?}", name.escape_debug()))
        .collect();
    match pairs.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", pairs.join(",")),
    }
}
