//! Thin handlers, one file per noun.

pub mod internal;
pub mod lists;
pub mod profiles;
pub mod reports;
pub mod requests;
pub mod ties;
