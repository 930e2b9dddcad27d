//! What each route does.

pub mod internal;
pub mod streams;
pub mod sweeps;
pub mod tickets;
