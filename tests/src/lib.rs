#![doc = include_str!("../README.md")]

pub mod audit;
pub mod client;
pub mod faults;
pub mod fixtures;
pub mod objects;
pub mod outside;
pub mod process;
pub mod stack;
pub mod stream;

pub use client::{Answer, Person, Raw};
pub use faults::Fault;
pub use objects::Transcoder;
pub use stack::{Stack, eventually};
