//! The rules of scoops: what one may say, how long it lives, where a page of the feed goes on.

use std::time::Duration;

use serde::Deserialize;
use shared::config::Config;
use shared::error::{ApiResult, Check};
use shared::page::invalid_cursor;
use unicode_segmentation::UnicodeSegmentation;
use utoipa::ToSchema;

/// Scoops of a person that may live at a time.
pub const MAX_LIVE: i64 = 20;
/// Graphemes of a caption.
const MAX_CAPTION: usize = 150;
/// Hours a scoop may live, and lives unless told.
const MAX_HOURS: i64 = 24;
/// How long a scoop that ended, or was deleted, still has its place in feeds that are paged through: a cursor holds that long.
pub const REMEMBERED: Duration = Duration::from_secs(3_600);
/// How long what media told is remembered: far longer than a scoop takes to be made.
pub const MEDIA_REMEMBERED: Duration = Duration::from_secs(24 * 3_600);
/// Ten years, so that no number of days overflows.
const MAX_ARCHIVE_DAYS: i64 = 3_650;

/// For whom a scoop is, besides the privacy of its author.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Who follows the author.
    #[default]
    Followers,
    /// Whom the author named a close friend.
    CloseFriends,
}

impl Audience {
    /// As on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Followers => "followers",
            Self::CloseFriends => "close_friends",
        }
    }
}

/// What of a scoop is the author's to say.
#[derive(Debug, PartialEq, Eq)]
pub struct Terms {
    /// Without space around it; `None` where it says nothing.
    pub caption: Option<String>,
    /// How long it lives.
    pub life: Duration,
}

impl Terms {
    /// 422 for a caption that is too long or has control characters, and for hours that are none.
    pub fn check(caption: Option<&str>, hours: Option<i64>) -> ApiResult<Self> {
        let caption = caption.unwrap_or_default().replace("\r\n", "\n").trim().to_owned();
        let printable = caption.chars().all(|c| c == '\n' || !c.is_control());
        let hours = hours.unwrap_or(MAX_HOURS);
        Check::default()
            .field(caption.graphemes(true).count() <= MAX_CAPTION, "caption", "at most 150 characters")
            .field(printable, "caption", "must not have control characters")
            .field((1..=MAX_HOURS).contains(&hours), "expiresInHours", "must be 1 to 24")
            .finish()?;
        let caption = Some(caption).filter(|caption| !caption.is_empty());
        Ok(Self { caption, life: Duration::from_secs(hours.unsigned_abs() * 3_600) })
    }
}

/// How long an expired scoop is in its owner's archive; zero: not at all.
pub fn archive_time(config: &Config) -> Duration {
    let days = config.number("scoop_archive_days", 30).clamp(0, MAX_ARCHIVE_DAYS);
    Duration::from_secs(days.unsigned_abs() * 24 * 3_600)
}

/// Where a page of the feed goes on: after an author, in the order there was when the first page was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedCursor {
    /// Whether the author was among those with something unseen: 1, or 0.
    pub unseen: i64,
    /// The author's newest publication.
    pub latest: i64,
    /// When the first page was asked for, in milliseconds.
    pub at: i64,
    /// The last event told by then.
    pub seq: i64,
}

impl FeedCursor {
    /// Reads what the statement of the feed wrote; 422 for anything else.
    pub fn parse(key: &str) -> ApiResult<Self> {
        let numbers: Option<Vec<i64>> = key.split(',').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[unseen @ (0 | 1), latest, at, seq]) => Ok(Self { unseen, latest, at, seq }),
            _ => Err(invalid_cursor()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caption(text: &str) -> ApiResult<Option<String>> {
        Terms::check(Some(text), None).map(|terms| terms.caption)
    }

    #[test]
    fn a_caption_is_trimmed_and_counted_in_graphemes() {
        assert_eq!(caption("  a\r\nb \n").unwrap().as_deref(), Some("a\nb"));
        for nothing in ["", "  \n "] {
            assert_eq!(caption(nothing).unwrap(), None);
        }
        let family = "👨‍👩‍👧‍👦";
        assert!(caption(&family.repeat(150)).is_ok());
        assert_eq!(caption(&family.repeat(151)).unwrap_err().fields[0].field, "caption");
    }

    #[test]
    fn control_characters_but_line_ends_are_refused() {
        assert!(caption("a\nb").is_ok());
        for bad in ["a\0b", "a\tb", "a\u{1b}[31m", "a\u{1e}b", "a\u{7f}"] {
            assert_eq!(caption(bad).unwrap_err().fields[0].field, "caption", "{bad:?}");
        }
    }

    #[test]
    fn a_scoop_lives_1_to_24_hours_and_24_unless_told() {
        let hours = |hours| Terms::check(None, hours).map(|terms| terms.life.as_secs() / 3_600);
        assert_eq!((hours(None).unwrap(), hours(Some(1)).unwrap(), hours(Some(24)).unwrap()), (24, 1, 24));
        for bad in [0, 25, -1, i64::MIN, i64::MAX] {
            assert_eq!(hours(Some(bad)).unwrap_err().fields[0].field, "expiresInHours", "{bad}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let error = Terms::check(Some(&"x".repeat(151)), Some(0)).unwrap_err();
        assert_eq!(error.fields.len(), 2);
    }

    #[test]
    fn a_cursor_of_the_feed_is_four_numbers() {
        let cursor = FeedCursor { unseen: 1, latest: 7, at: 1_800_000_000_000, seq: 9 };
        assert_eq!(FeedCursor::parse("1,7,1800000000000,9").unwrap(), cursor);
        for bad in ["", "1,7,9", "2,7,8,9", "1,7,8,9,0", "1,x,8,9", "1,,8,9", "1,99999999999999999999,8,9"] {
            assert_eq!(FeedCursor::parse(bad).unwrap_err().code, "invalid_cursor", "{bad}");
        }
    }
}
