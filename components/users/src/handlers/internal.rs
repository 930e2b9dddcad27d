//! What only services of ours may ask, and what this one asks itself.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::{json, json_text};
use shared::app::{App, Ctx, is_due};
use shared::auth::Internal;
use shared::clients::{IdAnswer, Identity, NewPerson};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Path, Query};
use shared::history;
use shared::ids::Id;

use crate::model::{handle_taken, parse_display_name, require_handle};
use crate::store::{Joining, Lens, Store};

/// `POST /internal/people`: takes in who registers. Sent again it answers the same.
pub async fn create_person(
    _: Internal,
    State(app): State<Ctx>,
    db: Db,
    Json(mut person): Json<NewPerson>,
) -> ApiResult {
    let (store, lens) = (Store(db), Lens::new(&app, None));
    if let Some(me) = store.get_me(person.id, &lens).await? {
        return Ok(json_text(StatusCode::CREATED, me));
    }
    check_newcomer(&mut person)?;
    let registration = app.config.get_or("registration", "open");
    if registration == "closed" {
        return Err(ApiError::forbidden("registration_closed", "Nobody can register now."));
    }
    let needs_invite = registration == "invite";
    match store.create_person(&person, needs_invite, app.now()).await? {
        Joining::Joined => {}
        Joining::HandleTaken => return Err(handle_taken().field("handle", "is not available")),
        Joining::InviteInvalid if !needs_invite => {
            let error = ApiError::unprocessable("invite_invalid", "This invite is not good any more.");
            return Err(error.field("inviteCode", "is unknown, used or expired"));
        }
        Joining::InviteRequired | Joining::InviteInvalid => {
            let error = ApiError::forbidden("invite_required", "An invite is needed to register.");
            return Err(error.field("inviteCode", "is missing, unknown, used or expired"));
        }
    }
    let me = store.get_me(person.id, &lens).await?;
    Ok(json_text(StatusCode::CREATED, me.ok_or_else(ApiError::not_found)?))
}

fn check_newcomer(person: &mut NewPerson) -> ApiResult<()> {
    if let Some(name) = person.display_name.take() {
        person.display_name =
            parse_display_name(&name).map_err(|message| ApiError::invalid("displayName", message))?;
    }
    if let Some(handle) = &person.handle {
        person.handle = Some(require_handle(handle)?);
    }
    person.email = person.email.to_lowercase();
    person.invite_code =
        person.invite_code.take().map(|code| code.trim().to_owned()).filter(|c| !c.is_empty());
    Ok(())
}

/// A handle asked about.
#[derive(Deserialize)]
pub struct HandleQuery {
    handle: String,
}

/// `GET /internal/people?handle=`: who has it.
pub async fn find_person(_: Internal, db: Db, Query(query): Query<HandleQuery>) -> ApiResult {
    let person = Store(db).find_person(&query.handle.to_ascii_lowercase()).await?;
    Ok(json_text(StatusCode::OK, person.ok_or_else(ApiError::not_found)?))
}

/// `GET /internal/people/{id}`: a person wherever they stand.
pub async fn get_person(_: Internal, db: Db, Path(id): Path<Id>) -> ApiResult {
    let person = Store(db).get_person(id).await?;
    Ok(json_text(StatusCode::OK, person.ok_or_else(ApiError::not_found)?))
}

/// `GET /internal/people/{id}/me`: `Me`, for a session. 404 where they are not in good standing.
pub async fn get_me(_: Internal, State(app): State<Ctx>, db: Db, Path(id): Path<Id>) -> ApiResult {
    let me = Store(db).get_me(id, &Lens::new(&app, None)).await?;
    Ok(json_text(StatusCode::OK, me.ok_or_else(ApiError::not_found)?))
}

/// `GET /internal/handles/{handle}`: who gave it up lately, with the handle they have now.
pub async fn follow_handle(
    _: Internal,
    State(app): State<Ctx>,
    db: Db,
    Path(handle): Path<String>,
) -> ApiResult {
    let found = Store(db).follow_handle(&handle.to_ascii_lowercase(), app.now()).await?;
    Ok(json_text(StatusCode::OK, found.ok_or_else(ApiError::not_found)?))
}

/// `POST /internal/identities`: the person of an outside identity.
pub async fn identify_person(
    _: Internal,
    State(app): State<Ctx>,
    Json(identity): Json<Identity>,
) -> ApiResult {
    let id = identify(&app, &identity).await?;
    Ok(json(StatusCode::OK, &IdAnswer { id }))
}

/// The person of an outside identity, created at their first call. This service asks itself here.
pub async fn identify(app: &App, identity: &Identity) -> ApiResult<Id> {
    let id = Store(app.db.clone()).identify(identity, app.now()).await?;
    id.ok_or_else(ApiError::invalid_token)
}

/// Once an hour: forgets what was kept of people gone only for a while.
pub async fn tick(app: &Ctx) -> ApiResult<()> {
    if is_due(app, "forget", 3600).await? {
        Store(app.db.clone()).sweep(app.now()).await?;
    }
    history::tick(app).await
}
