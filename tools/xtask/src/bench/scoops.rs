//! The feed of scoops, of somebody who follows as many as in the feed of posts.

use std::path::Path;

use anyhow::Result;

use super::{FOLLOWED, Line, PEOPLE, bulk, rounds, script};
use crate::state::State;
use crate::steps::say;

/// One author in so many has live scoops, two each: of 200 followed those are a page.
const LIVES: usize = 10;

/// Everybody of the bench follows and publishes. Triggers do what they do for a scoop of a client; nobody is told of these.
pub(super) fn seed(state: &State) -> Result<()> {
    say("==> making scoops");
    let database = bulk(state, "scoops")?;
    let people = format!(
        "with recursive n(i) as (select (select count(*) from people) + 1 union all select i + 1 from n where i < {PEOPLE})
         insert into people (id, handle, status, created_at, rev)
         select printf('0199b7a0-0000-7000-8000-%012x', i), 'made_' || i, 'active', '2026-01-01T00:00:00.000Z', 1
         from n where i <= {PEOPLE};
         with recursive k(j) as (select 1 union all select j + 1 from k where j < {FOLLOWED})
         insert into follows (follower, followee, created_at)
         select p.pk, (p.pk + j * 47 - 1) % {PEOPLE} + 1, '2026-01-01T00:00:00.000Z' from people as p, k where true
         on conflict do nothing"
    );
    database.execute_batch(&format!("begin; {people}; commit"))?;
    database.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
    let scoops = format!(
        "update people set private = private where card is null;
         insert into scoops (id, author, media_key, media, caption, audience, created_at, expires_at, expires_ms, shown,
             changed_at, opening)
         select id, author, key, json_object('key', key, 'kind', 'image', 'status', 'ready', 'progress', 100, 'error', null,
                 'url', '@' || id || '/' || key || '/1/large.jpg', 'hlsUrl', null, 'posterUrl', '@' || id || '/' || key || '/1/small.jpg',
                 'width', 1200, 'height', 1600, 'durationMs', null, 'blurhash', 'L6PZfSi_.AyE_3t7t7R**0o#DgR4', 'alt', null),
             'a caption', 'followers', at, ends, ends_ms, 0, at,
             rtrim(json_object('id', id, 'caption', 'a caption', 'audience', 'followers', 'createdAt', at, 'expiresAt', ends), '}}')
         from (select printf('0199b7a6-0000-7000-8000-%012x', p.pk * 2 + n.value) as id, p.pk as author,
                 printf('0199b7a7-0000-7000-8000-%012x', p.pk * 2 + n.value) as key,
                 strftime('%Y-%m-%dT%H:%M:%fZ', 'now') as at, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+23 hours') as ends,
                 (strftime('%s', 'now') + 23 * 3600) * 1000 as ends_ms
             from people as p, json_each('[0,1]') as n where p.pk % {LIVES} = 0);
         insert into outbox_cursors (subscriber, seq, scanned)
         select value, (select max(seq) from outbox), (select max(seq) from outbox)
         from json_each('[\"analytics\",\"gamification\",\"media\",\"notifications\",\"realtime\",\"users\"]') where true
         on conflict (subscriber) do update set seq = excluded.seq, scanned = excluded.scanned"
    );
    database.execute_batch(&format!("begin; {scoops}; commit; pragma wal_checkpoint(truncate)"))?;
    Ok(())
}

/// The first page of the feed against one read.
pub(super) fn measure(
    folder: &Path,
    floor: &str,
    url: &str,
    state: &State,
    tokens: &[String],
) -> Result<Vec<Line>> {
    std::fs::write(folder.join("scoops.lua"), script(tokens, "GET", "/scoops/feed", ""))?;
    let [read, feed] = rounds(folder, floor, url, "scoops", ["read", "scoops"], state)?;
    let name = format!("GET /scoops/feed, {FOLLOWED} followed");
    Ok(vec![Line::rate(name, feed, Some(("one read", read, 0.5)))])
}
