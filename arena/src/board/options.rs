//! How a board is made or opened.

use super::Board;
use crate::attached;
use crate::environment;
use crate::error::OpenError;
use crate::file::{self, Plan};
use crate::layout::{DEFAULT_PROCESSES, DEFAULT_SLOTS, Geometry, PROCESSES, SLOTS};
use crate::location::Location;
use crate::removal::{self, Removal};
use std::time::Duration;

/// How a board is made or opened.
#[derive(Clone, Debug)]
pub struct BoardOptions {
    slots: u32,
    processes: u32,
    mode: u32,
    group: Option<u32>,
    any_filesystem: bool,
    keep_dead_seconds: u64,
    series_cap: u64,
}

/// Each turn loses a race against another process that made or removed the board.
const RETRIES: u32 = 100;

impl Default for BoardOptions {
    fn default() -> Self {
        BoardOptions::new()
    }
}

impl BoardOptions {
    /// 16,384 slots, 1,024 processes, mode 0600, on a memory filesystem.
    pub fn new() -> BoardOptions {
        BoardOptions {
            slots: DEFAULT_SLOTS,
            processes: DEFAULT_PROCESSES,
            mode: 0o600,
            group: None,
            any_filesystem: false,
            keep_dead_seconds: 0,
            series_cap: 0,
        }
    }

    /// How many slots a new board has: 64 to 4,194,304, else [`OpenError::Capacity`] when it is
    /// made. A family, a counter, a gauge, a summary and a state set take one each, an info two, a
    /// histogram one for three buckets; long texts take more. So does an exemplar take one, and
    /// each process's part of a gauge that keeps processes apart.
    pub fn slots(mut self, slots: u32) -> Self {
        self.slots = slots;
        self
    }

    /// How many processes may be registering at once on a new board: 1 to 65,535, else
    /// [`OpenError::Capacity`] when it is made.
    pub fn processes(mut self, processes: u32) -> Self {
        self.processes = processes;
        self
    }

    /// The permission bits of a new board: 0600 and what is added for others, else
    /// [`OpenError::Capacity`] when it is made.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// The group (gid) of a new board.
    pub fn group(mut self, gid: u32) -> Self {
        self.group = Some(gid);
        self
    }

    /// How long a new board shows the gauges of a dead process for themselves
    /// ([`Aggregation::All`](crate::Aggregation::All)), in whole seconds, 1 at least. 5 minutes
    /// without this call.
    pub fn keep_dead(mut self, duration: Duration) -> Self {
        self.keep_dead_seconds = duration.as_secs().max(1);
        self
    }

    /// How many series a family may have at most on a new board, 0 for any number; a
    /// definition may say otherwise.
    pub fn series_cap(mut self, series: u64) -> Self {
        self.series_cap = series;
        self
    }

    /// Allows a board on any filesystem: on a disk updates may block for writeback, and on
    /// overlayfs a dead process may look alive for longer.
    pub fn allow_any_filesystem(mut self, yes: bool) -> Self {
        self.any_filesystem = yes;
        self
    }

    /// Opens the board at `at`; makes it with these options if it is not there.
    ///
    /// # Errors
    /// As [`Board::open_default`].
    pub fn open(&self, at: &Location) -> Result<Board, OpenError> {
        for _ in 0..RETRIES {
            match self.attach(at) {
                Err(OpenError::NotFound { .. }) => {}
                Err(OpenError::Replaced { .. }) => continue,
                outcome => return outcome,
            }
            match self.create(at) {
                Err(OpenError::Exists { .. }) => {}
                // Made here, and removed or replaced before it could be attached to.
                Err(OpenError::NotFound { .. } | OpenError::Replaced { .. }) => {}
                outcome => return outcome,
            }
        }
        self.attach(at)
    }

    /// Makes a board at `at` and opens it. One that was given up there and still has its name
    /// loses it first.
    ///
    /// # Errors
    /// [`OpenError::Exists`] if there is one, else as [`Board::open_default`].
    pub fn create(&self, at: &Location) -> Result<Board, OpenError> {
        match at {
            Location::Off | Location::Private => self.attach(at),
            Location::Path(_) | Location::Shm(_) => {
                let path = at.checked_path()?;
                let plan = self.plan()?;
                let create = || file::create(&path, &plan).map_err(|trouble| trouble.at(&path));
                match create() {
                    Err(exists @ OpenError::Exists { .. }) => match self.attach(at) {
                        Err(OpenError::NotFound { .. }) => create()?,
                        _ => return Err(exists),
                    },
                    created => created?,
                }
                self.attach(at)
            }
        }
    }

    /// Opens the board at `at`, which must be there. One that was given up and still has its
    /// name, because whoever was at it has died, loses it, and is not there then.
    ///
    /// # Errors
    /// [`OpenError::NotFound`] if it is not, else as [`Board::open_default`].
    pub fn attach(&self, at: &Location) -> Result<Board, OpenError> {
        self.attach_as(at, true)
    }

    /// Opens the board at `at` for a reader: nothing of it will be changed.
    ///
    /// # Errors
    /// As [`attach`](Self::attach).
    pub fn attach_read_only(&self, at: &Location) -> Result<Board, OpenError> {
        self.attach_as(at, false)
    }

    fn plan(&self) -> Result<Plan, OpenError> {
        let out_of_range = |what| Err(OpenError::Capacity { what });
        if !SLOTS.contains(&self.slots) {
            return out_of_range("slots must be 64 to 4,194,304");
        }
        if !PROCESSES.contains(&self.processes) {
            return out_of_range("processes must be 1 to 65,535");
        }
        if self.mode & !0o777 != 0 || self.mode & 0o600 != 0o600 {
            return out_of_range("the mode must be 0600 with further permission bits at most");
        }
        let planes = environment::possible_cpus();
        let Some(geometry) = Geometry::new(self.slots, self.processes, planes) else {
            return out_of_range("slots, processes or CPUs");
        };
        Ok(Plan {
            geometry,
            mode: self.mode,
            group: self.group,
            any_filesystem: self.any_filesystem,
            keep_dead_seconds: self.keep_dead_seconds,
            series_cap: self.series_cap,
        })
    }

    fn attach_as(&self, at: &Location, writable: bool) -> Result<Board, OpenError> {
        let attached = match at {
            Location::Off => return Ok(Board::off()),
            Location::Private => attached::private(|| self.plan())?,
            Location::Path(_) | Location::Shm(_) => {
                let path = at.checked_path()?;
                let any = self.any_filesystem;
                let opened = file::open(&path, writable, any);
                let opened = opened.map_err(|trouble| trouble.at(&path))?;
                let as_shm = writable && matches!(at, Location::Shm(_));
                let attached = attached::attach_once(&path, opened, writable, any, as_shm)?;
                if writable && attached.segment.is_retired() {
                    let removal = attached.finish_removal();
                    return Err(match removal.map_err(|trouble| trouble.at(&path))? {
                        Removal::Done | Removal::Gone => OpenError::NotFound { path },
                        Removal::Busy => {
                            std::thread::sleep(removal::PAUSE);
                            OpenError::Replaced { path }
                        }
                    });
                }
                attached
            }
        };
        Ok(Board {
            attached: Some(attached),
            location: at.clone(),
        })
    }
}
