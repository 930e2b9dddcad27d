//! The handlers, one file per noun.

pub mod docs;
pub mod health;
pub mod openapi;
pub mod rebuilds;
pub mod ticks;
