#![doc = include_str!("../README.md")]

pub mod audit;
pub mod client;
pub mod outside;
pub mod stack;

pub use client::{Answer, Person};
pub use stack::{Stack, eventually};
