//! Streaks: days in a row on which somebody did something, by the calendar on their wall.
//!
//! What they did is kept by the quarter of an hour, which is as fine as time zones differ, so that it falls on the right days
//! whatever zone they say they are in, now or later.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use shared::clock::Instant;
use shared::zones;

/// Half a day since 1970 (UTC), and a bit for each of its quarters of an hour.
pub type Half = (i64, i64);

/// Quarters of half a day.
const QUARTERS: u32 = 48;
const QUARTER_SECONDS: i64 = 900;

/// Days in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streaks {
    /// Up to today. A day that is not over yet breaks nothing.
    pub current: i64,
    /// The most there ever were.
    pub longest: i64,
}

impl Streaks {
    /// Those of somebody in the zone called `zone`, UTC unless told; `halves` in order.
    pub fn of(halves: &[Half], zone: Option<&str>, now: Instant) -> Self {
        let zone = zone.and_then(zones::find).unwrap_or(TimeZone::UTC);
        let today = Timestamp::from_millisecond(now.millis()).ok().map(|now| zone.to_datetime(now).date());
        let mut found = Self::default();
        let mut run = 0;
        let mut last: Option<Date> = None;
        for day in active_days(halves, &zone) {
            run = if last.is_some_and(|last| last.tomorrow().ok() == Some(day)) { run + 1 } else { 1 };
            found.longest = found.longest.max(run);
            last = Some(day);
        }
        let holds = |last: Date| {
            today.is_some_and(|today| last >= today || last.checked_add(1.day()).ok() == Some(today))
        };
        if last.is_some_and(holds) {
            found.current = run;
        }
        found
    }
}

/// The days of `halves`, each once, in order.
fn active_days(halves: &[Half], zone: &TimeZone) -> Vec<Date> {
    let mut days: Vec<Date> = Vec::new();
    let mut note = |day: Option<Date>| {
        if let Some(day) = day.filter(|day| days.last().is_none_or(|last| last < day)) {
            days.push(day);
        }
    };
    for (half, mask) in halves.iter().filter(|(_, mask)| *mask != 0) {
        let day_of = |quarter: u32| {
            let quarters = half.checked_mul(i64::from(QUARTERS))?.checked_add(i64::from(quarter))?;
            let at = Timestamp::from_second(quarters.checked_mul(QUARTER_SECONDS)?).ok()?;
            Some(zone.to_datetime(at).date())
        };
        let (first, last) = (mask.trailing_zeros(), 63 - mask.leading_zeros().min(63));
        let ends = (day_of(first), day_of(last));
        // Most halves are within one day, and are asked no further.
        if ends.0 == ends.1 {
            note(ends.0);
        } else {
            (first..=last)
                .filter(|quarter| mask >> quarter & 1 == 1)
                .for_each(|quarter| note(day_of(quarter)));
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the triggers keep it.
    fn halves(times: &[&str]) -> Vec<Half> {
        let mut kept = std::collections::BTreeMap::new();
        for time in times {
            let second = Instant::parse(time).unwrap().seconds();
            *kept.entry(second / 43_200).or_insert(0) |= 1_i64 << (second / 900 % 48);
        }
        kept.into_iter().collect()
    }

    fn streaks(times: &[&str], zone: Option<&str>, now: &str) -> (i64, i64) {
        let Streaks { current, longest } = Streaks::of(&halves(times), zone, Instant::parse(now).unwrap());
        (current, longest)
    }

    #[test]
    fn days_in_a_row_end_where_one_is_missing() {
        let times =
            ["2026-03-01T12:00:00Z", "2026-03-02T00:00:00Z", "2026-03-02T23:59:59Z", "2026-03-04T12:00:00Z"];
        assert_eq!(streaks(&times, None, "2026-03-04T13:00:00Z"), (1, 2));
        assert_eq!(streaks(&times[..3], None, "2026-03-02T23:59:59Z"), (2, 2));
        assert_eq!(streaks(&[], None, "2026-03-04T13:00:00Z"), (0, 0));
    }

    #[test]
    fn a_day_that_is_not_over_breaks_nothing_and_the_next_does() {
        let times = ["2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"];
        assert_eq!(streaks(&times, None, "2026-03-03T23:59:59Z"), (2, 2));
        assert_eq!(streaks(&times, None, "2026-03-04T00:00:00Z"), (0, 2));
    }

    #[test]
    fn the_day_is_that_of_the_persons_zone() {
        // Two days in UTC, and in Tokyo one: nine hours ahead.
        let times = ["2026-03-01T16:00:00Z", "2026-03-02T14:30:00Z"];
        assert_eq!(streaks(&times, None, "2026-03-02T14:30:00Z"), (2, 2));
        assert_eq!(streaks(&times, Some("Asia/Tokyo"), "2026-03-02T14:30:00Z"), (1, 1));
        assert_eq!(streaks(&times, Some("Mars/Olympus"), "2026-03-02T14:30:00Z"), (2, 2), "UTC");
        // One day in UTC, and two in Kathmandu, whose midnight is at 18:15.
        let times = ["2026-03-01T18:14:59Z", "2026-03-01T18:15:00Z"];
        assert_eq!(streaks(&times, None, "2026-03-01T19:00:00Z"), (1, 1));
        assert_eq!(streaks(&times, Some("Asia/Kathmandu"), "2026-03-01T19:00:00Z"), (2, 2));
    }

    #[test]
    fn the_clocks_going_on_and_back_make_no_day_longer_than_a_day() {
        let berlin = |times: &[&str], now: &str| streaks(times, Some("Europe/Berlin"), now);
        // The 29th begins at 23:00 UTC and the 30th, after the clocks went on, at 22:00.
        let times = ["2026-03-28T23:00:00Z", "2026-03-29T21:45:00Z", "2026-03-29T22:00:00Z"];
        assert_eq!(berlin(&times[..2], "2026-03-29T21:50:00Z"), (1, 1));
        assert_eq!(berlin(&times, "2026-03-29T22:00:00Z"), (2, 2));
    }

    #[test]
    fn many_years_of_days_are_one_streak() {
        let halves: Vec<Half> = (0..4_000).map(|day| (40_000 + 2 * day, 1)).collect();
        let now = Instant::from_millis((40_000 + 2 * 3_999) * 43_200_000);
        assert_eq!(Streaks::of(&halves, None, now), Streaks { current: 4_000, longest: 4_000 });
    }
}
