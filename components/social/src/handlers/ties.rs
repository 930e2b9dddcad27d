//! The six verbs: follow, unfollow, block, unblock, mute, unmute. Each is idempotent and answers
//! how the caller stands to the person after it.

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::Response;
use http::StatusCode;
use shared::answer::json_text;
use shared::app::Ctx;
use shared::auth::Caller;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Named, Target};
use shared::ids::Id;
use shared::limits::Limiter;
use shared::people;
use shared::trace::Trace;
use shared::wire::Relationship;

use crate::model::{self, FOLLOWED, FOLLOWS_DAY};
use crate::store::{self, FollowError};

/// Who asks, and about whom: the caller and the person the body names, made known here. 404 for
/// nobody, 422 for the caller.
pub struct Between {
    caller: Id,
    whom: Id,
}

impl FromRequest<Ctx> for Between {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Ctx) -> ApiResult<Self> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?.id;
        let Ok(trace) = Trace::from_request_parts(&mut parts, app).await;
        let Json(target) = Json::<Target>::from_request(Request::from_parts(parts, body), app).await?;
        let (field, whom) = match target.named()? {
            Named::Id(id) => ("userId", people::ensure(app, &trace, id).await?.then_some(id)),
            Named::Handle(handle) => match model::handle(&handle) {
                Some(handle) => ("handle", people::find_by_handle(app, &trace, &handle).await?),
                None => ("handle", None),
            },
        };
        match whom {
            Some(whom) if whom == caller => Err(ApiError::invalid(field, "must be another person")),
            Some(whom) => Ok(Self { caller, whom }),
            None => Err(ApiError::not_found()),
        }
    }
}

/// Follows a person.
///
/// A private person is asked instead: `requested` in the answer says so. Again changes nothing.
#[utoipa::path(post, path = "/follow", request_body = Target, responses(
    (status = 200, description = "How the caller stands to them now.", body = Relationship),
    (status = 404, description = "`not_found`: there is nobody of that name, or they are hidden from the caller"),
    (status = 409, description = "`blocking`: the caller blocks them, and must unblock them first"),
))]
pub async fn create_follow(State(app): State<Ctx>, db: Db, limiter: Limiter, between: Between) -> ApiResult {
    let Between { caller, whom } = between;
    limiter.spend(&app, &[(&FOLLOWS_DAY, &caller.to_string())], 1).await?;
    let most = app.config.is_on("rate_limits").then_some(FOLLOWED);
    found(store::create_follow(&db, caller, whom, app.now(), most).await?)
}

/// Follows a person no longer.
///
/// Takes back a request as well. Again changes nothing.
#[utoipa::path(post, path = "/unfollow", request_body = Target, responses(
    (status = 200, description = "How the caller stands to them now.", body = Relationship),
    (status = 404, description = "`not_found`: there is nobody of that name, or they are hidden from the caller"),
))]
pub async fn delete_follow(State(app): State<Ctx>, db: Db, between: Between) -> ApiResult {
    let Between { caller, whom } = between;
    found(store::delete_follow(&db, caller, whom, app.now()).await?)
}

/// Blocks a person.
///
/// Cuts follows both ways, and hides each from the other everywhere. Again changes nothing.
#[utoipa::path(post, path = "/block", request_body = Target, responses(
    (status = 200, description = "How the caller stands to them now.", body = Relationship),
    (status = 404, description = "`not_found`: there is nobody of that name, or they are hidden from the caller"),
))]
pub async fn create_block(State(app): State<Ctx>, db: Db, between: Between) -> ApiResult {
    let Between { caller, whom } = between;
    found(store::create_block(&db, caller, whom, app.now()).await?)
}

/// Blocks a person no longer.
///
/// The follows it cut stay cut. Again changes nothing.
#[utoipa::path(post, path = "/unblock", request_body = Target, responses(
    (status = 200, description = "How the caller stands to them now.", body = Relationship),
    (status = 404, description = "`not_found`: there is nobody of that name, or they are hidden from the caller"),
))]
pub async fn delete_block(State(app): State<Ctx>, db: Db, between: Between) -> ApiResult {
    let Between { caller, whom } = between;
    found(store::delete_block(&db, caller, whom, app.now()).await?)
}

/// Mutes a person.
///
/// Leaves their posts, comments and scoops out of the caller's feeds, threads and tags, and stops
/// notifications from them. They never learn of it. Again changes nothing.
#[utoipa::path(post, path = "/mute", request_body = Target, responses(
    (status = 200, description = "How the caller stands to them now.", body = Relationship),
    (status = 404, description = "`not_found`: there is nobody of that name, or they are hidden from the caller"),
))]
pub async fn create_mute(State(app): State<Ctx>, db: Db, between: Between) -> ApiResult {
    let Between { caller, whom } = between;
    found(store::create_mute(&db, caller, whom, app.now()).await?)
}

/// Mutes a person no longer.
///
/// Again changes nothing.
#[utoipa::path(post, path = "/unmute", request_body = Target, responses(
    (status = 200, description = "How the caller stands to them now.", body = Relationship),
    (status = 404, description = "`not_found`: there is nobody of that name, or they are hidden from the caller"),
))]
pub async fn delete_mute(State(app): State<Ctx>, db: Db, between: Between) -> ApiResult {
    let Between { caller, whom } = between;
    found(store::delete_mute(&db, caller, whom, app.now()).await?)
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
