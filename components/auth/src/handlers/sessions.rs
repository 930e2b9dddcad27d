//! Sessions: the devices somebody is signed in with.

use axum::extract::State;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Deserialize;
use shared::answer;
use shared::app::{App, Ctx};
use shared::auth::{Caller, NoBadToken};
use shared::clients::{ClientError, Users};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{ClientAddr, Json, Path};
use shared::ids::Id;
use shared::limits::Limiter;
use shared::trace::Trace;
use utoipa::ToSchema;

use super::{invalid_credentials, limit_key, session_answer, user_agent};
use crate::docs::{Session, Sessions};
use crate::model::{LOGIN, LOGIN_DAY, REFRESH, REFRESH_LIVES, normal_email};
use crate::passwords;
use crate::store::{self, Account, Family, Minted, Opening};
use crate::tokens::{Holder, Secret, hash_token, sign_access};

#[derive(Deserialize, ToSchema)]
pub struct LoginIn {
    #[schema(examples("alice@example.com"))]
    email: String,
    #[schema(format = Password)]
    password: String,
}

/// Signs somebody in.
// An unknown address costs the same time as a wrong password.
#[utoipa::path(post, path = "/auth/login", security(()), responses(
    (status = 200, description = "A new session.", body = Session),
    (status = 401, description = "`invalid_credentials`: the address or the password is wrong"),
    (status = 403, description = "`account_suspended`: the person is suspended", headers(("Appeal-Token" = String,
        description = "An access token that `/me/decisions` and `/me/appeals` take, and no other route."))),
    (status = 429),
    (status = 503, description = "`unavailable`: a service this needs does not answer"),
))]
pub async fn create_session(
    _: NoBadToken,
    State(app): State<Ctx>,
    (limiter, address, trace, headers): (Limiter, ClientAddr, Trace, HeaderMap),
    db: Db,
    Json(input): Json<LoginIn>,
) -> ApiResult {
    let email = normal_email(&input.email).unwrap_or_default();
    let key = limit_key(&email);
    let spent = [(&LOGIN, key.as_str()), (&LOGIN_DAY, &key), (&LOGIN, &address.0), (&LOGIN_DAY, &address.0)];
    limiter.spend(&app, &spent, 1).await?;
    let account = store::find_account(&db, &email).await?;
    let stored = account.as_ref().map(|account| account.password.as_str());
    let verified = passwords::verify_password(&input.password, stored).map_err(ApiError::internal)?;
    let Account { holder, standing, .. } = account.filter(|_| verified).ok_or_else(invalid_credentials)?;
    if standing.as_deref() == Some("suspended") {
        return Err(suspended(&app, &holder).await?);
    }
    require_active(standing.as_deref(), invalid_credentials)?;
    let user = read_user(&app, &trace, holder.user_id, invalid_credentials).await?;
    let (secret, agent, session) = (Secret::new(), user_agent(&headers), Id::new(app.now()));
    let (user_agent, token) = (agent.as_deref(), secret.hash.as_str());
    let opening = Opening { user: holder.user_id, session, attempt: None, user_agent, token };
    let session = open(&app, &db, &opening).await?.ok_or_else(invalid_credentials)?;
    session_answer(&app, StatusCode::OK, &holder, session, &secret.token, &user).await
}

/// The 403 of somebody suspended who showed who they are, with a token to appeal by: one without a session, which every
/// other route refuses as long as they are suspended.
async fn suspended(app: &App, holder: &Holder) -> ApiResult<ApiError> {
    let token = sign_access(app, holder, None).await?;
    let refusal = ApiError::account_suspended().header(header::CACHE_CONTROL, "no-store");
    Ok(refusal.header(HeaderName::from_static("appeal-token"), &token))
}

/// Opens a session; its id. A run of the same request before this one may have opened it, and its token
/// is lost: then the session gets another.
pub async fn open(app: &App, db: &Db, opening: &Opening<'_>) -> ApiResult<Option<Id>> {
    let Some(minted) = store::create_session(db, opening, app.now()).await? else {
        return Ok(None);
    };
    regain(app, &minted, opening.token).await?;
    Ok(Some(minted.session))
}

/// Makes sure that `token` is one of the session's, whichever run of the request minted.
async fn regain(app: &App, minted: &Minted, token: &str) -> ApiResult<()> {
    if minted.minted != token && !store::add_token(&app.db, minted.session, token, app.now()).await? {
        return Err(invalid_refresh_token());
    }
    Ok(())
}

fn require_active(standing: Option<&str>, gone: fn() -> ApiError) -> ApiResult<()> {
    match standing {
        Some("suspended") => Err(ApiError::account_suspended()),
        Some("deleted") => Err(gone()),
        _ => Ok(()),
    }
}

/// `Me` of who signs in; asked for before anything changes, so that while `users` is away no
/// token is used up.
async fn read_user(app: &App, trace: &Trace, id: Id, gone: fn() -> ApiError) -> ApiResult<serde_json::Value> {
    match Users::new(app, trace).me(id).await {
        Ok(user) => Ok(user),
        // Not in good standing, though the event has not arrived here yet.
        Err(ClientError::Answered(problem)) if problem.status == 404 => {
            match Users::new(app, trace).person(id).await {
                Ok(person) if person.status == "suspended" => Err(ApiError::account_suspended()),
                _ => Err(gone()),
            }
        }
        Err(error) => Err(ApiError::unavailable(error)),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefreshIn {
    /// Of the last answer. It is used up.
    refresh_token: String,
}

/// Uses up a refresh token for new tokens.
///
/// A token that was used before ends the session: somebody else has it. Within 10 seconds it is taken for
/// a lost answer instead.
#[utoipa::path(post, path = "/auth/refresh", security(()), responses(
    (status = 200, description = "The session, with new tokens.", body = Session),
    (status = 401, description = "`invalid_refresh_token`: it is not valid any more; `refresh_reused`: it was used \
        before, and the session has ended"),
    (status = 403),
    (status = 429),
    (status = 503, description = "`unavailable`: a service this needs does not answer"),
))]
pub async fn refresh_session(
    _: NoBadToken,
    State(app): State<Ctx>,
    (limiter, address, trace, headers): (Limiter, ClientAddr, Trace, HeaderMap),
    db: Db,
    Json(input): Json<RefreshIn>,
) -> ApiResult {
    limiter.spend(&app, &[(&REFRESH, address.0.as_str())], 1).await?;
    let token = hash_token(&input.refresh_token);
    let family = store::find_family(&db, &token, app.now()).await?.ok_or_else(invalid_refresh_token)?;
    require_alive(&family)?;
    let user = read_user(&app, &trace, family.holder.user_id, invalid_refresh_token).await?;
    let (secret, agent) = (Secret::new(), user_agent(&headers));
    let rotated = store::rotate_token(&db, &token, &secret.hash, agent.as_deref(), app.now()).await?;
    let minted = rotated.ok_or_else(invalid_refresh_token)?;
    minted.alive.then_some(()).ok_or_else(refresh_reused)?;
    regain(&app, &minted, &secret.hash).await?;
    session_answer(&app, StatusCode::OK, &family.holder, minted.session, &secret.token, &user).await
}

fn require_alive(family: &Family) -> ApiResult<()> {
    require_active(family.standing.as_deref(), invalid_refresh_token)?;
    match family {
        Family { ended: true, used: true, .. } => Err(refresh_reused()),
        Family { ended: true, .. } | Family { expired: true, .. } => Err(invalid_refresh_token()),
        _ => Ok(()),
    }
}

fn refresh_error(code: &'static str, detail: &'static str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, code, detail)
        .header(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
}

fn invalid_refresh_token() -> ApiError {
    refresh_error("invalid_refresh_token", "This refresh token is not valid any more; sign in again.")
}

fn refresh_reused() -> ApiError {
    refresh_error("refresh_reused", "This refresh token was used before; the session has ended.")
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogoutIn {
    /// That of the session to end; what is none ends nothing.
    #[serde(default)]
    refresh_token: serde_json::Value,
}

/// Ends the session of a refresh token, used or not.
#[utoipa::path(post, path = "/auth/logout", security(()),
    responses((status = 204, description = "It is over, whatever it was."), (status = 429)))]
pub async fn end_session(
    State(app): State<Ctx>,
    (limiter, address): (Limiter, ClientAddr),
    db: Db,
    Json(input): Json<LogoutIn>,
) -> ApiResult<StatusCode> {
    limiter.spend(&app, &[(&REFRESH, address.0.as_str())], 1).await?;
    if let Some(token) = input.refresh_token.as_str() {
        store::end_family(&db, &hash_token(token), app.now()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The devices the caller is signed in with, newest first.
#[utoipa::path(get, path = "/auth/sessions", responses((status = 200, description = "All of them.", body = Sessions)))]
pub async fn list_sessions(State(app): State<Ctx>, caller: Caller, db: Db) -> ApiResult {
    let alive_since = app.now().minus(REFRESH_LIVES);
    let items = store::list_sessions(&db, caller.id, caller.token.session, alive_since).await?;
    Ok(answer::json_text(StatusCode::OK, items))
}

/// Signs one of the caller's devices out.
#[utoipa::path(delete, path = "/auth/sessions/{id}", responses((status = 204, description = "It is signed out.")))]
pub async fn delete_session(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    Path(session): Path<Id>,
) -> ApiResult<StatusCode> {
    let deleted = store::delete_session(&db, caller.id, session, app.now()).await?;
    deleted.then_some(StatusCode::NO_CONTENT).ok_or_else(ApiError::not_found)
}
