//! The rules: handles, what people say of themselves, preferences, invite codes.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::LazyLock;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use shared::error::{ApiError, Check};
use shared::ids::random_token;
use shared::page::{Page, invalid_cursor};
use shared::wire::{QuietHours, Time};
use unicode_segmentation::UnicodeSegmentation;
use utoipa::ToSchema;

/// Others may not take a handle for so long after it was given up.
pub const HANDLE_HELD: Duration = Duration::from_secs(30 * 24 * 3600);
/// So many times a day a person may change their handle.
pub const HANDLE_CHANGES: i64 = 10;
/// The window of [`HANDLE_CHANGES`].
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// Invites a person has; one that expired unused does not count.
pub const INVITES: i64 = 10;
/// How long an invite is good.
pub const INVITE_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long an identity of a deleted person still answers 401: longer than any issuer lets an access
/// token live. After it the same person may come again, as a new one.
pub const IDENTITY_KEPT: Duration = Duration::from_secs(24 * 3600);

const DISPLAY_NAME: usize = 50;
const BIO: usize = 300;
/// A grapheme may be of any length; a text may not be longer than this per grapheme allowed.
const BYTES_PER_GRAPHEME: usize = 40;

static RESERVED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("reserved_handles.txt").lines();
    lines.filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
});

static TIME_ZONES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("time_zones.txt").lines().collect());

/// A handle in the one form it is stored in, or `None` where it is none: 3 to 20 of `a-z 0-9 _`,
/// starting with a letter, any case.
pub fn parse_handle(text: &str) -> Option<String> {
    let handle = text.to_ascii_lowercase();
    let starts = handle.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    let holds = handle.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (starts && holds && (3..=20).contains(&handle.len())).then_some(handle)
}

/// Whether nobody may have the handle: a word of ours, of the web, or of staff.
pub fn is_reserved(handle: &str) -> bool {
    RESERVED.contains(handle)
}

/// [`parse_handle`], or 422; 409 where it is reserved.
pub fn require_handle(text: &str) -> Result<String, ApiError> {
    let handle = parse_handle(text).ok_or_else(|| {
        ApiError::unprocessable("handle_invalid", "This is no handle.")
            .field("handle", "must be 3 to 20 of a-z, 0-9 and _, starting with a letter")
    })?;
    if is_reserved(&handle) { Err(handle_taken()) } else { Ok(handle) }
}

/// 409 for a handle that is somebody's, held or reserved.
pub fn handle_taken() -> ApiError {
    ApiError::conflict("handle_taken", "This handle is not available.")
}

/// Trimmed text, `None` where nothing is left; the message says what is wrong with it.
fn text(given: &str, graphemes: usize, lines: bool) -> Result<Option<String>, String> {
    let text = given.trim();
    if text.chars().any(|c| c.is_control() && !(lines && c == '\n')) {
        return Err("must not contain control characters".to_owned());
    }
    if text.len() > graphemes * BYTES_PER_GRAPHEME || text.graphemes(true).count() > graphemes {
        return Err(format!("must be at most {graphemes} characters"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// A display name as it is stored.
pub fn parse_display_name(given: &str) -> Result<Option<String>, String> {
    text(given, DISPLAY_NAME, false)
}

/// Tells a member that is null from one that is absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// An object and nothing else: serde would take a list for a struct, member by member.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Body of `PATCH /me`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProfileIn {
    /// At most 50 characters as people count them, on one line; null clears.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    display_name: Option<Option<String>>,
    /// At most 300 characters as people count them; null clears.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 12000)]
    bio: Option<Option<String>>,
    /// Whether only followers see what they publish, what they published before included.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = bool)]
    private: Option<bool>,
}

/// A checked [`ProfileIn`]; `Some(None)` clears.
#[derive(Debug, PartialEq, Eq)]
pub struct ProfilePatch {
    /// Their name.
    pub display_name: Option<Option<String>>,
    /// What they say of themselves.
    pub bio: Option<Option<String>>,
    /// Whether only followers see what they publish.
    pub private: Option<bool>,
}

impl ProfileIn {
    /// 422 with every field at fault.
    pub fn check(self) -> Result<ProfilePatch, ApiError> {
        let mut check = Check::default();
        let mut field = |name: &str, given: Option<Option<String>>, graphemes: usize, lines: bool| {
            let parsed = given?.map_or(Ok(None), |given| text(&given, graphemes, lines));
            check.field(parsed.is_ok(), name, parsed.as_ref().err().map_or("", String::as_str));
            parsed.ok()
        };
        // Lines end in \n alone, whatever a client's text box writes.
        let bio = self.bio.map(|bio| bio.map(|bio| bio.replace("\r\n", "\n")));
        let display_name = field("displayName", self.display_name, DISPLAY_NAME, false);
        let bio = field("bio", bio, BIO, true);
        check.finish()?;
        Ok(ProfilePatch { display_name, bio, private: self.private })
    }
}

/// Body of `PATCH /me/notification-preferences`: what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PreferencesPatch {
    /// Whether each kind is pushed.
    #[schema(value_type = PushPatch)]
    push: Object<PushPatch>,
    /// No push in these hours; null ends them.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<QuietHours>)]
    quiet_hours: Option<Option<Object<QuietHours>>>,
}

/// The kinds of notification to push or not; what is absent stays.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
struct PushPatch {
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool)]
    follow: Option<bool>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool)]
    reaction: Option<bool>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool)]
    comment: Option<bool>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool)]
    mention: Option<bool>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool)]
    scoop: Option<bool>,
}

impl PreferencesPatch {
    /// 422 with every field at fault.
    pub fn check(self) -> Result<Self, ApiError> {
        if let Some(Some(Object(hours))) = &self.quiet_hours {
            Check::default()
                .field(is_time_of_day(&hours.start), "quietHours.start", "must be a time as 22:00")
                .field(is_time_of_day(&hours.end), "quietHours.end", "must be a time as 07:00")
                .field(
                    TIME_ZONES.contains(hours.time_zone.as_str()),
                    "quietHours.timeZone",
                    "must be an IANA time zone, as Europe/Berlin",
                )
                .finish()?;
        }
        Ok(self)
    }

    /// The members of `push` that were given.
    pub fn push_json(&self) -> String {
        serde_json::json!(self.push).to_string()
    }

    /// Whether quiet hours were given, and what they are then.
    pub fn quiet_hours_json(&self) -> (bool, String) {
        (
            self.quiet_hours.is_some(),
            serde_json::json!(self.quiet_hours.as_ref().and_then(Option::as_ref)).to_string(),
        )
    }
}

fn is_time_of_day(text: &str) -> bool {
    let part = |part: &str, below: u32| {
        part.len() == 2
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse::<u32>().is_ok_and(|n| n < below)
    };
    text.split_once(':').is_some_and(|(hour, minute)| part(hour, 24) && part(minute, 60))
}

/// A new invite code: 8 letters and digits without those that are read for one another.
pub fn invite_code() -> String {
    let mut code = String::with_capacity(8);
    while code.len() < 8 {
        // Of random base 64 what is not wanted is left out, so every code is as likely.
        let random = random_token(24);
        let wanted = random.chars().filter(|c| c.is_ascii_alphanumeric() && !"0O1Il".contains(*c));
        code.extend(wanted.take(8 - code.len()));
    }
    code
}

/// Where a tree of invites goes on: after this row of this generation.
#[derive(Debug, PartialEq, Eq)]
pub struct Branch {
    /// The generation.
    pub depth: i64,
    /// A `people.pk`.
    pub person: i64,
}

impl Branch {
    /// Reads the cursor of a page; 422 where no such list gave it.
    pub fn of(page: &Page) -> Result<Self, ApiError> {
        let Some(after) = &page.after else {
            return Ok(Self { depth: 0, person: 0 });
        };
        let read = after.split_once('|').and_then(|(depth, person)| {
            Some(Self { depth: depth.parse().ok()?, person: person.parse().ok()? })
        });
        read.ok_or_else(invalid_cursor)
    }
}

/// Everything the services hold about a person. What each of them tells is its own and may grow.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    /// When it was put together.
    #[schema(value_type = Time)]
    pub exported_at: String,
    /// What each service holds; null where it never heard of the person.
    #[serde(flatten)]
    #[schema(value_type = HashMap<String, Option<Object>>)]
    pub services: std::collections::BTreeMap<&'static str, Option<Box<serde_json::value::RawValue>>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_goes_on_after_a_row_of_a_generation() {
        let branch = |after: &str| Branch::of(&Page { limit: 20, after: Some(after.to_owned()) });
        assert_eq!(branch("2|17").unwrap(), Branch { depth: 2, person: 17 });
        for none in ["", "2", "2|", "|17", "2|x", "x|17"] {
            assert_eq!(branch(none).unwrap_err().code, "invalid_cursor", "{none}");
        }
    }

    #[test]
    fn handles_are_of_any_case_and_stored_lower() {
        assert_eq!(parse_handle("Alice_99").as_deref(), Some("alice_99"));
        assert_eq!(parse_handle("abc").as_deref(), Some("abc"));
        assert_eq!(parse_handle(&"a".repeat(20)).as_deref(), Some("a".repeat(20).as_str()));
        for wrong in
            ["", "ab", "9lives", "_alice", "al ice", " alice", "alice\u{0}", "ålice", "al-ice", "ＡＢＣ"]
        {
            assert_eq!(parse_handle(wrong), None, "{wrong:?}");
        }
        assert_eq!(parse_handle(&"a".repeat(21)), None);
        // The Kelvin sign lowers to k in Unicode, but is no letter of handles.
        assert_eq!(parse_handle("\u{212A}elvin"), None);
    }

    #[test]
    fn reserved_words_are_handles_but_for_being_reserved() {
        assert!(is_reserved("admin") && is_reserved("support") && is_reserved("scooterbooter"));
        assert!(!is_reserved("alice"));
        assert!(RESERVED.len() > 500, "{}", RESERVED.len());
        let odd: Vec<_> =
            RESERVED.iter().filter(|word| parse_handle(word).as_deref() != Some(word)).collect();
        assert!(odd.is_empty(), "{odd:?}");
    }

    #[test]
    fn names_are_counted_as_people_count() {
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(parse_display_name(&family.repeat(50)), Ok(Some(family.repeat(50))));
        assert!(parse_display_name(&family.repeat(51)).is_err());
        assert_eq!(parse_display_name("  Zoë  "), Ok(Some("Zoë".to_owned())));
        assert_eq!(parse_display_name("   "), Ok(None));
        assert!(parse_display_name("a\nb").is_err());
        assert!(parse_display_name("a\u{0}b").is_err());
        let endless = format!("e{}", "\u{301}".repeat(5_000));
        assert!(parse_display_name(&endless).is_err());
    }

    #[test]
    fn a_null_member_clears_and_an_absent_one_stays() {
        let patch: ProfileIn = serde_json::from_str(r#"{"displayName":null,"role":"admin"}"#).unwrap();
        let patch = patch.check().unwrap();
        assert_eq!(patch, ProfilePatch { display_name: Some(None), bio: None, private: None });
        assert!(serde_json::from_str::<ProfileIn>(r#"{"private":null}"#).is_err());
        let lines: ProfileIn = serde_json::from_str(r#"{"bio":"one\r\ntwo"}"#).unwrap();
        assert_eq!(lines.check().unwrap().bio, Some(Some("one\ntwo".to_owned())));
        let wrong: ProfileIn = serde_json::from_str(r#"{"bio":"a\u0007"}"#).unwrap();
        assert_eq!(wrong.check().unwrap_err().fields[0].field, "bio");
    }

    #[test]
    fn quiet_hours_are_times_of_day_in_a_zone_that_exists() {
        let check = |start: &str, zone: &str| {
            let body =
                serde_json::json!({ "quietHours": { "start": start, "end": "07:00", "timeZone": zone } });
            serde_json::from_value::<PreferencesPatch>(body).unwrap().check().is_ok()
        };
        assert!(check("22:00", "Europe/Berlin") && check("00:00", "UTC") && check("23:59", "Asia/Kolkata"));
        for start in ["24:00", "22:60", "2:00", "22", "+2:00", "22:00:00", ""] {
            assert!(!check(start, "UTC"), "{start}");
        }
        for zone in ["", "Mars/Olympus", "europe/berlin", "+02:00"] {
            assert!(!check("22:00", zone), "{zone}");
        }
    }

    #[test]
    fn codes_leave_out_what_is_read_for_one_another() {
        let codes: HashSet<String> = (0..500).map(|_| invite_code()).collect();
        assert_eq!(codes.len(), 500);
        for code in codes {
            assert!(code.len() == 8 && code.chars().all(|c| c.is_ascii_alphanumeric()), "{code}");
            assert!(!code.contains(['0', 'O', '1', 'I', 'l']), "{code}");
        }
    }
}
