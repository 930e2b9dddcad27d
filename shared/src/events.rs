//! Events: the relay that delivers a service's outbox, the inbox that applies what others tell. What there is to tell is in
//! the catalogue.
//!
//! Delivery is at least once and in the order of the outbox; the consumer's own cursor decides what
//! is new, so each event is applied exactly once. A batch that would leave a gap is refused with
//! the place to go on from. Nothing is lost by a crash at any point: the event commits with its
//! change, the cursor of the consumer with the event's effect.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, select};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::app::{App, Relay};
use crate::clients::Client;
use crate::clock::Instant;
use crate::db::DbError;
use crate::history;
use crate::migrate::Migration;
use crate::params;
use crate::trace::{Trace, log};

mod catalogue;
#[cfg(test)]
mod tests;

use catalogue::types_for;
pub use catalogue::{CATALOGUE, ErasureCompleted, EventKind, subscribers_of};

/// The tables of [`crate::events`], [`crate::idempotency`] and [`crate::limits`].
pub const CORE: Migration = Migration { name: "shared_core", sql: include_str!("../migrations/core.sql") };

/// What a relay posts to `/internal/events`.
#[derive(Serialize, Deserialize)]
pub struct Batch {
    /// The service that tells.
    pub source: String,
    /// The event before the first of these, of those this subscriber hears; 0 at the start.
    pub after: i64,
    /// In order.
    pub events: Box<RawValue>,
}

/// The answer: the last event applied, whatever was sent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Applied {
    /// Its number in the source's outbox; 0 for none.
    pub seq: i64,
}

/// Lets the requests of an instance share relay runs: one runs at a time, and a run begun after a
/// request asked serves it as well.
#[derive(Default)]
pub struct RelayState {
    turn: AtomicBool,
    asked: AtomicU64,
    served: AtomicU64,
    queued: AtomicBool,
}

// `json()` around a subquery: what comes out of one is text to SQLite 3.54, JSON only to older ones.
const BATCH: &str = "select json_object(
        'after', after, 'scanned', scanned, 'head', coalesce((select max(seq) from outbox), 0),
        'events', json((select json_group_array(json_object(
                'seq', seq, 'type', type, 'key', key, 'at', at, 'body', json(body)))
            from (select * from outbox where seq > scanned and type in (select value from json_each(?2))
                  order by seq limit 200))))
    from (select coalesce(max(seq), 0) as after, coalesce(max(scanned, seq), 0) as scanned
          from outbox_cursors where subscriber = ?1)";

// Only where the cursor still is where the delivery began (`?4`): a subscriber may have asked for everything again meanwhile.
const CONFIRM: &str = "insert into outbox_cursors (subscriber, seq, scanned) values (?1, ?2, ?3)
    on conflict (subscriber) do update set seq = excluded.seq, scanned = excluded.scanned where seq = ?4";

/// How many events that a subscriber does not hear may be passed over again before it is noted that
/// they were.
const PASSED_OVER: i64 = 256;

/// How long a subscriber may take, and the lease of the relay: should its holder die, others go on
/// after that.
const DELIVERY_TIME: Duration = Duration::from_secs(2);

const CLAIM: &str = "insert into leases (name, until) values (?3, ?1)
    on conflict (name) do update set until = excluded.until where until <= ?2
    returning (select coalesce(max(seq), 0) from outbox)";

const RELEASE: &str = "update leases set until = 0 where name = ?1
    returning (select coalesce(max(seq), 0) from outbox)";

#[derive(Deserialize)]
struct Pending {
    after: i64,
    scanned: i64,
    head: i64,
    events: Box<RawValue>,
}

/// Delivers what subscribers have not confirmed; how many batches went out, or `None` where another
/// instance is at it. One at a time: two would deliver the same.
pub async fn relay(app: &App) -> Result<Option<usize>, DbError> {
    run_relay(app, Round::Change).await
}

/// [`relay`] of the clock, which waits for its turn; then what nobody is in a hurry for.
pub async fn relay_at_tick(app: &App) -> Result<usize, DbError> {
    let mut delivered = 0;
    for round in [Round::Tick, Round::Leisure] {
        // Who has the lease for a second delivers what is there.
        for _ in 0..20 {
            if let Some(batches) = run_relay(app, round).await? {
                delivered += batches;
                break;
            }
            crate::platform::sleep(GATHER).await;
        }
    }
    Ok(delivered)
}

/// When, and so to whom, a relay delivers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Where an answer waits for it, or others may: to all but who can wait.
    Change,
    /// After the answer: to the same, with a pause in which more gathers. Its holder keeps the lease meanwhile, so that instances
    /// that all have something to tell do not relay by turns, a few events each.
    Soon,
    /// At a tick: to the same. It asks who can be rebuilt how far they are, whether there is anything to tell or not: who began
    /// anew is behind what they confirmed.
    Tick,
    /// At a tick, with a lease of its own: to who can wait, for a [`SLICE`].
    Leisure,
}

/// How long a subscriber that is far behind is delivered to at a stretch: then others have their turn, and who is up to date waits
/// for no one else's history. At a tick, who can wait has one turn: what is made of a burst of events takes a part of the machine,
/// and not the part that answers people.
const SLICE: Duration = Duration::from_millis(150);

/// How long a relay goes on for who is far behind. What is left is for the next.
const CATCHING_UP: Duration = Duration::from_secs(2);

impl Round {
    /// Who counts what is published, liked and looked at can wait for the clock. What `users` and `social` tell they hear at once
    /// as everybody does, since who is suspended or blocked is so everywhere.
    fn serves(self, app: &App, subscriber: &str) -> bool {
        let can_wait = app.service.relay == Relay::AfterAnswer && history::HISTORIANS.contains(&subscriber);
        can_wait == (self == Self::Leisure)
    }

    fn lease(self) -> &'static str {
        if self == Self::Leisure { "leisurely relay" } else { "relay" }
    }
}

/// Boxed, so that its code is there once.
fn run_relay(app: &App, round: Round) -> BoxFuture<'_, Result<Option<usize>, DbError>> {
    Box::pin(relay_once(app, round))
}

async fn relay_once(app: &App, round: Round) -> Result<Option<usize>, DbError> {
    let trace = Trace::fresh(app.now());
    let mut subscribers = subscribers_of(app.service.name);
    subscribers.retain(|subscriber| round.serves(app, subscriber));
    if subscribers.is_empty() {
        return Ok(Some(0));
    }
    let enough = app.now().plus(CATCHING_UP);
    let mut batches = None;
    loop {
        let now = app.now();
        let claim = params![now.plus(DELIVERY_TIME).millis(), now.millis(), round.lease()];
        let Some(head) = app.db.read_as::<i64>(CLAIM, claim).await? else {
            return Ok(batches);
        };
        let deliveries = subscribers.iter().map(|subscriber| {
            let asks =
                matches!(round, Round::Tick | Round::Leisure) && history::HISTORIANS.contains(subscriber);
            deliver(app, &trace, subscriber, asks, now.plus(SLICE))
        });
        let delivered = futures_util::future::join_all(deliveries).await;
        if round == Round::Soon && delivered.iter().any(|delivered| matches!(delivered, Ok((1.., _)))) {
            gather(&app.relay).await;
        }
        let newest = app.db.read_as::<i64>(RELEASE, params![round.lease()]).await?;
        let (mut total, mut is_behind) = (batches.unwrap_or(0), false);
        for delivered in delivered {
            let (some, has_more) = delivered?;
            total += some;
            is_behind |= has_more;
        }
        batches = Some(total);
        // Who changed something meanwhile found the lease taken and left it to its holder.
        let goes_on = newest.is_some_and(|newest| newest > head) || is_behind && app.now() < enough;
        if !goes_on || round == Round::Leisure {
            return Ok(batches);
        }
    }
}

/// To one subscriber, until that time: how many batches, and whether there is more.
async fn deliver(
    app: &App,
    trace: &Trace,
    subscriber: &'static str,
    asks: bool,
    until: Instant,
) -> Result<(usize, bool), DbError> {
    let types = types_for(app.service.name, subscriber);
    let mut batches = 0;
    while batches == 0 || app.now() < until {
        let pending = app.db.read_as::<Pending>(BATCH, params![subscriber, types.as_str()]).await?;
        let Some(Pending { after, scanned, head, events }) = pending else {
            return Ok((batches, false));
        };
        let is_empty = events.get() == "[]";
        if is_empty && head - scanned > PASSED_OVER {
            app.db.rows(CONFIRM, params![subscriber, after, head, after]).await?;
        }
        // An empty batch asks.
        if is_empty && !(asks && batches == 0) {
            return Ok((batches, false));
        }
        let batch = Batch { source: app.service.name.to_owned(), after, events };
        let client = Client::new(app, trace, subscriber);
        match client.post_within::<Applied>("/internal/events", &batch, DELIVERY_TIME).await {
            Ok(applied) if is_empty && applied.seq == after => return Ok((batches, false)),
            Ok(applied) => {
                app.db.rows(CONFIRM, params![subscriber, applied.seq, applied.seq, after]).await?;
                batches += 1;
                // Nothing new was taken, or nothing is left behind it.
                if applied.seq == after || applied.seq >= head {
                    return Ok((batches, false));
                }
            }
            Err(error) => {
                // They stay in the outbox; the next change or tick tries again.
                let fields = serde_json::json!({ "subscriber": subscriber, "error": error.to_string() });
                log("warn", app.service.name, "events not delivered", fields);
                return Ok((batches, false));
            }
        }
    }
    Ok((batches, true))
}

// Bounded: who is told everything again waits for all there is.
const WAITING: &str = "select json_object('count', count(*), 'oldest', min(at)) from (
    select o.at from json_each(?1) as s cross join outbox as o
    where o.seq > coalesce((select max(seq, scanned) from outbox_cursors where subscriber = s.value ->> '$.name'), 0)
        and o.seq <= ?2 and o.type in (select value from json_each(s.value -> '$.types'))
    limit 50000)";

/// What subscribers have not confirmed yet.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// How many, counted once for each subscriber; 50,000 stands for more.
    pub count: i64,
    /// When the oldest of them was written.
    pub oldest: Option<String>,
}

/// How many events wait for a subscriber, for those who watch.
pub async fn waiting(app: &App) -> Result<Waiting, DbError> {
    waiting_until(app, i64::MAX).await
}

/// [`waiting`], of the events up to the number `upto`.
pub(crate) async fn waiting_until(app: &App, upto: i64) -> Result<Waiting, DbError> {
    let source = app.service.name;
    let subscribers: Vec<String> = subscribers_of(source)
        .into_iter()
        .map(|name| format!("{{\"name\":\"{name}\",\"types\":{}}}", types_for(source, name)))
        .collect();
    let waiting = app.db.read_as(WAITING, params![format!("[{}]", subscribers.join(",")), upto]).await?;
    Ok(waiting.unwrap_or_default())
}

/// How long to wait before asking for a turn again.
const TURN: Duration = Duration::from_millis(2);

/// The right to relay, given back when it is dropped by who has it.
struct Turn<'a>(Option<&'a AtomicBool>);

impl<'a> Turn<'a> {
    /// Waits for it by the clock. A lock would wake one request from another, and to the component
    /// model each is a task of its own: a waker that crosses from one to the other traps. Who waited
    /// for a second goes on without it, since two relays at once do no harm.
    async fn take(state: &'a RelayState) -> Self {
        for _ in 0..500 {
            if !state.turn.swap(true, Ordering::AcqRel) {
                return Self(Some(&state.turn));
            }
            crate::platform::sleep(TURN).await;
        }
        Self(None)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(turn) = self.0 {
            turn.store(false, Ordering::Release);
        }
    }
}

/// Returns once everything that was in the outbox at the call was offered to its subscribers, by a
/// [`relay`] of its own or by one that another request began since.
pub async fn relay_now(app: &App) -> Result<(), DbError> {
    let state = &app.relay;
    let ticket = state.asked.fetch_add(1, Ordering::AcqRel) + 1;
    let _turn = Turn::take(state).await;
    if state.served.load(Ordering::Acquire) >= ticket {
        return Ok(());
    }
    let serves = state.asked.load(Ordering::Acquire);
    // Another instance at it may have looked before this change was there, so its run is waited out.
    while relay(app).await?.is_none() {
        crate::platform::sleep(TURN).await;
    }
    state.served.store(serves, Ordering::Release);
    Ok(())
}

/// How long a relay after the answer waits for more to deliver with it: a batch of many costs little
/// more than one of one, and nobody waits for it.
const GATHER: Duration = Duration::from_millis(50);

/// Waits for more; what this instance changes meanwhile needs no relay of its own.
async fn gather(state: &RelayState) {
    state.queued.store(true, Ordering::Release);
    crate::platform::sleep(GATHER).await;
    state.queued.store(false, Ordering::Release);
}

/// [`relay`] after the answer. Where another instance is at it, that one delivers this change too.
pub fn relay_soon(app: &std::sync::Arc<App>) {
    // One that waits for its turn sees what is in the outbox when it comes; where nobody hears, none ever does.
    if app.relay.queued.swap(true, Ordering::AcqRel) || subscribers_of(app.service.name).is_empty() {
        return;
    }
    // Who is waited for before an answer must not be kept waiting by this.
    let round = if app.service.relay == Relay::AfterAnswer { Round::Soon } else { Round::Change };
    let app = app.clone();
    crate::platform::spawn(async move {
        let _turn = Turn::take(&app.relay).await;
        gather(&app.relay).await;
        if let Err(error) = run_relay(&app, round).await {
            let fields = serde_json::json!({ "error": error.to_string() });
            log("warn", app.service.name, "relay failed", fields);
        }
    });
}

/// Delivers what changed here, and has `service` deliver what follows from it there: for an answer that says it is so
/// everywhere. What could not be delivered in time is on its way all the same.
pub async fn relay_through(app: &App, trace: &Trace, service: &'static str) {
    let delivery = async {
        relay_now(app).await.map_err(anyhow::Error::from)?;
        let client = Client::new(app, trace, service);
        client.post_within::<()>("/internal/relay", &serde_json::json!({}), DELIVERY_TIME).await?;
        anyhow::Ok(())
    };
    let limit = crate::platform::sleep(DELIVERY_TIME * 2);
    let delivered = match select(std::pin::pin!(delivery), std::pin::pin!(limit)).await {
        Either::Left((delivered, _)) => delivered,
        Either::Right(_) => Err(anyhow::anyhow!("not delivered in time")),
    };
    if let Err(error) = delivered {
        let fields = serde_json::json!({ "through": service, "error": format!("{error:#}") });
        log("warn", app.service.name, "relay failed", fields);
    }
}

// The cursor is read once, before the first row goes in. A gap (`after` beyond the cursor)
// inserts nothing, and the answer tells the source where to go on.
const APPLY: &str = "insert into inbox (source, seq, type, key, at, body)
    select ?1, e.value ->> '$.seq', e.value ->> '$.type', e.value ->> '$.key', e.value ->> '$.at', e.value -> '$.body'
    from json_each(?3) as e,
        (select coalesce((select seq from inbox_cursors where source = ?1), 0) as seq) as applied
    where ?2 <= applied.seq and e.value ->> '$.seq' > applied.seq
    order by e.value ->> '$.seq'";

const APPLIED: &str =
    "select json_object('seq', coalesce((select seq from inbox_cursors where source = ?1), 0))";

/// Applies a batch: one statement, whose triggers hold the effects.
pub async fn apply(app: &App, batch: &Batch) -> Result<Applied, DbError> {
    let events = batch.events.get();
    app.db.rows(APPLY, params![batch.source.as_str(), batch.after, events]).await?;
    let applied = app.db.read_as(APPLIED, params![batch.source.as_str()]).await?;
    Ok(applied.unwrap_or(Applied { seq: 0 }))
}

// From the oldest up to the first that is younger or not confirmed by all: no scan of the rest.
const SWEEP_OUTBOX: &str = "delete from outbox
    where seq < coalesce((select seq from outbox where at >= ?1 order by seq limit 1), (select max(seq) + 1 from outbox))
      and seq <= coalesce((
        select min(coalesce(max(c.seq, c.scanned), 0)) from json_each(?2) as s
        left join outbox_cursors as c on c.subscriber = s.value), (select max(seq) from outbox))";

/// Deletes what nobody needs any more: events all have confirmed after a week, unless they are history; answers kept for
/// retries after a day, limits whose window has passed. (`inbox` keeps itself short.)
pub async fn sweep(app: &App) -> Result<(), DbError> {
    let now = app.now();
    let day = std::time::Duration::from_secs(24 * 3600);
    let mut statements = vec![
        ("delete from idempotency where created_at < ?1", params![now.minus(day).millis()]),
        ("delete from rate_limits where resets_at < ?1", params![now.millis()]),
        history::forget_heard_viewers(now),
    ];
    if !history::is_told_by(app.service.name) {
        let everyone = serde_json::json!(subscribers_of(app.service.name)).to_string();
        statements.push((SWEEP_OUTBOX, params![now.minus(day * 7).rfc3339(), everyone]));
    }
    for (statement, params) in statements {
        app.db.rows(statement, params).await?;
    }
    Ok(())
}
