//! Invites: 10 a person; one that expired unused is given back.

use shared::clock::Instant;
use shared::db::DbError;
use shared::ids::Id;
use shared::params;

use super::Store;
use crate::model::{INVITE_LIFE, INVITES};

const CREATE_INVITE: &str = "insert into invites (code, inviter, created_at, expires_at)
    select ?2, p.pk, ?3, ?4 from people as p
    where p.id = ?1 and p.status = 'active' and (
        select count(*) from invites where inviter = p.pk and (used_by is not null or expires_at > ?3)) < ?5
    returning json_object('code', code, 'url', ?6 || code, 'createdAt', created_at, 'expiresAt', expires_at,
        'usedBy', null)";

// Who came by it is shown as everywhere: not where they were deleted, suspended, or block the caller.
const LIST_INVITES: &str = concat!(
    "select json_object('items', json((
        select json_group_array(json(item)) from (
            select json_object('code', i.code, 'url', ?2 || i.code, 'createdAt', i.created_at,
                'expiresAt', i.expires_at, 'usedBy', iif(u.pk is null, null, json(",
    shared::user_json!("u"),
    "))) as item
            from invites as i left join people as u on u.pk = i.used_by
            where i.inviter = me.pk and (i.used_by is null or ",
    shared::may_find!("me.pk", "u"),
    ") order by i.created_at desc, i.code limit 100))),
        'remaining', max(0, ?4 - (select count(*) from invites
            where inviter = me.pk and (used_by is not null or expires_at > ?3))))
    from people as me where me.id = ?1 and me.status = 'active'"
);

impl Store {
    /// A new invite, or `None` where the person has none left.
    pub async fn create_invite(
        &self,
        id: Id,
        code: &str,
        now: Instant,
        base: &str,
    ) -> Result<Option<String>, DbError> {
        let params = params![id, code, now.rfc3339(), now.plus(INVITE_LIFE).rfc3339(), INVITES, base];
        self.0.write(CREATE_INVITE, params).await
    }

    /// The invites of a person and how many remain.
    pub async fn list_invites(&self, id: Id, now: Instant, base: &str) -> Result<Option<String>, DbError> {
        self.0.read(LIST_INVITES, params![id, base, now.rfc3339(), INVITES]).await
    }
}
