//! The playlists of a video, for whoever has a link to it: players send no tokens.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use shared::app::Ctx;
use shared::auth::NoBadToken;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Path, Query};
use shared::ids::Id;
use shared::media::{self, lasts, playlist};
use utoipa::IntoParams;

use crate::playlist::Stream;
use crate::store;

/// RFC 8216, 4.
const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// What a link has behind its path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LinkQuery {
    /// Until when it holds, in seconds since the epoch.
    #[param(value_type = i64, required = true)]
    until: Option<String>,
    /// Shows that it was given out.
    #[param(value_type = String, required = true)]
    sig: Option<String>,
}

/// A playlist of a video (HLS, RFC 8216). `hlsUrl` leads to the first, which names the others.
#[utoipa::path(get, path = "/media/{key}/hls/{name}", security(()),
    params(LinkQuery, ("name" = String, Path, description = "As the playlist before names it.", example = "master.m3u8")),
    responses((status = 200, description = "The playlist.", body = String, content_type = "application/vnd.apple.mpegurl")))]
pub async fn get_playlist(
    _: NoBadToken,
    State(app): State<Ctx>,
    Path((key, name)): Path<(Id, String)>,
    Query(link): Query<LinkQuery>,
) -> ApiResult<Response> {
    let key_text = key.to_string();
    let until = link.until.and_then(|until| until.parse::<i64>().ok()).unwrap_or(0);
    let now = shared::clock::Clock::default().now();
    let lasts = lasts(&app, &key_text, until, link.sig.as_deref().unwrap_or_default(), now)
        .ok_or_else(ApiError::not_found)?;
    let stream: Stream = store::find_stream(&app.db, key).await?.ok_or_else(ApiError::not_found)?;
    let text = if name == "master.m3u8" {
        stream.master(|name| playlist(&app, &key_text, name, lasts, until))
    } else {
        let track = stream.track(&name).ok_or_else(ApiError::not_found)?;
        // Segments end with the link that led here.
        let time = shared::objects::time_until(until);
        let file = format!("{}{}", stream.prefix, track.file);
        track.playlist(&media::link(&app, &file, lasts, time).ok_or_else(ApiError::not_found)?)
    };
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, PLAYLIST)], text).into_response())
}
