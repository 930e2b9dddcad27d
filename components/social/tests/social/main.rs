//! The service over a real SQLite, called as clients and other services call it.

// Helpers of tests may stop at what cannot be, as tests do.
#![allow(clippy::unwrap_used)]

mod appeals;
mod common;
mod events;
mod everywhere;
mod export;
mod limits;
mod lists;
mod moderation;
mod neighbours;
mod profiles;
mod races;
mod reports;
mod requests;
mod roles;
mod routes;
mod ties;
