//! What counting bears: leaderboards of many people, and events applied a second by what is made of them alone.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::{Line, WORKER_TOKEN, bulk, median, rounds, script};
use crate::http;
use crate::state::State;
use crate::steps::say;

/// People on the board.
const LEADERS: usize = 100_000;
/// How far down a deep page is, in pages of a hundred.
const DEEP: usize = 500;
/// Events told at once.
const EVENTS: usize = 10_000;
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Puts people with points on the board of all time, those who call among them. Triggers are off; what they keep is made by statement.
pub fn seed(state: &State) -> Result<()> {
    say(&format!("==> making a board of {LEADERS} people"));
    let database = bulk(state, "gamification")?;
    let people = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {LEADERS})
         insert into people (id, handle, display_name, status, created_at, rev)
         select printf('0199b7a3-0000-7000-8000-%012x', i), 'leader_' || i, 'Leader ' || i, 'active',
             '2026-01-01T00:00:00.000Z', 1 from n;
         insert into scores (person, board, points, reached, id, shown)
         select pk, 'all', 1 + (pk * 7919 % 10007) * (pk * 7919 % 10007) / 5000,
             strftime('%Y-%m-%dT%H:%M:%fZ', 1767225600 + pk * 104729 % 8000000, 'unixepoch'), id, 1
         from people where status = 'active'
         on conflict (person, board) do update set points = excluded.points;
         delete from standings where board = 'all';
         insert into standings (board, step, bucket, people)
         select 'all', step, points / step, count(*) from scores, (select 1 as step union all select 64 union all select 4096)
         where board = 'all' and shown = 1 and points > 0 group by step, points / step;"
    );
    database.execute_batch(&format!("begin; {people} commit"))?;
    // Naming a column fires the trigger that keeps JSON beside a row.
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
    database.execute_batch(
        "begin; update people set private = private where card is null; commit; pragma wal_checkpoint(truncate)",
    )?;
    Ok(())
}

/// The first page of the board and a deep one against one read, and what the caller has earned beside them.
pub fn measure_board(
    folder: &Path,
    floor: &str,
    url: &str,
    state: &State,
    tokens: &[String],
) -> Result<Vec<Line>> {
    let page = "/gamification/leaderboard?period=all";
    let token = tokens.first().context("nobody is signed in")?;
    let deep = format!("{page}&cursor={}", deep_cursor(url, page, token)?);
    for (name, path) in [("leaders", page), ("deep", &deep), ("earned", "/gamification/me")] {
        std::fs::write(folder.join(format!("{name}.lua")), script(tokens, "GET", path, ""))?;
    }
    let names = ["read", "leaders", "deep", "earned"];
    let [read, first, deep, earned] = rounds(folder, floor, url, "a board", names, state)?;
    let line = |name: &str, rate: f64| {
        Line::rate(format!("{name}, {LEADERS} people"), rate, Some(("one read", read, 0.5)))
    };
    Ok(vec![
        line("GET /gamification/leaderboard", first),
        line(&format!("the same {} people down", DEEP * 100), deep),
        Line::plain(
            format!("GET /gamification/me, {LEADERS} people"),
            format!("{earned:.0}/s, {:.2} of one read", earned / read),
        ),
    ])
}

fn deep_cursor(url: &str, page: &str, token: &str) -> Result<String> {
    let mut cursor = String::new();
    for _ in 0..DEEP {
        let path = format!("{url}{page}&limit=100{cursor}");
        let answer = http::get_as(&path, token, Duration::from_secs(10))?.json();
        let next = answer["nextCursor"].as_str().context("the board ended early")?;
        cursor = format!("&cursor={next}");
    }
    Ok(cursor.trim_start_matches("&cursor=").to_owned())
}

/// Events a second from the outbox of `posts` into each service that is made of them, by ticks, `count` times.
pub fn measure_events(url: &str, state: &State, count: usize) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for service in ["gamification", "analytics"] {
        let mut rates = Vec::new();
        for round in 1..=count {
            say(&format!("==> {EVENTS} events into {service}, round {round} of {count}"));
            rates.push(apply(url, state, service)?);
        }
        lines.push(Line::plain(
            format!("events applied by {service}, from the outbox of posts"),
            format!("{:.0}/s", median(rates)),
        ));
    }
    Ok(lines)
}

/// Posts, comments, reactions and some taken back, by the people of the bench; nobody but `service` is told of them.
fn apply(url: &str, state: &State, service: &str) -> Result<f64> {
    let posts = Connection::open(state.database("posts"))?;
    posts.busy_timeout(Duration::from_secs(10))?;
    // What was measured before has left something to tell.
    drain(url, &posts, service)?;
    // A post is every tenth; what follows is about one of the last hundred.
    let told = format!(
        "with recursive n(i) as (
            select coalesce((select max(seq) from outbox), 0) + 1 union all
            select i + 1 from n where i < coalesce((select max(seq) from outbox), 0) + {EVENTS}),
         e(i, kind, post, who) as (select i, i % 10, iif(i % 10 = 0, i, i / 10 * 10 - 10 * (i * 31 % 100)), i * 7919 % 10000 + 1 from n),
         named(i, kind, post, host, who) as (select i, kind, printf('0199b7a4-0000-7000-8000-%012x', abs(post)),
            printf('0199b7a0-0000-7000-8000-%012x', abs(post) * 7919 % 10000 + 1), printf('0199b7a0-0000-7000-8000-%012x', who) from e)
         insert into outbox (type, key, at, body)
         select case when kind = 0 then 'post.published' when kind < 4 then 'comment.created' when kind < 9 then 'reaction.created'
                else 'reaction.removed' end,
            post, strftime('%Y-%m-%dT%H:%M:%fZ', 1770000000 + i * 20, 'unixepoch'), case
            when kind = 0 then json_object('postId', post, 'authorId', host, 'visibility', 'public')
            when kind < 4 then json_object('commentId', printf('0199b7a5-0000-7000-8000-%012x', i), 'postId', post, 'postAuthorId', host,
                'parentId', null, 'parentAuthorId', null, 'authorId', who, 'mentions', json('[]'), 'visibility', 'public')
            else json_object('postId', post, 'postAuthorId', host, 'userId', who, 'type', 'like') end
         from named;
         update outbox_cursors set seq = (select max(seq) from outbox), scanned = (select max(seq) from outbox) where subscriber <> '{service}';"
    );
    posts.execute_batch(&format!("begin immediate; {told} commit"))?;
    let last: i64 = posts.query_row("select max(seq) from outbox", [], |row| row.get(0))?;
    let told = "select subscriber from outbox_cursors where subscriber <> ?1";
    let others: Vec<String> =
        posts.prepare(told)?.query_map([service], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for other in others {
        // Else they would ask for it all when they are told of what comes next.
        let database = Connection::open(state.database(&other))?;
        database.busy_timeout(Duration::from_secs(10))?;
        let heard = "insert into inbox_cursors (source, seq) values ('posts', ?1) on conflict (source) do update set seq = excluded.seq";
        database.execute(heard, [last])?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand events")]
    Ok(EVENTS as f64 / drain(url, &posts, service)?.as_secs_f64())
}

/// Ticks until `service` has heard everything of `posts`; how long it took.
fn drain(url: &str, posts: &Connection, service: &str) -> Result<Duration> {
    // What it does not hear is passed over, not confirmed.
    let waits = "select exists (select 1 from outbox where type in ('post.published', 'post.deleted', 'comment.created',
            'comment.deleted', 'reaction.created', 'reaction.removed')
        and seq > coalesce((select max(seq, scanned) from outbox_cursors where subscriber = ?1), 0))";
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        http::post(&format!("{url}/worker/tick"), WORKER_TOKEN, Duration::from_secs(60))?;
        if !posts.query_row(waits, [service], |row| row.get::<_, bool>(0))? {
            return Ok(start.elapsed());
        }
    }
    bail!("{service} has not applied all events after {} s", PATIENCE.as_secs())
}
