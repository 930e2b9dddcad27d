//! Ids: UUIDv7 (RFC 9562), so that they sort by time. Outside they are the usual lower-case text;
//! inside, rows refer to each other by integer keys (see ARCHITECTURE.md).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::{ContextV7, Timestamp, Uuid};

use crate::clock::Instant;
use crate::platform::Value;

/// The id of a person, a post, a comment, a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, format = "uuid", examples("01a20052-fe97-7114-a1f4-07248e949f06"))]
pub struct Id(Uuid);

// Ids made within one millisecond by one instance still sort in the order they were made.
static CONTEXT: std::sync::Mutex<ContextV7> = std::sync::Mutex::new(ContextV7::new());

impl Id {
    /// A new id of the time `now`.
    pub fn new(now: Instant) -> Self {
        let context = CONTEXT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
        Self(Uuid::new_v7(Timestamp::from_unix(&*context, millis / 1000, nanos)))
    }

    /// Reads the hyphenated form, any case.
    pub fn parse(text: &str) -> Option<Self> {
        // `Uuid` also reads braces and the form without hyphens, which are not ids of ours.
        (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl From<Id> for Value {
    fn from(id: Id) -> Self {
        Value::Text(id.to_string())
    }
}

impl From<&Id> for Value {
    fn from(id: &Id) -> Self {
        Value::Text(id.to_string())
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("is not a UUID"))
    }
}

/// `bytes` random bytes as URL-safe text: for tokens that a person carries.
pub fn random_token(bytes: usize) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut random = vec![0; bytes];
    // Without randomness no secret may be made; there is no answer to give instead.
    if getrandom::fill(&mut random).is_err() {
        std::process::abort();
    }
    URL_SAFE_NO_PAD.encode(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_they_were_made() {
        let now = crate::clock::Clock::default().now();
        let ids: Vec<Id> = (0..1000).map(|_| Id::new(now)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.windows(2).all(|pair| pair[0].to_string() < pair[1].to_string()));
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id = Id::new(Instant::from_millis(1_795_288_860_000));
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        assert_eq!(Id::parse(&id.to_string().to_uppercase()), Some(id));
        assert_eq!(Id::parse(&id.to_string().replace('-', "")), None);
        assert_eq!(Id::parse("' or 1=1 --"), None);
    }

    #[test]
    fn tokens_differ_and_have_the_length_asked_for() {
        assert_eq!(random_token(32).len(), 43);
        assert_ne!(random_token(32), random_token(32));
    }
}
