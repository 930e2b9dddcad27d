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

/// `POST /follow`: anybody signed in; a private person is asked.
pub async fn create_follow(
    State(app): State<Ctx>,
    db: Db,
    limiter: Limiter,
    Between { caller, whom }: Between,
) -> ApiResult {
    limiter.spend(&app, &[(&FOLLOWS_DAY, &caller.to_string())], 1).await?;
    let most = app.config.is_on("rate_limits").then_some(FOLLOWED);
    found(store::create_follow(&db, caller, whom, app.now(), most).await?)
}

/// `POST /unfollow`: anybody signed in; takes back a request as well.
pub async fn delete_follow(State(app): State<Ctx>, db: Db, Between { caller, whom }: Between) -> ApiResult {
    found(store::delete_follow(&db, caller, whom, app.now()).await?)
}

/// `POST /block`: anybody signed in, be they blocked themselves.
pub async fn create_block(State(app): State<Ctx>, db: Db, Between { caller, whom }: Between) -> ApiResult {
    found(store::create_block(&db, caller, whom, app.now()).await?)
}

/// `POST /unblock`: anybody signed in, be they blocked themselves.
pub async fn delete_block(State(app): State<Ctx>, db: Db, Between { caller, whom }: Between) -> ApiResult {
    found(store::delete_block(&db, caller, whom, app.now()).await?)
}

/// `POST /mute`: anybody signed in.
pub async fn create_mute(State(app): State<Ctx>, db: Db, Between { caller, whom }: Between) -> ApiResult {
    found(store::create_mute(&db, caller, whom, app.now()).await?)
}

/// `POST /unmute`: anybody signed in.
pub async fn delete_mute(State(app): State<Ctx>, db: Db, Between { caller, whom }: Between) -> ApiResult {
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
