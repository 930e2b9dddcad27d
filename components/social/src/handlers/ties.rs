//! The six verbs: follow, unfollow, block, unblock, mute, unmute. Each is idempotent and answers
//! how the caller stands to the person after it.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use shared::answer::json_text;
use shared::app::{App, Ctx};
use shared::auth::Caller;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Named, Target};
use shared::ids::Id;
use shared::limits::Limiter;
use shared::people;
use shared::trace::Trace;

use crate::model::{self, FOLLOWED, FOLLOWS_DAY};
use crate::store::{self, FollowError};

/// `POST /follow`: anybody signed in; a private person is asked.
pub async fn create_follow(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    trace: Trace,
    limiter: Limiter,
    Json(target): Json<Target>,
) -> ApiResult {
    let whom = find_target(&app, &trace, &caller, target).await?;
    limiter.spend(&app, &[(&FOLLOWS_DAY, &caller.id.to_string())], 1).await?;
    let most = app.config.is_on("rate_limits").then_some(FOLLOWED);
    found(store::create_follow(&db, caller.id, whom, app.now(), most).await?)
}

/// `POST /unfollow`: anybody signed in; takes back a request as well.
pub async fn delete_follow(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    trace: Trace,
    Json(target): Json<Target>,
) -> ApiResult {
    let whom = find_target(&app, &trace, &caller, target).await?;
    found(store::delete_follow(&db, caller.id, whom, app.now()).await?)
}

/// `POST /block`: anybody signed in, be they blocked themselves.
pub async fn create_block(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    trace: Trace,
    Json(target): Json<Target>,
) -> ApiResult {
    let whom = find_target(&app, &trace, &caller, target).await?;
    found(store::create_block(&db, caller.id, whom, app.now()).await?)
}

/// `POST /unblock`: anybody signed in, be they blocked themselves.
pub async fn delete_block(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    trace: Trace,
    Json(target): Json<Target>,
) -> ApiResult {
    let whom = find_target(&app, &trace, &caller, target).await?;
    found(store::delete_block(&db, caller.id, whom, app.now()).await?)
}

/// `POST /mute`: anybody signed in.
pub async fn create_mute(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    trace: Trace,
    Json(target): Json<Target>,
) -> ApiResult {
    let whom = find_target(&app, &trace, &caller, target).await?;
    found(store::create_mute(&db, caller.id, whom, app.now()).await?)
}

/// `POST /unmute`: anybody signed in.
pub async fn delete_mute(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    trace: Trace,
    Json(target): Json<Target>,
) -> ApiResult {
    let whom = find_target(&app, &trace, &caller, target).await?;
    found(store::delete_mute(&db, caller.id, whom, app.now()).await?)
}

/// Whom the body names, made known here: 404 for nobody, 422 for the caller.
async fn find_target(app: &App, trace: &Trace, caller: &Caller, target: Target) -> ApiResult<Id> {
    let (field, id) = match target.named()? {
        Named::Id(id) => ("userId", people::ensure(app, trace, id).await?.then_some(id)),
        Named::Handle(handle) => match model::handle(&handle) {
            Some(handle) => ("handle", people::find_by_handle(app, trace, &handle).await?),
            None => ("handle", None),
        },
    };
    match id {
        Some(id) if id == caller.id => Err(ApiError::invalid(field, "must be another person")),
        Some(id) => Ok(id),
        None => Err(ApiError::not_found()),
    }
}

/// 200 with the relationship, or 404 where the caller may not find the person.
fn found(relationship: Option<String>) -> ApiResult<Response> {
    relationship.map(|json| json_text(StatusCode::OK, json)).ok_or_else(ApiError::not_found)
}

impl From<FollowError> for ApiError {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Blocking => Self::conflict("blocking", "You block this person; unblock them first."),
            // More room comes with more followers, not at a set time: a day is a fair time to look again.
            FollowError::TooMany => Self::rate_limited(24 * 3600),
            FollowError::Db(error) => error.into(),
        }
    }
}
