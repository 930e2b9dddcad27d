//! Invites: 10 a person; one that expired unused is given back.

use shared::clock::Instant;
use shared::db::{DbError, PageOut, Value};
use shared::ids::Id;
use shared::params;

use super::Store;
use crate::model::{Branch, INVITE_LIFE, INVITES};

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

// From `?1` down: breadth first, so that a tree too large is cut at its ends, and by the order of coming within a generation.
// All by `invites_by_inviter`. Of somebody deleted it ends: whom they invited is forgotten with them.
pub(super) const LIST_INVITE_TREE: &str = concat!(
    "select * from (",
    shared::page_sql!(
        concat!(
            "with recursive tree (person, inviter, code, at, depth) as (
                select i.used_by, i.inviter, i.code, i.used_at, 1 from invites as i
                where i.inviter = (select pk from people where id = ?1) and i.used_by is not null
                union all
                select i.used_by, i.inviter, i.code, i.used_at, t.depth + 1
                from tree as t cross join invites as i on i.inviter = t.person
                where i.used_by is not null and t.depth < 10
                limit 10000)
            select json_object('user', json(iif(u.status = 'deleted', 'null', ",
            shared::user_json!("u"),
            ")), 'status', u.status, 'code', t.code, 'invitedAt', t.at, 'invitedBy', by.id, 'depth', t.depth,
                'invited', (select count(*) from invites where inviter = u.pk and used_by is not null)) as item,
                t.depth || '|' || t.person as k
            from tree as t cross join people as u on u.pk = t.person cross join people as by on by.pk = t.inviter
            where (t.depth, t.person) > (?3, ?4) order by t.depth, t.person limit ?2 + 1"
        ),
        "?2"
    ),
    "), (select printf(',\"user\":%s,\"status\":\"%s\",\"invitedBy\":%s', ",
    shared::user_json!("p"),
    ", p.status, coalesce((select ",
    shared::user_json!("who"),
    " from profiles as f cross join people as who on who.pk = f.invited_by where f.person = p.pk), 'null'))
        from people as p where p.id = ?1 and p.status in ('active', 'suspended'))"
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

    /// A page of whom a person invited, and whom those invited, and the members of the answer about the person
    /// themselves. `None` where there is nobody.
    pub async fn list_invite_tree(
        &self,
        id: Id,
        limit: u32,
        after: Branch,
    ) -> Result<Option<(PageOut, String)>, DbError> {
        let params = params![id, limit, after.depth, after.person];
        let Some(row) = self.0.rows(LIST_INVITE_TREE, params).await?.into_iter().next() else {
            return Ok(None);
        };
        let mut columns = row.into_iter().map(Value::into_text);
        let items = columns.next().flatten().unwrap_or_else(|| "[]".to_owned());
        let next = columns.next().flatten();
        Ok(Some((PageOut { items, next }, columns.next().flatten().unwrap_or_default())))
    }
}

#[cfg(test)]
mod tests {
    use super::LIST_INVITE_TREE;
    use crate::store::tests::plan;

    #[tokio::test]
    async fn a_tree_is_walked_by_keys() {
        let plan = plan(LIST_INVITE_TREE, 4).await;
        for table in ["SCAN i", "SCAN u", "SCAN by", "SCAN p", "SCAN f", "SCAN who", "SCAN invites"] {
            assert!(
                !plan.lines().any(|line| line == table || line.starts_with(&format!("{table} "))),
                "{plan}"
            );
        }
    }
}
