//! Where pushes go.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use shared::answer::{self, IfNoneMatch};
use shared::app::{App, Ctx};
use shared::auth::{Caller, NoBadToken};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Json;
use shared::ids::Id;
use utoipa::ToSchema;

use crate::docs::{Registered, VapidKey};
use crate::model::{Address, Provider};
use crate::push::vapid;
use crate::store::{self, Named};

/// A place pushes go to: the subscription of a browser, or the token of an app.
#[derive(Deserialize, ToSchema)]
pub struct EndpointIn {
    /// Who delivers there.
    provider: Provider,
    /// Of `webpush`: what `PushManager.subscribe()` gave.
    subscription: Option<Subscription>,
    /// Of `expo` and `fcm`: what the device gave.
    #[schema(max_length = 4096)]
    token: Option<String>,
}

/// A subscription as browsers make it (RFC 8030, RFC 8291).
#[derive(Deserialize, ToSchema)]
#[schema(as = PushSubscription)]
pub struct Subscription {
    /// Where to send: an `https` URL of a public host.
    #[schema(format = "uri", max_length = 2048)]
    endpoint: String,
    /// What to seal with.
    keys: SubscriptionKeys,
}

/// The keys of a subscription.
#[derive(Deserialize, ToSchema)]
#[schema(as = PushSubscriptionKeys)]
pub struct SubscriptionKeys {
    /// An uncompressed point of P-256, base64url.
    #[schema(examples(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    ))]
    p256dh: String,
    /// 16 bytes, base64url.
    #[schema(examples("BTBZMqHH6r4Tts7J_aSIgg"))]
    auth: String,
}

impl EndpointIn {
    fn check(self, app: &App) -> ApiResult<Address> {
        match (self.provider, self.subscription, self.token) {
            (Provider::Webpush, Some(Subscription { endpoint, keys }), _) => {
                let admits_loopback = app.config.is_on("allow_private_endpoints");
                Address::webpush(&endpoint, &keys.p256dh, &keys.auth, admits_loopback)
            }
            (Provider::Webpush, None, _) => Err(ApiError::invalid("subscription", "is missing")),
            (provider, _, Some(token)) => Address::token(provider, &token),
            (_, _, None) => Err(ApiError::invalid("token", "is missing")),
        }
    }
}

/// Names a place where the caller's pushes go from now on.
///
/// Named again it keeps its id; named by somebody else it becomes theirs, as with a phone that is handed on. Of each person
/// the last 20 are kept.
#[utoipa::path(post, path = "/push/register", responses(
    (status = 201, description = "Its id.", body = Registered),
    (status = 422, description = "`endpoint_forbidden`: the endpoint is no public address"),
))]
pub async fn register_endpoint(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    Json(body): Json<EndpointIn>,
) -> ApiResult {
    let address = body.check(&app)?;
    let now = app.now();
    let id = store::register_endpoint(&db, Id::new(now), caller.id, &address, now).await?;
    let id = id.ok_or_else(ApiError::invalid_token)?;
    Ok(answer::json(StatusCode::CREATED, &json!({ "id": id })))
}

/// A place no push goes to any more, by exactly one of the three.
#[derive(Deserialize, ToSchema)]
pub struct UnregisterIn {
    /// As `/push/register` answered.
    id: Option<Id>,
    /// Of an app.
    token: Option<String>,
    /// Of a subscription.
    endpoint: Option<String>,
}

impl UnregisterIn {
    fn named(self) -> ApiResult<Named> {
        match (self.id, self.token, self.endpoint) {
            (Some(id), None, None) => Ok(Named::Id(id)),
            (None, Some(token), None) => Ok(Named::Token(token.trim().to_owned())),
            (None, None, Some(endpoint)) => Ok(Named::Endpoint(Address::normal(&endpoint))),
            _ => {
                let message = "give one of id, token and endpoint";
                let fields = ["token", "endpoint"].into_iter();
                Err(fields.fold(ApiError::invalid("id", message), |error, field| error.field(field, message)))
            }
        }
    }
}

/// Ends pushes to one of the caller's places; one that is not theirs, or not there, stays as it is.
#[utoipa::path(delete, path = "/push/unregister",
    responses((status = 204, description = "No push of the caller's goes there.")))]
pub async fn unregister_endpoint(
    caller: Caller,
    db: Db,
    Json(body): Json<UnregisterIn>,
) -> ApiResult<StatusCode> {
    store::unregister_endpoint(&db, caller.id, &body.named()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The key a browser subscribes with.
#[utoipa::path(get, path = "/push/vapid-public-key", params(IfNoneMatch), security(()),
    responses((status = 200, description = "The key.", body = VapidKey)))]
pub async fn get_vapid_key(_: NoBadToken, State(app): State<Ctx>, known: IfNoneMatch) -> ApiResult {
    let key = vapid::key(&app).await.map_err(ApiError::internal)?;
    Ok(known.answer(json!({ "publicKey": key.public }).to_string()))
}
