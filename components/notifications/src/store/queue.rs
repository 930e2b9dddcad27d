//! The queue of pushes.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::params;
use shared::trace::log;
use shared::wire::NotificationPreferences;

use super::{Endpoint, is_shown, notification_json, sees_actor};

/// A push that is ours to send until its lease ends.
#[derive(Debug, Deserialize)]
pub struct Claimed {
    /// Its row.
    pub pk: i64,
    /// Which claim of it this is.
    pub lease: i64,
    /// When it failed first, in milliseconds.
    pub tried_at: Option<i64>,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// What its person wants; none where they want all of it.
    preferences: Option<Value>,
    /// What it tells; none where that was read or is not theirs to see any more.
    pub told: Option<Told>,
}

impl Claimed {
    /// What its person wants; `None` where that is everything.
    pub fn preferences(&self) -> Option<NotificationPreferences> {
        serde_json::from_value(self.preferences.clone()?).ok()
    }
}

/// What a push tells.
#[derive(Debug, Deserialize)]
pub struct Told {
    /// 1 where it happened below a post of its person's own.
    pub is_host: i64,
    /// That post, or the one of somebody else.
    pub post: Option<String>,
    /// What the badge it is about is called, where that was told.
    pub badge: Option<String>,
    /// `Notification` of the contract.
    pub notification: Map<String, Value>,
}

impl Told {
    /// Its type.
    pub fn kind(&self) -> &str {
        self.notification["type"].as_str().unwrap_or_default()
    }
}

/// By `pushes_by_due`. To claim a push is to put it off until the lease ends, so two who claim at once get different ones.
pub const CLAIM_PUSHES: &str = concat!(
    "update pushes set lease = lease + 1, due_at = ?2
    where pk in (select pk from pushes where due_at <= ?1 order by due_at limit ?3)
    returning json_object('pk', pk, 'lease', lease, 'tried_at', tried_at,
        'endpoint', json((select json_object('pk', e.pk, 'provider', e.provider, 'address', e.address, 'p256dh', e.p256dh,
            'auth', e.auth, 'registered_at', e.registered_at, 'failures', e.failures)
            from push_endpoints as e where e.pk = pushes.endpoint)),
        'preferences', json((select w.preferences from notifications as n join preferences as w on w.person = n.person
            where n.pk = pushes.notification)),
        'told', json((select json_object('is_host', n.host is n.person, 'post', n.post,
            'badge', (select name from badges where n.target_type = 'badge' and id = n.target_id), 'notification', ",
    notification_json!("me", "n"),
    ") from notifications as n cross join people as me
            where n.pk = pushes.notification and n.read = 0 and me.pk = n.person and me.status = 'active' and ",
    is_shown!("me", "n"),
    ")))"
);

/// Claims what is due, at most `limit`, for as long as `lease`.
pub async fn claim_pushes(
    db: &Db,
    now: Instant,
    lease: Duration,
    limit: u32,
) -> Result<Vec<Claimed>, DbError> {
    let rows = db.rows(CLAIM_PUSHES, params![now.millis(), now.plus(lease).millis(), limit]).await?;
    let texts = rows.iter().filter_map(|row| row.first()?.as_text());
    // One that cannot be read must not keep the others; it comes back when its lease ends, and is swept in the end.
    let claimed = texts.filter_map(|text| match serde_json::from_str(text) {
        Ok(push) => Some(push),
        Err(error) => {
            log("error", "notifications", "push not read", serde_json::json!({ "error": error.to_string() }));
            None
        }
    });
    Ok(claimed.collect())
}

const NEXT_DUE: &str = "select min(due_at) from pushes";

/// When the next push is due, in milliseconds.
pub async fn next_due(db: &Db) -> Result<Option<i64>, DbError> {
    db.read_as(NEXT_DUE, params![]).await
}

const END: &str = "delete from pushes where pk = ?1 and lease = ?2";

/// It was delivered, or never will be.
pub async fn end_push(db: &Db, push: &Claimed) -> Result<(), DbError> {
    db.rows(END, params![push.pk, push.lease]).await.map(drop)
}

const HOLD: &str = "update pushes set due_at = ?3 where pk = ?1 and lease = ?2";

/// Nobody wants it before `until`.
pub async fn hold_push(db: &Db, push: &Claimed, until: Instant) -> Result<(), DbError> {
    db.rows(HOLD, params![push.pk, push.lease, until.millis()]).await.map(drop)
}

const POSTPONE: &str =
    "update pushes set due_at = ?3, tried_at = coalesce(tried_at, ?4) where pk = ?1 and lease = ?2";

/// By what the claim knew, so that pushes which failed side by side count once.
const PAUSE: &str = "update push_endpoints set
        failures = ?2 + 1, failing_since = coalesce(failing_since, ?3), paused_until = max(paused_until, ?4)
    where pk = ?1";

/// It failed: nothing goes to that place before `until`.
pub async fn postpone_push(
    db: &Db,
    push: &Claimed,
    tried_at: Instant,
    until: Instant,
) -> Result<(), DbError> {
    let Endpoint { pk, failures, .. } = push.endpoint;
    let postponed = params![push.pk, push.lease, until.millis(), tried_at.millis()];
    db.rows(POSTPONE, postponed).await?;
    db.rows(PAUSE, params![pk, failures, tried_at.millis(), until.millis()]).await.map(drop)
}
