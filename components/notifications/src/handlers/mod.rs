//! The handlers, by noun.

pub mod internal;
pub mod notifications;
pub mod pushes;
pub mod sweeps;
