//! The rules of posts: what a text may be and what it names.

use serde::{Deserialize, Serialize};
use shared::error::{ApiResult, Check};
use shared::ids::Id;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;
use utoipa::ToSchema;

/// Graphemes of a post or a comment.
const MAX_TEXT: usize = 500;
/// What a URL counts, however long.
const URL_COUNTS: usize = 23;
/// Media of a post.
const MAX_MEDIA: usize = 4;
/// Graphemes of an alternative text.
const MAX_ALT: usize = 1_500;
/// Replies below one another, the comment on the post included.
pub const MAX_DEPTH: i64 = 50;

/// Who may see a post, besides the privacy of its author.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Whoever sees the author's content.
    #[default]
    Public,
    /// Only who follows the author.
    Followers,
}

impl Visibility {
    /// As on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Followers => "followers",
        }
    }
}

/// The six ways to react.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReactionType {
    /// A thumb.
    Like,
    /// A heart.
    Love,
    /// Laughing.
    Laugh,
    /// Astonished.
    Wow,
    /// Sad.
    Sad,
    /// Fire.
    Fire,
}

impl ReactionType {
    /// As on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::Love => "love",
            Self::Laugh => "laugh",
            Self::Wow => "wow",
            Self::Sad => "sad",
            Self::Fire => "fire",
        }
    }
}

/// A media in a body.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MediaIn {
    /// Of an upload.
    pub key: String,
    /// What it shows, for who does not see it: at most 1,500 graphemes.
    pub alt: Option<String>,
}

/// A media of a post about to be made, as `media` told of it.
#[derive(Debug, Serialize)]
pub struct Attached {
    /// Names it.
    pub key: Id,
    /// What it shows.
    pub alt: Option<String>,
    /// Whether it is ready.
    pub status: String,
    /// The template of what is answered.
    pub media: serde_json::Value,
}

/// 422 for more media than a post shows, one of them twice, or a long alternative text.
pub fn check_media(media: &[MediaIn]) -> ApiResult<()> {
    let mut check = Check::default();
    check.field(media.len() <= MAX_MEDIA, "media", "at most 4");
    for (index, one) in media.iter().enumerate() {
        let length = one.alt.as_deref().map_or(0, |alt| alt.graphemes(true).count());
        check.field(length <= MAX_ALT, &format!("media[{index}].alt"), "at most 1500 characters");
        let is_first = media[..index].iter().all(|other| other.key != one.key);
        check.field(is_first, &format!("media[{index}].key"), "is there twice");
    }
    check.finish()
}

/// A text that may be posted, and what it names.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    /// Without space around it.
    pub text: String,
    /// Lower case, each once, in order.
    pub hashtags: Vec<String>,
    /// Handles after `@`, lower case, each once, in order.
    pub handles: Vec<String>,
}

impl Text {
    /// Checks the text of a post or comment: 422 where it is empty, too long, or has control
    /// characters.
    pub fn parse(text: &str) -> ApiResult<Self> {
        Self::parse_beside(text, false)
    }

    /// [`Text::parse`] of a text that may be empty where there is something else (`beside`).
    pub fn parse_beside(text: &str, beside: bool) -> ApiResult<Self> {
        let text = text.replace("\r\n", "\n").trim().to_owned();
        let words = words(&text);
        let printable = text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control());
        Check::default()
            .field(beside || text.chars().any(is_seen), "text", "must not be empty")
            .field(length(&text, &words) <= MAX_TEXT, "text", "at most 500 characters")
            .field(printable, "text", "must not have control characters")
            .finish()?;
        let named = |mark| {
            let names = words.iter().filter(|word| word.mark == mark).map(|word| word.name(&text));
            let mut each_once: Vec<String> = Vec::new();
            for name in names {
                if !each_once.contains(&name) {
                    each_once.push(name);
                }
            }
            each_once
        };
        let (hashtags, handles) = (named(Mark::Hashtag), named(Mark::Mention));
        Ok(Self { text, hashtags, handles })
    }
}

/// The form hashtags are stored in and asked for by.
pub fn fold_tag(tag: &str) -> String {
    tag.nfc().collect::<String>().to_lowercase().nfc().collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Url,
    Hashtag,
    Mention,
}

/// A stretch of a text that means something, by byte.
#[derive(Debug)]
struct Word {
    mark: Mark,
    start: usize,
    end: usize,
}

impl Word {
    fn name(&self, text: &str) -> String {
        let name = text.get(self.start + 1..self.end).unwrap_or_default();
        match self.mark {
            Mark::Hashtag => fold_tag(name),
            Mark::Url | Mark::Mention => name.to_ascii_lowercase(),
        }
    }
}

/// Graphemes, a URL counting the same however long.
fn length(text: &str, words: &[Word]) -> usize {
    let mut count = 0;
    let mut at = 0;
    for url in words.iter().filter(|word| word.mark == Mark::Url) {
        count += text.get(at..url.start).unwrap_or_default().graphemes(true).count() + URL_COUNTS;
        at = url.end;
    }
    count + text.get(at..).unwrap_or_default().graphemes(true).count()
}

/// The URLs, hashtags and mentions of a text. Each starts where no word goes on before it, so that
/// `bob@example.com` mentions nobody and what stands in a URL means nothing.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        let tail = text.get(start..).unwrap_or_default();
        let is_free = !before.is_some_and(|c: char| is_tag_char(c) || matches!(c, '@' | '#' | '&' | '/'));
        before = Some(c);
        let found = match c {
            _ if !is_free => None,
            '#' | '＃' => hashtag_end(tail).map(|end| (Mark::Hashtag, end)),
            '@' => mention_end(tail).map(|end| (Mark::Mention, end)),
            'h' | 'H' => url_end(tail).map(|end| (Mark::Url, end)),
            _ => None,
        };
        if let Some((mark, length)) = found {
            words.push(Word { mark, start, end: start + length });
            while let Some((_, inside)) = rest.next_if(|(at, _)| *at < start + length) {
                before = Some(inside);
            }
        }
    }
    words
}

/// Whether anything of it shows: a text of nothing but spaces of no width is empty to who reads it.
fn is_seen(c: char) -> bool {
    let has_no_width = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    !c.is_whitespace() && !has_no_width
}

/// Letters and digits of every script, `_`, and the marks and joiners without which words of some
/// scripts fall apart; but not the marks that make a symbol of a character, or of it another one.
fn is_tag_char(c: char) -> bool {
    let of_symbols = matches!(c, '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}');
    c.is_alphanumeric() || matches!(c, '_' | '\u{200c}' | '\u{200d}') || (is_combining_mark(c) && !of_symbols)
}

/// A tag needs a character that is no digit: `#1` is a number.
fn hashtag_end(tail: &str) -> Option<usize> {
    let mark = tail.chars().next()?.len_utf8();
    let tag = tail.get(mark..)?;
    let length = tag.find(|c| !is_tag_char(c)).unwrap_or(tag.len());
    let is_word = tag.get(..length)?.chars().any(|c| c.is_alphabetic());
    is_word.then_some(mark + length)
}

/// What may be a handle: 3 to 20 of a-z 0-9 _, a letter first. Scripts that put no space between words
/// may go on right after it; a word of Latin letters with accents may not, and `@bob@example.com` is
/// somebody elsewhere.
fn mention_end(tail: &str) -> Option<usize> {
    let handle = tail.get(1..)?;
    let length = handle.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(handle.len());
    let next = handle.get(length..)?.chars().next();
    let goes_on = matches!(next, Some('@' | '\u{c0}'..='\u{24f}' | '\u{300}'..='\u{36f}'));
    (is_handle(handle.get(..length)?) && !goes_on).then_some(1 + length)
}

/// Whether the text may be a handle, in any case.
pub fn is_handle(text: &str) -> bool {
    (3..=20).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A URL ends at white space; the punctuation of the sentence around it is not its own.
fn url_end(tail: &str) -> Option<usize> {
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| tail.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let end = tail.find(char::is_whitespace).unwrap_or(tail.len());
    let url = tail.get(..end)?.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'', '"', '»']);
    (url.len() > scheme.len()).then_some(url.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Text {
        Text::parse(text).unwrap()
    }

    #[test]
    fn a_text_is_trimmed_and_counted_in_graphemes() {
        assert_eq!(parse("  hi \n").text, "hi");
        let family = "👨‍👩‍👧‍👦";
        assert!(Text::parse(&family.repeat(500)).is_ok());
        assert!(Text::parse(&family.repeat(501)).is_err());
        for empty in ["", "  \n\t ", "\u{a0}\u{3000}", "\u{200b}", "\u{feff} \u{2060}"] {
            assert_eq!(Text::parse(empty).unwrap_err().fields[0].field, "text");
        }
    }

    #[test]
    fn a_url_counts_23_however_long() {
        let url = format!("https://example.com/{}", "x".repeat(2_000));
        assert!(Text::parse(&format!("{} {url}", "a".repeat(476))).is_ok());
        assert!(Text::parse(&format!("{} {url}", "a".repeat(477))).is_err());
        assert!(Text::parse(&format!("http://{}", "x".repeat(600))).is_ok());
        assert!(Text::parse(&"x".repeat(501)).is_err());
    }

    #[test]
    fn control_characters_are_refused_but_line_ends_are_not() {
        assert!(Text::parse("a\nb\r\nc").is_ok());
        for bad in ["a\0b", "a\u{1b}[31m", "a\u{7f}"] {
            assert!(Text::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn hashtags_are_letters_of_any_script_lower_case_each_once() {
        let text = parse("#Rust and #rust_2026, #été #ÉTÉ #日本語 (#छुट्टी)! #1 a#b &#x ##c #");
        assert_eq!(text.hashtags, ["rust", "rust_2026", "été", "日本語", "छुट्टी"]);
        assert_eq!(parse("#cafe\u{301}").hashtags, [fold_tag("CAFÉ")]);
        let marked = ["ที่นี่", "ខ្មែរ", "မြန်မာ", "שָׁלוֹם", "مرحبًا", "が"];
        let text = marked.map(|tag| format!("#{tag}")).join(" ");
        assert_eq!(parse(&text).hashtags, marked.map(fold_tag));
        assert_eq!(parse("#か\u{3099}").hashtags, ["が"]);
        assert_eq!(parse("❤\u{fe0f}#love #1\u{fe0f}\u{20e3}").hashtags, ["love"]);
    }

    #[test]
    fn mentions_are_handles_that_stand_free() {
        let text = parse(
            "@Alice, @bob_2! bob@example.com @al @9lives @carla @alice (@dora) @overlong_handle_of_21c",
        );
        assert_eq!(text.handles, ["alice", "bob_2", "carla", "dora"]);
        assert_eq!(parse("@aliceさん、@bob先生 @carla's").handles, ["alice", "bob", "carla"]);
        assert!(parse("@alice@example.com @bobé @bobe\u{301}").handles.is_empty());
    }

    #[test]
    fn what_stands_in_a_url_means_nothing() {
        let text = parse("https://example.com/@alice#tag @bob");
        assert_eq!((text.handles, text.hashtags.len()), (vec!["bob".to_owned()], 0));
    }

    #[test]
    fn a_post_shows_up_to_four_media_each_once() {
        let media = |json: &str| serde_json::from_str::<Vec<MediaIn>>(json).unwrap();
        assert!(check_media(&[]).is_ok());
        let four = r#"[{"key":"a"},{"key":"b","alt":"x"},{"key":"c"},{"key":"d"}]"#;
        assert!(check_media(&media(four)).is_ok());
        let five = four.replace(r#"[{"key":"a"}"#, r#"[{"key":"e"},{"key":"a"}"#);
        assert_eq!(check_media(&media(&five)).unwrap_err().fields[0].field, "media");
        let twice = r#"[{"key":"a"},{"key":"a"}]"#;
        assert_eq!(check_media(&media(twice)).unwrap_err().fields[0].field, "media[1].key");
        let alt = format!(r#"[{{"key":"a","alt":"{}"}}]"#, "x".repeat(1_501));
        assert_eq!(check_media(&media(&alt)).unwrap_err().fields[0].field, "media[0].alt");
    }
}
