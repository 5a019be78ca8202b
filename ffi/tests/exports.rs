//! The header, the two libraries and the C program agree on what functions there are.

mod declarations;
mod toolchain;

use std::collections::BTreeSet;
use std::process::Command;

use declarations::Declarations;
use toolchain::{built, header, package, succeed};

fn declared() -> BTreeSet<String> {
    let functions = Declarations::of(&header()).functions;
    let set: BTreeSet<_> = functions.iter().cloned().collect();
    assert_eq!(set.len(), functions.len(), "a function is declared twice");
    assert!(set.len() > 60, "the header was not understood: {set:?}");
    set
}

/// The names of what `nm` calls defined, in every namespace but Rust's own.
fn defined(nm: &mut Command) -> BTreeSet<String> {
    succeed(nm)
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2).map(str::to_owned))
        .collect()
}

fn agree(library: &BTreeSet<String>, header: &BTreeSet<String>) {
    let only = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect::<Vec<_>>();
    let (undeclared, missing) = (only(library, header), only(header, library));
    assert!(
        undeclared.is_empty() && missing.is_empty(),
        "in the library alone: {undeclared:?}; in the header alone: {missing:?}"
    );
}

#[test]
fn the_shared_library_exports_what_the_header_declares_and_nothing_else() {
    let exported = defined(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(built().join("libtallyboard.so")),
    );
    agree(&exported, &declared());
}

#[test]
fn the_static_library_defines_what_the_header_declares() {
    let mut defined = defined(
        Command::new("nm")
            .args(["-g", "--defined-only"])
            .arg(built().join("libtallyboard.a")),
    );
    defined.retain(|name| name.starts_with("tb_"));
    agree(&defined, &declared());
}

#[test]
fn the_shared_library_stays_mapped_and_bears_the_abi_version() {
    let dynamic = succeed(
        Command::new("readelf")
            .arg("-dW")
            .arg(built().join("libtallyboard.so")),
    );
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
    assert!(
        dynamic.contains("soname: [libtallyboard.so.1]"),
        "{dynamic}"
    );
    assert!(header().contains("#define TB_ABI_VERSION 1\n"));
}

#[test]
fn the_c_program_uses_every_function() {
    let program = std::fs::read_to_string(package().join("tests/every_function.c")).unwrap();
    // As a call, or handed to a helper that calls it.
    let used: BTreeSet<&str> = program
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect();
    let unused: Vec<_> = declared()
        .into_iter()
        .filter(|name| !used.contains(name.as_str()))
        .collect();
    assert_eq!(unused, Vec::<String>::new());
}

/// A function without a word on what it does is a function nobody can use.
#[test]
fn every_function_is_documented() {
    let header = header();
    let lines: Vec<_> = header.lines().collect();
    for name in declared() {
        let at = lines
            .iter()
            .position(|line| {
                !line.starts_with([' ', '/', '*']) && line.contains(&format!("{name}("))
            })
            .unwrap();
        assert!(
            lines[at - 1].ends_with("*/"),
            "no comment stands above {name}"
        );
    }
}
