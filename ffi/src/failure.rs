//! Why a call failed: a status for the program, words for the person.

use std::borrow::Cow;

use arena::{OpenError, RefusedReason, RegisterError};

use crate::status::{self, Status};

/// The error of everything that runs inside [`crate::boundary`].
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) message: Cow<'static, str>,
}

impl Failure {
    pub(crate) fn new(status: Status, message: impl Into<Cow<'static, str>>) -> Self {
        Failure {
            status,
            message: message.into(),
        }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Failure::new(status::INVALID_ARGUMENT, message)
    }

    /// A pointer that may not be NULL was. `what` is the parameter's name in the header.
    pub(crate) fn null(what: &str) -> Self {
        Failure::invalid(format!("`{what}` is NULL"))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let status = match &error {
            OpenError::NotFound { .. } => status::NOT_FOUND,
            OpenError::Exists { .. } => status::EXISTS,
            OpenError::SymbolicLink { .. }
            | OpenError::OtherOwner { .. }
            | OpenError::OpenDirectory { .. }
            | OpenError::Permission { .. } => status::PERMISSION,
            OpenError::NotABoard { .. } | OpenError::Damaged { .. } => status::DAMAGED,
            OpenError::Version { .. } => status::VERSION,
            OpenError::NoSpace { .. } => status::NO_SPACE,
            // The one asks another filesystem, the other a newer library.
            OpenError::Filesystem { .. } | OpenError::Features { .. } => status::UNSUPPORTED,
            OpenError::Capacity { .. } | OpenError::Name { .. } | OpenError::Unsuitable { .. } => {
                status::INVALID_ARGUMENT
            }
            // `NoDirectory`, `Replaced`, `Io`, and what later arenas add.
            _ => status::IO,
        };
        Failure::new(status, error.to_string())
    }
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        let status = match &error {
            RegisterError::Clash { .. } => status::CLASH,
            RegisterError::Refused { reason, .. } => match reason {
                RefusedReason::BoardFull
                | RefusedReason::ProcessTableFull
                | RefusedReason::SerialsExhausted => status::FULL,
                RefusedReason::FamilyFull => status::FAMILY_FULL,
                RefusedReason::TooLong => status::TOO_LONG,
                RefusedReason::Damaged => status::DAMAGED,
                RefusedReason::ReadOnly => status::READ_ONLY,
                RefusedReason::BadExemplar => status::INVALID_ARGUMENT,
                // `Overrun`, `Unlockable`, `Retired`, and what later arenas add.
                _ => status::IO,
            },
            // The rest are about names, labels and bounds, and so is what later arenas add.
            _ => status::INVALID_ARGUMENT,
        };
        Failure::new(status, error.to_string())
    }
}
