//! The example builds with the line it gives, and `install.sh` makes a place that pkg-config and
//! the compiler find.

mod toolchain;

use std::path::Path;
use std::process::Command;

use toolchain::{boards, built, clean, package, succeed};

/// The `cc` of the one line in a comment that builds the library, which `built` has done, and
/// then the program.
fn one_line(text: &str) -> &str {
    text.lines()
        .find_map(|line| line.split_once("cargo build --release -p tallyboard-ffi && "))
        .unwrap()
        .1
}

fn counts(program: &Path, libraries: &Path) {
    let boards = boards();
    let said = succeed(
        clean(program)
            .arg("3")
            .env("TALLYBOARD_DIR", boards.path())
            .env("LD_LIBRARY_PATH", libraries),
    );
    assert_eq!(said, "counted 3 records; the board says 3\n");
}

#[test]
fn the_example_builds_with_the_line_its_comment_gives() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("records");
    let source = std::fs::read_to_string(package().join("examples/records.c")).unwrap();
    let line = one_line(&source)
        .replace("target/release", built().to_str().unwrap())
        .replace("-o records", &format!("-o {}", program.display()));
    let root = package().parent().unwrap();
    succeed(
        Command::new("sh")
            .arg("-c")
            .arg(format!("exec {line}"))
            .current_dir(root),
    );
    counts(&program, folder.path());
}

#[test]
fn an_installed_library_is_found_by_pkg_config() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("prefix");
    succeed(
        Command::new("sh")
            .arg(package().join("install.sh"))
            .arg(&prefix)
            .arg(built()),
    );
    let lib = prefix.join("lib");
    for file in [
        "include/tallyboard.h",
        "lib/libtallyboard.a",
        "lib/libtallyboard.so",
        "lib/libtallyboard.so.1",
        "lib/pkgconfig/tallyboard.pc",
    ] {
        assert!(prefix.join(file).exists(), "{file} was not installed");
    }
    let described = std::fs::read_to_string(lib.join("pkgconfig/tallyboard.pc")).unwrap();
    assert!(
        !described.contains('@'),
        "something was not filled in:\n{described}"
    );
    assert!(
        described.contains(&format!("Version: {}\n", env!("CARGO_PKG_VERSION"))),
        "{described}"
    );

    if Command::new("pkg-config")
        .arg("--version")
        .output()
        .is_err()
    {
        eprintln!("left out: building through pkg-config, which is not installed");
        return;
    }
    let program = folder.path().join("records");
    let line = format!(
        "exec cc -o '{}' '{}' $(pkg-config --cflags --libs tallyboard)",
        program.display(),
        package().join("examples/records.c").display()
    );
    succeed(
        Command::new("sh")
            .arg("-c")
            .arg(line)
            .env("PKG_CONFIG_PATH", lib.join("pkgconfig")),
    );
    counts(&program, &lib);
}
