//! The rules: where pushes may go, who wants which, when one that failed is tried again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::address::{Reach, reach};
use shared::db::Value;
use shared::error::{ApiError, ApiResult, Check};
use shared::page::{Page, invalid_cursor};
use shared::wire::NotificationPreferences;
use url::Url;
use utoipa::ToSchema;

use crate::push::seal::Receiver;

/// Ids in one `POST /notifications/read`.
pub const MAX_IDS: usize = 1000;
/// How long moves are kept, and with them the promise of a cursor.
pub const MOVES_LIVE: Duration = Duration::from_secs(24 * 3600);
/// How long it is kept when a push of something withdrawn was queued.
pub const WITHDRAWN_LIVES: Duration = Duration::from_secs(3600);
/// How long notifications are kept.
pub const NOTIFICATIONS_LIVE: Duration = Duration::from_secs(90 * 24 * 3600);
/// How long a push may wait for a place that fails.
pub const TRIED: Duration = Duration::from_secs(24 * 3600);
/// How long a push service keeps a message for a device that is away; and how long one waits here for anything.
pub const TIME_TO_LIVE: Duration = Duration::from_secs(48 * 3600);
/// How long a place may fail without a success before it is forgotten.
pub const FAILING: Duration = Duration::from_secs(14 * 24 * 3600);
/// The longest time between two tries.
const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);
/// Endpoints longer than this are none.
const LONGEST_ENDPOINT: usize = 2048;
/// Tokens longer than this are none.
const LONGEST_TOKEN: usize = 4096;

/// Who delivers a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PushProvider)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The push service of a browser.
    Webpush,
    /// Expo, for apps made with it.
    Expo,
    /// Firebase Cloud Messaging, for Android, and through APNs for iOS.
    Fcm,
}

impl Provider {
    /// As in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webpush => "webpush",
            Self::Expo => "expo",
            Self::Fcm => "fcm",
        }
    }
}

/// A place pushes go to.
#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    /// Who delivers there.
    pub provider: Provider,
    /// The URL of a subscription, or a token.
    pub address: String,
    /// Keys of a subscription: its point and its secret, base64url.
    pub keys: Option<(String, String)>,
}

impl Address {
    /// A subscription of a browser.
    pub fn webpush(endpoint: &str, p256dh: &str, auth: &str, admits_loopback: bool) -> ApiResult<Self> {
        let address = check_endpoint(endpoint, admits_loopback)?;
        let (p256dh, auth) = (p256dh.trim_end_matches('='), auth.trim_end_matches('='));
        Check::default()
            .field(
                Receiver::parse_public(p256dh).is_some(),
                "subscription.keys.p256dh",
                "is not an uncompressed point of P-256 in base64url",
            )
            .field(
                Receiver::parse_auth(auth).is_some(),
                "subscription.keys.auth",
                "is not 16 bytes in base64url",
            )
            .finish()?;
        let keys = Some((p256dh.to_owned(), auth.to_owned()));
        Ok(Self { provider: Provider::Webpush, address, keys })
    }

    /// The token of an app.
    pub fn token(provider: Provider, token: &str) -> ApiResult<Self> {
        let token = token.trim();
        let is_expos = ["ExponentPushToken[", "ExpoPushToken["].iter().any(|start| {
            token.strip_prefix(start).and_then(|rest| rest.strip_suffix(']')).is_some_and(|id| !id.is_empty())
        });
        let is_one = (1..=LONGEST_TOKEN).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_graphic())
            && (provider != Provider::Expo || is_expos);
        if !is_one {
            return Err(ApiError::invalid("token", format!("is no token of {}", provider.as_str())));
        }
        Ok(Self { provider, address: token.to_owned(), keys: None })
    }

    /// An endpoint as it is kept, so that two spellings are one.
    pub fn normal(endpoint: &str) -> String {
        Url::parse(endpoint).map_or_else(|_| endpoint.to_owned(), String::from)
    }
}

fn check_endpoint(endpoint: &str, admits_loopback: bool) -> ApiResult<String> {
    const FIELD: &str = "subscription.endpoint";
    let url = Url::parse(endpoint).ok().filter(|_| endpoint.len() <= LONGEST_ENDPOINT);
    let url = url.ok_or_else(|| ApiError::invalid(FIELD, "is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(ApiError::invalid(FIELD, "must be https, and name nobody"));
    }
    match reach(&url) {
        Reach::Public if url.scheme() == "https" => {}
        Reach::Public => return Err(ApiError::invalid(FIELD, "must be https")),
        Reach::Loopback if admits_loopback => {}
        Reach::Loopback | Reach::Private => {
            let detail = "Pushes go to public addresses alone.";
            let error = ApiError::unprocessable("endpoint_forbidden", detail);
            return Err(error.field(FIELD, "is no public address"));
        }
    }
    Ok(url.into())
}

/// Whether a person wants pushes of this type; what has no switch is always wanted.
pub fn is_wanted(preferences: &NotificationPreferences, kind: &str) -> bool {
    let push = &preferences.push;
    match kind {
        "follow" | "follow_request" => push.follow,
        "reaction" => push.reaction,
        "comment" => push.comment,
        "mention" => push.mention,
        "scoop_view" => push.scoop,
        _ => true,
    }
}

/// How long a place that failed `failures` times in a row is left alone: 1 s, doubled each time up to an hour, and of that
/// between a half and all by `random`, so that those who failed together do not come back together.
pub fn backoff(failures: u32, random: u32) -> Duration {
    let full = Duration::from_secs(1 << failures.saturating_sub(1).min(12)).min(LONGEST_BACKOFF);
    full.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX) / 2.0)
}

/// Where a page goes on: in the list as it was when its newest place was `top`, below `place`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The newest place at the first page.
    pub top: i64,
    /// The place of the last item.
    pub place: i64,
}

impl Place {
    /// What the cursor of a page says; `None` at the start.
    pub fn of(page: &Page) -> ApiResult<Option<Self>> {
        let Some(key) = &page.after else { return Ok(None) };
        let parts = key.split_once('.').and_then(|(top, place)| top.parse().ok().zip(place.parse().ok()));
        let (top, place) = parts.ok_or_else(invalid_cursor)?;
        Ok(Some(Self { top, place }))
    }

    /// Its parts as parameters, null at the start.
    pub fn values(place: Option<Self>) -> (Value, Value) {
        place.map_or((Value::Null, Value::Null), |place| (place.top.into(), place.place.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const SECRET: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn refusal(endpoint: &str, p256dh: &str, auth: &str) -> (String, String) {
        let error = Address::webpush(endpoint, p256dh, auth, false).unwrap_err();
        (error.code.into_owned(), error.fields[0].field.clone())
    }

    #[test]
    fn a_subscription_has_a_public_endpoint_and_keys_that_are_keys() {
        let good = Address::webpush("https://push.example.com/a", POINT, SECRET, false).unwrap();
        assert_eq!(good.address, "https://push.example.com/a");
        // Some clients pad.
        let padded = Address::webpush(
            "https://push.example.com/a",
            &format!("{POINT}="),
            &format!("{SECRET}=="),
            false,
        );
        assert_eq!(padded.unwrap(), good);
        for endpoint in [
            "http://push.example.com/a",
            "ftp://push.example.com/",
            "https://me@push.example.com/",
            "push",
            "",
        ] {
            let expected = ("invalid".to_owned(), "subscription.endpoint".to_owned());
            assert_eq!(refusal(endpoint, POINT, SECRET), expected, "{endpoint}");
        }
        let long = format!("https://push.example.com/{}", "a".repeat(2048));
        assert_eq!(refusal(&long, POINT, SECRET).0, "invalid");
        assert_eq!(refusal("https://10.0.0.1/", POINT, SECRET).0, "endpoint_forbidden");
        // Off the curve, compressed, of another form, short.
        let off = format!("{}A", &POINT[..86]);
        for p256dh in [off.as_str(), "AyVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx", "%%%", ""] {
            let expected = ("invalid".to_owned(), "subscription.keys.p256dh".to_owned());
            assert_eq!(refusal("https://push.example.com/", p256dh, SECRET), expected, "{p256dh}");
        }
        for auth in ["BTBZMqHH6r4Tts7J_aSI", "%", ""] {
            let expected = ("invalid".to_owned(), "subscription.keys.auth".to_owned());
            assert_eq!(refusal("https://push.example.com/", POINT, auth), expected, "{auth}");
        }
    }

    #[test]
    fn loopback_is_admitted_by_the_variable_alone() {
        for endpoint in ["http://127.0.0.1:9/a", "http://localhost:9/a", "https://[::1]/a"] {
            assert_eq!(refusal(endpoint, POINT, SECRET).0, "endpoint_forbidden", "{endpoint}");
            Address::webpush(endpoint, POINT, SECRET, true).unwrap();
        }
        let private = Address::webpush("https://192.168.1.1/", POINT, SECRET, true).unwrap_err();
        assert_eq!(private.code, "endpoint_forbidden");
    }

    #[test]
    fn tokens_have_the_form_of_their_provider() {
        for (provider, token, good) in [
            (Provider::Expo, "ExponentPushToken[abc]", true),
            (Provider::Expo, "ExpoPushToken[abc]", true),
            (Provider::Expo, "ExponentPushToken[]", false),
            (Provider::Expo, "abc", false),
            (Provider::Fcm, "abc:def_-", true),
            (Provider::Fcm, "a b", false),
            (Provider::Fcm, "", false),
        ] {
            assert_eq!(Address::token(provider, token).is_ok(), good, "{token}");
        }
        assert!(Address::token(Provider::Fcm, &"x".repeat(4097)).is_err());
    }

    #[test]
    fn the_time_between_tries_doubles_up_to_an_hour_and_is_never_the_same_for_all() {
        for (failures, least, most) in [
            (1, 500, 1_000),
            (2, 1_000, 2_000),
            (12, 1_024_000, 2_048_000),
            (13, 1_800_000, 3_600_000),
            (99, 1_800_000, 3_600_000),
        ] {
            assert_eq!(backoff(failures, 0).as_millis(), least, "{failures}");
            assert_eq!(backoff(failures, u32::MAX).as_millis(), most, "{failures}");
        }
    }

    #[test]
    fn a_cursor_has_two_numbers() {
        let of = |after: &str| Place::of(&Page { limit: 20, after: Some(after.to_owned()) });
        assert_eq!(of("9.4").unwrap(), Some(Place { top: 9, place: 4 }));
        for bad in ["9", "9.", ".4", "a.b", "9.4.1", ""] {
            assert_eq!(of(bad).unwrap_err().code, "invalid_cursor", "{bad}");
        }
    }
}
