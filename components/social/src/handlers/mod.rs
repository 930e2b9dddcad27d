//! Thin handlers, one file per noun.

pub mod appeals;
pub mod audit;
pub mod cases;
pub mod internal;
pub mod lists;
pub mod profiles;
pub mod reports;
pub mod requests;
pub mod suspensions;
pub mod ties;
