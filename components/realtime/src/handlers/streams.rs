//! Streams.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use shared::app::Ctx;
use shared::auth::MaybeCaller;
use shared::error::{ApiError, ApiResult};
use shared::extract::Query;
use shared::live::Arrival;
use shared::people::require_standing;
use shared::platform;
use shared::trace::Trace;
use utoipa::IntoParams;

use crate::model::{self, ASKING, HEARTBEAT, LEASE};
use crate::store::{self, Opened, Opener};
use crate::{frames, poller};

/// What opens it, and where it goes on.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// From `POST /realtime/ticket`, instead of a token.
    ticket: Option<String>,
    /// The same as the header `Last-Event-ID`, for who cannot send it.
    last_event_id: Option<String>,
}

/// What happens to the caller, as it happens (server-sent events).
///
/// `event:` is `notification` (a `Notification`), `unread` (`{unreadCount}`), `feed` (`{postId, authorId}`), `scoop` (`{scoopId, authorId}`)
/// or `media` (a `Media`), and `id:` a number that grows. A comment comes every 15 s where nothing else does. Who comes back with the
/// number of their last event gets what they missed, of the last 1,000 events of the last day; where that cannot be told, `reset`
/// (`{}`) comes first, and the stream goes on from now. It ends with the token or the session that opened it.
#[utoipa::path(get, path = "/realtime", security((), ("bearerAuth" = [])),
    params(StreamQuery, ("Last-Event-ID" = Option<String>, Header, description = "The number of the last event the caller has.")),
    responses(
        (status = 200, description = "Events.", body = String, content_type = "text/event-stream"),
        (status = 403, description = ""),
        (status = 429, description = "`too_many_streams`: the caller has five open")))]
pub async fn open_stream(
    State(app): State<Ctx>,
    trace: Trace,
    caller: MaybeCaller,
    method: Method,
    headers: HeaderMap,
    Query(query): Query<StreamQuery>,
) -> ApiResult {
    let is_look = method == Method::HEAD;
    let opener = match (caller.0, &query.ticket) {
        (Some(caller), _) => Opener::of(&caller),
        (None, Some(ticket)) => opener_of(&app, &trace, ticket, is_look).await?,
        (None, None) => return Err(ApiError::invalid_token()),
    };
    let (outlet, response) = platform::stream();
    if is_look {
        return Ok(as_stream(response));
    }
    let opened = open(&app, &opener).await?;
    // What is no text is no number either.
    let header = headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?"));
    let last = model::last_event(header, query.last_event_id.as_deref());
    let place = store::find_place(&app.db, opened.person, last).await?;
    let opening = match (last, place.from) {
        (Some(_), None) => frames::opening_anew(place.head),
        _ => frames::opening(place.from.unwrap_or(place.head)),
    };
    let Opened { stream, person } = opened;
    let seq = place.from.unwrap_or(place.head);
    let arrival = Arrival { stream, person, user: opener.user, seq, ends: opener.ends, opening, outlet };
    if app.streams.open(arrival) {
        poller::serve(&app);
    }
    Ok(as_stream(response))
}

/// Who had the ticket, which is good no more unless this is only a look.
async fn opener_of(app: &Ctx, trace: &Trace, ticket: &str, is_look: bool) -> ApiResult<Opener> {
    let found = match is_look {
        true => store::find_ticket(&app.db, ticket, app.now()).await?,
        false => store::take_ticket(&app.db, ticket, app.now()).await?,
    };
    let opener = found.ok_or_else(ApiError::invalid_token)?;
    require_standing(app, trace, opener.user).await?;
    Ok(opener)
}

/// A place for the stream. Where all are taken, it is asked of each whether anybody still writes and reads there: who closes a page and
/// opens another must not wait for the next heartbeat, nor who comes back after an instance died.
async fn open(app: &Ctx, opener: &Opener) -> ApiResult<Opened> {
    for is_first in [true, false] {
        let now = app.now();
        if let Some(opened) = store::open_stream(&app.db, opener, now, now.plus(LEASE)).await? {
            return Ok(opened);
        }
        if !store::has_all_streams(&app.db, opener.user, now).await? {
            return Err(ApiError::invalid_token());
        }
        if is_first {
            store::ask_streams(&app.db, opener.user, now, now.plus(ASKING)).await?;
            platform::sleep(ASKING).await;
        }
    }
    let refusal = ApiError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_streams",
        "Five streams of yours are open; close one first.",
    );
    Err(refusal.header(header::RETRY_AFTER, &HEARTBEAT.as_secs().to_string()))
}

fn as_stream(mut response: Response) -> Response {
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx collects what it passes on, unless it is told.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
