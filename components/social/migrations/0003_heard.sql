-- What this service does with what it hears, besides keeping people (shared people.sql).

create trigger if not exists post_published after insert on inbox when new.type = 'post.published'
begin
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    update people set posts = posts + 1 where id = new.body ->> '$.authorId';
end;

-- Only what was published was counted.
create trigger if not exists post_deleted after insert on inbox
when new.type = 'post.deleted' and new.body ->> '$.wasPublished'
begin
    update people set posts = posts - 1 where id = new.body ->> '$.authorId';
end;

-- The receipt counts before anything is gone: the person's own row, which is emptied, their ties,
-- the reports they made, which are erased, and those about them, which lose what was written. An
-- open report about them is closed: what it is about is being removed everywhere.
create trigger if not exists person_erased before insert on inbox when new.type = 'user.deleted'
begin
    insert into outbox (type, key, at, body)
    select 'erasure.completed', new.body ->> '$.id', new.at, json_object(
        'userId', new.body ->> '$.id', 'deletionId', new.body ->> '$.deletionId', 'service', 'social',
        'rows', (select count(*) from people where pk = person.pk and status <> 'deleted')
            + (select count(*) from follows where follower = person.pk)
            + (select count(*) from follows where followee = person.pk)
            + (select count(*) from follow_requests where requester = person.pk)
            + (select count(*) from follow_requests where target = person.pk)
            + (select count(*) from blocks where blocker = person.pk)
            + (select count(*) from blocks where blocked = person.pk)
            + (select count(*) from mutes where muter = person.pk)
            + (select count(*) from mutes where muted = person.pk)
            + (select count(*) from reports where reporter = person.pk)
            + (select count(*) from reports where target_author = person.pk))
    from (select (select pk from people where id = new.body ->> '$.id') as pk) as person;
    delete from reports where reporter = (select pk from people where id = new.body ->> '$.id');
    update reports set
        details = null, status = iif(status = 'open', 'content_removed', status),
        resolved_at = coalesce(resolved_at, new.at)
    where target_author = (select pk from people where id = new.body ->> '$.id');
end;
