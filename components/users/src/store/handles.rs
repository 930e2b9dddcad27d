//! Handles: whose they are, whose they were, who may take one.

use shared::clock::Instant;
use shared::db::DbError;
use shared::ids::Id;
use shared::params;

use super::{Lens, Store, returning_me};
use crate::model::{DAY, HANDLE_CHANGES, HANDLE_HELD};

// The unique index refuses what somebody has; what is held or too often matches no row.
const CHANGE_HANDLE: &str = concat!(
    "update people set handle = ?5, changed_at = ?6
    where id = ?1 and status = 'active'
        and not exists (select 1 from old_handles
            where handle = ?5 and given_up_at > ?7 and person is not people.pk)
        and (handle is ?5 or (
            select count(*) from old_handles where person = people.pk and given_up_at > ?8) < ?9)",
    returning_me!()
);

// Why it matched none: when the change comes free again, or null where the handle is held.
const LIMITED_SINCE: &str = "select o.given_up_at from old_handles as o
    where o.person = (select pk from people where id = ?1) and o.given_up_at > ?2
    order by o.given_up_at desc limit 1 offset ?3 - 1";

const IS_FREE: &str = "select json(iif(exists (select 1 from people where handle = ?1)
        or exists (select 1 from old_handles where handle = ?1 and given_up_at > ?2
            and person is not coalesce((select pk from people where id = ?3), -1)), 'false', 'true'))";

// The last who gave it up, where they are still here and nobody took it since.
const FOLLOW_HANDLE: &str = "select json_object('id', p.id, 'handle', p.handle)
    from old_handles as o join people as p on p.pk = o.person
    where o.handle = ?1 and o.given_up_at > ?2 and p.status = 'active'
        and not exists (select 1 from people where handle = ?1)
    order by o.given_up_at desc limit 1";

/// What became of a change of handle.
pub enum Change {
    /// `Me` afterwards.
    Done(String),
    /// Somebody has it, or gave it up lately.
    Taken,
    /// Changed too often; again in so many seconds.
    Limited(i64),
}

impl Store {
    /// Gives a person the handle; `limited` says whether the changes of a day are counted.
    pub async fn change_handle(
        &self,
        id: Id,
        handle: &str,
        now: Instant,
        limited: bool,
        lens: &Lens<'_>,
    ) -> Result<Change, DbError> {
        let changes = if limited { HANDLE_CHANGES } else { i64::MAX };
        let params = params![
            id,
            lens.terms,
            lens.admins.as_str(),
            lens.is_admin,
            handle,
            now.rfc3339(),
            now.minus(HANDLE_HELD).rfc3339(),
            now.minus(DAY).rfc3339(),
            changes
        ];
        match self.0.write(CHANGE_HANDLE, params).await {
            Ok(Some(me)) => Ok(Change::Done(me)),
            Ok(None) if limited => self.why_not(id, now).await,
            Ok(None) => Ok(Change::Taken),
            Err(error) if error.is_unique("people.handle") => Ok(Change::Taken),
            Err(error) => Err(error),
        }
    }

    async fn why_not(&self, id: Id, now: Instant) -> Result<Change, DbError> {
        let params = params![id, now.minus(DAY).rfc3339(), HANDLE_CHANGES];
        let since = self.0.read(LIMITED_SINCE, params).await?;
        let since = since.as_deref().and_then(Instant::parse);
        Ok(since.map_or(Change::Taken, |at| Change::Limited(at.plus(DAY).seconds() - now.seconds() + 1)))
    }

    /// Whether `caller` could take the handle now: nobody has it, nobody else gave it up lately.
    pub async fn is_handle_free(
        &self,
        handle: &str,
        caller: Option<Id>,
        now: Instant,
    ) -> Result<bool, DbError> {
        let params = params![handle, now.minus(HANDLE_HELD).rfc3339(), caller];
        Ok(self.0.read(IS_FREE, params).await?.as_deref() == Some("true"))
    }

    /// Who gave up `handle` while it is held, with the handle they have now.
    pub async fn follow_handle(&self, handle: &str, now: Instant) -> Result<Option<String>, DbError> {
        self.0.read(FOLLOW_HANDLE, params![handle, now.minus(HANDLE_HELD).rfc3339()]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::plan;

    #[tokio::test]
    async fn handles_are_looked_up_by_index() {
        for (sql, parameters) in [(IS_FREE, 3), (FOLLOW_HANDLE, 2), (CHANGE_HANDLE, 9), (LIMITED_SINCE, 3)] {
            let plan = plan(sql, parameters).await;
            for table in ["people", "old_handles", "p", "o", "f"] {
                assert!(!plan.lines().any(|line| line == format!("SCAN {table}")), "{plan}");
            }
        }
    }
}
