//! How people come in: registered by `auth`, or at their first call with an outside token.

use shared::clients::{Identity, NewPerson};
use shared::clock::Instant;
use shared::db::DbError;
use shared::ids::Id;
use shared::params;

use super::Store;
use crate::model::HANDLE_HELD;

// Nothing where the id is known, which makes it safe to send again.
const CREATE_PERSON: &str = "insert into newcomers
        (id, email, email_verified, handle, display_name, invite_code, invites, at, held_since)
    select ?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8 where not exists (select 1 from people where id = ?1)";

const IDENTITY: &str = "select json_object('id', p.id, 'email', f.email, 'verified', f.email_verified)
    from identities as i join people as p on p.pk = i.person left join profiles as f on f.person = i.person
    where i.issuer = ?1 and i.subject = ?2";

const CREATE_IDENTITY: &str =
    "insert into newcomers (id, email, email_verified, invites, issuer, subject, at, held_since)
    values (?1, ?2, ?3, 'optional', ?4, ?5, ?6, ?6)";

const UPDATE_EMAIL: &str = "update profiles set email = coalesce(?2, email), email_verified = ?3
    where person = (select pk from people where id = ?1)";

/// What became of somebody who wants to come in.
pub enum Joining {
    /// They are in, now or before.
    Joined,
    /// The handle is not to be had.
    HandleTaken,
    /// One needs an invite.
    InviteRequired,
    /// The invite is not good.
    InviteInvalid,
}

#[derive(serde::Deserialize)]
struct Known {
    id: Id,
    email: Option<String>,
    verified: Option<i64>,
}

impl Store {
    /// Takes in who registers. `person.handle` is checked and lower case.
    pub async fn create_person(
        &self,
        person: &NewPerson,
        needs_invite: bool,
        now: Instant,
    ) -> Result<Joining, DbError> {
        let invites = if needs_invite { "required" } else { "optional" };
        let params = params![
            person.id,
            person.email.as_str(),
            person.handle.clone(),
            person.display_name.clone(),
            person.invite_code.clone(),
            invites,
            now.rfc3339(),
            now.minus(HANDLE_HELD).rfc3339()
        ];
        match self.0.write(CREATE_PERSON, params).await {
            Ok(_) => Ok(Joining::Joined),
            // Sent twice at once: the other one made it.
            Err(error) if error.is_unique("people.id") => Ok(Joining::Joined),
            Err(error) if error.is_unique("people.handle") || error.is_refused("handle_taken") => {
                Ok(Joining::HandleTaken)
            }
            Err(error) if error.is_refused("invite_required") => Ok(Joining::InviteRequired),
            Err(error) if error.is_refused("invite_invalid") => Ok(Joining::InviteInvalid),
            Err(error) => Err(error),
        }
    }

    /// The person of an outside identity, created at the first call; their address as told last.
    pub async fn identify(&self, identity: &Identity, now: Instant) -> Result<Option<Id>, DbError> {
        let email = identity.email.as_deref().map(str::to_lowercase);
        let key = params![identity.issuer.as_str(), identity.subject.as_str()];
        let mut known = self.0.read_as::<Known>(IDENTITY, key.clone()).await?;
        if known.is_none() {
            let created = params![
                Id::new(now),
                email.clone(),
                identity.email_verified,
                identity.issuer.as_str(),
                identity.subject.as_str(),
                now.rfc3339()
            ];
            match self.0.write(CREATE_IDENTITY, created).await {
                // Another first call of theirs may have come first.
                Err(error) if !error.is_unique("identities.") => return Err(error),
                _ => known = self.0.read_as::<Known>(IDENTITY, key).await?,
            }
        }
        let Some(known) = known else { return Ok(None) };
        let told = email.is_some()
            && (known.email, known.verified) != (email.clone(), Some(identity.email_verified.into()));
        if told && known.verified.is_some() {
            self.0.write(UPDATE_EMAIL, params![known.id, email, identity.email_verified]).await?;
        }
        Ok(Some(known.id))
    }
}
