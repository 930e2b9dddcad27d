//! Tickets, for who cannot send a token in a header.

use axum::extract::State;
use http::StatusCode;
use shared::answer::json;
use shared::app::Ctx;
use shared::auth::Caller;
use shared::error::ApiResult;
use shared::ids::random_token;

use crate::docs::Ticket;
use crate::model::TICKET_LIVES;
use crate::store::{self, Opener};

/// A ticket: opens one stream, within a minute, in the name of the caller.
///
/// For `EventSource`, which sends no headers. The stream ends when the token does that the ticket was had for.
#[utoipa::path(post, path = "/realtime/ticket", responses((status = 200, description = "The ticket.", body = Ticket)))]
pub async fn create_ticket(State(app): State<Ctx>, caller: Caller) -> ApiResult {
    let ticket = random_token(32);
    let until = app.now().plus(TICKET_LIVES);
    // Not remembered under an Idempotency-Key: only its hash is kept, and a retry needs one that somebody knows.
    store::create_ticket(&app.db, &ticket, &Opener::of(&caller), until).await?;
    Ok(json(StatusCode::OK, &Ticket { ticket, expires_in: TICKET_LIVES.as_secs() }))
}
