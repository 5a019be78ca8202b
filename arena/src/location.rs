//! Which board is meant: a path, a name, an OS name, none at all, or this process's own.

use crate::environment;
use crate::error::OpenError;
use crate::layout::LAYOUT_VERSION;
use core::fmt;
use rustix::path::DecInt;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Where a board is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// A file, normally on a tmpfs.
    Path(PathBuf),
    /// A POSIX shared-memory object of that name (`shm:NAME`).
    Shm(String),
    /// No board: every update goes nowhere.
    Off,
    /// A board for this process and the children it forks.
    Private,
}

/// The directory that packages make for boards which several users share.
const SYSTEM_DIRECTORY: &str = "/run/tallyboard";

/// Where POSIX shared memory lives on Linux.
pub(crate) const SHM_DIRECTORY: &str = "/dev/shm";

/// How the name of a user's own directory there begins; the uid follows.
const OWN_DIRECTORY: &str = "tallyboard.";

impl Location {
    /// Understands what `$TALLYBOARD` and `--board` take: a path (it contains a `/`),
    /// `shm:NAME`, `off`, `private`, or a name, which is looked up in `$TALLYBOARD_DIR`, in
    /// `/run/tallyboard` if this process may write there, or in `/dev/shm/tallyboard.UID`.
    ///
    /// # Errors
    /// [`OpenError::Name`] for a name that cannot be a file's.
    pub fn parse(text: &OsStr) -> Result<Location, OpenError> {
        if text.as_encoded_bytes().contains(&b'/') {
            return Ok(Location::Path(PathBuf::from(text)));
        }
        let name = text.to_str().ok_or_else(|| OpenError::Name {
            name: text.to_string_lossy().into_owned(),
        })?;
        match name {
            "off" => Ok(Location::Off),
            "private" => Ok(Location::Private),
            _ => match name.strip_prefix("shm:") {
                Some(name) => Ok(Location::Shm(checked(name)?.to_owned())),
                None => Location::name(name),
            },
        }
    }

    /// What `$TALLYBOARD` says, or the board named `default`. The environment is ignored in
    /// programs that run with more rights than their caller.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_env() -> Result<Location, OpenError> {
        match environment::variable("TALLYBOARD") {
            Some(text) => Location::parse(&text),
            None => Location::name("default"),
        }
    }

    /// The board of this name in the default directory: `NAME.v1.board`.
    ///
    /// # Errors
    /// [`OpenError::Name`] for a name that cannot be a file's.
    pub fn name(name: &str) -> Result<Location, OpenError> {
        let file = format!("{}.v{LAYOUT_VERSION}.board", checked(name)?);
        Ok(Location::Path(default_directory().join(file)))
    }

    /// The file, of a location that has one; an OS name is checked, since anyone can make one.
    pub(crate) fn checked_path(&self) -> Result<PathBuf, OpenError> {
        if let Location::Shm(name) = self {
            checked(name)?;
        }
        Ok(self.path().unwrap_or_default())
    }

    /// The file of the board; `None` for `off` and `private`.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Location::Path(path) => Some(path.clone()),
            Location::Shm(name) => Some(Path::new(SHM_DIRECTORY).join(name)),
            Location::Off | Location::Private => None,
        }
    }
}

/// Whether a file at `path` is meant to be a board of this layout, whatever is in it.
pub(crate) fn is_name_of_board(path: &Path) -> bool {
    let suffix = format!(".v{LAYOUT_VERSION}.board");
    let name = path.file_name().and_then(OsStr::to_str);
    name.and_then(|name| name.strip_suffix(&*suffix))
        .is_some_and(|name| checked(name).is_ok())
}

/// The location as [`Location::parse`] understands it.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Path(path) => path.display().fmt(f),
            Location::Shm(name) => write!(f, "shm:{name}"),
            Location::Off => f.write_str("off"),
            Location::Private => f.write_str("private"),
        }
    }
}

fn checked(name: &str) -> Result<&str, OpenError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.bytes().all(fits) {
        return Err(OpenError::Name {
            name: name.to_owned(),
        });
    }
    Ok(name)
}

/// The directory that this user's boards are in when nothing else is said.
fn own_directory() -> PathBuf {
    let uid = rustix::process::geteuid().as_raw();
    Path::new(SHM_DIRECTORY).join(format!("{OWN_DIRECTORY}{uid}"))
}

/// Whether `directory` is that one. No allocation.
pub(crate) fn is_own_directory(directory: &Path) -> bool {
    let uid = DecInt::new(rustix::process::geteuid().as_raw());
    let name = directory.file_name().map(OsStr::as_encoded_bytes);
    directory.parent() == Some(Path::new(SHM_DIRECTORY))
        && name.and_then(|name| name.strip_prefix(OWN_DIRECTORY.as_bytes())) == Some(uid.as_bytes())
}

fn default_directory() -> PathBuf {
    if let Some(directory) = environment::variable("TALLYBOARD_DIR") {
        return directory.into();
    }
    let may_write = rustix::fs::accessat(
        rustix::fs::CWD,
        SYSTEM_DIRECTORY,
        rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
        rustix::fs::AtFlags::EACCESS,
    );
    match may_write {
        Ok(()) => SYSTEM_DIRECTORY.into(),
        Err(_) => own_directory(),
    }
}

impl TryFrom<&OsString> for Location {
    type Error = OpenError;

    fn try_from(text: &OsString) -> Result<Location, OpenError> {
        Location::parse(text)
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_own_directory_is_known_without_being_written_down() {
        let own = own_directory();
        assert!(is_own_directory(&own));
        assert!(is_own_directory(&own.join(".")));
        let text = own.to_str().unwrap();
        for other in [
            format!("{text}0"),
            format!("/tmp{text}"),
            text.replace("tallyboard.", "tallyboard.+"),
            SHM_DIRECTORY.into(),
            "/".into(),
            String::new(),
        ] {
            assert!(!is_own_directory(Path::new(&other)), "{other}");
        }
    }

    #[test]
    fn a_location_is_understood_by_its_form() {
        let parse = |text: &str| Location::parse(OsStr::new(text));
        assert_eq!(parse("./b").unwrap(), Location::Path("./b".into()));
        assert_eq!(parse("shm:x").unwrap(), Location::Shm("x".into()));
        assert_eq!(parse("off").unwrap(), Location::Off);
        assert_eq!(parse("private").unwrap(), Location::Private);
        let named = parse("web").unwrap().path().unwrap();
        assert!(named.ends_with("web.v1.board"), "{}", named.display());
        for bad in ["", ".hidden", "shm:", "a b"] {
            assert!(matches!(parse(bad), Err(OpenError::Name { .. })), "{bad:?}");
        }
    }
}
