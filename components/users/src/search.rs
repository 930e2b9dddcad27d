//! What is searched for: the words of a query, as text whatever they look like to FTS5.

use shared::error::ApiError;
use shared::ids::Id;
use unicode_segmentation::UnicodeSegmentation;

/// Longest query, in characters.
const LONGEST: usize = 50;
/// Words after these add nothing but work.
const WORDS: usize = 6;
/// In more words than these no typo is looked for: the words themselves tell enough.
const MISTYPED: usize = 3;
/// So many trigrams tell whether a name is similar.
const GRAMS: usize = 20;

/// A query, ready for the store.
#[derive(Debug, PartialEq, Eq)]
pub struct Query {
    /// As a display name: trimmed.
    pub text: String,
    /// As the start of a handle: lower case, without `@`.
    pub handle: String,
    /// FTS5: every word as a prefix. Empty where there is no word.
    pub prefixes: String,
    /// JSON array of `[word number, key]`: words with at most one letter left out.
    pub keys: String,
    /// How many words have keys and must all be found; 0 where no typo is looked for.
    pub words: i64,
    /// FTS5 trigram: the whole as a part of a name. Empty where it is shorter than three letters.
    pub part: String,
    /// JSON array of the trigrams as FTS5 phrases.
    pub grams: String,
    /// How many of them a similar name shares.
    pub enough: i64,
}

impl Query {
    /// 422 unless it is 1 to 50 characters.
    pub fn parse(q: Option<&str>) -> Result<Self, ApiError> {
        let text = q.unwrap_or("").trim().to_owned();
        let too_long = text.len() > LONGEST * 40 || text.graphemes(true).count() > LONGEST;
        if text.is_empty() || too_long || text.chars().any(char::is_control) {
            return Err(ApiError::invalid("q", "must be 1 to 50 characters"));
        }
        let handle =
            text.strip_prefix('@').filter(|rest| !rest.is_empty()).unwrap_or(&text).to_ascii_lowercase();
        let lower = handle.to_lowercase();
        let words: Vec<&str> = lower
            .split(|c: char| c.is_whitespace() || c == '_')
            .filter(|word| word.chars().any(char::is_alphanumeric))
            .take(WORDS)
            .collect();
        let prefixes: Vec<String> = words.iter().map(|word| format!("{}*", phrase(word))).collect();
        let mistyped = words.len() <= MISTYPED && words.iter().all(|word| word.chars().count() >= 3);
        let keys: Vec<(usize, String)> = words
            .iter()
            .enumerate()
            .flat_map(|(number, word)| keys_of(word).into_iter().map(move |key| (number, key)))
            .collect();
        let letters: Vec<char> = lower.chars().collect();
        let mut grams: Vec<String> =
            letters.windows(3).take(GRAMS).map(|gram| phrase(&gram.iter().collect::<String>())).collect();
        grams.sort_unstable();
        grams.dedup();
        Ok(Self {
            prefixes: prefixes.join(" AND "),
            keys: serde_json::json!(keys).to_string(),
            words: if mistyped { i64::try_from(words.len()).unwrap_or(0) } else { 0 },
            part: if letters.len() >= 3 { phrase(&lower) } else { String::new() },
            // Two names are similar that share half of their trigrams, and no fewer than two.
            enough: i64::try_from(grams.len().div_ceil(2).max(2)).unwrap_or(i64::MAX),
            grams: serde_json::json!(grams).to_string(),
            handle,
            text,
        })
    }
}

/// A phrase of FTS5, in which nothing is an operator.
fn phrase(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// The keys of a word, as `search_keys` holds them. SQLite lowers ASCII alone, so a name of another
/// script is there as it was written, which is mostly with a capital.
fn keys_of(word: &str) -> Vec<String> {
    let mut keys = keys_as_written(word);
    if !word.is_ascii() {
        let mut letters = word.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        keys.extend(keys_as_written(&format!("{}{}", first.to_ascii_lowercase(), letters.as_str())));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The word, and the word with each letter left out; and those of its first five letters where it
/// may be the start of a longer one.
fn keys_as_written(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let without = |letters: &[char], left_out: usize| -> String {
        letters.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, letter)| *letter).collect()
    };
    let mut keys: Vec<String> = (0..=letters.len()).map(|at| without(&letters, at)).collect();
    if (6..=7).contains(&letters.len()) {
        keys.extend((0..=5).map(|at| without(&letters[..5], at)));
    }
    keys
}

/// Whether a cursor holds what pages of the search are sorted by: how somebody was found, the length of
/// their handle, their id.
pub fn is_sort_key(key: &str) -> bool {
    key.split_at_checked(3).is_some_and(|(number, id)| {
        number.bytes().all(|byte| byte.is_ascii_digit()) && Id::parse(id).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_text() {
        let query = Query::parse(Some("alice* OR NEAR(bob) \"x")).unwrap();
        assert_eq!(query.prefixes, r#""alice*"* AND "or"* AND "near(bob)"* AND """x"*"#);
    }

    #[test]
    fn a_query_is_1_to_50_characters() {
        assert!(Query::parse(None).is_err() && Query::parse(Some("  ")).is_err());
        assert!(Query::parse(Some(&"ä".repeat(50))).is_ok());
        assert!(Query::parse(Some(&"ä".repeat(51))).is_err());
        assert!(Query::parse(Some("a\u{0}b")).is_err());
    }

    #[test]
    fn words_one_typo_apart_share_a_key() {
        let share = |one: &str, other: &str| keys_of(one).iter().any(|key| keys_of(other).contains(key));
        for typo in ["alcie", "alise", "alic", "aliice", "lice", "alice"] {
            assert!(share("alice", typo), "{typo}");
        }
        assert!(!share("alice", "carla"));
    }

    #[test]
    fn a_cursor_of_another_route_is_no_sort_key() {
        assert!(is_sort_key("10501a2007f-3a31-756e-908b-32e0ca11de39"));
        for other in
            ["", "1", "105", "42", "x05", "01a2007f-3a31-756e-908b-32e0ca11de39", "2026-11-21|7", "1é5"]
        {
            assert!(!is_sort_key(other), "{other}");
        }
    }

    #[test]
    fn what_has_no_letters_searches_nothing() {
        let query = Query::parse(Some("\"")).unwrap();
        assert_eq!((query.prefixes.as_str(), query.words, query.part.as_str()), ("", 0, ""));
    }
}
