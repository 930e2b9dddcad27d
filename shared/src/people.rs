//! The projections of people and their ties that every service keeps, and how a person who is not
//! in it yet gets in.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clients::{ClientError, Users};
use crate::db::DbError;
use crate::error::{ApiError, ApiResult};
use crate::ids::Id;
use crate::migrate::Migration;
use crate::params;
use crate::trace::Trace;

/// Table `people`, and the trigger that keeps it from `user.*` events.
pub const PEOPLE: Migration =
    Migration { name: "shared_people", sql: include_str!("../migrations/people.sql") };
/// Tables `follows`, `follow_requests`, `blocks`, `mutes`. Needs [`PEOPLE`].
pub const TIES: Migration = Migration { name: "shared_ties", sql: include_str!("../migrations/ties.sql") };
/// The triggers that keep [`TIES`] as a projection of the events of `social`.
pub const TIES_EVENTS: Migration =
    Migration { name: "shared_ties_events", sql: include_str!("../migrations/ties_events.sql") };

/// A person as `users` tells of them: the body of every `user.*` event and the answer of
/// `GET /internal/people/:id`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Their id.
    pub id: Id,
    /// Lower case; null until chosen.
    pub handle: Option<String>,
    /// At most 50 characters.
    pub display_name: Option<String>,
    /// At most 300 characters.
    pub bio: Option<String>,
    /// Where their picture is.
    pub avatar_url: Option<String>,
    /// 1 where only followers see what they publish. An integer, as SQLite writes it.
    pub private: i64,
    /// RFC 3339.
    pub created_at: String,
    /// `active`, `suspended` or `deleted`.
    pub status: String,
    /// Counts their changes; the greater is the newer.
    pub rev: i64,
}

/// Where a person stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// May act.
    Active,
    /// Their tokens answer 403.
    Suspended,
    /// Their tokens answer 401.
    Gone,
    /// Not in this projection yet.
    Unknown,
}

impl Standing {
    /// Reads `people.status`.
    pub fn from_status(status: Option<&str>) -> Self {
        match status {
            Some("active") => Self::Active,
            Some("suspended") => Self::Suspended,
            Some("deleted") => Self::Gone,
            _ => Self::Unknown,
        }
    }
}

const STATUS: &str = "select status from people where id = ?1";

const ADOPT: &str =
    "insert into people (id, handle, display_name, bio, avatar_url, private, created_at, status, rev)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    on conflict (id) do update set
        handle = excluded.handle, display_name = excluded.display_name, bio = excluded.bio,
        avatar_url = excluded.avatar_url, private = excluded.private,
        created_at = excluded.created_at, status = excluded.status, rev = excluded.rev
    where excluded.rev > people.rev";

/// Where `id` stands, by this service's own projection.
pub async fn standing(app: &App, id: Id) -> Result<Standing, DbError> {
    Ok(Standing::from_status(app.db.read(STATUS, params![id]).await?.as_deref()))
}

/// Takes a person into the projection; an older snapshot changes nothing.
pub async fn adopt(app: &App, person: &Person) -> Result<(), DbError> {
    let Person { id, handle, display_name, bio, avatar_url, private, created_at, status, rev } =
        person.clone();
    app.db
        .rows(ADOPT, params![id, handle, display_name, bio, avatar_url, private, created_at, status, rev])
        .await
        .map(|_| ())
}

/// Makes sure that `id` is in the projection, asking `users` where their event has not arrived
/// yet. False where there is no such person. The owner of people never asks itself.
pub async fn ensure(app: &App, trace: &Trace, id: Id) -> ApiResult<bool> {
    if standing(app, id).await? != Standing::Unknown {
        return Ok(true);
    }
    if app.service.name == "users" {
        return Ok(false);
    }
    match Users::new(app, trace).person(id).await {
        Ok(person) => {
            adopt(app, &person).await?;
            Ok(true)
        }
        Err(ClientError::Answered(problem)) if problem.status == 404 => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Makes sure that the person of `handle` is in the projection; their id, or `None` where nobody
/// has the handle. Asks `users` only where the projection knows nobody of that handle.
pub async fn find_by_handle(app: &App, trace: &Trace, handle: &str) -> ApiResult<Option<Id>> {
    const BY_HANDLE: &str = "select id from people where handle = ?1 and status = 'active'";
    if let Some(id) = app.db.read(BY_HANDLE, params![handle]).await? {
        return Ok(Id::parse(&id));
    }
    if app.service.name == "users" {
        return Ok(None);
    }
    match Users::new(app, trace).person_by_handle(handle).await {
        Ok(person) => {
            adopt(app, &person).await?;
            Ok(Some(person.id))
        }
        Err(ClientError::Answered(problem)) if problem.status == 404 => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Where `id` stands, as `users` says where this service has not heard of them yet.
pub async fn settled_standing(app: &App, trace: &Trace, id: Id) -> ApiResult<Standing> {
    let found = standing(app, id).await?;
    if found == Standing::Unknown && ensure(app, trace, id).await? {
        return Ok(standing(app, id).await?);
    }
    Ok(found)
}

/// 401, 403 or nothing, by where the caller stands.
pub async fn require_standing(app: &App, trace: &Trace, id: Id) -> ApiResult<()> {
    match settled_standing(app, trace, id).await? {
        Standing::Active => Ok(()),
        Standing::Suspended => Err(ApiError::account_suspended()),
        Standing::Gone | Standing::Unknown => Err(ApiError::invalid_token()),
    }
}
