//! Links to media. Inside, a media is kept as a template of what is answered, with the place of each file in it; a link is made when
//! an answer leaves, by who has found that the caller may see it. So a link is short-lived, and nothing that is stored ages.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::clock::{Clock, Instant};
use crate::db::PageOut;
use crate::objects::{LINK_TIME, since_step, step_of};

/// How long a link to a stream holds from the beginning of its step: what is in it ends with it, and the longest video there may be
/// takes an hour.
const STREAM_TIME: Duration = Duration::from_secs(2 * 3_600);

/// What stands before the `@` of a template: the end of the name of a member that holds a link, and the quote that opens its value, as
/// in `"url":"@<object>"`, `"posterUrl":"@<object>"`, `"hlsUrl":"@<key>"`. No text of people has it, since inside a JSON string every
/// quote is escaped.
const MARK: &str = "rl\":\"";

/// How long a link is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// As long as the media; where there is a `cdn_url` it leads there, and such links have no end.
    WithMedia,
    /// As long as something that shows the media and ends before it does, a scoop: the store answers, which knows an end.
    Until,
}

/// Puts links where `json` has templates of media.
pub fn fill(app: &App, json: String) -> String {
    fill_for(app, json, Lasts::WithMedia, LINK_TIME, STREAM_TIME)
}

/// [`fill`], with links that end with what shows them: at `end`, by the clock of the application.
pub fn fill_until(app: &App, json: String, end: Instant) -> String {
    let left = u64::try_from(end.millis().saturating_sub(app.now().millis())).unwrap_or(0);
    // Up to a whole step of it is gone where a link was signed as of its beginning.
    let left = Duration::from_millis(left) + since_step();
    fill_for(app, json, Lasts::Until, left.min(LINK_TIME), left.min(STREAM_TIME))
}

/// Where a client reads `object`, for `time`; `None` without a store.
pub fn link(app: &App, object: &str, lasts: Lasts, time: Duration) -> Option<String> {
    let objects = app.objects()?;
    Some(match lasts {
        Lasts::WithMedia => objects.link(object, time),
        Lasts::Until => objects.passing_link(object, time),
    })
}

fn fill_for(app: &App, json: String, lasts: Lasts, time: Duration, stream_time: Duration) -> String {
    let Some(first) = find(&json) else {
        return json;
    };
    let mut filled = String::with_capacity(json.len() + 1_024);
    let (mut rest, mut next) = (json.as_str(), Some(first));
    while let Some(at) = next {
        let (before, place) = rest.split_at(at);
        // Without the quote that opens the value: a link that cannot be made is null.
        let before = &before[..at - 1];
        let (place, after) = place[1..].split_once('"').unwrap_or((&place[1..], ""));
        filled.push_str(before);
        let link = match before.ends_with("\"hlsUrl\":") {
            true => Some(stream_link(app, place, lasts, stream_time)),
            false => link(app, place, lasts, time),
        };
        match link {
            Some(link) => filled.extend(["\"", link.as_str(), "\""]),
            None => filled.push_str("null"),
        }
        rest = after;
        next = find(rest);
    }
    filled.push_str(rest);
    filled
}

/// [`fill`] for a page.
pub fn fill_page(app: &App, page: PageOut) -> PageOut {
    PageOut { items: fill(app, page.items), ..page }
}

/// Where the `@` of the first template is. By that one character, which is rare: most pages have none, and all are looked through.
fn find(json: &str) -> Option<usize> {
    json.match_indices('@').map(|(at, _)| at).find(|at| json[..*at].ends_with(MARK))
}

/// The path of the playlist `name` of a media, with what shows that its bearer may read it.
pub fn playlist(app: &App, key: &str, name: &str, lasts: Lasts, until: i64) -> String {
    format!("{name}?until={until}&sig={}", signature(app, key, lasts, until))
}

/// Where the stream of the media `key` begins.
fn stream_link(app: &App, key: &str, lasts: Lasts, time: Duration) -> String {
    let until = step_of(Clock::default().now().seconds()) + time.as_secs().cast_signed();
    format!("{}/media/{key}/hls/{}", app.config.public_url(), playlist(app, key, "master.m3u8", lasts, until))
}

/// How long the link to the stream of `key` lasts whose signature is `given`; `None` where it is none, or has ended.
pub fn lasts(app: &App, key: &str, until: i64, given: &str, now: Instant) -> Option<Lasts> {
    let of = |lasts: Lasts| bool::from(signature(app, key, lasts, until).as_bytes().ct_eq(given.as_bytes()));
    [Lasts::WithMedia, Lasts::Until].into_iter().find(|one| of(*one)).filter(|_| now.seconds() < until)
}

fn signature(app: &App, key: &str, lasts: Lasts, until: i64) -> String {
    let what = match lasts {
        Lasts::WithMedia => "stream",
        Lasts::Until => "passing stream",
    };
    let said = format!("{what}\n{key}\n{until}");
    let mac = hmac_sha256::HMAC::mac(said.as_bytes(), app.config.get("internal_token").as_bytes());
    URL_SAFE_NO_PAD.encode(&mac[..18])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{App, Ctx, Relay, Service};
    use crate::platform::Platform;

    static BARE: Service = Service {
        name: "bare",
        migrations: &[],
        routes: crate::routes::Routes::new,
        relay: Relay::AfterAnswer,
        tick: None,
        keys: None,
        identify: None,
        rebuild: None,
    };

    async fn app(endpoint: &str) -> Ctx {
        let mut platform = Platform::default();
        for (name, value) in [
            ("s3_endpoint", endpoint),
            ("s3_bucket", "b"),
            ("cdn_url", "https://cdn.example.com"),
            ("internal_token", "t"),
        ] {
            platform.variables.insert(name.to_owned(), value.to_owned());
        }
        App::start(&BARE, platform).await.unwrap()
    }

    #[tokio::test]
    async fn templates_become_links_and_the_rest_stays() {
        let app = app("http://127.0.0.1:9000").await;
        let template =
            r#"[{"url":"@o/k/1/video.mp4","hlsUrl":"@k","posterUrl":"@o/k/1/poster.jpg","alt":"@nobody"}]"#;
        let filled = fill(&app, template.to_owned());
        let json: serde_json::Value = serde_json::from_str(&filled).unwrap();
        assert_eq!(json[0]["url"], "https://cdn.example.com/o/k/1/video.mp4");
        assert_eq!(json[0]["posterUrl"], "https://cdn.example.com/o/k/1/poster.jpg");
        assert_eq!(json[0]["alt"], "@nobody");
        let stream = json[0]["hlsUrl"].as_str().unwrap();
        assert!(stream.starts_with("http://127.0.0.1:3000/media/k/hls/master.m3u8?until="), "{stream}");
        for plain in ["", "{}", r#"{"url":null,"avatarUrl":"https://x/@a"}"#] {
            assert_eq!(fill(&app, plain.to_owned()), plain);
        }
    }

    #[tokio::test]
    async fn what_people_write_never_becomes_a_link() {
        let app = app("http://127.0.0.1:9000").await;
        for text in ["\"url\":\"@o/k/original\"", "rl\":\"@o", "@o/k/original", "\\\"url\\\":\\\"@o\\\""] {
            let json = serde_json::json!({ "text": text, "alt": text, "u": [text] }).to_string();
            assert_eq!(fill(&app, json.clone()), json);
        }
    }

    #[tokio::test]
    async fn without_a_store_there_is_no_link() {
        let app = app("").await;
        assert_eq!(fill(&app, r#"{"url":"@a","width":1}"#.to_owned()), r#"{"url":null,"width":1}"#);
    }

    #[tokio::test]
    async fn links_end_with_what_shows_them() {
        let app = app("").await;
        let end = app.now().plus(Duration::from_secs(90));
        let filled = fill_until(&app, r#"{"hlsUrl":"@k"}"#.to_owned(), end);
        let until = filled.split("until=").nth(1).unwrap().split('&').next().unwrap().parse::<i64>().unwrap();
        assert!((end.seconds() - 2..=end.seconds()).contains(&until), "{filled}");
        let long =
            fill_until(&app, r#"{"hlsUrl":"@k"}"#.to_owned(), app.now().plus(Duration::from_secs(86_400)));
        let of = |text: &str| text.split("until=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        assert_eq!(of(&long), of(&fill(&app, r#"{"hlsUrl":"@k"}"#.to_owned())));
    }

    #[tokio::test]
    async fn what_ends_is_read_from_the_store_also_where_there_is_a_cdn() {
        let app = app("http://127.0.0.1:9000").await;
        let end = app.now().plus(Duration::from_secs(90));
        let filled = fill_until(&app, r#"{"url":"@o/k"}"#.to_owned(), end);
        assert!(filled.starts_with(r#"{"url":"http://127.0.0.1:9000/b/o/k?X-Amz-"#), "{filled}");
    }

    #[tokio::test]
    async fn a_link_to_a_stream_holds_for_its_own_and_its_time() {
        let app = app("").await;
        let now = Clock::default().now();
        let until = now.seconds() + 60;
        for kind in [Lasts::WithMedia, Lasts::Until] {
            let given = signature(&app, "k", kind, until);
            assert_eq!(lasts(&app, "k", until, &given, now), Some(kind));
            assert_eq!(lasts(&app, "other", until, &given, now), None);
            assert_eq!(lasts(&app, "k", until + 1, &given, now), None);
            assert_eq!(lasts(&app, "k", until, "", now), None);
            assert_eq!(lasts(&app, "k", until, &given, now.plus(Duration::from_secs(61))), None);
        }
    }
}
