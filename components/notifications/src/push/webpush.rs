//! Web Push (RFC 8030): to the push service of a browser.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, header};
use shared::address::may_call;
use shared::app::App;
use shared::clients::send_bounded;
use url::Url;

use super::answers::Verdict;
use super::message::Message;
use super::seal::Receiver;
use super::vapid::Vapid;
use super::{ANSWER, PATIENCE};
use crate::model::TIME_TO_LIVE;
use crate::store::Endpoint;

/// Sends it to a subscription.
pub async fn send(app: &App, vapid: &Vapid, endpoint: &Endpoint, message: &Message) -> Verdict {
    let request = match request(app, vapid, endpoint, message) {
        Ok(request) => request,
        Err(error) => return Verdict::Dropped(format!("{error:#}")),
    };
    match send_bounded(app, request, PATIENCE, ANSWER).await {
        Ok(answer) => Verdict::of(answer.status(), answer.headers()),
        Err(error) => Verdict::later(format!("{error:#}")),
    }
}

fn request(app: &App, vapid: &Vapid, endpoint: &Endpoint, message: &Message) -> Result<Request<Bytes>> {
    let url = Url::parse(&endpoint.address)?;
    // Once more: the variable may have been turned off since it was registered.
    anyhow::ensure!(
        may_call(&url, app.config.is_on("allow_private_endpoints")),
        "its address may not be asked"
    );
    let (p256dh, auth) =
        endpoint.p256dh.as_deref().zip(endpoint.auth.as_deref()).context("it has no keys")?;
    let receiver = Receiver::parse(p256dh, auth).context("its keys are none")?;
    let body = receiver.seal(message.json().as_bytes())?;
    Ok(Request::post(url.as_str())
        .header(header::AUTHORIZATION, vapid.authorization(app, &url)?)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_ENCODING, "aes128gcm")
        .header("ttl", TIME_TO_LIVE.as_secs())
        .header("urgency", if message.is_urgent() { "high" } else { "normal" })
        // At most 32 characters of base64url: a UUID without its hyphens.
        .header("topic", message.id().replace('-', ""))
        .body(Bytes::from(body))?)
}
