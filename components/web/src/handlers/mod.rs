//! The handlers, one file per noun.

pub mod health;
pub mod ticks;
