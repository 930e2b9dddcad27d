//! The posts with a hashtag, and the posts of a person.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::Uri;
use serde::Deserialize;
use shared::app::Ctx;
use shared::auth::{Bearer, Caller};
use shared::clients::Client;
use shared::db::{Db, PageOut};
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;
use shared::ids::Id;
use shared::media::fill_page;
use shared::page::Page;
use shared::people;
use shared::trace::Trace;
use shared::wire;

use super::settled;
use crate::docs::Post;
use crate::model::{fold_tag, is_handle};
use crate::store;

/// Public posts with a hashtag, newest first.
#[utoipa::path(get, path = "/tags/{tag}",
    params(("tag" = String, Path, description = "A hashtag, in any case, without the `#`.", example = "tea"), Page),
    responses((status = 200, description = "A page of posts.", body = wire::Page<Post>)))]
pub async fn list_tag(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Path(tag): Path<String>,
    page: Page,
) -> ApiResult<PageOut> {
    let after = page.after_integer()?;
    let tag = fold_tag(tag.trim_start_matches('#'));
    let list = || store::list_tag(&db, caller.id, &tag, after.clone(), page.limit);
    let page = settled(&app, &caller, list).await?.ok_or_else(ApiError::invalid_token)?;
    Ok(fill_page(&app, page))
}

/// The posts of a person, newest first.
///
/// For those who may see what the person publishes.
#[utoipa::path(get, path = "/u/{handle}/posts",
    params(("handle" = String, Path, description = "A handle, in any case.", example = "alice"), Page),
    responses(
        (status = 200, description = "A page of posts.", body = wire::Page<Post>),
        (status = 308, description = "The person has another handle; the old one leads there for 30 days.",
            headers(("Location" = String, description = "The same list there."))),
        (status = 403, description = "`private_account`: only followers see it"),
        (status = 503, description = "`unavailable`: who has the handle cannot be asked now"),
    ))]
pub async fn list_posts_of(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    trace: Trace,
    Path(handle): Path<String>,
    page: Page,
    uri: Uri,
) -> ApiResult<Response> {
    let after = page.after_integer()?;
    let handle = Some(handle.to_ascii_lowercase()).filter(|handle| is_handle(handle));
    let handle = handle.ok_or_else(ApiError::not_found)?;
    let Some(author) = find_author(&app, &trace, &handle, &caller).await? else {
        return moved(&app, &trace, &handle, &caller, uri.query()).await;
    };
    if !author.found {
        return Err(ApiError::not_found());
    }
    if !author.seen {
        return Err(ApiError::forbidden("private_account", "Only followers see what this person posts."));
    }
    let posts = store::list_posts_of(&db, author.pk, caller.id, after, page.limit).await?;
    Ok(fill_page(&app, posts).into_response())
}

/// Who has the handle, looked up at `users` where they are new here.
async fn find_author(
    app: &Ctx,
    trace: &Trace,
    handle: &str,
    caller: &Caller,
) -> ApiResult<Option<store::AuthorRow>> {
    let known = store::find_author(&app.db, handle, caller.id).await?;
    if known.is_some() || people::find_by_handle(app, trace, handle).await?.is_none() {
        return Ok(known);
    }
    Ok(store::find_author(&app.db, handle, caller.id).await?)
}

/// Who gave a handle up lately, as `users` tells.
#[derive(Deserialize)]
struct Holder {
    id: Id,
    handle: String,
}

/// 308 from a handle somebody gave up to the one they have now; 404 to whom a block hides them from.
async fn moved(
    app: &Ctx,
    trace: &Trace,
    handle: &str,
    caller: &Caller,
    query: Option<&str>,
) -> ApiResult<Response> {
    let users = Client::new(app, trace, "users");
    let now: Holder = users.get(&format!("/internal/handles/{handle}")).await?;
    people::ensure(app, trace, now.id).await?;
    if !store::may_find_person(&app.db, now.id, caller.id).await? {
        return Err(ApiError::not_found());
    }
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(Redirect::permanent(&format!("/u/{}/posts{query}", now.handle)).into_response())
}
