//! What administrators may say, and what may be said back.

use serde::Deserialize;
use shared::error::{ApiError, Check};
use shared::ids::Id;
use utoipa::ToSchema;

use super::TargetType;

/// Characters of a note, and of the reason of a suspension.
const NOTE: usize = 1_000;
/// Characters of an appeal.
const APPEAL: usize = 2_000;

/// What is decided about a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing is done.
    Dismiss,
    /// What was reported goes, as if its author deleted it.
    RemoveContent,
    /// Whose it is is suspended.
    SuspendUser,
}

impl Action {
    /// As on the wire, and in the audit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dismiss => "dismiss",
            Self::RemoveContent => "remove_content",
            Self::SuspendUser => "suspend_user",
        }
    }
}

/// What is decided about an appeal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The decision stands.
    Uphold,
    /// It was wrong: a suspension ends. What was removed cannot come back.
    Overturn,
}

impl Verdict {
    /// As in the audit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uphold => "uphold_appeal",
            Self::Overturn => "overturn_appeal",
        }
    }
}

/// A decision about a report.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DecisionIn {
    /// What is done.
    pub action: Action,
    /// Why, for the author and the audit. Whoever reported it does not see it.
    #[schema(max_length = 1000)]
    note: Option<String>,
}

impl DecisionIn {
    /// The note, where there is one; 422 where it is none.
    pub fn note(&self) -> Result<Option<String>, ApiError> {
        note(self.note.as_deref())
    }
}

/// A decision about an appeal.
#[derive(Debug, Deserialize, ToSchema)]
pub struct VerdictIn {
    /// What is done.
    pub action: Verdict,
    /// Why, for the author and the audit.
    #[schema(max_length = 1000)]
    note: Option<String>,
}

impl VerdictIn {
    /// The note, where there is one; 422 where it is none.
    pub fn note(&self) -> Result<Option<String>, ApiError> {
        note(self.note.as_deref())
    }
}

/// Why somebody is suspended.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SuspensionIn {
    /// For them, and for the audit.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

impl SuspensionIn {
    /// The reason; 422 where it is none.
    pub fn reason(&self) -> Result<String, ApiError> {
        text("reason", &self.reason, NOTE, "must be 1 to 1,000 characters")
    }
}

/// An appeal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppealIn {
    /// Which decision, by the report it was taken by: `reportId` of `/me/decisions`.
    #[schema(value_type = Id)]
    report_id: String,
    /// Why it is wrong.
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
}

impl AppealIn {
    /// The report and the text; 422 where they are none.
    pub fn check(&self) -> Result<(Id, String), ApiError> {
        let report = Id::parse(&self.report_id).ok_or_else(|| ApiError::invalid("reportId", "is not a UUID"));
        Ok((report?, text("text", &self.text, APPEAL, "must be 1 to 2,000 characters")?))
    }
}

fn note(given: Option<&str>) -> Result<Option<String>, ApiError> {
    match given.map(str::trim) {
        None | Some("") => Ok(None),
        Some(note) => text("note", note, NOTE, "must be at most 1,000 characters").map(Some),
    }
}

/// `given`, trimmed, where it is of 1 to `most` characters that are shown.
fn text(field: &str, given: &str, most: usize, length: &str) -> Result<String, ApiError> {
    let text = given.trim();
    Check::default()
        .field((1..=most).contains(&text.chars().count()), field, length)
        .field(!text.chars().any(|c| c.is_control() && c != '\n'), field, "must not hold control characters")
        .finish()?;
    Ok(text.to_owned())
}

/// Reads `?status=`, `open` unless told; 422 for what is none of `known`.
pub fn status(given: Option<&str>, known: &[&'static str]) -> Result<&'static str, ApiError> {
    let given = given.unwrap_or("open");
    let found = known.iter().find(|status| **status == given).copied();
    found.ok_or_else(|| ApiError::invalid("status", format!("must be one of {}", known.join(", "))))
}

/// Reads an id of the query, where there is one; 422 where it is none.
pub fn id(field: &str, given: Option<&str>) -> Result<Option<Id>, ApiError> {
    given.map(|id| Id::parse(id).ok_or_else(|| ApiError::invalid(field, "is not a UUID"))).transpose()
}

/// 422 where `action` is nothing that can be done to a thing of this kind.
pub fn check_action(action: Action, target: TargetType) -> Result<(), ApiError> {
    if (action, target) == (Action::RemoveContent, TargetType::User) {
        let message = "there is no content to remove of a person; suspend_user suspends them";
        return Err(ApiError::invalid("action", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_trimmed_bounded_clean_and_may_be_missing() {
        let note = |note: Option<&str>| {
            DecisionIn { action: Action::Dismiss, note: note.map(ToOwned::to_owned) }.note()
        };
        for none in [None, Some(""), Some(" \n ")] {
            assert_eq!(note(none).unwrap(), None);
        }
        assert_eq!(note(Some(" a\nb ")).unwrap().as_deref(), Some("a\nb"));
        assert!(note(Some(&"é".repeat(1_000))).is_ok());
        for bad in ["é".repeat(1_001), "a\0b".to_owned()] {
            assert_eq!(note(Some(&bad)).unwrap_err().fields[0].field, "note");
        }
    }

    #[test]
    fn a_suspension_has_a_reason_and_an_appeal_a_text() {
        let reason = |reason: String| SuspensionIn { reason }.reason();
        assert_eq!(reason(" Spam. ".to_owned()).unwrap(), "Spam.");
        assert!(reason("x".repeat(1_000)).is_ok());
        for bad in [String::new(), "  ".to_owned(), "x".repeat(1_001)] {
            assert_eq!(reason(bad).unwrap_err().fields[0].field, "reason");
        }
        let appeal = |report: &str, text: String| AppealIn { report_id: report.to_owned(), text }.check();
        let id = "0199b7a0-0000-7000-8000-000000000001";
        assert!(appeal(id, "x".repeat(2_000)).is_ok());
        assert_eq!(appeal(id, "x".repeat(2_001)).unwrap_err().fields[0].field, "text");
        assert_eq!(appeal(id, " ".to_owned()).unwrap_err().fields[0].field, "text");
        assert_eq!(appeal("7", "x".to_owned()).unwrap_err().fields[0].field, "reportId");
    }

    #[test]
    fn a_status_is_open_unless_told_and_one_of_those_there_are() {
        assert_eq!(status(None, &["open", "upheld"]).unwrap(), "open");
        assert_eq!(status(Some("upheld"), &["open", "upheld"]).unwrap(), "upheld");
        for bad in ["", "Open", "all"] {
            assert_eq!(status(Some(bad), &["open", "upheld"]).unwrap_err().fields[0].field, "status");
        }
    }

    #[test]
    fn of_a_person_there_is_no_content_to_remove() {
        let refused = check_action(Action::RemoveContent, TargetType::User).unwrap_err();
        assert_eq!(refused.status, 422);
        assert!(refused.fields[0].message.contains("suspend_user"));
        for target in [TargetType::Post, TargetType::Comment, TargetType::Scoop] {
            assert!(check_action(Action::RemoveContent, target).is_ok());
        }
        assert!(check_action(Action::SuspendUser, TargetType::User).is_ok());
    }
}
