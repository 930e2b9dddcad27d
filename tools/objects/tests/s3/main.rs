//! The program, asked as a signing service and its clients ask it.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

mod browsers;
mod harness;
mod multipart;
mod objects;
mod program;
