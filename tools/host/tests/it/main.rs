//! The host as a program: started, spoken to, stopped.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;
mod refusals;
mod serving;
