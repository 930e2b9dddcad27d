-- The picture somebody chose while it is not ready: shown as soon as `media` tells that it is.
alter table people add column avatar_key text;

alter table people add column avatar_wanted text;

-- The one before stays until then.
create trigger if not exists avatar_ready_heard after insert on inbox when new.type = 'media.ready' begin
    update people set
        avatar_url = new.body ->> '$.avatarUrl', avatar_key = avatar_wanted, avatar_wanted = null, changed_at = new.at
    where id = new.body ->> '$.ownerId' and avatar_wanted = new.body ->> '$.key' and status = 'active';
end;

create trigger if not exists avatar_failed_heard after insert on inbox when new.type = 'media.failed' begin
    update people set avatar_wanted = null
    where id = new.body ->> '$.ownerId' and avatar_wanted = new.body ->> '$.key';
end;

create trigger if not exists avatar_deleted_heard after insert on inbox when new.type = 'media.deleted' begin
    update people set avatar_wanted = null
    where id = new.body ->> '$.ownerId' and avatar_wanted = new.body ->> '$.key';
    update people set avatar_url = null, avatar_key = null, changed_at = new.at
    where id = new.body ->> '$.ownerId' and avatar_key = new.body ->> '$.key' and status <> 'deleted';
end;

create trigger if not exists avatar_told after update of avatar_key on people
when new.avatar_key is not old.avatar_key and new.status <> 'deleted'
begin
    insert into outbox (type, key, at, body)
    values ('avatar.changed', new.id, new.changed_at, json_object('userId', new.id, 'key', new.avatar_key));
end;

create trigger if not exists avatar_erased after update of status on people
when new.status = 'deleted' and old.status <> 'deleted'
begin
    update people set avatar_key = null, avatar_wanted = null where pk = new.pk;
end;
