//! All SQL of the service. Whose numbers they are is inside each statement.

mod internal;
mod overview;
mod people;
mod posts;

pub use internal::*;
pub use overview::*;
pub use people::*;
pub use posts::*;

/// The date of a day, from SQL for its number.
macro_rules! date {
    ($day:expr) => {
        concat!("date(", $day, " * 86400, 'unixepoch')")
    };
}

/// The table `span (day)`: every day from `$from` to `$to`.
macro_rules! span {
    ($from:expr, $to:expr) => {
        concat!("span (day) as (select ", $from, " union all select day + 1 from span where day < ", $to, ")")
    };
}

pub(crate) use {date, span};
