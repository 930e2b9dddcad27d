//! All SQL of the service, by noun, but for what happens to what is heard: that is in the triggers of `migrations/`.

mod badges;
mod internal;
mod leaderboard;
mod progress;

pub use badges::*;
pub use internal::*;
pub use leaderboard::*;
pub use progress::*;

/// The rank of so many points on a board: one more than there are people with more. By `standings`, in the largest steps first.
macro_rules! rank_of {
    ($board:expr, $points:expr) => {
        concat!(
            "(1 + coalesce((select sum(people) from standings
                where board = ",
            $board,
            " and step = 4096 and bucket > ",
            $points,
            " / 4096), 0) + coalesce((select sum(people) from standings
                where board = ",
            $board,
            " and step = 64 and bucket > ",
            $points,
            " / 64 and bucket < (",
            $points,
            " / 4096 + 1) * 64), 0) + coalesce((select sum(people) from standings
                where board = ",
            $board,
            " and step = 1 and bucket > ",
            $points,
            " and bucket < (",
            $points,
            " / 64 + 1) * 64), 0))"
        )
    };
}

pub(crate) use rank_of;
