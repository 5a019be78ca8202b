//! Builds and runs every_function.c: both libraries, both languages, both update paths.

mod toolchain;

use toolchain::{Language, Linking, boards, build, clean, installed, succeed};

fn passes(language: Language, linking: Linking) {
    let folder = installed();
    let program = build("every_function.c", language, linking, folder.path());
    for rseq in ["on", "off"] {
        let boards = boards();
        let said = succeed(
            clean(&program)
                .env("TALLYBOARD_DIR", boards.path())
                .env("TALLYBOARD_RSEQ", rseq),
        );
        assert_eq!(said, "ok\n");
        let left: Vec<_> = std::fs::read_dir(boards.path()).unwrap().collect();
        assert!(left.is_empty(), "boards were left behind: {left:?}");
    }
}

#[test]
fn c11_with_the_shared_library() {
    passes(Language::C11, Linking::Shared);
}

#[test]
fn c11_with_the_static_library() {
    passes(Language::C11, Linking::Static);
}

#[test]
fn cpp17_with_the_shared_library() {
    passes(Language::Cpp17, Linking::Shared);
}
