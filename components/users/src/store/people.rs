//! `people` and `profiles`: what a person is and what only they see.

use shared::clients::ClaimedMedia;
use shared::clock::Instant;
use shared::db::DbError;
use shared::ids::Id;
use shared::params;

use super::{Lens, Store, me_json, returning_me};
use crate::model::{PreferencesPatch, ProfilePatch};

// Hot. Two searches by key: people by its id, profiles by its row. Not a join: SQLite prepares a
// join on an equality anew for every value bound, which costs twice what the rest does. And without a
// name the column would be called by its whole text, which is handed over with every answer.
const ME: &str = concat!(
    "select (select ",
    me_json!("p", "f"),
    " from profiles as f where f.person = p.pk) as me from people as p where p.id = ?1 and p.status = 'active'"
);

const UPDATE_ME: &str = concat!(
    "update people set display_name = iif(?5, ?6, display_name), bio = iif(?7, ?8, bio),
        private = coalesce(?9, private), changed_at = ?10
    where id = ?1 and status = 'active'",
    returning_me!()
);

// What was ready when it was claimed, or was heard to be since, is shown by this statement: no event will tell of it again.
const SET_AVATAR: &str = concat!(
    "update people set avatar_wanted = iif(told.ready, null, ?5), avatar_key = iif(told.ready, ?5, avatar_key),
        avatar_url = iif(told.ready, ?7, avatar_url), changed_at = ?8
    from (select ?6 or exists (
        select 1 from inbox where source = 'media' and type = 'media.ready' and key = ?5) as ready) as told
    where id = ?1 and status = 'active'",
    returning_me!()
);

const ACCEPT_TERMS: &str = concat!(
    "update profiles set terms_version = ?2, terms_accepted_at = iif(terms_version is ?2, terms_accepted_at, ?5)
    where person = (select pk from people where id = ?1 and status = 'active')
    returning (select ",
    me_json!("p", "profiles"),
    " from people as p where p.pk = profiles.person)"
);

const PREFERENCES: &str = "select json(f.preferences) from people as p join profiles as f on f.person = p.pk
    where p.id = ?1 and p.status = 'active'";

// Merged here rather than in the service, so that two patches at once both hold.
const UPDATE_PREFERENCES: &str = "update profiles set preferences = json_object(
        'push', json_patch(preferences -> '$.push', ?2),
        'quietHours', json(iif(?3, ?4, preferences -> '$.quietHours'))), preferences_at = ?5
    where person = (select pk from people where id = ?1 and status = 'active')
    returning preferences";

const PERSON_FIELDS: &str =
    "select json_object('id', id, 'handle', handle, 'displayName', display_name, 'bio', bio,
        'avatarUrl', avatar_url, 'private', private, 'createdAt', created_at, 'status', status, 'rev', rev)
    from people where status <> 'unknown' and ";

impl Store {
    /// `Me` of an active person.
    pub async fn get_me(&self, id: Id, lens: &Lens<'_>) -> Result<Option<String>, DbError> {
        self.0.read(ME, params![id, lens.terms, lens.admins.as_str(), lens.is_admin]).await
    }

    /// Changes what others are shown; `Me` afterwards.
    pub async fn update_me(
        &self,
        id: Id,
        patch: ProfilePatch,
        now: Instant,
        lens: &Lens<'_>,
    ) -> Result<Option<String>, DbError> {
        let ProfilePatch { display_name, bio, private } = patch;
        let params = params![
            id,
            lens.terms,
            lens.admins.as_str(),
            lens.is_admin,
            display_name.is_some(),
            display_name.flatten(),
            bio.is_some(),
            bio.flatten(),
            private.map(i64::from),
            now.rfc3339()
        ];
        self.0.write(UPDATE_ME, params).await
    }

    /// Shows a picture, now or when it is ready; `Me` afterwards.
    pub async fn set_avatar(
        &self,
        id: Id,
        picture: &ClaimedMedia,
        now: Instant,
        lens: &Lens<'_>,
    ) -> Result<Option<String>, DbError> {
        let is_ready = picture.status == "ready";
        let params = params![
            id,
            lens.terms,
            lens.admins.as_str(),
            lens.is_admin,
            picture.key,
            is_ready,
            picture.avatar_url.clone(),
            now.rfc3339()
        ];
        self.0.write(SET_AVATAR, params).await
    }

    /// Notes that the current terms were accepted; again changes nothing. `Me` afterwards.
    pub async fn accept_terms(
        &self,
        id: Id,
        now: Instant,
        lens: &Lens<'_>,
    ) -> Result<Option<String>, DbError> {
        let params = params![id, lens.terms, lens.admins.as_str(), lens.is_admin, now.rfc3339()];
        self.0.write(ACCEPT_TERMS, params).await
    }

    /// The notification preferences.
    pub async fn get_preferences(&self, id: Id) -> Result<Option<String>, DbError> {
        self.0.read(PREFERENCES, params![id]).await
    }

    /// Merges `patch` into the notification preferences; all of them afterwards.
    pub async fn update_preferences(
        &self,
        id: Id,
        patch: &PreferencesPatch,
        now: Instant,
    ) -> Result<Option<String>, DbError> {
        let (given, hours) = patch.quiet_hours_json();
        let params = params![id, patch.push_json(), given, hours, now.rfc3339()];
        self.0.write(UPDATE_PREFERENCES, params).await
    }

    /// The person `id`, wherever they stand.
    pub async fn get_person(&self, id: Id) -> Result<Option<String>, DbError> {
        self.0.read(&format!("{PERSON_FIELDS} id = ?1"), params![id]).await
    }

    /// The person who has `handle`.
    pub async fn find_person(&self, handle: &str) -> Result<Option<String>, DbError> {
        self.0.read(&format!("{PERSON_FIELDS} handle = ?1"), params![handle]).await
    }
}

#[cfg(test)]
mod tests {
    use super::ME;
    use crate::store::tests::plan;

    #[tokio::test]
    async fn me_reads_two_rows_by_their_keys() {
        let plan = plan(ME, 4).await;
        assert!(!plan.contains("SCAN p"), "{plan}");
        assert!(!plan.contains("SCAN f"), "{plan}");
    }
}
