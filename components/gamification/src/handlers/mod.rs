//! The handlers, by noun.

pub mod badges;
pub mod internal;
pub mod leaderboard;
pub mod progress;
pub mod ticks;
