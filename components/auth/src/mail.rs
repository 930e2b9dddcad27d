//! Mail. It is queued by the statement that causes it and goes out right after the answer; what could
//! not be sent then goes out from the tick, later and later, for a day.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use serde::Serialize;
use shared::app::{App, Ctx};
use shared::clients::send_bounded;
use shared::db::DbError;
use shared::platform::{sleep, spawn};
use shared::trace::log;

use crate::store;
use crate::tokens::Secret;

/// How long the mail hook may take; less than the shortest backoff, which is also the lease.
const PATIENCE: Duration = Duration::from_secs(10);
/// Mails sent in one go.
const BATCH: usize = 50;

/// What the mail hook gets.
#[derive(Debug, Serialize)]
struct Mail {
    kind: String,
    to: String,
    subject: &'static str,
    text: String,
    link: String,
    token: String,
}

/// How long after a request its mail is sent: the answer is out by then, so its time tells nothing of
/// whether there was a mail to send.
const DELAY: Duration = Duration::from_millis(100);

/// Sends what is due after the answer.
pub fn send_soon(app: &Ctx) {
    let app = app.clone();
    spawn(async move {
        sleep(DELAY).await;
        if let Err(error) = send_due(&app).await {
            let fields = serde_json::json!({ "error": error.to_string() });
            log("warn", app.service.name, "mail not read", fields);
        }
    });
}

/// Sends what is due.
pub async fn send_due(app: &App) -> Result<(), DbError> {
    for _ in 0..BATCH {
        // The token is made here, so that the queue never holds one that opens anything.
        let secret = Secret::new();
        let Some(row) = store::take_mail(&app.db, &secret.hash, app.now()).await? else {
            break;
        };
        let Some(to) = row.to else {
            store::delete_mail(&app.db, row.pk).await?;
            continue;
        };
        let mail = compose(app, row.kind, to, secret.token);
        match send(app, &mail).await {
            Ok(()) => store::delete_mail(&app.db, row.pk).await?,
            Err(error) => {
                let fields = serde_json::json!({ "kind": mail.kind, "error": format!("{error:#}") });
                log("warn", app.service.name, "mail not sent", fields);
            }
        }
    }
    Ok(())
}

fn compose(app: &App, kind: String, to: String, token: String) -> Mail {
    let reset = kind == "password_reset";
    let page = if reset { "reset-password" } else { "verify-email" };
    // After `#`, so that no server and no referrer sees it.
    let link = format!("{}/{page}#token={token}", app.config.public_url());
    let (subject, text) = if reset {
        let text = format!(
            "Somebody, we hope you, wants to set a new password for your ScooterBooter account.\n\nSet it here within the next hour:\n{link}\n\nIf it was not you, do nothing: your password stays as it is.\n"
        );
        ("Reset your ScooterBooter password", text)
    } else {
        let text = format!(
            "Welcome to ScooterBooter.\n\nShow that this address is yours within the next 24 hours:\n{link}\n\nIf you did not sign up, do nothing.\n"
        );
        ("Verify your e-mail address for ScooterBooter", text)
    };
    Mail { kind, to, subject, text, link, token }
}

async fn send(app: &App, mail: &Mail) -> Result<(), anyhow::Error> {
    let hook = app.config.get("mail_url");
    if hook.is_empty() {
        // Without a hook the log is where mail goes: on a laptop there is nobody else to read it.
        let fields = serde_json::json!({
            "kind": mail.kind, "to": mail.to, "subject": mail.subject, "link": mail.link, "token": mail.token,
        });
        log("info", app.service.name, "mail", fields);
        return Ok(());
    }
    let request = Request::post(hook)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(serde_json::to_vec(mail)?))?;
    let answer = send_bounded(app, request, PATIENCE, 64 << 10).await?;
    anyhow::ensure!(answer.status().is_success(), "the mail hook answered {}", answer.status());
    Ok(())
}
