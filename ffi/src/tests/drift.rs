//! The header and this crate agree on every size, offset and constant: a C compiler prints what
//! the header says, and it is compared with what Rust says, in both directions.

use std::collections::BTreeSet;
use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::Command;

use crate::aggregation::AGGREGATIONS;
use crate::exemplars::Exemplar;
use crate::metric::{Label, Metric};
use crate::native::{NativeBucket, NativeBuckets, NativeSample};
use crate::options::Options;
use crate::processes::Process;
use crate::sample::{self, Sample};
use crate::stats::{REFUSED_REASONS, Stats};
use crate::{status, version};

#[path = "../../tests/declarations/mod.rs"]
mod declarations;
use declarations::Declarations;

/// The lines that describe one struct: its size, and each field with offset and size.
macro_rules! layout {
    ($type:ty, $name:literal, [$($field:ident)*]) => {{
        fn field_size<T>(_: fn(&$type) -> &T) -> usize {
            size_of::<T>()
        }
        vec![
            format!("{} {}", $name, size_of::<$type>()),
            $(format!("{}.{} {} {}", $name, stringify!($field), offset_of!($type, $field),
                field_size(|of| &of.$field)),)*
        ]
    }};
}

fn as_rust_has_it() -> BTreeSet<String> {
    let mut lines: BTreeSet<String> = [
        layout!(Label, "tb_label", [name value]),
        layout!(Metric, "tb_metric", [struct_size name help unit labels label_count bounds bound_count
             aggregation series_cap native states state_count]),
        layout!(NativeBuckets, "tb_native", [struct_size schema has_negative lowest highest]),
        layout!(Options, "tb_board_options",
            [struct_size slots processes mode has_group group allow_any_filesystem series_cap
             keep_dead_seconds]),
        layout!(Stats, "tb_stats",
            [struct_size bytes_reserved bytes_total slots slots_used series families processes processes_used
             planes planes_ready planes_refused refused_reasons reclaimed reaped damaged refused
             parts folded overflowed expired]),
        layout!(Sample, "tb_sample",
            [struct_size name help unit kind is_integer label_count labels value count sum bucket_count bounds
             buckets created_unix_nanos native exemplar_count exemplars]),
        layout!(Exemplar, "tb_exemplar", [bucket value unix_nanos label_count labels]),
        layout!(NativeBucket, "tb_native_bucket", [index count]),
        layout!(NativeSample, "tb_native_counts",
            [struct_size schema has_negative zero_threshold zero positive_count positive negative_count
             negative below above]),
        layout!(Process, "tb_process",
            [struct_size row is_alive pid pid_namespace start_ticks claimed_unix_nanos gauges name version]),
    ]
    .concat()
    .into_iter()
    .collect();
    lines.extend(
        status::NAMES
            .iter()
            .map(|(number, name)| format!("{} {number}", name.to_str().unwrap())),
    );
    let numbered = AGGREGATIONS.iter().enumerate();
    lines.extend(numbered.map(|(number, (_, name))| format!("{name} {number}")));
    lines.extend(
        [
            ("TB_ABI_VERSION", u64::from(version::ABI_VERSION)),
            ("TB_REFUSED_REASONS", REFUSED_REASONS as u64),
            (
                "TB_BUCKETS_DEFAULT_COUNT",
                arena::buckets::DEFAULT.len() as u64,
            ),
            ("TB_KIND_COUNTER", sample::KIND_COUNTER as u64),
            ("TB_KIND_GAUGE", sample::KIND_GAUGE as u64),
            ("TB_KIND_HISTOGRAM", sample::KIND_HISTOGRAM as u64),
            ("TB_KIND_SUMMARY", sample::KIND_SUMMARY as u64),
            ("TB_KIND_INFO", sample::KIND_INFO as u64),
            ("TB_KIND_STATE_SET", sample::KIND_STATE_SET as u64),
        ]
        .map(|(name, value)| format!("{name} {value}")),
    );
    lines
}

fn as_c_has_it(include: &Path) -> BTreeSet<String> {
    let header = std::fs::read_to_string(include.join("tallyboard.h")).unwrap();
    let declared = Declarations::of(&header);
    let mut program =
        String::from("#include <tallyboard.h>\n#include <stdio.h>\nint main(void) {\n");
    for (name, fields) in &declared.structs {
        program.push_str(&format!("printf(\"{name} %zu\\n\", sizeof({name}));\n"));
        for field in fields {
            program.push_str(&format!(
                "printf(\"{name}.{field} %zu %zu\\n\", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));\n"
            ));
        }
    }
    for name in &declared.constants {
        program.push_str(&format!("printf(\"{name} %d\\n\", {name});\n"));
    }
    program.push_str("return 0;\n}\n");

    let folder = tempfile::tempdir().unwrap();
    let (source, built) = (folder.path().join("layout.c"), folder.path().join("layout"));
    std::fs::write(&source, program).unwrap();
    let compiler = std::env::var_os("CC").unwrap_or("cc".into());
    let compiled = Command::new(compiler)
        .arg("-I")
        .arg(include)
        .arg("-o")
        .arg(&built)
        .arg(source)
        .status()
        .unwrap();
    assert!(compiled.success());
    let printed = Command::new(built).output().unwrap().stdout;
    String::from_utf8(printed)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn sizes_offsets_and_constants_are_the_same_in_c_and_in_rust() {
    let (c, rust) = (
        as_c_has_it(&Path::new(env!("CARGO_MANIFEST_DIR")).join("include")),
        as_rust_has_it(),
    );
    let only_in_c: Vec<_> = c.difference(&rust).collect();
    let only_in_rust: Vec<_> = rust.difference(&c).collect();
    assert!(
        only_in_c.is_empty() && only_in_rust.is_empty(),
        "C: {only_in_c:#?}\nRust: {only_in_rust:#?}"
    );
}
