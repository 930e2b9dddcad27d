//! Pictures of people, for everybody and at addresses that stay.

use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use shared::answer::IfNoneMatch;
use shared::app::Ctx;
use shared::auth::NoBadToken;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Path, Query};
use shared::ids::Id;
use utoipa::IntoParams;

use crate::bucket::Store;
use crate::store;

/// Which size.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SizeQuery {
    /// Pixels of a side: 512 unless told, or 128.
    #[param(value_type = u32, required = false, minimum = 128, maximum = 512)]
    size: Option<String>,
}

/// The picture of a person. `avatarUrl` leads here; it never changes, since a new picture has a new address.
#[utoipa::path(get, path = "/avatars/{key}", security(()), params(SizeQuery, IfNoneMatch), responses(
    (status = 200, description = "The picture.", content((String = "image/jpeg"), (String = "image/png"))),
    (status = 503, description = "`unavailable`: the object store does not answer"),
))]
pub async fn get_avatar(
    _: NoBadToken,
    State(app): State<Ctx>,
    Path(key): Path<Id>,
    Query(query): Query<SizeQuery>,
    known: IfNoneMatch,
) -> ApiResult {
    let small = match query.size.as_deref() {
        None | Some("512") => false,
        Some("128") => true,
        Some(_) => return Err(ApiError::invalid("size", "must be 512 or 128")),
    };
    let object = store::find_avatar(&app.db, key, small).await?.ok_or_else(ApiError::not_found)?;
    let found = Store::of(&app)?.read(&object).await?.ok_or_else(ApiError::not_found)?;
    let kind = if object.ends_with(".png") { "image/png" } else { "image/jpeg" };
    // Objects of a media are written once.
    let tag = format!("\"{key}-{}\"", if small { 128 } else { 512 });
    let mut response = known.answer_tagged(&tag, || {
        (StatusCode::OK, [(header::CONTENT_TYPE, kind)], found.into_body()).into_response()
    });
    let for_good = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, for_good);
    Ok(response)
}
