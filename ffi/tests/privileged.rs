//! A setuid program does not listen to its caller's environment.

mod toolchain;

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;

use toolchain::{Language, Linking, build, clean, installed, succeed};

/// Two users that no machine has, so that neither has a default board.
const OWNER: u32 = 3_141_592;
const CALLER: u32 = 2_718_281;

#[test]
fn a_setuid_program_ignores_the_environment() {
    let folder = installed();
    // Static: the loader of a setuid program would rightly ignore our rpath in a foreign folder.
    let program = build(
        "privileged.c",
        Language::C11,
        Linking::Static,
        folder.path(),
    );
    let mode =
        |path, bits| std::fs::set_permissions(path, PermissionsExt::from_mode(bits)).unwrap();
    mode(folder.path(), 0o755);
    mode(&program, 0o755);

    // To be given the board that is off is to have read the variable.
    assert_eq!(
        succeed(clean(&program).env("TALLYBOARD", "off")),
        "TB_OK off\n"
    );

    if chown(&program, Some(OWNER), None).is_err() {
        eprintln!("left out: only root can make a program setuid to another user");
        return;
    }
    mode(&program, 0o4755);
    assert_eq!(
        succeed(clean(&program).env("TALLYBOARD", "off").uid(CALLER)),
        "TB_NOT_FOUND off\n"
    );
}
