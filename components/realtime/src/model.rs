//! The rules: how many, how long, and what a client says it has.

use std::time::Duration;

/// Streams a person may have open, over all instances.
pub const MAX_STREAMS: i64 = 5;
/// How long a ticket is good.
pub const TICKET_LIVES: Duration = Duration::from_secs(60);
/// How long an event stays in the log. Its newest 1,000 stay by a trigger.
pub const LOG_LIVES: Duration = Duration::from_secs(24 * 3_600);
/// How long it is remembered that a session is over: longer than a token of it may live.
pub const SESSIONS_REMEMBERED: Duration = Duration::from_secs(24 * 3_600);
/// How long what an instance was told of its streams is kept: it looks many times a second.
pub const SIGNALS_LIVE: Duration = Duration::from_secs(600);

/// How often an instance looks for news.
pub const POLL: Duration = Duration::from_millis(50);
/// How often where nothing happened to its people for [`AWAKE`]: after a restart streams spread over many instances, and each looks.
pub const DOZE: Duration = Duration::from_millis(300);
/// See [`DOZE`].
pub const AWAKE: Duration = Duration::from_secs(10);
/// How long it leaves alone what failed.
pub const PAUSE: Duration = Duration::from_secs(1);
/// How long a stream is quiet until a comment is written: proxies close what is silent, and that a client left shows when one writes.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client may take to read what was written; it comes back for the rest.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long the streams of an instance that says nothing of them count as open, and how often it does.
pub const LEASE: Duration = Duration::from_secs(60);
/// See [`LEASE`].
pub const RENEWAL: Duration = Duration::from_secs(15);
/// How long who opens one stream too many waits for the news that another is nobody's any more: longer than [`DOZE`] and a write.
pub const ASKING: Duration = Duration::from_millis(500);

/// Events of a person that are read at once for who is behind.
pub const PAGE: i64 = 100;
/// Streams that are behind, looked after in one go.
pub const CATCHING_UP: usize = 50;
/// Events read at once of all that is new.
pub const BATCH: i64 = 500;

/// What a client says it has: the number of its last event. `None` where it says nothing; what is no number of ours names nothing.
pub fn last_event(header: Option<&str>, query: Option<&str>) -> Option<i64> {
    let said = header.or(query).map(str::trim).filter(|said| !said.is_empty())?;
    let is_number = said.bytes().all(|byte| byte.is_ascii_digit());
    Some(said.parse().ok().filter(|_| is_number).unwrap_or(-1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_has_is_a_number_or_names_nothing() {
        for (header, query, expected) in [
            (None, None, None),
            (Some("7"), None, Some(7)),
            (None, Some("7"), Some(7)),
            (Some("7"), Some("8"), Some(7)),
            (Some(" 7 "), None, Some(7)),
            (Some(""), None, None),
            (Some("+7"), None, Some(-1)),
            (Some("-7"), None, Some(-1)),
            (Some("seven"), None, Some(-1)),
            (Some("99999999999999999999"), None, Some(-1)),
        ] {
            assert_eq!(last_event(header, query), expected, "{header:?} {query:?}");
        }
    }
}
