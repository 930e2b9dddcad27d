-- The feed, ready to read: a row for each post in each feed (see README.md). No foreign keys, whose
-- checks would double the cost of a row; a row whose post is gone is skipped by every read.
create table if not exists timeline (
    owner integer not null,
    post integer not null,
    author integer not null,
    primary key (owner, post)
) without rowid;

-- A timeline is complete above its floor: it has every post with a greater pk by its owner and by
-- every author they follow but the wide ones. Below the floor it has nothing, and the feed is read
-- from the authors' own lists. No row: the floor is 0.
create table if not exists timelines (
    owner integer primary key,
    floor integer not null
);

create trigger if not exists timelines_begun after insert on timelines begin
    delete from timeline where owner = new.owner and post <= new.floor;
end;

create trigger if not exists timelines_cut after update of floor on timelines when new.floor > old.floor
begin
    delete from timeline where owner = new.owner and post <= new.floor;
end;

-- Authors with more than 2,000 followers at some time. Their posts are not written into timelines;
-- who follows them has a row in wide_follows and reads them from the author's list. Rows written
-- before stay, because the feed unites both lists and each post comes once. Never taken back: a
-- post that was not written out could be missed.
create table if not exists wide_authors (
    author integer primary key
);

create table if not exists wide_follows (
    follower integer not null,
    followee integer not null,
    primary key (follower, followee)
) without rowid;

create trigger if not exists author_grew_wide after update of followers on people
when new.followers > 2000 and old.followers <= 2000
begin
    insert into wide_authors (author) values (new.pk) on conflict do nothing;
end;

create trigger if not exists wide_authors_listed after insert on wide_authors begin
    insert into wide_follows (follower, followee)
    select follower, followee from follows where followee = new.author
    on conflict do nothing;
end;

-- The author sees their post at once, whatever its status.
create trigger if not exists posts_in_own_feed after insert on posts begin
    insert into timeline (owner, post, author) values (new.author, new.pk, new.author)
    on conflict do nothing;
end;

-- About every 256th post that reaches a timeline cuts it to its newest 1,000: often enough to bound
-- it, seldom enough to cost little, and no count of rows need be kept.
create trigger if not exists posts_fanned_out after insert on posts when new.status = 'published'
begin
    insert into timeline (owner, post, author)
    select follower, new.pk, new.author from follows
    where followee = new.author and not exists (select 1 from wide_authors where author = new.author)
    on conflict do nothing;
    insert into timelines (owner, floor)
    select owner, floor from (
        select reached.owner, (
            select post from timeline where owner = reached.owner order by post desc limit 1 offset 1000
        ) as floor
        from (
            select follower as owner from follows
            where followee = new.author and not exists (select 1 from wide_authors where author = new.author)
            union all select new.author
        ) as reached
        where (reached.owner + new.pk) % 256 = 0
    )
    where floor is not null
    on conflict (owner) do update set floor = max(floor, excluded.floor);
end;

-- A post that waited for its media comes out where it was written, not at the top.
create trigger if not exists posts_fanned_out_late after update of status on posts
when new.status = 'published' and old.status <> 'published'
begin
    insert into timeline (owner, post, author)
    select follower, new.pk, new.author from follows
    where followee = new.author and not exists (select 1 from wide_authors where author = new.author)
    on conflict do nothing;
end;

-- Followers of a wide author keep a row that leads nowhere until it is cut: a million of them would
-- make the delete of one post too long.
create trigger if not exists posts_left_feeds after delete on posts begin
    delete from timeline where owner = old.author and post = old.pk;
    delete from timeline
    where post = old.pk
      and owner in (
        select follower from follows
        where followee = old.author and not exists (select 1 from wide_authors where author = old.author));
end;

-- Who follows an author gets their newest 200 posts above the floor. Where there are more, the floor
-- rises to the next one; and the timeline is cut to its newest 1,000.
create trigger if not exists follows_filled after insert on follows
when not exists (select 1 from wide_authors where author = new.followee)
begin
    insert into timelines (owner, floor)
    select new.follower, pk from posts
    where author = new.followee and status = 'published'
      and pk > coalesce((select floor from timelines where owner = new.follower), 0)
    order by pk desc limit 1 offset 200
    on conflict (owner) do update set floor = max(floor, excluded.floor);
    insert into timeline (owner, post, author)
    select new.follower, pk, author from posts
    where author = new.followee and status = 'published'
      and pk > coalesce((select floor from timelines where owner = new.follower), 0)
    order by pk desc limit 200
    on conflict do nothing;
    insert into timelines (owner, floor)
    select new.follower, post from timeline where owner = new.follower
    order by post desc limit 1 offset 1000
    on conflict (owner) do update set floor = max(floor, excluded.floor);
end;

create trigger if not exists follows_filled_wide after insert on follows
when exists (select 1 from wide_authors where author = new.followee)
begin
    insert into wide_follows (follower, followee) values (new.follower, new.followee)
    on conflict do nothing;
end;

-- Where the author was deleted their posts are gone and the rows lead nowhere; where the owner was,
-- their whole timeline goes at once (0004_events.sql).
create trigger if not exists follows_emptied after delete on follows begin
    delete from wide_follows where follower = old.follower and followee = old.followee;
    delete from timeline
    where owner = old.follower and author = old.followee
      and not exists (select 1 from people where pk in (old.follower, old.followee) and status = 'deleted');
end;
