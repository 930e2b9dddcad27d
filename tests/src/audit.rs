//! Whether a state is sound: nothing corrupt, every count true, every projection what its owner has.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rusqlite::Connection;

use crate::Stack;
use crate::client::agent;
use crate::stack::WORKER_TOKEN;

/// Every service with a database.
pub const SERVICES: [&str; 10] = [
    "auth",
    "users",
    "posts",
    "social",
    "media",
    "scoops",
    "notifications",
    "analytics",
    "gamification",
    "realtime",
];

/// A dead relay's lease and an unfinished request's claim end long before.
const DRAINED: Duration = Duration::from_secs(20);

/// Each is empty where all is well: the service, what is wrong, and a statement that finds it.
const COUNTS: [(&str, &str, &str); 20] = [
    (
        "users social posts media scoops notifications gamification realtime",
        "followers",
        "select id from people where followers <> (select count(*) from follows where followee = people.pk)",
    ),
    (
        "users social posts media scoops notifications gamification realtime",
        "following",
        "select id from people where following <> (select count(*) from follows where follower = people.pk)",
    ),
    (
        "posts",
        "comments of posts",
        "select id from posts where comments <> (select count(*) from comments where post = posts.pk)",
    ),
    (
        "posts",
        "replies of comments",
        "select id from comments as c where replies <> (select count(*) from comments where parent = c.pk)",
    ),
    (
        "posts",
        "reactions of posts",
        "select id from posts where reaction_count <> (select count(*) from reactions where post = posts.pk)",
    ),
    (
        "posts",
        "reactions of posts by type",
        "select id from posts where reaction_count <> (select coalesce(sum(value), 0) from json_each(reactions))",
    ),
    (
        "posts",
        "views of posts",
        "select id from posts where views < (select count(*) from views where post = posts.pk)",
    ),
    (
        "scoops",
        "views of scoops",
        "select id from scoops where views < (select count(*) from views where scoop = scoops.pk)",
    ),
    (
        "scoops",
        "living authors",
        "select id from scoops as s where shown is not null and gone is null and archived = 0 and not exists (
            select 1 from author_live where author = s.author and until >= s.expires_ms)",
    ),
    (
        "notifications",
        "actors of notifications",
        "select id from notifications as n where actor_count <> (select count(*) from actors where notification = n.pk)
            or exists (select 1 from actors as a where a.notification = n.pk and a.causes <>
                (select count(*) from causes where notification = n.pk and actor = a.person))",
    ),
    (
        "notifications",
        "kept notifications",
        "select person from boxes where kept <> (select count(*) from notifications where person = boxes.person)",
    ),
    (
        "social",
        "reports of cases",
        "select pk from cases as c where reports <> (select count(*) from reports where in_case = c.pk)",
    ),
    (
        "social",
        "reports decided as their case is",
        "select r.id from reports as r join cases as c on c.pk = r.in_case where c.status <> r.status",
    ),
    (
        "posts",
        "the newest post of authors",
        "select author from author_latest where post is not
            (select max(pk) from posts where author = author_latest.author and status = 'published')",
    ),
    (
        "analytics",
        "numbers of authors",
        "select author from author_days as a where (reactions, comments, posts, followers) is not (
            (select count(*) from reactions as r join posts as p on p.pk = r.post where p.author = a.author and r.day = a.day),
            (select count(*) from comments as c join posts as p on p.pk = c.post where p.author = a.author and c.day = a.day),
            (select count(*) from posts where author = a.author and published = a.day),
            (select count(*) from followers where followee = a.author and day = a.day))",
    ),
    (
        "gamification",
        "points that count",
        "select person from days as d where n <> min((select per_day from kinds where kind = d.kind), (select count(*)
            from ledger where person = d.person and kind = d.kind and day = d.day and within = 1 and held > 0))
            or points <> n * (select points from kinds where kind = d.kind)",
    ),
    (
        "gamification",
        "causes within the limit of their pair",
        "select person from ledger join kinds using (kind) where held > 0
            group by person, kind, partner, day having sum(within) <> min(count(*), coalesce(per_pair, per_day))",
    ),
    (
        "gamification",
        "scores of all time",
        "select person from scores as s where board = 'all'
            and points <> (select coalesce(sum(points), 0) from days where person = s.person)",
    ),
    (
        "gamification",
        "people at each number of points",
        "select board || points from (select board, points, count(*) as people from scores where shown = 1 and points > 0 group by 1, 2)
            as s where people is not (select people from standings where board = s.board and step = 1 and bucket = s.points)",
    ),
    (
        "users social posts media scoops notifications gamification realtime",
        "follows across a block",
        "select follower from follows where exists (select 1 from blocks
            where blocker in (follower, followee) and blocked in (follower, followee))",
    ),
];

/// What services hold of what another owns: the owner and its statement, who else has it and theirs; both answer
/// the same.
const PROJECTIONS: [(&str, &str, &[&str], &str); 13] = [
    ("users", PEOPLE, &["auth", "posts", "social", "media", "scoops", "notifications", "analytics", "gamification", "realtime"], PEOPLE),
    ("social", FOLLOWS, &["users", "posts", "media", "scoops", "notifications", "gamification", "realtime"], FOLLOWS),
    ("social", BLOCKS, &["users", "posts", "media", "scoops", "notifications", "gamification", "realtime"], BLOCKS),
    (
        "posts",
        "select a.id || ' ' || count(*) from posts as p join people as a on a.pk = p.author
            where p.status = 'published' group by a.id order by a.id",
        &["users", "social"],
        "select id || ' ' || posts from people where posts <> 0 order by id",
    ),
    ("users", WANTED_BY_OWNER, &["notifications"], WANTED),
    (
        "posts",
        "select id || ' ' || comments || ' ' || reaction_count || ' ' || views from posts where status = 'published' order by id",
        &["analytics"],
        "select id || ' ' || coalesce(sum(comments), 0) || ' ' || coalesce(sum(reactions), 0) || ' ' || coalesce(sum(views), 0) from posts
            left join post_days on post = pk where published is not null group by pk order by id",
    ),
    (
        "social",
        FOLLOWS,
        &["analytics"],
        "select a.id || ' ' || b.id from followers
            join people as a on a.pk = follower join people as b on b.pk = followee order by 1",
    ),
    (
        "posts",
        "select total(status = 'published') || ' ' || total(comments) || ' ' || total(reaction_count) from posts",
        &["analytics"],
        "select total(posts) || ' ' || total(comments) || ' ' || total(reactions) from site_days",
    ),
    (
        "users",
        "select cast(count(*) as text) from people where status in ('active', 'suspended')",
        &["analytics"],
        "select cast(coalesce(sum(users), 0) as text) from site_days",
    ),
    (
        "posts",
        "select a.id || ' ' || count(*) from posts as p join people as a on a.pk = p.author
            where p.status = 'published' group by a.id order by a.id",
        &["gamification"],
        "select p.id || ' ' || count(*) from ledger join people as p on p.pk = person
            where kind = 'post' and held > 0 group by p.id order by p.id",
    ),
    (
        "posts",
        "select a.id || ' ' || h.id || ' ' || c.id from comments as c join posts as p on p.pk = c.post
            join people as a on a.pk = c.author join people as h on h.pk = p.author where a.pk <> h.pk order by 1",
        &["gamification"],
        "select a.id || ' ' || h.id || ' ' || cause from ledger join people as a on a.pk = person join people as h on h.pk = partner
            where kind = 'comment' and held > 0 order by 1",
    ),
    (
        "posts",
        "select distinct h.id || ' ' || a.id || ' ' || p.id from reactions as r join posts as p on p.pk = r.post
            join people as a on a.pk = r.person join people as h on h.pk = p.author where a.pk <> h.pk order by 1",
        &["gamification"],
        "select h.id || ' ' || a.id || ' ' || cause from ledger join people as h on h.pk = person join people as a on a.pk = partner
            where kind = 'reacted' and held > 0 order by 1",
    ),
    (
        "social",
        FOLLOWS,
        &["gamification"],
        "select a.id || ' ' || b.id from ledger join people as b on b.pk = person join people as a on a.pk = partner
            where kind = 'followed' and held > 0 order by 1",
    ),
];

const PEOPLE: &str =
    "select concat(id, ' ', coalesce(handle, '-'), ' ', coalesce(display_name, '-'), ' ', private, status)
    from people where status <> 'unknown' and id <> '00000000-0000-0000-0000-000000000000' order by id";

const FOLLOWS: &str = "select a.id || ' ' || b.id from follows
    join people as a on a.pk = follower join people as b on b.pk = followee order by 1";

const BLOCKS: &str = "select a.id || ' ' || b.id from blocks
    join people as a on a.pk = blocker join people as b on b.pk = blocked order by 1";

/// Who never changed theirs has none at `notifications`; the default is `{"push":{...all true},"quietHours":null}`.
const WANTED_BY_OWNER: &str =
    "select p.id || ' ' || f.preferences from profiles as f join people as p on p.pk = f.person
    where f.preferences like '%false%' or f.preferences not like '%:null}' order by p.id";

const WANTED: &str =
    "select p.id || ' ' || f.preferences from preferences as f join people as p on p.pk = f.person
    where f.preferences like '%false%' or f.preferences not like '%:null}' order by p.id";

/// Waits until no event waits for a subscriber.
///
/// # Errors
/// Where some still do after 20 s.
pub fn drain(stack: &Stack) -> Result<()> {
    let deadline = Instant::now() + DRAINED;
    // Twice in a row: services are asked side by side, and one that said so may have heard since what it tells others of.
    let mut quiet = 0;
    while quiet < 2 {
        let ticked = agent()
            .post(format!("{}/worker/tick", stack.url))
            .header("authorization", format!("Bearer {WORKER_TOKEN}"))
            .send_empty();
        let told: serde_json::Value = match ticked {
            Ok(mut answer) => serde_json::from_str(&answer.body_mut().read_to_string()?)?,
            Err(error) => serde_json::json!({ "error": error.to_string() }),
        };
        let is_quiet = SERVICES.iter().all(|service| told["services"][service]["waiting"] == 0);
        quiet = if is_quiet { quiet + 1 } else { 0 };
        if Instant::now() > deadline {
            bail!("events still wait: {told}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// What is wrong with the state of a running stack, once its events have arrived.
pub fn audit(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    if let Err(error) = drain(stack) {
        faults.push(error.to_string());
    }
    let mut note = |what: String, found: Result<Vec<String>>| match found {
        Ok(found) if found.is_empty() => {}
        Ok(found) => faults.push(format!("{what}: {}", found.join(", "))),
        Err(error) => faults.push(format!("{what}: {error}")),
    };
    for service in SERVICES.iter().chain(&["key_value"]) {
        let checked = texts(stack, service, "pragma integrity_check");
        note(
            format!("integrity of {service}"),
            checked.map(|lines| lines.into_iter().filter(|line| line != "ok").collect()),
        );
        note(format!("foreign keys of {service}"), texts(stack, service, "pragma foreign_key_check"));
    }
    for (services, what, sql) in COUNTS {
        for service in services.split(' ') {
            note(format!("{what} in {service}"), texts(stack, service, sql));
        }
    }
    for (owner, owned, others, held) in PROJECTIONS {
        for other in others {
            let compared = texts(stack, owner, owned).and_then(|owned| {
                let held = texts(stack, other, held)?;
                Ok(if owned == held { Vec::new() } else { vec![format!("{owned:?} is {held:?} there")] })
            });
            note(format!("what {other} holds of {owner}"), compared);
        }
    }
    faults
}

/// The first column of every row, as text.
fn texts(stack: &Stack, service: &str, sql: &str) -> Result<Vec<String>> {
    let connection = Connection::open(stack.database(service))?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Null => String::new(),
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            other => String::from_utf8_lossy(other.as_bytes()?).into_owned(),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
