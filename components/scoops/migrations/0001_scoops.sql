-- Scoops. `pk` orders them as they were made and is never used again, since cursors outlive the scoop they name.
-- Times others compare are milliseconds; those that are answered are text.
create table if not exists scoops (
    pk integer primary key autoincrement,
    id text not null unique,
    author integer not null references people (pk),
    media_key text not null,
    -- `Media` of the contract as media told it last, a template of links (shared::media). Null in a tombstone.
    media text,
    caption text,
    audience text not null check (audience in ('followers', 'close_friends')),
    created_at text not null,
    expires_at text not null,
    expires_ms integer not null,
    -- When it came out for others and when it was deleted, by the number in the outbox at that time: what happened before
    -- and after the first page of a feed is told apart by these (README.md). Null: not yet.
    shown integer,
    gone integer,
    -- Whether its end was told; and, an hour later, whether it is in its owner's archive and nowhere else, its viewers
    -- forgotten.
    ended integer not null default 0,
    archived integer not null default 0,
    views integer not null default 0,
    -- Time of the last change, which whoever makes it says, because a trigger has no clock.
    changed_at text not null,
    -- What of its JSON depends on nobody who reads, without the media and the closing brace: the statement that makes it
    -- brings it along.
    opening text not null,
    -- The media with its links, and what they were made for (src/links.rs): a copy that any statement may empty.
    linked text,
    linked_for text
);

-- What is live of an author, or was within the hour, in order: few rows, with all that is asked of them while a feed is put
-- in order. Reads name it, since it is the archive that is long.
create index if not exists scoops_current on scoops (author, pk, expires_ms, shown, gone, audience) where archived = 0;

-- All of an author, newest first.
create index if not exists scoops_by_author on scoops (author);

create index if not exists scoops_by_media on scoops (media_key);

-- For the sweep: what is to end, what is to leave the archive; and what is to get into it.
create index if not exists scoops_by_end on scoops (ended, expires_ms);

create index if not exists scoops_to_archive on scoops (expires_ms) where archived = 0;

-- The newest publication of an author for each audience, by its number, and until when it lives; `until` is the end of
-- whatever lives longest. A row a living author, so that the feed passes over everybody else by one small look.
create table if not exists author_live (
    author integer primary key,
    until integer not null,
    everyone integer,
    everyone_until integer,
    close integer,
    close_until integer
);

create index if not exists author_live_by_end on author_live (until);

-- Whom a person shows what is for close friends.
create table if not exists close_friends (
    pk integer primary key autoincrement,
    owner integer not null references people (pk),
    friend integer not null references people (pk),
    created_at text not null,
    unique (owner, friend)
);

-- (owner, pk): newest first.
create index if not exists close_friends_by_owner on close_friends (owner);

create index if not exists close_friends_by_friend on close_friends (friend);

-- Who looked. `n` is the number in the outbox, as `scoops.shown`.
create table if not exists views (
    viewer integer not null references people (pk),
    scoop integer not null references scoops (pk) on delete cascade,
    n integer not null,
    at text not null,
    primary key (viewer, scoop)
) without rowid;

create index if not exists views_by_scoop on views (scoop, n);

-- What media told of late: a scoop that is made while its media ends finds the end here. Nobody needs it longer than
-- that, so the sweep keeps a day of it.
create table if not exists media (
    key text primary key,
    owner text not null,
    status text not null check (status in ('ready', 'failed', 'deleted')),
    -- Null once deleted.
    json text,
    at text not null
) without rowid;

create index if not exists media_by_age on media (at);

create index if not exists media_by_owner on media (owner);

-- A person as the author of a scoop, in JSON, which a page would otherwise build anew for every reader.
alter table people add column card text;

create trigger if not exists people_card_made after insert on people begin
    update people set card = json_object(
        'id', id, 'handle', handle, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
        'private', json(iif(private, 'true', 'false')), 'createdAt', created_at)
    where pk = new.pk;
end;

create trigger if not exists people_card_changed
after update of handle, display_name, bio, avatar_url, private, created_at on people begin
    update people set card = json_object(
        'id', id, 'handle', handle, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
        'private', json(iif(private, 'true', 'false')), 'createdAt', created_at)
    where pk = new.pk;
end;
