-- What media tells, written in the statement of the change (bodies: shared/src/events.rs), and what it does with
-- what it hears.

create trigger if not exists media_ended after update of status on media
when new.status in ('ready', 'failed') and old.status <> new.status
begin
    insert into outbox (type, key, at, body)
    select 'media.' || new.status, new.key, new.changed_at, json_object(
        'key', new.key, 'ownerId', owner.id, 'media', json(shown.json),
        'avatarUrl', iif(new.status = 'ready', new.avatar_url, null))
    from people as owner, shown where owner.pk = new.owner and shown.pk = new.pk;
end;

-- Objects are deleted after the statement, by prefix, since an attempt may still write some. Only what somebody named to
-- use it is known elsewhere.
create trigger if not exists media_removed after update of removed on media when new.removed begin
    insert into outbox (type, key, at, body)
    select 'media.deleted', new.key, new.changed_at, json_object('key', new.key, 'ownerId', owner.id)
    from people as owner where owner.pk = new.owner and new.claimed_at is not null;
    insert into removals (prefix, upload_id, due_at)
    select owner.id || '/' || new.key || '/', new.upload_id, 0 from people as owner where owner.pk = new.owner
    on conflict (prefix) do update set due_at = 0;
    delete from media where pk = new.pk;
end;

create trigger if not exists attachment_created_heard after insert on inbox when new.type = 'attachment.created' begin
    insert into uses (media, kind, target, visibility, published)
    select m.pk, 'post', new.body ->> '$.postId', new.body ->> '$.visibility', new.body ->> '$.published'
    from json_each(new.body, '$.media') as named
    join media as m on m.key = named.value
    join people as owner on owner.pk = m.owner
    where owner.id = new.body ->> '$.authorId'
    on conflict (media, kind, target) do nothing;
end;

create trigger if not exists attachment_published_heard after insert on inbox when new.type = 'attachment.published'
begin
    update uses set published = 1 where kind = 'post' and target = new.body ->> '$.postId';
end;

create trigger if not exists attachment_removed_heard after insert on inbox when new.type = 'attachment.removed' begin
    update media set removed = 1, changed_at = new.at
    where pk in (select media from uses where kind = 'post' and target = new.body ->> '$.postId')
      and not exists (select 1 from uses where uses.media = media.pk
        and (uses.kind <> 'post' or uses.target <> new.body ->> '$.postId'));
    delete from uses where kind = 'post' and target = new.body ->> '$.postId';
end;

-- The picture before it is shown nowhere any more.
create trigger if not exists avatar_changed_heard after insert on inbox when new.type = 'avatar.changed' begin
    insert into uses (media, kind, target)
    select m.pk, 'avatar', owner.id from media as m join people as owner on owner.pk = m.owner
    where m.key = new.body ->> '$.key' and owner.id = new.body ->> '$.userId'
    on conflict (media, kind, target) do nothing;
    update media set removed = 1, changed_at = new.at
    where key is not new.body ->> '$.key'
      and pk in (select media from uses where kind = 'avatar' and target = new.body ->> '$.userId')
      and not exists (select 1 from uses where uses.media = media.pk and uses.kind <> 'avatar');
    delete from uses where kind = 'avatar' and target = new.body ->> '$.userId'
      and media not in (select pk from media where key is new.body ->> '$.key');
end;

-- Deletions whose objects are not all gone yet: the receipt is for what is deleted, not for what will be.
create table if not exists erasures (
    deletion text primary key,
    person text not null,
    rows integer not null,
    at text not null
) without rowid;

create trigger if not exists person_erased before insert on inbox when new.type = 'user.deleted' begin
    insert into erasures (deletion, person, rows, at)
    select new.body ->> '$.deletionId', new.body ->> '$.id', (select count(*) from people where pk = person.pk and status <> 'deleted')
        + (select count(*) from media where owner = person.pk)
        + (select count(*) from uses where media in (select pk from media where owner = person.pk)), new.at
    from (select (select pk from people where id = new.body ->> '$.id') as pk) as person
    where true
    on conflict (deletion) do nothing;
    update media set removed = 1, changed_at = new.at
    where owner = (select pk from people where id = new.body ->> '$.id');
end;

-- Its row goes when it is told.
create trigger if not exists erasure_told after delete on erasures begin
    insert into outbox (type, key, at, body)
    values ('erasure.completed', old.person, old.at, json_object(
        'userId', old.person, 'deletionId', old.deletion, 'service', 'media', 'rows', old.rows));
end;
