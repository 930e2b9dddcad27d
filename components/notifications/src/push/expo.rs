//! Expo's push service. Its answer is a ticket; receipts, which Expo has a while later, are not asked for.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use shared::app::App;
use shared::clients::send_bounded;

use super::answers::Verdict;
use super::message::Message;
use super::{ANSWER, PATIENCE};
use crate::model::TIME_TO_LIVE;
use crate::store::Endpoint;

#[derive(Deserialize)]
struct Answer {
    data: Ticket,
}

#[derive(Deserialize)]
struct Ticket {
    status: String,
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    error: Option<String>,
}

/// Sends it to a token.
pub async fn send(app: &App, endpoint: &Endpoint, message: &Message) -> Verdict {
    let body = json!({
        "to": endpoint.address,
        "title": message.title,
        "body": message.body,
        "data": { "notification": message.notification, "url": message.url },
        "ttl": TIME_TO_LIVE.as_secs(),
        "priority": if message.is_urgent() { "high" } else { "default" },
    });
    let request = Request::post(app.config.get("expo_push_url"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .body(Bytes::from(body.to_string()));
    let Ok(request) = request else { return Verdict::later("expo_push_url is no URL") };
    match send_bounded(app, request, PATIENCE, ANSWER).await {
        Ok(answer) => verdict(answer.status(), answer.headers(), answer.body()),
        Err(error) => Verdict::later(format!("{error:#}")),
    }
}

fn verdict(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
    match Verdict::of(status, headers) {
        Verdict::Delivered => {}
        // It is the address of the service that is not there, not the device.
        Verdict::Gone => return Verdict::later(format!("status {status}")),
        other => return other,
    }
    let Ok(Answer { data }) = serde_json::from_slice(body) else {
        return Verdict::later("no ticket");
    };
    let error = data.details.and_then(|details| details.error).unwrap_or_default();
    match (data.status.as_str(), error.as_str()) {
        ("ok", _) => Verdict::Delivered,
        (_, "DeviceNotRegistered") => Verdict::Gone,
        (_, "MessageTooBig") => Verdict::Dropped(error),
        _ => Verdict::later(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_says_what_became_of_it() {
        let of = |body: &str| verdict(StatusCode::OK, &HeaderMap::new(), body.as_bytes());
        let error = |word: &str| {
            format!(r#"{{"data":{{"status":"error","message":"no","details":{{"error":"{word}"}}}}}}"#)
        };
        assert_eq!(of(r#"{"data":{"status":"ok","id":"1"}}"#), Verdict::Delivered);
        assert_eq!(of(&error("DeviceNotRegistered")), Verdict::Gone);
        assert!(matches!(of(&error("MessageTooBig")), Verdict::Dropped(_)));
        for later in [error("MessageRateExceeded").as_str(), "<html>", "{}", r#"{"data":{"status":"error"}}"#]
        {
            assert!(matches!(of(later), Verdict::Later { .. }), "{later}");
        }
        let missing = verdict(StatusCode::NOT_FOUND, &HeaderMap::new(), b"");
        assert!(matches!(missing, Verdict::Later { .. }), "{missing:?}");
    }
}
