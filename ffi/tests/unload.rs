//! Builds and runs unload.c: dlclose while threads count.

mod toolchain;

use std::path::Path;
use std::process::Command;

use toolchain::{Language, SYSTEM_LIBRARIES, boards, built, clean, package, succeed};

/// Runs the program with `library`, which it finds itself: it is linked with none.
fn goes_on_without(library: &Path) {
    let (folder, boards) = (tempfile::tempdir().unwrap(), boards());
    let program = folder.path().join("unload");
    let mut compiler = Language::C11.compiler();
    compiler.args(["-O1", "-pthread", "-o"]).arg(&program);
    compiler.arg(package().join("tests/unload.c")).arg("-ldl");
    succeed(&mut compiler);
    let mut run = clean(&program);
    run.arg(library).env("TALLYBOARD_DIR", boards.path());
    assert_eq!(succeed(&mut run), "ok\n");
}

#[test]
fn threads_go_on_counting_when_the_library_is_closed() {
    goes_on_without(&built().join("libtallyboard.so"));
}

/// It is not linked with `-z nodelete`: the archive in it has to see to that at run time.
#[test]
fn threads_go_on_counting_when_a_plugin_with_the_archive_in_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("plugin.so");
    let mut linker = Command::new(std::env::var_os("CC").unwrap_or("cc".into()));
    linker
        .args(["-shared", "-o"])
        .arg(&plugin)
        .arg("-Wl,--whole-archive");
    linker
        .arg(built().join("libtallyboard.a"))
        .arg("-Wl,--no-whole-archive");
    succeed(linker.args(SYSTEM_LIBRARIES));
    goes_on_without(&plugin);
}
