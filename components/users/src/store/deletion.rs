//! Deletion with its receipt, the export, and what the tick sweeps.

use shared::clock::Instant;
use shared::db::DbError;
use shared::ids::Id;
use shared::params;

use super::Store;
use crate::model::{HANDLE_HELD, IDENTITY_KEPT, INVITE_LIFE};

// Asked for twice at once, both get the one there is; triggers do the rest (0003_deletion.sql).
const DELETE_ME: &str = "insert into deletions (id, person, services, at)
    select ?2, pk, ?3, ?4 from people where id = ?1 and status = 'active'
    on conflict (person) do update set person = excluded.person
    returning json_object('deletionId', id)";

const GET_DELETION: &str = "select json_object(
        'status', iif(count(s.done_at) = count(*), 'done', 'running'),
        'services', json_group_object(s.service,
            json_object('done', json(iif(s.done_at is null, 'false', 'true')), 'rows', s.rows)))
    from deletion_services as s where s.deletion = ?1 having count(*) > 0";

/// What `users` holds about a person, wherever they stand. Others in it are shown by handle and
/// id, since the tables hold no more of them than that.
const EXPORT: &str = "select json_object(
        'person', json_object('id', p.id, 'handle', p.handle, 'displayName', p.display_name, 'bio', p.bio,
            'avatarUrl', p.avatar_url, 'private', json(iif(p.private, 'true', 'false')),
            'createdAt', p.created_at, 'status', p.status,
            'counts', json_object('posts', p.posts, 'followers', p.followers, 'following', p.following)),
        'email', f.email, 'emailVerified', json(iif(f.email_verified, 'true', 'false')),
        'terms', json_object('acceptedVersion', f.terms_version, 'acceptedAt', f.terms_accepted_at),
        'notificationPreferences', json(f.preferences),
        'invitedBy', (select id from people where pk = f.invited_by),
        'invites', json((select json_group_array(json_object('code', i.code, 'createdAt', i.created_at,
            'expiresAt', i.expires_at, 'usedAt', i.used_at, 'usedBy', u.id))
            from invites as i left join people as u on u.pk = i.used_by where i.inviter = p.pk)),
        'handleHistory', json((select json_group_array(json_object('handle', o.handle, 'givenUpAt', o.given_up_at))
            from old_handles as o where o.person = p.pk)),
        'identities', json((select json_group_array(json_object('issuer', n.issuer, 'subject', n.subject))
            from identities as n where n.person = p.pk)))
    from people as p join profiles as f on f.person = p.pk where p.id = ?1";

impl Store {
    /// Deletes a person. `services` have to erase besides this one. `None` where there is nobody.
    pub async fn delete_me(
        &self,
        id: Id,
        services: &[&str],
        now: Instant,
    ) -> Result<Option<String>, DbError> {
        let services = serde_json::json!(services);
        self.0.write(DELETE_ME, params![id, Id::new(now), services, now.rfc3339()]).await
    }

    /// The receipt of a deletion.
    pub async fn get_deletion(&self, deletion: Id) -> Result<Option<String>, DbError> {
        self.0.read(GET_DELETION, params![deletion]).await
    }

    /// What this service holds about a person.
    pub async fn export_me(&self, id: Id) -> Result<Option<String>, DbError> {
        self.0.read(EXPORT, params![id]).await
    }

    /// Forgets what was kept of people gone: their handles once free again, their outside
    /// identities once no token of theirs can be alive; and invites long expired unused.
    pub async fn sweep(&self, now: Instant) -> Result<(), DbError> {
        self.0
            .rows(
                "delete from old_handles where given_up_at < ?1 and person is null",
                params![now.minus(HANDLE_HELD).rfc3339()],
            )
            .await?;
        self.0
            .rows(
                "delete from identities where person in (select person from deletions where at < ?1)",
                params![now.minus(IDENTITY_KEPT).rfc3339()],
            )
            .await?;
        self.0
            .rows(
                "delete from invites where used_by is null and expires_at < ?1",
                params![now.minus(INVITE_LIFE).rfc3339()],
            )
            .await
            .map(|_| ())
    }
}
