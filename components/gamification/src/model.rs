//! The rules of levels and boards. What earns points, and how many, is in `migrations/0001_points.sql`.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use shared::clock::Instant;
use shared::db::Value;
use shared::error::{ApiError, ApiResult};
use shared::ids::Id;
use shared::page::{Page, invalid_cursor};

/// How many of the last moves on all boards are remembered: a cursor holds as long.
pub const MOVES_KEPT: i64 = 100_000;
/// How many weeks that are over are kept beside this one.
const WEEKS_KEPT: i64 = 8;
/// How many months that are over are kept beside this one.
const MONTHS_KEPT: i64 = 12;
/// How many rows of a board that is not kept go at once.
pub const ENDED_AT_ONCE: i64 = 500;
/// How often that is done at the most; the next minute goes on.
pub const ENDINGS_A_MINUTE: usize = 20;
/// How many people one look at badges takes.
pub const CHECKED_AT_ONCE: i64 = 50;
/// How many looks there are in a tick at the most; the next goes on.
pub const CHECKS_A_TICK: usize = 40;
/// When a rebuild is over in any case: a source that lost its history would be waited for for ever.
pub const REBUILD_ENDS: std::time::Duration = std::time::Duration::from_secs(24 * 3_600);

/// What a level takes: half of this, times the level, times the one before.
const STEP: i64 = 100;

/// The points from which on somebody is at `level`.
pub fn points_of_level(level: i64) -> i64 {
    STEP / 2 * level * (level - 1)
}

/// The level of so many points: from 1 on, each takes 100 more than the one before.
pub fn level_of(points: i64) -> i64 {
    let steps = points.max(0) / (STEP / 2);
    (1 + (1 + 4 * steps).isqrt()) / 2
}

/// The time a leaderboard is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// This week, from Monday (UTC).
    Weekly,
    /// This month (UTC).
    Monthly,
    /// All of it.
    All,
}

impl Period {
    /// 422 for what is none; this week unless told.
    pub fn parse(word: Option<&str>) -> ApiResult<Self> {
        match word {
            None | Some("weekly") => Ok(Self::Weekly),
            Some("monthly") => Ok(Self::Monthly),
            Some("all") => Ok(Self::All),
            Some(_) => Err(ApiError::invalid("period", "must be weekly, monthly or all")),
        }
    }

    /// The board of it at `now`, as `day_counted` in `migrations/0001_points.sql` calls it.
    pub fn board(self, now: Instant) -> String {
        self.board_of(today(now))
    }

    /// The oldest board of it that is kept at `now`. Names of boards sort by time.
    pub fn oldest_kept(self, now: Instant) -> String {
        let today = today(now);
        let back = match self {
            Self::Weekly => WEEKS_KEPT.weeks(),
            Self::Monthly => MONTHS_KEPT.months(),
            Self::All => 0.days(),
        };
        self.board_of(today.checked_sub(back).unwrap_or(today))
    }

    fn board_of(self, day: Date) -> String {
        match self {
            Self::Weekly => {
                let back = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(back.days()).unwrap_or(day).to_string()
            }
            Self::Monthly => format!("{:04}-{:02}", day.year(), day.month()),
            Self::All => "all".to_owned(),
        }
    }
}

fn today(now: Instant) -> Date {
    let now = Timestamp::from_millisecond(now.millis()).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(now).date()
}

/// Where a page of a leaderboard goes on: after a place, in the order there was at the first page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The last move at the first page.
    top: i64,
    /// The place of the last item, and what it stood there by among equals.
    place: i64,
    reached: String,
    id: Id,
}

impl Place {
    /// What the cursor of a page says; `None` at the start.
    pub fn of(page: &Page) -> ApiResult<Option<Self>> {
        let Some(key) = &page.after else { return Ok(None) };
        let mut parts = key.split(' ');
        let mut next = || parts.next().unwrap_or_default();
        let place = || {
            let place = Self {
                top: next().parse().ok()?,
                place: next().parse().ok()?,
                reached: Some(next()).filter(|at| Instant::parse(at).is_some())?.to_owned(),
                id: Id::parse(next())?,
            };
            next().is_empty().then_some(place)
        };
        let place = { place }();
        place.map(Some).ok_or_else(invalid_cursor)
    }

    /// Its parts as parameters.
    pub fn values(&self) -> [Value; 4] {
        let Self { top, place, reached, id } = self;
        [(*top).into(), (*place).into(), reached.clone().into(), (*id).into()]
    }

    /// The last move at the first page.
    pub fn top(&self) -> i64 {
        self.top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_begins_where_the_one_before_ends() {
        assert_eq!([1, 2, 3, 4, 5].map(points_of_level), [0, 100, 300, 600, 1_000]);
        for level in 1..2_000 {
            let from = points_of_level(level);
            assert_eq!((level_of(from), level_of(points_of_level(level + 1) - 1)), (level, level));
        }
        assert_eq!(level_of(-5), 1);
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first_in_utc() {
        let boards = |now: &str| {
            let now = Instant::parse(now).unwrap();
            [Period::Weekly, Period::Monthly, Period::All].map(|period| period.board(now))
        };
        assert_eq!(boards("2026-11-23T00:00:00.000Z"), ["2026-11-23", "2026-11", "all"]);
        assert_eq!(boards("2026-11-29T23:59:59.999Z"), ["2026-11-23", "2026-11", "all"]);
        assert_eq!(boards("2026-11-30T00:00:00.000Z"), ["2026-11-30", "2026-11", "all"]);
        assert_eq!(boards("2027-01-01T00:00:00.000Z"), ["2026-12-28", "2027-01", "all"], "ISO week 53");
    }

    #[test]
    fn eight_weeks_and_twelve_months_are_kept_beside_those_that_go_on() {
        let kept = |now: &str| {
            let now = Instant::parse(now).unwrap();
            [Period::Weekly, Period::Monthly].map(|period| period.oldest_kept(now))
        };
        assert_eq!(kept("2026-11-29T23:59:59.999Z"), ["2026-09-28", "2025-11"]);
        assert_eq!(kept("2026-11-30T00:00:00.000Z"), ["2026-10-05", "2025-11"]);
        assert_eq!(kept("2028-02-29T12:00:00.000Z"), ["2028-01-03", "2027-02"]);
        assert_eq!(kept("2026-12-31T12:00:00.000Z"), ["2026-11-02", "2025-12"]);
    }

    #[test]
    fn a_period_is_one_of_three() {
        assert_eq!(Period::parse(None).unwrap(), Period::Weekly);
        assert_eq!(Period::parse(Some("monthly")).unwrap(), Period::Monthly);
        assert_eq!(Period::parse(Some("all")).unwrap(), Period::All);
        for bad in ["", "Weekly", "daily"] {
            assert_eq!(Period::parse(Some(bad)).unwrap_err().fields[0].field, "period");
        }
    }

    #[test]
    fn a_cursor_is_a_move_a_place_a_time_and_a_person() {
        let of = |after: &str| Place::of(&Page { limit: 20, after: Some(after.to_owned()) });
        let (at, id) = ("2026-11-23T00:00:00.000Z", "01a20052-fe97-7114-a1f4-07248e949f06");
        let place = of(&format!("7 -10 {at} {id}")).unwrap().unwrap();
        assert_eq!((place.top, place.place, place.reached.as_str()), (7, -10, at));
        assert_eq!(place.id.to_string(), id);
        for bad in [
            String::new(),
            "7".to_owned(),
            format!("7 -10 {at}"),
            format!("7 -10 {id} {at}"),
            format!("x -10 {at} {id}"),
            format!("7 -10 {at} {id} 1"),
            format!("7 -99999999999999999999 {at} {id}"),
        ] {
            assert_eq!(of(&bad).unwrap_err().code, "invalid_cursor", "{bad}");
        }
    }
}
