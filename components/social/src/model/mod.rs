//! The rules, pure.

mod moderation;

use std::time::Duration;

use serde::Deserialize;
use shared::clock::Instant;
use shared::error::{ApiError, Check};
use shared::ids::Id;
use shared::limits::Limit;
use shared::page::{Page, invalid_cursor};
use utoipa::ToSchema;

pub use moderation::*;

/// So many a person may follow, or a tenth more than follow them, whichever is more.
pub const FOLLOWED: i64 = 7_500;
/// Follows per person and day.
pub static FOLLOWS_DAY: Limit =
    Limit { name: "follows-day", points: 400, window: Duration::from_secs(24 * 3600) };
/// Characters of a report's details.
const DETAILS: usize = 1_000;
/// Characters that are kept of what was reported.
const EXCERPT: usize = 1_000;

/// What a handle in a path names, lower case; `None` where it can be nobody's.
pub fn handle(given: &str) -> Option<String> {
    let fits = (1..=20).contains(&given.len())
        && given.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    fits.then(|| given.to_ascii_lowercase())
}

/// Where a list that is newest first goes on: before this time, and at it before this row.
#[derive(Debug, PartialEq, Eq)]
pub struct Newest {
    /// How many items at the most.
    pub limit: u32,
    /// RFC 3339; at the start, text that sorts after every time.
    pub time: String,
    /// A `people.pk`.
    pub pk: i64,
}

impl Newest {
    /// Reads the cursor of a page; 422 where no such list gave it.
    pub fn of(page: &Page) -> Result<Self, ApiError> {
        let Some(after) = &page.after else {
            return Ok(Self { limit: page.limit, time: "~".to_owned(), pk: i64::MAX });
        };
        let read = after.split_once('|').and_then(|(time, pk)| {
            Instant::parse(time)?;
            Some(Self { limit: page.limit, time: time.to_owned(), pk: pk.parse().ok()? })
        });
        read.ok_or_else(invalid_cursor)
    }
}

/// 422 unless the cursor of a list sorted by id is an id.
pub fn check_id_cursor(page: &Page) -> Result<(), ApiError> {
    match &page.after {
        Some(after) => Id::parse(after).map(|_| ()).ok_or_else(invalid_cursor),
        None => Ok(()),
    }
}

/// What can be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetType {
    /// A person.
    User,
    /// A post.
    Post,
    /// A comment.
    Comment,
    /// A scoop.
    Scoop,
}

impl TargetType {
    /// As on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Post => "post",
            Self::Comment => "comment",
            Self::Scoop => "scoop",
        }
    }
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Unwanted mass.
    Spam,
    /// Against a person.
    Abuse,
    /// Nudity.
    Nudity,
    /// Violence.
    Violence,
    /// What `details` says.
    Other,
}

impl Reason {
    /// As on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Abuse => "abuse",
            Self::Nudity => "nudity",
            Self::Violence => "violence",
            Self::Other => "other",
        }
    }
}

/// What is reported, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportIn {
    /// What kind of thing.
    target_type: TargetType,
    /// Which.
    #[schema(value_type = Id)]
    target_id: String,
    /// Why.
    reason: Reason,
    /// In the reporter's words, for `other` above all.
    #[schema(max_length = 1000)]
    details: Option<String>,
}

/// A report that may be made.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// What kind of thing.
    pub target_type: TargetType,
    /// Which.
    pub target_id: Id,
    /// Why.
    pub reason: Reason,
    /// In the reporter's words; never empty.
    pub details: Option<String>,
}

/// What is reported, as the service that has it tells: an answer of `GET /internal/visible`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Whose it is.
    pub author_id: Id,
    /// What it says.
    pub text: Option<String>,
}

impl Seen {
    /// As much of what it says as is kept with a report; `None` where it says nothing.
    pub fn excerpt(&self) -> Option<String> {
        let text = self.text.as_deref().filter(|text| !text.is_empty())?;
        Some(text.chars().take(EXCERPT).collect())
    }
}

impl ReportIn {
    /// 422 naming every field at fault.
    pub fn check(self) -> Result<Report, ApiError> {
        let target_id = Id::parse(&self.target_id);
        let details = self.details.map(|details| details.trim().to_owned());
        let text = details.as_deref().unwrap_or("");
        let clean = !text.chars().any(|c| c.is_control() && c != '\n');
        Check::default()
            .field(target_id.is_some(), "targetId", "is not a UUID")
            .field(clean, "details", "must not hold control characters")
            .field(text.chars().count() <= DETAILS, "details", "must be at most 1,000 characters")
            .finish()?;
        let target_id = target_id.ok_or_else(|| ApiError::invalid("targetId", "is not a UUID"))?;
        let details = details.filter(|details| !details.is_empty());
        Ok(Report { target_type: self.target_type, target_id, reason: self.reason, details })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(after: Option<&str>) -> Page {
        Page { limit: 20, after: after.map(ToOwned::to_owned) }
    }

    #[test]
    fn a_handle_is_read_in_any_case_and_what_can_be_none_is_nobody() {
        assert_eq!(handle("Bob_7").as_deref(), Some("bob_7"));
        for none in ["", "bob ", "bób", "a/b", "a%", "abcdefghijklmnopqrstu"] {
            assert_eq!(handle(none), None, "{none}");
        }
    }

    #[test]
    fn a_cursor_is_a_time_and_a_row() {
        let read = Newest::of(&page(Some("2026-11-21T19:21:00.123Z|7"))).unwrap();
        assert_eq!((read.time.as_str(), read.pk), ("2026-11-21T19:21:00.123Z", 7));
        assert!(Newest::of(&page(None)).unwrap().time.as_str() > "2026");
        for none in ["", "7", "x|7", "2026-11-21T19:21:00.123Z|x", "2026-11-21T19:21:00.123Z|"] {
            assert_eq!(Newest::of(&page(Some(none))).unwrap_err().code, "invalid_cursor", "{none}");
        }
        assert_eq!(check_id_cursor(&page(Some("7"))).unwrap_err().code, "invalid_cursor");
    }

    #[test]
    fn of_what_was_reported_so_much_is_kept_and_nothing_of_nothing() {
        let author_id = Id::parse("0199b7a0-0000-7000-8000-000000000001").unwrap();
        let kept = |text: Option<String>| Seen { author_id, text }.excerpt();
        assert_eq!(kept(None), None);
        assert_eq!(kept(Some(String::new())), None);
        assert_eq!(kept(Some("é".repeat(1_001))), Some("é".repeat(1_000)));
    }

    fn report(details: &str, id: &str) -> Result<Report, ApiError> {
        let (target_id, details) = (id.to_owned(), Some(details.to_owned()));
        ReportIn { target_type: TargetType::User, target_id, reason: Reason::Spam, details }.check()
    }

    #[test]
    fn the_details_of_a_report_are_trimmed_bounded_and_clean() {
        let id = "0199b7a0-0000-7000-8000-000000000001";
        assert_eq!(report("  \n ", id).unwrap().details, None);
        assert_eq!(report(" a\nb ", id).unwrap().details.as_deref(), Some("a\nb"));
        assert!(report(&"é".repeat(1_000), id).is_ok());
        for bad in ["é".repeat(1_001), "a\0b".to_owned(), "a\u{1b}b".to_owned()] {
            assert_eq!(report(&bad, id).unwrap_err().fields[0].field, "details");
        }
        assert_eq!(report("", "7").unwrap_err().fields[0].field, "targetId");
    }
}
