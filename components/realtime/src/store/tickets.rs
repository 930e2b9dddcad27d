//! Tickets.

use serde::Deserialize;
use shared::auth::Caller;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

/// In whose name a stream is opened, and how long it may stay.
pub struct Opener {
    /// Who.
    pub user: Id,
    /// The session of the token.
    pub session: Option<Id>,
    /// When the token ends.
    pub ends: Instant,
}

impl Opener {
    /// Who calls with a token.
    pub fn of(caller: &Caller) -> Self {
        let ends = Instant::from_millis(caller.token.expires.saturating_mul(1_000));
        Self { user: caller.id, session: caller.token.session, ends }
    }
}

const CREATE_TICKET: &str = "insert into tickets (hash, person, session, ends, until)
    select ?2, pk, ?3, ?4, ?5 from people where id = ?1 and status = 'active'";

/// Keeps a ticket, by its hash.
pub async fn create_ticket(db: &Db, ticket: &str, opener: &Opener, until: Instant) -> Result<(), DbError> {
    let Opener { user, session, ends } = opener;
    let params = params![user, hash(ticket), *session, ends.millis(), until.millis()];
    db.rows(CREATE_TICKET, params).await.map(drop)
}

#[derive(Deserialize)]
struct TicketRow {
    user: Id,
    session: Option<Id>,
    ends: i64,
}

impl From<TicketRow> for Opener {
    fn from(TicketRow { user, session, ends }: TicketRow) -> Self {
        Self { user, session, ends: Instant::from_millis(ends) }
    }
}

/// Of two who come with the same one, one has it.
const TAKE_TICKET: &str = "delete from tickets where hash = ?1 and until > ?2 and ends > ?2
    returning json_object('user', (select id from people where pk = person), 'session', session, 'ends', ends)";

/// Who had the ticket, which is gone now; `None` where it was used, is too old, or never was one.
pub async fn take_ticket(db: &Db, ticket: &str, now: Instant) -> Result<Option<Opener>, DbError> {
    let found = db.write_as::<TicketRow>(TAKE_TICKET, params![hash(ticket), now.millis()]).await?;
    Ok(found.map(Opener::from))
}

const FIND_TICKET: &str = "select json_object('user', p.id, 'session', t.session, 'ends', t.ends)
    from tickets as t join people as p on p.pk = t.person where t.hash = ?1 and t.until > ?2 and t.ends > ?2";

/// Who has the ticket.
pub async fn find_ticket(db: &Db, ticket: &str, now: Instant) -> Result<Option<Opener>, DbError> {
    let found = db.read_as::<TicketRow>(FIND_TICKET, params![hash(ticket), now.millis()]).await?;
    Ok(found.map(Opener::from))
}

fn hash(ticket: &str) -> String {
    hmac_sha256::Hash::hash(ticket.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
