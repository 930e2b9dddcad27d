-- What the owner of ties adds to the shared tables: their order, their rules, their events.
-- A rule that must hold whoever comes first (no follow across a block) is kept by a trigger in
-- the statement of the change, because a check before it could be out of date.

-- Lists are newest first, and a person may be in very many of them.
create index if not exists follows_by_follower_newest on follows (follower, created_at, followee);
create index if not exists follows_by_followee_newest on follows (followee, created_at, follower);
create index if not exists blocks_newest on blocks (blocker, created_at, blocked);
create index if not exists mutes_newest on mutes (muter, created_at, muted);

-- Every tie that holds, to begin and end them in one statement: a wish to follow becomes a
-- follow or a request by the one wished for, and an end carries its time (`ended_at`), which a
-- delete could not tell the event. `most` bounds how many the follower may have.
create view if not exists ties (kind, one, other, created_at, ended_at, most) as
    select 'follow', follower, followee, created_at, null, null from follows
    union all
    select 'follow_request', requester, target, created_at, null, null from follow_requests
    union all
    select 'block', blocker, blocked, created_at, null, null from blocks
    union all
    select 'mute', muter, muted, created_at, null, null from mutes;

create trigger if not exists follow_wished instead of insert on ties when new.kind = 'follow'
begin
    -- Against follow spam: a fixed number, then a tenth more than follow back (null: no bound).
    select raise(abort, 'follows_too_many') from people
    where pk = new.one and following >= max(new.most, followers * 11 / 10)
      and not exists (select 1 from follows where follower = new.one and followee = new.other);
    insert into follow_requests (requester, target, created_at)
    select new.one, new.other, new.created_at from people
    where pk = new.other and private = 1
      and not exists (select 1 from follows where follower = new.one and followee = new.other)
    on conflict do nothing;
    insert into follows (follower, followee, created_at)
    select new.one, new.other, new.created_at from people
    where pk = new.other and private = 0
    on conflict do nothing;
end;

create trigger if not exists follow_begins before insert on follows
begin
    select raise(abort, 'blocked')
    where exists (select 1 from blocks where blocker = new.follower and blocked = new.followee)
       or exists (select 1 from blocks where blocker = new.followee and blocked = new.follower);
end;

-- Who follows need not ask any more, however it came about.
create trigger if not exists follow_begun after insert on follows
begin
    update ties set ended_at = new.created_at
    where kind = 'follow_request' and one = new.follower and other = new.followee;
    insert into outbox (type, key, at, body)
    select 'follow.created', one.id, new.created_at,
        json_object('followerId', one.id, 'followeeId', other.id)
    from people as one, people as other
    where one.pk = new.follower and other.pk = new.followee;
end;

create trigger if not exists follow_ended instead of update on ties when old.kind = 'follow'
begin
    delete from follows where follower = old.one and followee = old.other;
    insert into outbox (type, key, at, body)
    select 'follow.removed', one.id, new.ended_at,
        json_object('followerId', one.id, 'followeeId', other.id)
    from people as one, people as other
    where one.pk = old.one and other.pk = old.other;
end;

create trigger if not exists follow_request_begins before insert on follow_requests
begin
    select raise(abort, 'blocked')
    where exists (select 1 from blocks where blocker = new.requester and blocked = new.target)
       or exists (select 1 from blocks where blocker = new.target and blocked = new.requester);
end;

create trigger if not exists follow_request_begun after insert on follow_requests
begin
    insert into outbox (type, key, at, body)
    select 'follow.requested', one.id, new.created_at,
        json_object('requesterId', one.id, 'targetId', other.id)
    from people as one, people as other
    where one.pk = new.requester and other.pk = new.target;
end;

create trigger if not exists follow_request_ended instead of update on ties when old.kind = 'follow_request'
begin
    delete from follow_requests where requester = old.one and target = old.other;
    insert into outbox (type, key, at, body)
    select 'follow.request_removed', one.id, new.ended_at,
        json_object('requesterId', one.id, 'targetId', other.id)
    from people as one, people as other
    where one.pk = old.one and other.pk = old.other;
end;

-- A block cuts what is between the two, both ways; unblocking brings nothing back.
create trigger if not exists block_begun after insert on blocks
begin
    insert into outbox (type, key, at, body)
    select 'block.created', one.id, new.created_at,
        json_object('blockerId', one.id, 'blockedId', other.id)
    from people as one, people as other
    where one.pk = new.blocker and other.pk = new.blocked;
    update ties set ended_at = new.created_at
    where kind in ('follow', 'follow_request') and one = new.blocker and other = new.blocked;
    update ties set ended_at = new.created_at
    where kind in ('follow', 'follow_request') and one = new.blocked and other = new.blocker;
end;

create trigger if not exists block_ended instead of update on ties when old.kind = 'block'
begin
    delete from blocks where blocker = old.one and blocked = old.other;
    insert into outbox (type, key, at, body)
    select 'block.removed', one.id, new.ended_at,
        json_object('blockerId', one.id, 'blockedId', other.id)
    from people as one, people as other
    where one.pk = old.one and other.pk = old.other;
end;

create trigger if not exists mute_begun after insert on mutes
begin
    insert into outbox (type, key, at, body)
    select 'mute.created', one.id, new.created_at,
        json_object('muterId', one.id, 'mutedId', other.id)
    from people as one, people as other
    where one.pk = new.muter and other.pk = new.muted;
end;

create trigger if not exists mute_ended instead of update on ties when old.kind = 'mute'
begin
    delete from mutes where muter = old.one and muted = old.other;
    insert into outbox (type, key, at, body)
    select 'mute.removed', one.id, new.ended_at,
        json_object('muterId', one.id, 'mutedId', other.id)
    from people as one, people as other
    where one.pk = old.one and other.pk = old.other;
end;

-- Who asked to follow a private person follows once they are public. The time is that of the
-- newest word of `users`; a row of `people` has none of its own.
create trigger if not exists person_went_public after update of private on people
when old.private = 1 and new.private = 0 and new.status <> 'deleted'
begin
    insert into follows (follower, followee, created_at)
    select requester, target,
        coalesce((select at from inbox where source = 'users' order by seq desc limit 1), created_at)
    from follow_requests
    where target = new.pk
    on conflict do nothing;
end;
