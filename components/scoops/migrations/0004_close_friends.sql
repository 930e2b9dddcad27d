-- Who is whose close friend is told to who tells people of scoops.
create trigger if not exists close_friend_added after insert on close_friends begin
    insert into outbox (type, key, at, body)
    select 'close_friend.added', owner.id, new.created_at, json_object('ownerId', owner.id, 'friendId', friend.id)
    from people as owner, people as friend where owner.pk = new.owner and friend.pk = new.friend;
end;

-- A view to insert into: a row that goes has no time of its own to tell.
create view if not exists close_friend_removals as
select null as owner, null as friend, null as at where 0;

create trigger if not exists close_friend_removed instead of insert on close_friend_removals
when exists (select 1 from close_friends where owner = new.owner and friend = new.friend)
begin
    insert into outbox (type, key, at, body)
    select 'close_friend.removed', owner.id, new.at, json_object('ownerId', owner.id, 'friendId', friend.id)
    from people as owner, people as friend where owner.pk = new.owner and friend.pk = new.friend;
    delete from close_friends where owner = new.owner and friend = new.friend;
end;

drop trigger if exists close_friends_blocked;

-- Who blocks somebody is no friend of theirs, and is not one again by taking it back.
create trigger if not exists close_friends_parted after insert on blocks begin
    insert into close_friend_removals (owner, friend, at) values (new.blocker, new.blocked, new.created_at);
    insert into close_friend_removals (owner, friend, at) values (new.blocked, new.blocker, new.created_at);
end;
