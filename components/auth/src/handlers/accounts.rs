//! Accounts: registration and passwords.

use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use shared::app::{App, Ctx};
use shared::auth::{Caller, NoBadToken};
use shared::clients::{ClientError, NewPerson, Users};
use shared::db::Db;
use shared::error::{ApiError, ApiResult, Check};
use shared::extract::{ClientAddr, Json};
use shared::limits::Limiter;
use shared::trace::Trace;
use utoipa::ToSchema;

use super::{limit_key, session_answer, user_agent};
use crate::docs::Session;
use crate::model::{
    LOGIN, LOGIN_DAY, MAIL, MAIL_ADDRESS, PASSWORD_RULE, REGISTER, REGISTER_DAY, Registration, is_password,
    normal_email,
};
use crate::store::{self, Attempt, Opening};
use crate::tokens::{Holder, Secret, hash_token};
use crate::{mail, passwords};

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisterIn {
    #[schema(min_length = 3, examples("alice@example.com"))]
    email: String,
    #[schema(min_length = 10, max_length = 128, format = Password)]
    password: String,
    /// Can be chosen later, too.
    #[schema(pattern = "^[A-Za-z][A-Za-z0-9_]{2,19}$", examples("alice"))]
    handle: Option<String>,
    /// At most 50 characters as people count them.
    #[schema(max_length = 2000)]
    display_name: Option<String>,
    /// Needed where one registers by invite alone.
    invite_code: Option<String>,
}

/// Registers somebody and signs them in.
///
/// A mail with a link to verify the address goes out.
// The account is put down first and opened last, so that a registration torn off anywhere in between
// can be sent again.
#[utoipa::path(post, path = "/auth/register", security(()), responses(
    (status = 201, description = "Their first session.", body = Session),
    (status = 403, description = "`registration_closed`: nobody can register at the moment; `invite_required`: an \
        invite is needed, or the one given is not good"),
    (status = 409, description = "`email_taken`: there is an account with this address; `handle_taken`: the handle is \
        somebody's, held or reserved"),
    (status = 422, description = "`handle_invalid`: the handle is none; `invite_invalid`: the invite is not good"),
    (status = 429),
    (status = 503, description = "`unavailable`: a service this needs does not answer"),
))]
pub async fn register_account(
    _: NoBadToken,
    State(app): State<Ctx>,
    (limiter, address, trace, headers): (Limiter, ClientAddr, Trace, HeaderMap),
    db: Db,
    Json(input): Json<RegisterIn>,
) -> ApiResult {
    if app.config.get("registration") == "closed" {
        return Err(ApiError::forbidden("registration_closed", "Nobody can register at the moment."));
    }
    let Registration { email, password } = Registration::check(&input.email, input.password)?;
    let key = limit_key(&email);
    let spent = [(&REGISTER, key.as_str()), (&REGISTER, &address.0), (&REGISTER_DAY, &address.0)];
    limiter.spend(&app, &spent, 1).await?;
    let hash = passwords::hash_password(&password).map_err(ApiError::internal)?;
    let attempt = store::create_account(&db, &email, &hash, app.now()).await?.ok_or_else(email_taken)?;
    let RegisterIn { handle, display_name, invite_code, .. } = input;
    let person = NewPerson { id: attempt.id, email: email.clone(), handle, display_name, invite_code };
    let user = create_person(&app, &trace, &attempt, &person).await?;
    let (secret, agent) = (Secret::new(), user_agent(&headers));
    let opening = Opening {
        user: attempt.id,
        session: attempt.attempt,
        attempt: Some(attempt.attempt),
        user_agent: agent.as_deref(),
        token: &secret.hash,
    };
    super::sessions::open(&app, &db, &opening).await?.ok_or_else(email_taken)?;
    mail::send_soon(&app);
    let holder = Holder { user_id: attempt.id, email, email_verified: false };
    session_answer(&app, StatusCode::CREATED, &holder, attempt.attempt, &secret.token, &user).await
}

fn email_taken() -> ApiError {
    ApiError::conflict("email_taken", "There is an account with this e-mail address.")
}

/// The person in `users`. What `users` refuses is answered, and the address is free again.
async fn create_person(
    app: &App,
    trace: &Trace,
    attempt: &Attempt,
    person: &NewPerson,
) -> ApiResult<serde_json::Value> {
    match Users::new(app, trace).create_person(person).await {
        Ok(user) => Ok(user),
        Err(ClientError::Answered(problem)) if matches!(problem.status, 403 | 409 | 422) => {
            store::delete_attempt(&app.db, attempt).await?;
            Err(ClientError::Answered(problem).into())
        }
        Err(error) => {
            store::release_attempt(&app.db, attempt).await?;
            Err(ApiError::unavailable(error))
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasswordIn {
    #[schema(format = Password)]
    current_password: String,
    #[schema(min_length = 10, max_length = 128, format = Password)]
    new_password: String,
}

/// Changes the caller's password.
///
/// Their other sessions end.
#[utoipa::path(post, path = "/auth/password", responses(
    (status = 204, description = "It is changed."),
    (status = 422, description = "`invalid_credentials`: the current password is wrong"),
))]
pub async fn change_password(
    State(app): State<Ctx>,
    (caller, limiter, address): (Caller, Limiter, ClientAddr),
    db: Db,
    Json(input): Json<PasswordIn>,
) -> ApiResult<StatusCode> {
    require_password(&input.new_password)?;
    let who = caller.id.to_string();
    let spent = [(&LOGIN, who.as_str()), (&LOGIN_DAY, &who), (&LOGIN, &address.0), (&LOGIN_DAY, &address.0)];
    limiter.spend(&app, &spent, 1).await?;
    let account = store::find_account_of(&db, caller.id).await?.ok_or_else(ApiError::invalid_token)?;
    let wrong = || {
        ApiError::unprocessable("invalid_credentials", "The current password is wrong.")
            .field("currentPassword", "is wrong")
    };
    // A run before this one may have changed it already.
    if !db.is_repeated() {
        let verified = passwords::verify_password(&input.current_password, Some(&account.password));
        verified.map_err(ApiError::internal)?.then_some(()).ok_or_else(wrong)?;
    }
    let hash = passwords::hash_password(&input.new_password).map_err(ApiError::internal)?;
    let kept = caller.token.session;
    let known = &account.password;
    // False where it was changed elsewhere since it was verified.
    let changed = store::change_password(&db, caller.id, known, &hash, kept, app.now()).await?;
    changed.then_some(StatusCode::NO_CONTENT).ok_or_else(wrong)
}

fn require_password(password: &str) -> ApiResult<()> {
    Check::default().field(is_password(password), "newPassword", PASSWORD_RULE).finish()
}

#[derive(Deserialize, ToSchema)]
pub struct ResetIn {
    #[schema(min_length = 3, examples("alice@example.com"))]
    email: String,
}

/// Mails a link to set a new password.
///
/// The answer and its time are the same whether there is such an account or not.
#[utoipa::path(post, path = "/auth/password-reset", security(()),
    responses((status = 202, description = "If there is an account, a mail is on its way."), (status = 429)))]
pub async fn request_password_reset(
    _: NoBadToken,
    State(app): State<Ctx>,
    (limiter, address): (Limiter, ClientAddr),
    db: Db,
    Json(input): Json<ResetIn>,
) -> ApiResult<StatusCode> {
    let email =
        normal_email(&input.email).ok_or_else(|| ApiError::invalid("email", "is not an e-mail address"))?;
    let key = limit_key(&email);
    limiter.spend(&app, &[(&MAIL, key.as_str()), (&MAIL_ADDRESS, &address.0)], 1).await?;
    store::queue_reset(&db, &email, app.now()).await?;
    mail::send_soon(&app);
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmIn {
    /// From the mail, good for an hour.
    token: String,
    #[schema(min_length = 10, max_length = 128, format = Password)]
    new_password: String,
}

/// Sets a new password with the token of the mail.
///
/// Every session ends.
#[utoipa::path(post, path = "/auth/password-reset/confirm", security(()), responses(
    (status = 204, description = "It is set."),
    (status = 422, description = "`token_invalid`: the link was used before or is too old"),
    (status = 429),
))]
pub async fn confirm_password_reset(
    _: NoBadToken,
    State(app): State<Ctx>,
    (limiter, address): (Limiter, ClientAddr),
    db: Db,
    Json(input): Json<ConfirmIn>,
) -> ApiResult<StatusCode> {
    require_password(&input.new_password)?;
    limiter.spend(&app, &[(&MAIL_ADDRESS, address.0.as_str())], 1).await?;
    let token = hash_token(&input.token);
    // Looked up before the costly hash; a run before this one may have used it already.
    let good = db.is_repeated() || store::has_mail_token(&db, &token, "password_reset", app.now()).await?;
    good.then_some(()).ok_or_else(super::emails::token_spent)?;
    let hash = passwords::hash_password(&input.new_password).map_err(ApiError::internal)?;
    let reset = store::reset_password(&db, &token, &hash, app.now()).await?;
    reset.then_some(StatusCode::NO_CONTENT).ok_or_else(super::emails::token_spent)
}
