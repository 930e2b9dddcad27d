//! The auth service as a client sees it, over a SQLite of its own. `users` is stood in for by a few
//! routes that keep people in memory.

#![cfg(not(target_family = "wasm"))]
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

mod accounts;
mod issuer;
mod mails;
mod outside;
mod routes;
mod sessions;
mod tokens;
