-- What posts show. `media` owns it; here is what it told last, as a template of what is answered (shared::media), so that
-- no read asks it. The row of a media that was deleted stays, so that a post written meanwhile does not show it.
create table if not exists media (
    key text primary key,
    status text not null check (status in ('queued', 'processing', 'ready', 'failed', 'deleted')),
    -- Null once deleted.
    json text
) without rowid;

create table if not exists post_media (
    post integer not null references posts (pk) on delete cascade,
    position integer not null,
    key text not null,
    alt text,
    primary key (post, position)
) without rowid;

create index if not exists post_media_by_key on post_media (key);

-- `Media[]` of the contract, as templates.
alter table posts add column media text not null default '[]';

-- What the statement that makes a post brings along, [{key, alt, status, media}], until the triggers of the insert have
-- taken it apart. To set it and to empty it again is to have the media of a post shown anew.
alter table posts add column attached text;

-- Told to `media` alone, since most posts show nothing. The end of a media is final: where it is known here, what the post
-- brings is older.
create trigger if not exists posts_attached after insert on posts when new.attached is not null begin
    insert into outbox (type, key, at, body)
    select 'attachment.created', new.id, new.created_at, json_object(
        'postId', new.id, 'authorId', author.id, 'visibility', new.visibility,
        'published', json(iif(new.status = 'published', 'true', 'false')),
        'media', json((select json_group_array(value ->> '$.key') from json_each(new.attached))))
    from people as author where author.pk = new.author;
    insert into media (key, status, json)
    select value ->> '$.key', value ->> '$.status', value -> '$.media' from json_each(new.attached) where true
    on conflict (key) do update set status = excluded.status, json = excluded.json
    where media.status in ('queued', 'processing');
    insert into post_media (post, position, key, alt)
    select new.pk, key, value ->> '$.key', value ->> '$.alt' from json_each(new.attached);
    update posts set attached = null where pk = new.pk;
end;

create trigger if not exists attachment_published_told after update of status on posts
when new.status = 'published' and old.status <> 'published' and new.media <> '[]'
begin
    insert into outbox (type, key, at, body)
    values ('attachment.published', new.id, new.created_at, json_object('postId', new.id));
end;

-- Before, because what it showed goes with it.
create trigger if not exists attachment_removal_told before delete on posts
when exists (select 1 from post_media where post = old.pk)
begin
    insert into outbox (type, key, at, body)
    select 'attachment.removed', old.id, at, json_object('postId', old.id) from removals;
end;

-- A post waits as long as something of it is not ready.
create trigger if not exists posts_media_shown after update of attached on posts
when old.attached is not null and new.attached is null
begin
    update posts set
        media = shown.media, status = shown.status
    from (select coalesce(json_group_array(json_set(json, '$.alt', alt)), '[]') as media,
            iif(sum(status <> 'ready'), 'pending_media', 'published') as status
        from (select m.json, m.status, pm.alt from post_media as pm join media as m on m.key = pm.key
            where pm.post = new.pk and m.status <> 'deleted' order by pm.position)) as shown
    where pk = new.pk and (posts.media, posts.status) is not (shown.media, shown.status);
end;

create trigger if not exists media_heard after insert on inbox when new.type in ('media.ready', 'media.failed') begin
    insert into media (key, status, json)
    values (new.body ->> '$.key', iif(new.type = 'media.ready', 'ready', 'failed'), new.body -> '$.media')
    on conflict (key) do update set status = excluded.status, json = excluded.json where media.status <> 'deleted';
    update posts set attached = '' where pk in (select post from post_media where key = new.body ->> '$.key');
    update posts set attached = null where pk in (select post from post_media where key = new.body ->> '$.key');
end;

-- A post that neither shows nor says anything any more is none.
create trigger if not exists media_deleted_heard after insert on inbox when new.type = 'media.deleted' begin
    insert into media (key, status, json) values (new.body ->> '$.key', 'deleted', null)
    on conflict (key) do update set status = 'deleted', json = null;
    update posts set attached = '' where pk in (select post from post_media where key = new.body ->> '$.key');
    update posts set attached = null where pk in (select post from post_media where key = new.body ->> '$.key');
    insert into removals (post, at)
    select pk, new.at from posts
    where text = '' and media = '[]' and pk in (select post from post_media where key = new.body ->> '$.key');
end;

-- `opening` (0006_rendered.sql) has the media in it.
drop trigger if exists posts_opening_made;

drop trigger if exists posts_opening_changed;

create trigger if not exists posts_opening_made after insert on posts when new.opening is null begin
    update posts set opening = rtrim(json_object(
        'id', id, 'text', text, 'media', json(media), 'visibility', visibility, 'createdAt', created_at,
        'editedAt', edited_at, 'status', status, 'hashtags', json(hashtags)), '}')
    where pk = new.pk;
end;

create trigger if not exists posts_opening_changed
after update of text, media, visibility, edited_at, status, hashtags on posts begin
    update posts set opening = rtrim(json_object(
        'id', id, 'text', text, 'media', json(media), 'visibility', visibility, 'createdAt', created_at,
        'editedAt', edited_at, 'status', status, 'hashtags', json(hashtags)), '}')
    where pk = new.pk;
end;
