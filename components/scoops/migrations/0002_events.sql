-- What scoops tells, in the statement of the change (bodies: shared/src/events.rs), and what it does with what it hears.

-- Told first to media alone, as what it must keep; and to others as soon as they may see it.
create trigger if not exists scoops_made after insert on scoops begin
    insert into outbox (type, key, at, body)
    select 'scoop.created', new.id, new.created_at, json_object(
        'scoopId', new.id, 'authorId', author.id, 'audience', new.audience, 'mediaKey', new.media_key,
        'expiresAt', new.expires_at, 'published', json(iif(new.shown is null, 'false', 'true')))
    from people as author where author.pk = new.author;
    insert into outbox (type, key, at, body)
    select 'scoop.published', new.id, new.created_at, json_object(
        'scoopId', new.id, 'authorId', author.id, 'audience', new.audience, 'expiresAt', new.expires_at)
    from people as author where author.pk = new.author and new.shown is not null;
    insert into author_live (author, until, everyone, everyone_until, close, close_until)
    select new.author, new.expires_ms,
        iif(new.audience = 'followers', new.shown, null), iif(new.audience = 'followers', new.expires_ms, null),
        iif(new.audience = 'close_friends', new.shown, null), iif(new.audience = 'close_friends', new.expires_ms, null)
    where new.shown is not null
    on conflict (author) do update set
        until = max(until, excluded.until),
        everyone = coalesce(excluded.everyone, everyone),
        everyone_until = coalesce(excluded.everyone_until, everyone_until),
        close = coalesce(excluded.close, close),
        close_until = coalesce(excluded.close_until, close_until);
end;

create trigger if not exists scoops_published after update of shown on scoops
when old.shown is null and new.shown is not null
begin
    insert into outbox (type, key, at, body)
    select 'scoop.published', new.id, new.changed_at, json_object(
        'scoopId', new.id, 'authorId', author.id, 'audience', new.audience, 'expiresAt', new.expires_at)
    from people as author where author.pk = new.author;
    insert into author_live (author, until, everyone, everyone_until, close, close_until)
    values (new.author, new.expires_ms,
        iif(new.audience = 'followers', new.shown, null), iif(new.audience = 'followers', new.expires_ms, null),
        iif(new.audience = 'close_friends', new.shown, null), iif(new.audience = 'close_friends', new.expires_ms, null))
    on conflict (author) do update set
        until = max(until, excluded.until),
        everyone = coalesce(excluded.everyone, everyone),
        everyone_until = coalesce(excluded.everyone_until, everyone_until),
        close = coalesce(excluded.close, close),
        close_until = coalesce(excluded.close_until, close_until);
end;

create trigger if not exists scoops_expired after update of ended on scoops
when new.ended and not old.ended and new.gone is null
begin
    insert into outbox (type, key, at, body)
    select 'scoop.expired', new.id, new.changed_at, json_object('scoopId', new.id, 'authorId', author.id)
    from people as author where author.pk = new.author;
end;

create trigger if not exists scoops_archived after update of archived on scoops when new.archived begin
    delete from views where scoop = new.pk;
end;

-- A scoop that was live a moment ago leaves a tombstone, so that the feeds that are paged through now stay in order; the
-- sweep takes it. One from the archive leaves nothing.
create trigger if not exists scoops_deleted after update of gone on scoops
when old.gone is null and new.gone is not null
begin
    insert into outbox (type, key, at, body)
    select 'scoop.deleted', new.id, new.changed_at, json_object(
        'scoopId', new.id, 'authorId', author.id, 'mediaKey', new.media_key)
    from people as author where author.pk = new.author;
    update scoops set media = null, caption = null, opening = '', linked = null, linked_for = null where pk = new.pk;
    delete from scoops where pk = new.pk and archived;
end;

create trigger if not exists views_counted after insert on views begin
    update scoops set views = views + 1 where pk = new.scoop;
    insert into outbox (type, key, at, body)
    select 'scoop.viewed', scoop.id, new.at, json_object(
        'scoopId', scoop.id, 'authorId', author.id, 'viewerId', viewer.id)
    from scoops as scoop join people as author on author.pk = scoop.author join people as viewer on viewer.pk = new.viewer
    where scoop.pk = new.scoop;
end;

-- Who blocks somebody is no friend of theirs, and is not one again by taking it back.
create trigger if not exists close_friends_blocked after insert on blocks begin
    delete from close_friends where owner = new.blocker and friend = new.blocked;
    delete from close_friends where owner = new.blocked and friend = new.blocker;
end;

-- A scoop comes out when its media is ready, unless its time was over by then. What is ready stays so.
create trigger if not exists media_heard after insert on inbox when new.type in ('media.ready', 'media.failed') begin
    insert into media (key, owner, status, json, at)
    values (new.body ->> '$.key', new.body ->> '$.ownerId', iif(new.type = 'media.ready', 'ready', 'failed'),
        new.body -> '$.media', new.at)
    on conflict (key) do update set status = excluded.status, json = excluded.json, at = excluded.at
    where media.status = 'failed';
    update scoops set
        media = json_set(told.json, '$.alt', null), linked = null, linked_for = null, changed_at = new.at,
        shown = iif(scoops.shown is null and told.status = 'ready' and scoops.expires_at > new.at,
            (select coalesce(max(seq), 0) + 1 from outbox), scoops.shown)
    from (select status, json from media where key = new.body ->> '$.key' and status <> 'deleted') as told
    where scoops.media_key = new.body ->> '$.key' and scoops.gone is null;
end;

create trigger if not exists media_deleted_heard after insert on inbox when new.type = 'media.deleted' begin
    insert into media (key, owner, status, json, at)
    values (new.body ->> '$.key', new.body ->> '$.ownerId', 'deleted', null, new.at)
    on conflict (key) do update set status = 'deleted', json = null, at = excluded.at;
    update scoops set changed_at = new.at, gone = (select coalesce(max(seq), 0) + 1 from outbox)
    where media_key = new.body ->> '$.key' and gone is null;
end;

-- The receipt counts before anything is gone: the person's own row, which is emptied, their scoops, what they looked at,
-- and the lists of close friends they are in or have. Views by others of what is theirs go with it, uncounted.
create trigger if not exists person_erased before insert on inbox when new.type = 'user.deleted' begin
    insert into outbox (type, key, at, body)
    select 'erasure.completed', new.body ->> '$.id', new.at, json_object(
        'userId', new.body ->> '$.id', 'deletionId', new.body ->> '$.deletionId', 'service', 'scoops',
        'rows', (select count(*) from people where pk = person.pk and status <> 'deleted')
            + (select count(*) from scoops where author = person.pk)
            + (select count(*) from views where viewer = person.pk)
            + (select count(*) from close_friends where owner = person.pk)
            + (select count(*) from close_friends where friend = person.pk))
    from (select (select pk from people where id = new.body ->> '$.id') as pk) as person;
    delete from views where viewer = (select pk from people where id = new.body ->> '$.id');
    delete from scoops where author = (select pk from people where id = new.body ->> '$.id');
    delete from author_live where author = (select pk from people where id = new.body ->> '$.id');
    delete from close_friends where owner = (select pk from people where id = new.body ->> '$.id');
    delete from close_friends where friend = (select pk from people where id = new.body ->> '$.id');
    delete from media where owner = new.body ->> '$.id';
end;
