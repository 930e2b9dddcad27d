//! Firebase Cloud Messaging, HTTP v1. A service account signs for an access token, which holds an hour.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use jwt_simple::prelude::{Claims, RS256KeyPair, RSAKeyPairLike};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::app::App;
use shared::clients::send_bounded;

use super::answers::Verdict;
use super::message::Message;
use super::{ANSWER, PATIENCE};
use crate::model::TIME_TO_LIVE;
use crate::store::{self, Endpoint};

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const BASE: &str = "https://fcm.googleapis.com";
/// Seconds before its end from which a token is not used any more.
const MARGIN: i64 = 60;

/// The variable `fcm_service_account`, as Google hands it out.
#[derive(Deserialize)]
struct Account {
    client_email: String,
    private_key: String,
    token_uri: String,
    project_id: String,
    /// Where messages go instead of to Google.
    fcm_url: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Scope {
    scope: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: i64,
}

/// Sends it to a token.
pub async fn send(app: &App, endpoint: &Endpoint, message: &Message) -> Verdict {
    let account = app.config.get("fcm_service_account");
    if account.is_empty() {
        return Verdict::Dropped("there is no fcm_service_account".to_owned());
    }
    let account: Account = match serde_json::from_str(account) {
        Ok(account) => account,
        // Without its text, which is a secret.
        Err(_) => return Verdict::later("fcm_service_account is no service account"),
    };
    match send_as(app, &account, endpoint, message).await {
        Ok(verdict) => verdict,
        Err(error) => Verdict::later(format!("{error:#}")),
    }
}

async fn send_as(app: &App, account: &Account, endpoint: &Endpoint, message: &Message) -> Result<Verdict> {
    let token = access_token(app, account).await?;
    let base = account.fcm_url.as_deref().unwrap_or(BASE).trim_end_matches('/');
    let request = Request::post(format!("{base}/v1/projects/{}/messages:send", account.project_id))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Bytes::from(body(endpoint, message).to_string()))?;
    let answer = send_bounded(app, request, PATIENCE, ANSWER).await?;
    if answer.status() == StatusCode::UNAUTHORIZED {
        store::forget_access_token(&app.db, &account.client_email).await?;
    }
    Ok(verdict(answer.status(), answer.headers(), answer.body()))
}

/// Every value of `data` is a text, says FCM.
fn body(endpoint: &Endpoint, message: &Message) -> Value {
    let seconds = TIME_TO_LIVE.as_secs();
    json!({ "message": {
        "token": endpoint.address,
        "notification": { "title": message.title, "body": message.body },
        "data": { "notification": json!(message.notification).to_string(), "url": message.url },
        "android": {
            "ttl": format!("{seconds}s"),
            "collapse_key": message.id(),
            "priority": if message.is_urgent() { "HIGH" } else { "NORMAL" },
        },
        "apns": { "headers": { "apns-collapse-id": message.id() } },
    } })
}

fn verdict(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let details = said["error"]["details"].as_array().into_iter().flatten();
    let is_unregistered = details.into_iter().any(|detail| detail["errorCode"] == "UNREGISTERED");
    match Verdict::of(status, headers) {
        Verdict::Dropped(_) if is_unregistered => Verdict::Gone,
        // The token has ended before its time; the next try brings another.
        Verdict::Dropped(why) if status == StatusCode::UNAUTHORIZED => Verdict::later(why),
        other => other,
    }
}

async fn access_token(app: &App, account: &Account) -> Result<String> {
    let now = app.now().seconds();
    if let Some(token) = store::find_access_token(&app.db, &account.client_email, now + MARGIN).await? {
        return Ok(token);
    }
    let granted = ask_for_token(app, account).await.context("no access token")?;
    let ends = now + granted.expires_in;
    store::keep_access_token(&app.db, &account.client_email, &granted.access_token, ends).await?;
    Ok(granted.access_token)
}

async fn ask_for_token(app: &App, account: &Account) -> Result<Granted> {
    // Not the fault itself, which may quote the key.
    let key = RS256KeyPair::from_pem(&account.private_key).ok().context("private_key is no RSA key")?;
    let claims = Claims::with_custom_claims(
        Scope { scope: SCOPE.to_owned() },
        jwt_simple::prelude::Duration::from_hours(1),
    );
    let claims = claims.with_issuer(&account.client_email).with_audience(&account.token_uri);
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", GRANT)
        .append_pair("assertion", &key.sign(claims)?)
        .finish();
    let request = Request::post(&account.token_uri)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form))?;
    let answer = send_bounded(app, request, PATIENCE, ANSWER).await?;
    anyhow::ensure!(answer.status().is_success(), "status {}", answer.status());
    serde_json::from_slice(answer.body()).ok().context("the answer holds none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fcm_says_of_a_token_decides() {
        let of = |status: u16, body: &str| {
            verdict(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
        };
        let error = |word: &str| json!({ "error": { "details": [{ "errorCode": word }] } }).to_string();
        assert_eq!(of(200, r#"{"name":"projects/p/messages/1"}"#), Verdict::Delivered);
        assert_eq!(of(404, &error("UNREGISTERED")), Verdict::Gone);
        assert_eq!(of(400, &error("UNREGISTERED")), Verdict::Gone);
        assert!(matches!(of(400, &error("INVALID_ARGUMENT")), Verdict::Dropped(_)));
        assert!(matches!(of(403, &error("SENDER_ID_MISMATCH")), Verdict::Dropped(_)));
        for later in [401, 429, 500, 503] {
            assert!(matches!(of(later, "<html>"), Verdict::Later { .. }), "{later}");
        }
    }
}
