//! What the answer of a push service means.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use jiff::fmt::rfc2822::DateTimeParser;
use shared::clock::{Clock, Instant};

/// What became of a push.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is on its way.
    Delivered,
    /// There is no such place any more.
    Gone,
    /// It will never be taken, for this reason.
    Dropped(String),
    /// It may be taken later, and not before `after`, for this reason.
    Later {
        /// As `Retry-After` says.
        after: Option<Duration>,
        /// For the log.
        why: String,
    },
}

impl Verdict {
    /// Later, at a time of our own.
    pub fn later(why: impl Into<String>) -> Self {
        Self::Later { after: None, why: why.into() }
    }

    /// By the status alone. A redirect is not followed: it may lead anywhere.
    pub fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        match status.as_u16() {
            200..300 => Self::Delivered,
            404 | 410 => Self::Gone,
            300..400 | 408 | 425 | 429 | 500.. => Self::Later {
                after: retry_after(headers, Clock::default().now()),
                why: format!("status {status}"),
            },
            _ => Self::Dropped(format!("status {status}")),
        }
    }
}

/// `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3). A date is of the clock of the world, not of one a test has moved.
fn retry_after(headers: &HeaderMap, now: Instant) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = DateTimeParser::new().parse_timestamp(value).ok()?;
    u64::try_from(at.as_millisecond() - now.millis()).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(value: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers, Instant::parse("2026-11-21T12:00:00Z").unwrap())
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date() {
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(after("Sat, 21 Nov 2026 12:01:30 GMT"), Some(Duration::from_secs(90)));
        for none in ["Sat, 21 Nov 2026 11:00:00 GMT", "soon", "-1", ""] {
            assert_eq!(after(none), None, "{none}");
        }
    }

    #[test]
    fn statuses_are_told_apart() {
        let of = |status: u16| Verdict::of(StatusCode::from_u16(status).unwrap(), &HeaderMap::new());
        for status in [200, 201, 202, 204] {
            assert_eq!(of(status), Verdict::Delivered, "{status}");
        }
        for status in [404, 410] {
            assert_eq!(of(status), Verdict::Gone, "{status}");
        }
        for status in [301, 302, 307, 408, 425, 429, 500, 503] {
            assert!(matches!(of(status), Verdict::Later { after: None, .. }), "{status}");
        }
        for status in [400, 401, 403, 413, 422] {
            assert!(matches!(of(status), Verdict::Dropped(_)), "{status}");
        }
    }
}
