//! The system's C and C++ compilers, and libtallyboard itself, built for a test.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

/// Every warning is an error: the header must not cause one in anybody's build.
pub const STRICT: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// What the static library needs besides itself: `rustc --print native-static-libs`, without
/// those that every C program is linked with.
pub const SYSTEM_LIBRARIES: &[&str] = &["-lpthread", "-ldl", "-lm"];

/// A language and how to compile it.
#[derive(Clone, Copy, Debug)]
pub enum Language {
    C11,
    Cpp17,
}

impl Language {
    pub fn compiler(self) -> Command {
        let (variable, default, arguments) = match self {
            Language::C11 => ("CC", "cc", ["-x", "c", "-std=c11"]),
            Language::Cpp17 => ("CXX", "c++", ["-x", "c++", "-std=c++17"]),
        };
        let mut command = Command::new(std::env::var_os(variable).unwrap_or(default.into()));
        command
            .args(arguments)
            .args(STRICT)
            .arg("-I")
            .arg(include());
        command
    }
}

/// Which of the two libraries a program is linked with.
#[derive(Clone, Copy, Debug)]
pub enum Linking {
    Shared,
    Static,
}

/// The package's folder.
pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn include() -> PathBuf {
    package().join("include")
}

pub fn header() -> String {
    std::fs::read_to_string(include().join("tallyboard.h")).unwrap()
}

/// The folder with libtallyboard.so and .a, of the profile that this test was built with.
///
/// Cargo builds for a test only what the test can link as Rust, so they are built here: it finds
/// everything compiled but the last step.
pub fn built() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        // TARGET/PROFILE/deps/this-test
        let test = std::env::current_exe().unwrap();
        let folder = test.ancestors().nth(2).unwrap();
        let profile = match folder.file_name().and_then(|name| name.to_str()).unwrap() {
            "debug" => "dev",
            other => other,
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "build",
            "-p",
            "tallyboard-ffi",
            "--lib",
            "--profile",
            profile,
        ]);
        cargo.arg("--target-dir").arg(folder.parent().unwrap());
        succeed(
            cargo
                .arg("--manifest-path")
                .arg(package().join("Cargo.toml")),
        );
        folder.to_owned()
    };
    BUILT.get_or_init(build).clone()
}

/// A folder with the shared library under the names that linker and loader look for.
pub fn installed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["libtallyboard.so", "libtallyboard.so.1"] {
        std::os::unix::fs::symlink(built().join("libtallyboard.so"), folder.path().join(name))
            .unwrap();
    }
    folder
}

/// An empty folder in memory for boards.
pub fn boards() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

/// Builds tests/`source` into `folder`, and says where.
pub fn build(source: &str, language: Language, linking: Linking, folder: &Path) -> PathBuf {
    let program = folder.join("program");
    let mut compiler = language.compiler();
    compiler.args(["-g", "-O1", "-pthread", "-o"]).arg(&program);
    compiler
        .arg(package().join("tests").join(source))
        .args(["-x", "none"]);
    match linking {
        // The folder is in the program's rpath, so that it runs where it was built.
        Linking::Shared => compiler
            .arg(format!("-L{}", folder.display()))
            .arg(format!("-Wl,-rpath,{}", folder.display()))
            .arg("-ltallyboard"),
        Linking::Static => compiler
            .arg(built().join("libtallyboard.a"))
            .args(SYSTEM_LIBRARIES),
    };
    compiler.args(["-ldl", "-lm"]);
    succeed(&mut compiler);
    program
}

/// A command in an environment without our variables.
pub fn clean(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_remove("TALLYBOARD")
        .env_remove("TALLYBOARD_DIR")
        .env_remove("TALLYBOARD_RSEQ");
    command
}

/// Runs `command`; its standard output. Panics with all it said when it fails.
pub fn succeed(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let stdout = String::from_utf8_lossy(&stdout).into_owned();
    assert!(
        status.success(),
        "{command:?}: {status}\n{stdout}\n{}",
        String::from_utf8_lossy(&stderr)
    );
    stdout
}
