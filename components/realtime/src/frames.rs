//! What goes over the wire: server-sent events (WHATWG HTML, 9.2).

use std::collections::HashMap;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Written first: how long a client waits before it comes back, and where it is now, so that it can resume before it has heard
/// anything.
pub fn opening(seq: i64) -> String {
    format!("retry: 2000\nid: {seq}\n\n")
}

/// [`opening`] for who asked to go on from where nobody can.
pub fn opening_anew(seq: i64) -> String {
    format!("retry: 2000\nid: {seq}\nevent: reset\ndata: {{}}\n\n")
}

/// What is written where nothing happens.
pub const HEARTBEAT: &str = ":\n\n";

/// A row of a log: person, number, kind, and what is told of it (null where it is not theirs to see any more); of a notification its
/// id.
#[derive(Clone, Deserialize)]
pub struct Row(pub i64, pub i64, pub String, pub Option<Box<RawValue>>);

impl Row {
    /// Whether `notifications` knows what is told of it.
    pub fn is_asked_for(&self) -> bool {
        matches!(self.2.as_str(), "notification" | "unread")
    }

    /// The id of the notification it names.
    pub fn notification(&self) -> Option<String> {
        let id = self.3.as_ref().filter(|_| self.2 == "notification")?;
        serde_json::from_str(id.get()).ok()
    }
}

/// What `notifications` says of a person.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// How many they have not read.
    pub unread_count: i64,
    /// What they are told, by id; what is gone is missing.
    pub notifications: HashMap<String, Box<RawValue>>,
}

/// One event of a person, ready to be written.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its number.
    pub seq: i64,
    /// How many are unread, where it tells that.
    pub unread: Option<i64>,
    /// As it goes over the wire.
    pub text: String,
}

/// The events of `rows`, which are one person's in order. What was withdrawn, or is not theirs to see any more, is left out; of several
/// that would tell the same now, the last is told.
pub fn frames(rows: &[Row], told: &Told) -> Vec<Frame> {
    let mut last: HashMap<String, i64> = HashMap::new();
    for row in rows.iter().filter(|row| row.is_asked_for()) {
        last.insert(row.notification().unwrap_or_default(), row.1);
    }
    let is_last = |row: &Row| {
        !row.is_asked_for()
            || last.get(&row.notification().unwrap_or_default()).is_none_or(|seq| *seq == row.1)
    };
    rows.iter().filter(|row| is_last(row)).filter_map(|row| frame(row, told)).collect()
}

fn frame(row: &Row, told: &Told) -> Option<Frame> {
    let Row(_, seq, kind, data) = row;
    let counted;
    let (data, unread) = match kind.as_str() {
        "nothing" => return None,
        "unread" => {
            counted = format!("{{\"unreadCount\":{}}}", told.unread_count);
            (counted.as_str(), Some(told.unread_count))
        }
        "notification" => (told.notifications.get(&row.notification()?)?.get(), None),
        _ => (data.as_ref()?.get(), None),
    };
    let mut text = String::with_capacity(data.len() + 64);
    // A String takes whatever is written.
    let _ = write!(text, "id: {seq}\nevent: {kind}\ndata: {data}\n\n");
    Some(Frame { seq: *seq, unread, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: i64, kind: &str, data: &str) -> Row {
        Row(1, seq, kind.to_owned(), serde_json::from_str(data).unwrap())
    }

    fn told() -> Told {
        serde_json::from_str(r#"{"unreadCount":3,"notifications":{"a":{"id":"a"},"b":{"id":"b"}}}"#).unwrap()
    }

    fn seqs(rows: &[Row]) -> Vec<i64> {
        frames(rows, &told()).iter().map(|frame| frame.seq).collect()
    }

    #[test]
    fn an_event_is_its_number_its_name_and_json_on_one_line() {
        let made = frames(
            &[
                row(7, "feed", r#"{"postId":"p","authorId":"a"}"#),
                row(8, "unread", "null"),
                row(9, "notification", r#""a""#),
            ],
            &told(),
        );
        let texts: Vec<&str> = made.iter().map(|frame| frame.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "id: 7\nevent: feed\ndata: {\"postId\":\"p\",\"authorId\":\"a\"}\n\n",
                "id: 8\nevent: unread\ndata: {\"unreadCount\":3}\n\n",
                "id: 9\nevent: notification\ndata: {\"id\":\"a\"}\n\n",
            ]
        );
        assert_eq!(made.iter().map(|frame| frame.unread).collect::<Vec<_>>(), [None, Some(3), None]);
    }

    #[test]
    fn what_tells_the_same_is_told_once_and_last() {
        let rows = [
            row(1, "notification", r#""a""#),
            row(2, "unread", "null"),
            row(3, "notification", r#""b""#),
            row(4, "unread", "null"),
            row(5, "notification", r#""a""#),
            row(6, "unread", "null"),
            row(7, "feed", "{}"),
            row(8, "feed", "{}"),
        ];
        assert_eq!(seqs(&rows), [3, 5, 6, 7, 8]);
    }

    #[test]
    fn what_is_gone_or_hidden_is_left_out() {
        let rows = [
            row(1, "notification", r#""c""#),
            row(2, "feed", "null"),
            row(3, "nothing", "null"),
            row(4, "media", "{}"),
        ];
        assert_eq!(seqs(&rows), [4]);
    }
}
