//! One file per noun; each handler extracts, checks, calls the store once, answers.

pub mod deletion;
pub mod handle;
pub mod internal;
pub mod invite;
pub mod me;
pub mod preferences;
pub mod search;
