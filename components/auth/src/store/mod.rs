//! All SQL of the service. Every lookup is by a unique key: an address, an id, the hash of a token.

mod accounts;
mod keys;
mod mails;
mod sessions;

use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

pub use accounts::*;
pub use keys::*;
pub use mails::*;
pub use sessions::*;

const EXPORT: &str = "select json_object(
        'account', json((select json_object(
            'email', email, 'emailVerified', json(iif(verified_at is null, 'false', 'true')),
            'emailVerifiedAt', verified_at, 'passwordSetAt', password_set_at, 'createdAt', created_at)
            from accounts where id = ?1)),
        'sessions', json((select json_group_array(json_object(
            'id', id, 'createdAt', created_at, 'lastUsedAt', last_used_at, 'userAgent', user_agent,
            'endedAt', ended_at))
            from (select s.* from sessions as s join accounts as a on a.pk = s.account
                where a.id = ?1 order by s.created_at desc, s.pk desc))))";

/// What is kept about a person, as JSON, without any secret.
pub async fn export_person(db: &Db, user: Id) -> Result<String, DbError> {
    Ok(db.read(EXPORT, params![user]).await?.unwrap_or_default())
}

/// When things are over.
pub struct Ends {
    /// Now.
    pub now: Instant,
    /// Sessions whose newest token was made before.
    pub session: Instant,
    /// Mails queued before.
    pub mail: Instant,
    /// Keys that another replaced before.
    pub key: Instant,
}

/// Deletes what is over. Sessions take their tokens along.
pub async fn sweep(db: &Db, ends: &Ends) -> Result<(), DbError> {
    let all = [
        ("delete from refresh_tokens where expires_at <= ?1", ends.now),
        ("delete from sessions where minted_at <= ?1", ends.session),
        ("delete from mail_tokens where expires_at <= ?1", ends.now),
        ("delete from mails where queued_at <= ?1", ends.mail),
        (
            "delete from signing_keys
                where exists (select 1 from signing_keys as later where later.pk > signing_keys.pk and later.made_at <= ?1)",
            ends.key,
        ),
    ];
    for (sql, end) in all {
        db.rows(sql, params![end.millis()]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::accounts::*;
    use super::mails::*;
    use super::sessions::*;
    use super::*;
    use shared::db::Value;
    use shared::migrate::migrate;
    use shared::platform::Platform;

    /// No statement reads a table from end to end.
    #[tokio::test]
    async fn hot_statements_go_by_keys() {
        let db = Db::new(Platform::new(shared::testing::folder("auth-plans")), "auth");
        migrate(&db, crate::SERVICE.migrations).await.unwrap();
        let by_email = format!("{FIND_ACCOUNT} a.email = ?1");
        let statements = [
            CREATE_ACCOUNT,
            &by_email,
            OPEN_SESSION,
            FIND_FAMILY,
            ROTATE_TOKEN,
            ADD_TOKEN,
            END_FAMILY,
            DELETE_SESSION,
            LIST_SESSIONS,
            RESET_PASSWORD,
            VERIFY_EMAIL,
            CHANGE_PASSWORD,
            QUEUE_RESET,
            QUEUE_VERIFICATION,
            TAKE_MAIL,
            PENDING,
            EXPORT,
        ];
        for sql in statements {
            let holes = (1..=9).filter(|n| sql.contains(&format!("?{n}"))).count();
            let values = vec![Value::Null; holes];
            let plan = db.rows(&format!("explain query plan {sql}"), values).await.unwrap();
            let steps: Vec<&str> = plan.iter().filter_map(|row| row.last()?.as_text()).collect();
            let scans = |step: &&&str| {
                step.starts_with("SCAN")
                    && !["(subquery", "CONSTANT ROW"].iter().any(|fine| step.contains(fine))
            };
            let scanned: Vec<_> = steps.iter().filter(scans).collect();
            assert!(scanned.is_empty(), "{sql}\n{steps:#?}");
        }
    }
}
