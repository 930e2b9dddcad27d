//! `/me/invite`.

use axum::extract::State;
use http::StatusCode;
use shared::answer::json_text;
use shared::app::{App, Ctx};
use shared::auth::Caller;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;
use shared::ids::Id;
use shared::page::Page;

use super::Admin;
use crate::docs::{Invite, InviteTree, Invites};
use crate::model::{Branch, invite_code};
use crate::store::Store;

/// The code stands after `#`, where no log of a server sees it.
fn base(app: &App) -> String {
    format!("{}/join#", app.config.public_url())
}

/// The caller's invites, newest first, and how many remain.
#[utoipa::path(get, path = "/me/invite", responses((status = 200, description = "All of them.", body = Invites)))]
pub async fn list_invites(caller: Caller, State(app): State<Ctx>, db: Db) -> ApiResult {
    let invites = Store(db).list_invites(caller.id, app.now(), &base(&app)).await?;
    Ok(json_text(StatusCode::OK, invites.ok_or_else(ApiError::invalid_token)?))
}

/// Makes one more invite.
#[utoipa::path(post, path = "/me/invite", responses(
    (status = 201, description = "The invite.", body = Invite),
    (status = 403, description = "`invite_quota`: none is left"),
))]
pub async fn create_invite(caller: Caller, State(app): State<Ctx>, db: Db) -> ApiResult {
    let invite = Store(db).create_invite(caller.id, &invite_code(), app.now(), &base(&app)).await?;
    let none_left = || ApiError::forbidden("invite_quota", "There are no invites left.");
    Ok(json_text(StatusCode::CREATED, invite.ok_or_else(none_left)?))
}

/// Whom a person invited, and whom those invited, ten generations down.
///
/// For administrators, to follow abuse down the tree: nearest first, and in the order they came. The suspended are in it, and of
/// the deleted that they were there. At most 10,000 people.
#[utoipa::path(get, path = "/admin/users/{id}/invites", params(Page),
    responses((status = 200, description = "A page of them.", body = InviteTree)))]
pub async fn list_invite_tree(_: Admin, db: Db, page: Page, Path(id): Path<Id>) -> ApiResult {
    let tree = Store(db).list_invite_tree(id, page.limit, Branch::of(&page)?).await?;
    let (items, person) = tree.ok_or_else(ApiError::not_found)?;
    Ok(json_text(StatusCode::OK, items.json(&person)))
}
