//! The service over a real SQLite, called as clients and other services call it.

mod common;
mod events;
mod export;
mod limits;
mod lists;
mod profiles;
mod races;
mod reports;
mod requests;
mod ties;
