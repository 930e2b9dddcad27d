//! The host as a program: started, spoken to, stopped.

mod common;
mod refusals;
mod serving;
