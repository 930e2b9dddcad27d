//! The handlers, by noun.

pub mod internal;
pub mod me;
pub mod overview;
pub mod posts;
pub mod sweeps;
