-- The projection of ties.sql, from the events of `social`. An event may name a person before
-- `users` told of them: such a person is first an 'unknown' row. Nobody ties to the deleted.

create trigger if not exists follows_heard after insert on inbox when new.type = 'follow.created'
begin
    insert into people (id) values (new.body ->> '$.followerId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.followeeId') on conflict (id) do nothing;
    insert into follows (follower, followee, created_at)
    select one.pk, other.pk, new.at from people as one, people as other
    where one.id = new.body ->> '$.followerId' and other.id = new.body ->> '$.followeeId'
      and one.status <> 'deleted' and other.status <> 'deleted'
    on conflict do nothing;
end;

create trigger if not exists follows_unheard after insert on inbox when new.type = 'follow.removed'
begin
    delete from follows
    where follower = (select pk from people where id = new.body ->> '$.followerId')
      and followee = (select pk from people where id = new.body ->> '$.followeeId');
end;

create trigger if not exists follow_requests_heard after insert on inbox when new.type = 'follow.requested'
begin
    insert into people (id) values (new.body ->> '$.requesterId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.targetId') on conflict (id) do nothing;
    insert into follow_requests (requester, target, created_at)
    select one.pk, other.pk, new.at from people as one, people as other
    where one.id = new.body ->> '$.requesterId' and other.id = new.body ->> '$.targetId'
      and one.status <> 'deleted' and other.status <> 'deleted'
    on conflict do nothing;
end;

create trigger if not exists follow_requests_unheard after insert on inbox when new.type = 'follow.request_removed'
begin
    delete from follow_requests
    where requester = (select pk from people where id = new.body ->> '$.requesterId')
      and target = (select pk from people where id = new.body ->> '$.targetId');
end;

create trigger if not exists blocks_heard after insert on inbox when new.type = 'block.created'
begin
    insert into people (id) values (new.body ->> '$.blockerId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.blockedId') on conflict (id) do nothing;
    insert into blocks (blocker, blocked, created_at)
    select one.pk, other.pk, new.at from people as one, people as other
    where one.id = new.body ->> '$.blockerId' and other.id = new.body ->> '$.blockedId'
      and one.status <> 'deleted' and other.status <> 'deleted'
    on conflict do nothing;
end;

create trigger if not exists blocks_unheard after insert on inbox when new.type = 'block.removed'
begin
    delete from blocks
    where blocker = (select pk from people where id = new.body ->> '$.blockerId')
      and blocked = (select pk from people where id = new.body ->> '$.blockedId');
end;

create trigger if not exists mutes_heard after insert on inbox when new.type = 'mute.created'
begin
    insert into people (id) values (new.body ->> '$.muterId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.mutedId') on conflict (id) do nothing;
    insert into mutes (muter, muted, created_at)
    select one.pk, other.pk, new.at from people as one, people as other
    where one.id = new.body ->> '$.muterId' and other.id = new.body ->> '$.mutedId'
      and one.status <> 'deleted' and other.status <> 'deleted'
    on conflict do nothing;
end;

create trigger if not exists mutes_unheard after insert on inbox when new.type = 'mute.removed'
begin
    delete from mutes
    where muter = (select pk from people where id = new.body ->> '$.muterId')
      and muted = (select pk from people where id = new.body ->> '$.mutedId');
end;
