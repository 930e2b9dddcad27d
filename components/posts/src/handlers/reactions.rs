//! Reactions.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::json_text;
use shared::app::Ctx;
use shared::auth::{Bearer, Caller};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Path};
use shared::ids::Id;
use shared::page::Page;
use utoipa::ToSchema;

use super::settled;
use crate::docs::{Reactions, Toggled};
use crate::model::ReactionType;
use crate::store;

/// Who reacted to a post, newest first, with the counts and the caller's own.
#[utoipa::path(get, path = "/reactions/{post_id}", params(Page),
    responses((status = 200, description = "A page of reactions.", body = Reactions)))]
pub async fn list_reactions(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Path(post): Path<Id>,
    page: Page,
) -> ApiResult {
    let after = page.after_integer()?;
    let list = || store::list_reactions(&db, post, caller.id, after.clone(), page.limit);
    let (page, more) = settled(&app, &caller, list).await?.ok_or_else(ApiError::not_found)?;
    Ok(json_text(StatusCode::OK, page.json(&more)))
}

/// Which reaction to toggle.
#[derive(Deserialize, ToSchema)]
pub struct ReactionIn {
    /// One of the six.
    #[schema(value_type = ReactionType, required = true)]
    #[serde(rename = "type")]
    kind: Option<ReactionType>,
}

/// Sets a reaction of the caller's, or takes it back.
#[utoipa::path(post, path = "/reactions/{post_id}",
    responses((status = 200, description = "Whether it is there now, and the counts.", body = Toggled)))]
pub async fn toggle_reaction(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    Path(post): Path<Id>,
    Json(reaction): Json<ReactionIn>,
) -> ApiResult {
    let kind = reaction.kind.ok_or_else(|| ApiError::invalid("type", "must be one of the six"))?;
    let reacted = store::toggle_reaction(&db, post, caller.id, kind, app.now()).await?;
    let reacted = reacted.ok_or_else(ApiError::not_found)?;
    let counts = store::reaction_counts(&db, post).await?.ok_or_else(ApiError::not_found)?;
    Ok(json_text(StatusCode::OK, format!("{{\"reacted\":{reacted},\"counts\":{counts}}}")))
}
