-- What was uploaded, or may be. Times are milliseconds here, since most of them are compared and few are shown.
create table if not exists media (
    pk integer primary key autoincrement,
    -- A UUIDv7: one path segment, and sorts by time.
    key text not null unique,
    owner integer not null references people (pk),
    purpose text not null check (purpose in ('post', 'avatar')),
    kind text not null check (kind in ('image', 'video')),
    content_type text not null,
    size integer not null,
    status text not null default 'pending'
        check (status in ('pending', 'uploaded', 'queued', 'processing', 'ready', 'failed')),
    progress integer not null default 0,
    error_code text,
    error_detail text,
    width integer,
    height integer,
    duration_ms integer,
    blurhash text,
    -- Objects of the attempt that completed: what is shown, and its still or small size.
    shown_object text,
    poster_object text,
    -- Renditions and their segments as the worker told them, from which playlists are written.
    stream text,
    -- Where anybody sees an avatar.
    avatar_url text,
    -- Of a multipart upload that is not complete.
    upload_id text,
    part_size integer,
    created_at integer not null,
    -- Until when what was given out admits an upload: these count against the quota.
    open_until integer not null,
    -- When somebody named it to use it; what was never used goes a day after that.
    claimed_at integer,
    -- When it was put into the queue.
    queued_at integer,
    -- Time of the last change, which whoever makes it says, because a trigger has no clock.
    changed_at text not null,
    -- To set it is to remove the media: the row goes in the same statement, its objects follow.
    removed integer not null default 0
);

create index if not exists media_by_owner on media (owner, status, open_until);

create index if not exists media_by_age on media (created_at);

-- What shows a media: a post, its owner's profile, or a scoop.
create table if not exists uses (
    media integer not null references media (pk) on delete cascade,
    kind text not null check (kind in ('post', 'avatar', 'scoop')),
    -- Id of the post, of the owner, or of the scoop.
    target text not null,
    visibility text not null default 'public',
    -- Whether others see the post yet.
    published integer not null default 1,
    primary key (media, kind, target)
) without rowid;

create index if not exists uses_by_target on uses (target);

-- Objects to delete, by prefix; worked off by every tick, so that a store that is down delays it and no more.
create table if not exists removals (
    prefix text primary key,
    upload_id text,
    due_at integer not null,
    attempts integer not null default 0
) without rowid;

create index if not exists removals_by_due on removals (due_at);

-- `Media` of the contract without `alt`: the template that shared::media fills.
create view if not exists shown as
select pk, key, json_object(
    'key', key, 'kind', kind, 'status', status, 'progress', progress,
    'error', json(iif(error_code is null, 'null', json_object('code', error_code, 'detail', error_detail))),
    'url', iif(status = 'ready', '@' || shown_object, null),
    'hlsUrl', iif(status = 'ready' and kind = 'video', '@' || key, null),
    'posterUrl', iif(status = 'ready', '@' || poster_object, null),
    'width', width, 'height', height, 'durationMs', duration_ms, 'blurhash', blurhash) as json
from media;
