//! Pages of the feed while authors move: nobody comes twice, and nobody who was there all along is passed over.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::{Scoops, id_of, lasting_token, start};

const AUTHORS: usize = 12;

/// bob, who follows many; their handles and tokens.
struct Crowd {
    scoops: Scoops,
    handles: Vec<String>,
    tokens: Vec<String>,
    /// The live scoops of each.
    live: Vec<Vec<String>>,
    dice: u32,
}

impl Crowd {
    async fn gather(seed: u32) -> Self {
        let mut scoops = start().await;
        let handles: Vec<String> = (0..AUTHORS).map(|n| format!("author{n}")).collect();
        let names: Vec<&str> = handles.iter().map(String::as_str).collect();
        let ids = scoops.world.people("scoops", &names).await;
        let mut tokens = Vec::new();
        for id in ids {
            tokens.push(lasting_token(&scoops.world, id).await);
            scoops.ids.push(id);
            scoops.tie("follow.created", 1, scoops.ids.len() - 1).await;
        }
        let mut crowd = Self { scoops, handles, tokens, live: vec![Vec::new(); AUTHORS], dice: seed };
        for _ in 0..2 * AUTHORS {
            let author = crowd.roll(AUTHORS);
            crowd.publish(author).await;
        }
        for _ in 0..AUTHORS {
            crowd.look().await;
        }
        crowd
    }

    /// A small linear congruential generator: the same walk at every run.
    fn roll(&mut self, sides: usize) -> usize {
        self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.dice >> 16) as usize % sides
    }

    async fn publish(&mut self, author: usize) {
        let hours = 1 + self.roll(24);
        let made = self.scoops.make_with(&self.tokens[author], json!({ "expiresInHours": hours })).await;
        self.live[author].push(id_of(&made));
    }

    /// bob looks at something.
    async fn look(&mut self) {
        let author = self.roll(AUTHORS);
        if !self.live[author].is_empty() {
            let which = self.roll(self.live[author].len());
            assert_eq!(self.scoops.view(&self.live[author][which], &self.scoops.bob).await, 204);
        }
    }

    async fn delete(&mut self) {
        let author = self.roll(AUTHORS);
        if !self.live[author].is_empty() {
            let which = self.roll(self.live[author].len());
            let scoop = self.live[author].swap_remove(which);
            let path = format!("/scoops/{scoop}");
            assert_eq!(self.scoops.status(Method::DELETE, &path, &self.tokens[author]).await, 204);
        }
    }

    fn living(&self) -> BTreeSet<String> {
        (0..AUTHORS).filter(|n| !self.live[*n].is_empty()).map(|n| self.handles[n].clone()).collect()
    }

    async fn page(&self, cursor: &str) -> Value {
        let answer = self.scoops.get(&format!("/scoops/feed?limit=2{cursor}"), &self.scoops.bob).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }
}

#[tokio::test]
async fn nobody_repeats_and_nobody_is_skipped_whatever_happens_between_pages() {
    let mut moved = 0;
    for seed in 0..12 {
        let mut crowd = Crowd::gather(seed).await;
        let before: Vec<String> = crowd.scoops.authors(&crowd.scoops.bob).await;
        let mut throughout = crowd.living();
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = crowd.page(&cursor).await;
            for group in page["items"].as_array().unwrap() {
                seen.push(group["user"]["handle"].as_str().unwrap().to_owned());
                // What is shown is as it is now.
                let unseen = group["scoops"].as_array().unwrap().iter().any(|one| one["viewed"] == false);
                assert_eq!(group["hasUnseen"], unseen);
                let author = crowd.handles.iter().position(|one| Some(one) == seen.last()).unwrap();
                let shown: BTreeSet<String> = group["scoops"].as_array().unwrap().iter().map(id_of).collect();
                assert_eq!(shown, crowd.live[author].iter().cloned().collect());
            }
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
            for _ in 0..3 {
                match crowd.roll(4) {
                    0 => {
                        let author = crowd.roll(AUTHORS);
                        crowd.publish(author).await;
                    }
                    1 => crowd.delete().await,
                    _ => crowd.look().await,
                }
                throughout = throughout.intersection(&crowd.living()).cloned().collect();
            }
        }
        let once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "seed {seed}: {seen:?}");
        let missing: Vec<_> = throughout.difference(&once).collect();
        assert!(missing.is_empty(), "seed {seed}: {missing:?} of {seen:?}");
        // They came in the order of the first page.
        let order: Vec<&str> = before.iter().map(|name| name.trim_end_matches('*')).collect();
        let expected: Vec<&str> = order.iter().copied().filter(|name| once.contains(*name)).collect();
        assert_eq!(seen, expected, "seed {seed}");
        moved += usize::from(crowd.scoops.authors(&crowd.scoops.bob).await != before);
    }
    assert!(moved > 6, "hardly anybody moved: {moved}");
}

#[tokio::test]
async fn an_author_who_is_looked_at_between_two_pages_does_not_come_again() {
    let scoops = start().await;
    scoops.tie("follow.created", 1, 2).await;
    let (alices, carlas) = (scoops.make(&scoops.alice).await, scoops.make(&scoops.carla).await);
    let first = scoops.get("/scoops/feed?limit=1", &scoops.bob).await.body;
    assert_eq!(first["items"][0]["user"]["handle"], "carla");
    for scoop in [&carlas, &alices] {
        scoops.view(scoop, &scoops.bob).await;
    }
    let path = format!("/scoops/feed?limit=1&cursor={}", first["nextCursor"].as_str().unwrap());
    let next = scoops.get(&path, &scoops.bob).await.body;
    let second = &next["items"][0];
    assert_eq!((&second["user"]["handle"], &second["hasUnseen"]), (&json!("alice"), &json!(false)));
    assert_eq!(next["nextCursor"], Value::Null);
}

#[tokio::test]
async fn what_ends_between_two_pages_moves_nobody_even_after_the_sweep() {
    let mut scoops = start().await;
    scoops.tie("follow.created", 1, 2).await;
    // alice has one seen that stays, and one unseen that ends.
    let seen = scoops.make(&scoops.alice).await;
    scoops.make_with(&scoops.carla, json!({})).await;
    scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    scoops.view(&seen, &scoops.bob).await;
    scoops.clock(3_590).await;
    let first = scoops.get("/scoops/feed?limit=1", &scoops.bob).await.body;
    assert_eq!(first["items"][0]["user"]["handle"], "alice");
    scoops.clock(3_610).await;
    scoops.tick_of_a_minute().await;
    let path = format!("/scoops/feed?cursor={}", first["nextCursor"].as_str().unwrap());
    let rest = scoops.get(&path, &scoops.bob).await.body;
    let handles: Vec<&Value> =
        rest["items"].as_array().unwrap().iter().map(|one| &one["user"]["handle"]).collect();
    assert_eq!(handles, ["carla"]);
}

/// Random people, scoops, ties and views against the plain definition of the feed.
#[tokio::test]
async fn the_feed_is_what_a_plain_select_would_find() {
    let scoops = start().await;
    let everybody = "insert into people (id, handle, status, private, created_at)
        select printf('0199b7a0-0000-7000-8000-%012x', value), 'p' || value, iif(value % 13 = 0, 'suspended', 'active'),
            value % 4 = 0, '2026-01-01T00:00:00.000Z' from (
            with recursive n (value) as (select 1 union all select value + 1 from n where value < 60) select value from n)";
    scoops.sql(everybody).await;
    scoops.sql("insert into follows (follower, followee, created_at) select 2, pk, '' from people where handle like 'p%' and pk % 3 <> 0").await;
    scoops.sql("insert into blocks (blocker, blocked, created_at) select pk, 2, '' from people where handle like 'p%' and pk % 17 = 0").await;
    scoops.sql("insert into mutes (muter, muted, created_at) select 2, pk, '' from people where handle like 'p%' and pk % 11 = 0").await;
    scoops.sql("insert into close_friends (owner, friend, created_at) select pk, 2, '' from people where handle like 'p%' and pk % 5 = 0").await;
    let made = "insert into scoops (id, author, media_key, media, audience, created_at, expires_at, expires_ms, shown, gone, changed_at, opening)
        select printf('0199b7a1-0000-7000-8000-%012x', value), 4 + (value * value / 7) % 57, 'k', json('{\"key\":\"k\",\"kind\":\"image\",
            \"status\":\"ready\",\"progress\":0,\"error\":null,\"url\":null,\"hlsUrl\":null,\"posterUrl\":null,\"width\":1,\"height\":1,
            \"durationMs\":null,\"blurhash\":null,\"alt\":null}'), iif(value % 3 = 0, 'close_friends', 'followers'),
            '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', iif(value % 6 = 0, 1, 4102444800000),
            iif(value % 8 = 0, null, value), iif(value % 10 = 0, value, null), '',
            json_object('id', printf('0199b7a1-0000-7000-8000-%012x', value), 'caption', null, 'audience', 'followers',
                'createdAt', '2026-01-01T00:00:00.000Z', 'expiresAt', '2026-01-01T00:00:00.000Z')
        from (with recursive n (value) as (select 1 union all select value + 1 from n where value < 150) select value from n)";
    scoops.sql(made).await;
    scoops.sql("update scoops set opening = rtrim(opening, '}')").await;
    scoops.sql("insert into views (viewer, scoop, n, at) select 2, pk, 1, '' from scoops where pk % 2 = 0 and shown is not null").await;
    let plain = "with seen as (
            select s.*, not exists (select 1 from views where viewer = 2 and scoop = s.pk) as unseen
            from scoops as s join people as a on a.pk = s.author
            where a.status = 'active' and s.shown is not null and s.expires_ms > 1000 and s.gone is null
              and (s.audience = 'followers' or exists (select 1 from close_friends where owner = a.pk and friend = 2))
              and exists (select 1 from follows where follower = 2 and followee = a.pk)
              and not exists (select 1 from blocks where blocker = a.pk) and not exists (select 1 from mutes where muted = a.pk)),
        -- One that was taken back keeps its author's place.
        latest as (select author, max(shown) as shown from scoops as s where expires_ms > 1000
            and (audience = 'followers' or exists (select 1 from close_friends where owner = s.author and friend = 2)) group by author)
        select json_group_array(name) from (
            select (select handle from people where pk = seen.author) || iif(max(unseen), '*', '') || ' ' || count(*) as name
            from seen join latest on latest.author = seen.author group by seen.author order by max(unseen) desc, latest.shown desc)";
    let db = &scoops.world.app("scoops").db;
    let expected: Vec<String> = db.read_as(plain, vec![]).await.unwrap().unwrap();
    assert!(expected.len() > 15, "{}", expected.len());
    assert!(expected.iter().any(|name| !name.contains('*')), "{expected:?}");
    for limit in [1, 2, 7, 20, 100] {
        let groups = scoops.all("/scoops/feed", &scoops.bob, limit).await;
        let name = |group: &Value| {
            let mark = if group["hasUnseen"] == true { "*" } else { "" };
            let count = group["scoops"].as_array().unwrap().len();
            format!("{}{mark} {count}", group["user"]["handle"].as_str().unwrap())
        };
        let found: Vec<String> = groups.iter().map(name).collect();
        assert_eq!(found, expected, "{limit}");
    }
}

#[tokio::test]
async fn pages_asked_for_at_once_agree() {
    let crowd = Crowd::gather(99).await;
    let first = crowd.page("").await;
    let cursor = format!("&cursor={}", first["nextCursor"].as_str().unwrap());
    let pages = join_all((0..5).map(|_| crowd.page(&cursor))).await;
    assert!(pages.iter().all(|page| page == &pages[0]));
}
