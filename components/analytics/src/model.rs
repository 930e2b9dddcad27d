//! The rules: ranges of days, and how many are told by a sketch.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Deserialize;
use serde_json::Value;
use shared::clock::Instant;
use shared::error::ApiError;
use shared::extract::Query;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

/// How long it is known when somebody was active: longer than the days and weeks that are told.
pub const ACTIVITY_DAYS: i64 = 13 * 7;
/// How many weeks of newcomers the operator is told of.
pub const COHORTS: i64 = 12;

const SECONDS: i64 = 24 * 3_600;

/// The day of a point in time, in UTC, as the database numbers it: since 1970-01-01.
pub fn day_of(now: Instant) -> i64 {
    now.seconds().div_euclid(SECONDS)
}

/// The week of a day, from Monday to Sunday. 1970-01-01 was a Thursday.
pub fn week_of(day: i64) -> i64 {
    (day + 3).div_euclid(7)
}

/// `?days=`: how many, today included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(i64);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DaysQuery {
    /// How many days, today included.
    #[param(value_type = u32, required = false, minimum = 1, maximum = 90, default = 30)]
    days: Option<String>,
}

impl IntoParams for Days {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        DaysQuery::into_params(place)
    }
}

impl Days {
    fn parse(days: Option<&str>) -> Result<Self, ApiError> {
        let Some(text) = days else { return Ok(Self(30)) };
        let days = text.parse().ok().filter(|days| (1..=90).contains(days));
        days.map(Self).ok_or_else(|| ApiError::invalid("days", "must be 1 to 90"))
    }

    /// The first and the last day.
    pub fn until(self, now: Instant) -> (i64, i64) {
        let today = day_of(now);
        (today - self.0 + 1, today)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Days {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(query) = Query::<DaysQuery>::from_request_parts(parts, state).await?;
        Self::parse(query.days.as_deref())
    }
}

/// Registers of a sketch: 12 bits of an id.
const REGISTERS: f64 = 4_096.0;

/// How many different people a sketch tells of: `set` registers are not 0, and `sum` is what 2 to the minus rank of those adds up
/// to (HyperLogLog; where few are set, by how many are not).
fn estimate(set: f64, sum: f64) -> f64 {
    let empty = REGISTERS - set;
    let alpha = 0.7213 / (1.0 + 1.079 / REGISTERS);
    let raw = alpha * REGISTERS * REGISTERS / (empty + sum);
    if raw <= 2.5 * REGISTERS && empty > 0.0 { REGISTERS * (REGISTERS / empty).ln() } else { raw }
}

/// Numbers of a post as the store tells them, with `uniqueViewers` in place of the sketch: `[set, sum]`. Nobody viewed it more often
/// than it was viewed, and somebody did who viewed it at all.
pub fn with_unique_viewers(mut numbers: Value) -> String {
    let sketch = &numbers["uniqueViewers"];
    let of = |index: usize| sketch[index].as_f64().unwrap_or(0.0);
    let views = numbers["views"].as_f64().unwrap_or(0.0);
    let viewers = estimate(of(0), of(1)).round().min(views).max(views.min(1.0));
    // Between 0 and `views`, which is a count.
    #[expect(clippy::cast_possible_truncation, reason = "a count is far below 2^53")]
    let viewers = viewers as i64;
    numbers["uniqueViewers"] = viewers.into();
    numbers.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `migrations/0002_events.sql` does with ids of random bits.
    fn sketch_of(people: u64) -> (f64, f64) {
        let mut ranks = vec![0_u32; 4_096];
        let mut state = 42_u64;
        for _ in 0..people {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = state;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^= bits >> 31;
            let register = usize::try_from(bits & 0xfff).unwrap();
            let rest = u32::try_from((bits >> 12) & 0xf_ffff).unwrap();
            ranks[register] = ranks[register].max(rest.leading_zeros() - 12 + 1);
        }
        let set = ranks.iter().filter(|rank| **rank > 0);
        (
            f64::from(u32::try_from(set.clone().count()).unwrap()),
            set.map(|rank| 0.5_f64.powi(i32::try_from(*rank).unwrap())).sum(),
        )
    }

    #[test]
    fn few_viewers_are_told_exactly_and_many_within_five_percent() {
        assert!(estimate(0.0, 0.0).abs() < f64::EPSILON);
        for people in 1..=40 {
            let (set, sum) = sketch_of(people);
            // Those who share a register count once.
            assert!((estimate(set, sum) - set).abs() < 0.5, "{people}");
        }
        for people in [1_000, 5_000, 10_000, 20_000, 100_000, 1_000_000] {
            let (set, sum) = sketch_of(people);
            let off = estimate(set, sum) / people as f64 - 1.0;
            assert!(off.abs() < 0.05, "{people}: {off}");
        }
    }

    #[test]
    fn unique_viewers_are_at_most_the_views_and_at_least_one_of_them() {
        let of = |views: i64, set: f64, sum: f64| {
            let numbers = serde_json::json!({ "views": views, "uniqueViewers": [set, sum] });
            serde_json::from_str::<Value>(&with_unique_viewers(numbers)).unwrap()["uniqueViewers"].clone()
        };
        assert_eq!(of(0, 0.0, 0.0), 0);
        assert_eq!(of(5, 3.0, 1.0), 3);
        assert_eq!(of(2, 3.0, 1.0), 2);
        assert_eq!(of(4, 0.0, 0.0), 1);
    }

    #[test]
    fn a_range_ends_today_and_takes_1_to_90_days() {
        let now = Instant::parse("2026-11-21T23:59:59.999Z").unwrap();
        let today = day_of(now);
        assert_eq!(day_of(now.plus(std::time::Duration::from_millis(1))), today + 1);
        assert_eq!(Days::parse(None).unwrap().until(now), (today - 29, today));
        assert_eq!(Days::parse(Some("1")).unwrap().until(now), (today, today));
        assert_eq!(Days::parse(Some("90")).unwrap().until(now), (today - 89, today));
        for text in ["0", "91", "-1", "", "x", "1.5", "99999999999999999999"] {
            assert!(Days::parse(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn weeks_begin_on_monday() {
        let day = |text: &str| day_of(Instant::parse(&format!("{text}T12:00:00.000Z")).unwrap());
        assert_eq!(week_of(day("2026-11-16")), week_of(day("2026-11-22")));
        assert_eq!(week_of(day("2026-11-15")) + 1, week_of(day("2026-11-16")));
    }
}
