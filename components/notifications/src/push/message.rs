//! What a push says.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::store::Told;

/// What push services take is 4 KiB; this leaves room for what they add.
const LARGEST: usize = 3_500;

/// A push.
#[derive(Debug, Serialize)]
pub struct Message {
    /// `Notification` of the contract.
    pub notification: Map<String, Value>,
    /// A few words.
    pub title: String,
    /// A sentence.
    pub body: String,
    /// Where it leads.
    pub url: String,
}

impl Message {
    /// What `told` says, with links below `base`.
    pub fn new(base: &str, told: &Told) -> Self {
        let notification = told.notification.clone();
        let (title, body) = words(told);
        let mut message = Self { notification, title: title.to_owned(), body, url: url(base, told) };
        message.shorten();
        message
    }

    /// The id of its notification: a later push of the same one takes its place.
    pub fn id(&self) -> &str {
        self.notification["id"].as_str().unwrap_or_default()
    }

    /// Whether it may wait for a device that saves its battery.
    pub fn is_urgent(&self) -> bool {
        matches!(self.notification["type"].as_str(), Some("comment" | "mention" | "follow_request"))
    }

    /// As it is sent.
    pub fn json(&self) -> String {
        json!(self).to_string()
    }

    /// Takes away what a push can do without, until it fits: what people say of themselves, then all but the newest of them.
    fn shorten(&mut self) {
        if self.json().len() > LARGEST {
            self.actors().iter_mut().for_each(|actor| actor["bio"] = Value::Null);
        }
        if self.json().len() > LARGEST {
            self.notification["actors"] = self.actors().iter().take(1).cloned().collect();
        }
        if self.json().len() > LARGEST {
            self.actors().iter_mut().for_each(|actor| actor["avatarUrl"] = Value::Null);
        }
    }

    fn actors(&mut self) -> &mut [Value] {
        let actors = self.notification.get_mut("actors").and_then(Value::as_array_mut);
        actors.map(Vec::as_mut_slice).unwrap_or_default()
    }
}

/// Title and sentence. Clients that speak another language make their own of `notification`.
fn words(told: &Told) -> (&'static str, String) {
    let who = who(told);
    let is_mine = told.is_host == 1;
    let target = told.notification["target"]["type"].as_str().unwrap_or_default();
    match told.kind() {
        "report_resolved" if target == "appeal" => ("Appeal", "Your appeal was decided on.".to_owned()),
        "follow" => ("New follower", format!("{who} started following you.")),
        "follow_request" => ("Follow request", format!("{who} asked to follow you.")),
        "reaction" => ("New reaction", format!("{who} reacted to your post.")),
        "comment" if is_mine => ("New comment", format!("{who} commented on your post.")),
        "comment" => ("New answer", format!("{who} answered your comment.")),
        "mention" => ("New mention", format!("{who} mentioned you in a {target}.")),
        "scoop_view" => ("Scoop", format!("{who} looked at your scoop.")),
        "badge" => ("New badge", earned(told)),
        "media_ready" => ("Video ready", "Your video is ready.".to_owned()),
        "media_failed" => ("Video failed", "Your video could not be processed.".to_owned()),
        // To who made it and to whom it is about alike: a locked screen says no more.
        _ => ("Report", "A report that concerns you was decided on.".to_owned()),
    }
}

/// A badge by its name, where that is known.
fn earned(told: &Told) -> String {
    match &told.badge {
        Some(name) => format!("You earned the badge “{name}”."),
        None => "You earned a badge.".to_owned(),
    }
}

/// "Alice", "Alice and Bob", "Alice and 4 others".
fn who(told: &Told) -> String {
    let actors = told.notification["actors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let name = |actor: &Value| {
        let name = actor["displayName"].as_str().or_else(|| actor["handle"].as_str());
        name.unwrap_or("Somebody").to_owned()
    };
    match (actors, told.notification["actorCount"].as_u64().unwrap_or_default()) {
        ([], _) => "Somebody".to_owned(),
        ([one, ..], 0 | 1) => name(one),
        ([one, other, ..], 2) => format!("{} and {}", name(one), name(other)),
        ([one, ..], count) => {
            let others = if count == 2 { "other" } else { "others" };
            format!("{} and {} {others}", name(one), count - 1)
        }
    }
}

fn url(base: &str, told: &Told) -> String {
    let target = &told.notification["target"];
    let id = target["id"].as_str().unwrap_or_default();
    let path = match (told.kind(), target["type"].as_str(), &told.post) {
        ("follow_request", ..) => "/follow-requests".to_owned(),
        (_, Some("comment"), Some(post)) => format!("/posts/{post}#comment-{id}"),
        (_, Some("post"), _) => format!("/posts/{id}"),
        (_, Some("scoop"), _) => format!("/scoops/{id}"),
        (_, Some("media"), _) => format!("/media/{id}"),
        ("follow", ..) => match told.notification["actors"][0]["handle"].as_str() {
            Some(handle) => format!("/u/{handle}"),
            None => "/notifications".to_owned(),
        },
        _ => "/notifications".to_owned(),
    };
    format!("{base}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, names: &[&str], count: u64, target: Value) -> Told {
        let actor = |name: &&str| {
            json!({ "id": "x", "handle": name.to_lowercase(), "displayName": name, "bio": "b".repeat(300),
            "avatarUrl": null })
        };
        let actors: Vec<Value> = names.iter().map(actor).collect();
        let notification =
            json!({ "id": "n", "type": kind, "actors": actors, "actorCount": count, "target": target });
        Told {
            is_host: 1,
            post: Some("p".to_owned()),
            badge: None,
            notification: notification.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn a_push_says_who_did_what_and_where() {
        let post = json!({ "type": "post", "id": "p" });
        for (told, body, url) in [
            (told("reaction", &["Alice"], 1, post.clone()), "Alice reacted to your post.", "/posts/p"),
            (
                told("comment", &["Alice", "Bob"], 2, post.clone()),
                "Alice and Bob commented on your post.",
                "/posts/p",
            ),
            // One of them is somebody the reader does not see.
            (
                told("comment", &["Alice"], 2, post.clone()),
                "Alice and 1 other commented on your post.",
                "/posts/p",
            ),
            (
                told("reaction", &["Alice", "Bob", "C"], 9, post),
                "Alice and 8 others reacted to your post.",
                "/posts/p",
            ),
            (told("follow", &["Alice"], 1, Value::Null), "Alice started following you.", "/u/alice"),
            (
                told("follow_request", &["Alice"], 1, Value::Null),
                "Alice asked to follow you.",
                "/follow-requests",
            ),
            (
                told("mention", &["Alice"], 1, json!({ "type": "comment", "id": "c" })),
                "Alice mentioned you in a comment.",
                "/posts/p#comment-c",
            ),
            (
                told("media_ready", &[], 0, json!({ "type": "media", "id": "m" })),
                "Your video is ready.",
                "/media/m",
            ),
        ] {
            let message = Message::new("https://x.example", &told);
            assert_eq!(
                (message.body.as_str(), message.url.as_str()),
                (body, format!("https://x.example{url}").as_str())
            );
        }
    }

    #[test]
    fn an_answer_is_no_comment_on_ones_own_post() {
        let mut told = told("comment", &["Alice"], 1, json!({ "type": "post", "id": "p" }));
        told.is_host = 0;
        assert_eq!(Message::new("", &told).body, "Alice answered your comment.");
    }

    #[test]
    fn a_badge_is_named_where_its_name_is_known() {
        let mut told = told("badge", &[], 0, json!({ "type": "badge", "id": "streak_7" }));
        assert_eq!(Message::new("", &told).body, "You earned a badge.");
        told.badge = Some("A week of it".to_owned());
        let message = Message::new("", &told);
        assert_eq!(
            (message.title.as_str(), message.body.as_str()),
            ("New badge", "You earned the badge “A week of it”.")
        );
    }

    #[test]
    fn a_push_fits_whatever_people_say_of_themselves() {
        let long = "🛴".repeat(50);
        let mut told = told("reaction", &[&long, &long, &long], 3, Value::Null);
        for actor in told.notification["actors"].as_array_mut().unwrap() {
            actor["bio"] = json!("🛴".repeat(300));
        }
        let message = Message::new("https://x.example", &told);
        assert!(message.json().len() <= LARGEST);
        let actors = message.notification["actors"].as_array().unwrap();
        assert!(actors.len() == 3 && actors.iter().all(|actor| actor["bio"].is_null()), "{actors:?}");
        for actor in told.notification["actors"].as_array_mut().unwrap() {
            actor["avatarUrl"] = json!(format!("https://x.example/{}", "a".repeat(1200)));
        }
        let message = Message::new("https://x.example", &told);
        assert!(message.json().len() <= LARGEST);
        assert_eq!(message.notification["actors"].as_array().unwrap().len(), 1);
    }
}
