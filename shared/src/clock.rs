//! The clock. Every reading of the time goes through [`Clock`], so that a test can move it
//! (`test_clock_offset_seconds`); SQL never asks SQLite for the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// A point in time, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(i64);

/// The system clock moved by a fixed offset.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    offset: i64,
}

impl Clock {
    /// A clock that runs `seconds` ahead of the system's (behind, where negative).
    pub fn with_offset(seconds: i64) -> Self {
        Self { offset: seconds.saturating_mul(1000) }
    }

    /// The time now.
    pub fn now(self) -> Instant {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Instant(millis.saturating_add(self.offset))
    }
}

impl Instant {
    /// A point in time from milliseconds since the epoch.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as tokens count.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The point `duration` later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The point `duration` earlier.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// RFC 3339 in UTC with milliseconds, `2026-11-21T19:21:00.123Z`: how times are answered and
    /// how they are stored, since such text sorts by time.
    pub fn rfc3339(self) -> String {
        let timestamp = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        format!("{timestamp:.3}")
    }

    /// Reads what [`Instant::rfc3339`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(|timestamp| Self(timestamp.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_carry_three_decimals_even_when_they_are_zero() {
        assert_eq!(Instant::from_millis(1_795_288_860_000).rfc3339(), "2026-11-21T19:21:00.000Z");
        assert_eq!(Instant::from_millis(1_795_288_860_123).rfc3339(), "2026-11-21T19:21:00.123Z");
    }

    #[test]
    fn a_written_time_reads_back_the_same() {
        let instant = Instant::from_millis(1_795_288_860_120);
        assert_eq!(Instant::parse(&instant.rfc3339()), Some(instant));
    }

    #[test]
    fn the_offset_moves_every_reading() {
        let ahead = Clock::with_offset(3600).now().millis() - Clock::default().now().millis();
        assert!((3_599_000..=3_601_000).contains(&ahead));
    }
}
