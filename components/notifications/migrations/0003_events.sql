-- What notifications does with what it hears. Events of two sources come in any order, so each may be the first to name a
-- person.

-- Whom events named and `users` has not told of: they are asked for, since what they did is shown to nobody before.
create index if not exists people_unknown on people (pk) where status = 'unknown';

-- What people want to be pushed, as `users` told last; who is not here wants all of it.
create table if not exists preferences (
    person integer primary key references people (pk),
    preferences text not null
);

create trigger if not exists preferences_heard after insert on inbox when new.type = 'preferences.updated' begin
    insert into people (id) values (new.body ->> '$.userId') on conflict (id) do nothing;
    insert into preferences (person, preferences)
    select pk, new.body -> '$.preferences' from people where id = new.body ->> '$.userId' and status <> 'deleted'
    on conflict (person) do update set preferences = excluded.preferences;
end;

create trigger if not exists follow_told after insert on inbox when new.type = 'follow.created' begin
    insert into people (id) values (new.body ->> '$.followerId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.followeeId') on conflict (id) do nothing;
    insert into happenings (person, actor, type, cause, at)
    select followee.pk, follower.pk, 'follow', 'follow', new.at from people as followee, people as follower
    where followee.id = new.body ->> '$.followeeId' and follower.id = new.body ->> '$.followerId';
end;

create trigger if not exists follow_request_told after insert on inbox when new.type = 'follow.requested' begin
    insert into people (id) values (new.body ->> '$.requesterId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.targetId') on conflict (id) do nothing;
    insert into happenings (person, actor, type, cause, at)
    select target.pk, requester.pk, 'follow_request', 'follow_request', new.at
    from people as target, people as requester
    where target.id = new.body ->> '$.targetId' and requester.id = new.body ->> '$.requesterId';
end;

create trigger if not exists follow_withdrawn after insert on inbox
when new.type in ('follow.removed', 'follow.request_removed')
begin
    insert into withdrawals (notification, actor, at)
    select a.notification, a.person, new.at
    from people as one, people as other, actors as a, notifications as n
    where one.id = coalesce(new.body ->> '$.followerId', new.body ->> '$.requesterId')
      and other.id = coalesce(new.body ->> '$.followeeId', new.body ->> '$.targetId')
      and a.person = one.pk and a.owner = other.pk and n.pk = a.notification
      and n.type = iif(new.type = 'follow.removed', 'follow', 'follow_request');
end;

-- Nobody has anything from somebody across a block, and unblocking brings nothing back.
create trigger if not exists blocked_withdrawn after insert on blocks begin
    insert into withdrawals (notification, actor, at)
    select notification, person, new.created_at from actors where person = new.blocked and owner = new.blocker
    union all
    select notification, person, new.created_at from actors where person = new.blocker and owner = new.blocked;
end;

create trigger if not exists reaction_told after insert on inbox when new.type = 'reaction.created' begin
    insert into people (id) values (new.body ->> '$.postAuthorId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.userId') on conflict (id) do nothing;
    insert into happenings (person, actor, type, target_type, target_id, post, host, cause, at)
    select author.pk, actor.pk, 'reaction', 'post', new.body ->> '$.postId', new.body ->> '$.postId', author.pk,
        new.body ->> '$.type', new.at
    from people as author, people as actor
    where author.id = new.body ->> '$.postAuthorId' and actor.id = new.body ->> '$.userId';
end;

create trigger if not exists reaction_withdrawn after insert on inbox when new.type = 'reaction.removed' begin
    insert into withdrawals (notification, actor, cause, at)
    select n.pk, c.actor, c.cause, new.at
    from people as p, notifications as n, causes as c
    where p.id = new.body ->> '$.userId' and n.post = new.body ->> '$.postId' and n.type = 'reaction'
      and c.notification = n.pk and c.actor = p.pk and c.cause = new.body ->> '$.type';
end;

-- The author of the post hears of a comment, whoever it answers, and whom it names. Each once: a comment on one's own
-- post that names one is a comment.
create trigger if not exists comment_told after insert on inbox when new.type = 'comment.created' begin
    insert into people (id) values (new.body ->> '$.postAuthorId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    insert into people (id) select new.body ->> '$.parentAuthorId' where new.body ->> '$.parentAuthorId' is not null
    on conflict (id) do nothing;
    insert into people (id) select value from json_each(new.body, '$.mentions') where true
    on conflict (id) do nothing;
    insert into happenings (person, actor, type, target_type, target_id, post, host, cause, at)
    select p.pk, actor.pk, 'comment', 'post', new.body ->> '$.postId', new.body ->> '$.postId', host.pk,
        new.body ->> '$.commentId', new.at
    from people as p, people as actor, people as host
    where p.id in (new.body ->> '$.postAuthorId', new.body ->> '$.parentAuthorId')
      and actor.id = new.body ->> '$.authorId' and host.id = new.body ->> '$.postAuthorId';
    insert into happenings (person, actor, type, target_type, target_id, post, host, cause, at)
    select p.pk, actor.pk, 'mention', 'comment', new.body ->> '$.commentId', new.body ->> '$.postId', host.pk,
        new.body ->> '$.commentId', new.at
    from json_each(new.body, '$.mentions') as named, people as p, people as actor, people as host
    where p.id = named.value and actor.id = new.body ->> '$.authorId' and host.id = new.body ->> '$.postAuthorId'
      and p.id <> new.body ->> '$.postAuthorId' and p.id is not new.body ->> '$.parentAuthorId';
end;

create trigger if not exists comment_withdrawn after insert on inbox when new.type = 'comment.deleted' begin
    insert into withdrawals (notification, actor, cause, at)
    select n.pk, c.actor, c.cause, new.at
    from people as p, notifications as n, causes as c
    where p.id = new.body ->> '$.authorId' and n.post = new.body ->> '$.postId' and n.type in ('comment', 'mention')
      and c.notification = n.pk and c.actor = p.pk and c.cause = new.body ->> '$.commentId';
end;

create trigger if not exists post_told after insert on inbox when new.type = 'post.published' begin
    insert into closed_posts (id) select new.body ->> '$.postId' where new.body ->> '$.visibility' <> 'public'
    on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    insert into people (id) select value from json_each(new.body, '$.mentions') where true
    on conflict (id) do nothing;
    insert into happenings (person, actor, type, target_type, target_id, post, host, cause, at)
    select p.pk, author.pk, 'mention', 'post', new.body ->> '$.postId', new.body ->> '$.postId', author.pk,
        new.body ->> '$.postId', new.at
    from json_each(new.body, '$.mentions') as named, people as p, people as author
    where p.id = named.value and author.id = new.body ->> '$.authorId';
end;

-- Whom an edit names no more. Whom it names anew hears nothing: a post that is edited is read by few.
create trigger if not exists mention_withdrawn after insert on inbox when new.type = 'post.updated' begin
    insert into withdrawals (notification, at)
    select n.pk, new.at from notifications as n join people as p on p.pk = n.person
    where n.post = new.body ->> '$.postId' and n.type = 'mention' and n.target_type = 'post'
      and p.id not in (select value from json_each(new.body, '$.mentions'));
end;

create trigger if not exists post_withdrawn after insert on inbox when new.type = 'post.deleted' begin
    insert into withdrawals (notification, at)
    select pk, new.at from notifications where post = new.body ->> '$.postId';
    delete from closed_posts where id = new.body ->> '$.postId';
end;

-- Videos alone: a picture is ready before one has looked away.
create trigger if not exists media_told after insert on inbox
when new.type in ('media.ready', 'media.failed') and new.body ->> '$.media.kind' = 'video'
begin
    insert into people (id) values (new.body ->> '$.ownerId') on conflict (id) do nothing;
    -- It was tried once more.
    insert into withdrawals (notification, at)
    select pk, new.at from notifications
    where target_id = new.body ->> '$.key' and type = 'media_failed' and new.type = 'media.ready';
    insert into happenings (person, type, target_type, target_id, at)
    select pk, replace(new.type, '.', '_'), 'media', new.body ->> '$.key', new.at
    from people where id = new.body ->> '$.ownerId';
end;

create trigger if not exists scoop_told after insert on inbox when new.type = 'scoop.viewed' begin
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.viewerId') on conflict (id) do nothing;
    insert into happenings (person, actor, type, target_type, target_id, cause, at)
    select author.pk, viewer.pk, 'scoop_view', 'scoop', new.body ->> '$.scoopId', 'view', new.at
    from people as author, people as viewer
    where author.id = new.body ->> '$.authorId' and viewer.id = new.body ->> '$.viewerId';
end;

-- Who looked at a scoop is known as long as it lives.
create trigger if not exists target_withdrawn after insert on inbox
when new.type in ('media.deleted', 'scoop.deleted', 'scoop.expired')
begin
    insert into withdrawals (notification, at)
    select pk, new.at from notifications
    where target_id = coalesce(new.body ->> '$.scoopId', new.body ->> '$.key')
      and target_type = iif(new.type = 'media.deleted', 'media', 'scoop');
end;

-- The receipt counts what was theirs before it goes, and what they did to others.
create trigger if not exists person_erased before insert on inbox when new.type = 'user.deleted' begin
    insert into outbox (type, key, at, body)
    select 'erasure.completed', new.body ->> '$.id', new.at, json_object(
        'userId', new.body ->> '$.id', 'deletionId', new.body ->> '$.deletionId', 'service', 'notifications',
        'rows', (select count(*) from people where pk = gone.pk and status <> 'deleted')
            + (select count(*) from notifications where person = gone.pk)
            + (select count(*) from actors where person = gone.pk)
            + (select count(*) from preferences where person = gone.pk)
            + (select count(*) from push_endpoints where person = gone.pk))
    from (select (select pk from people where id = new.body ->> '$.id') as pk) as gone;
    insert into withdrawals (notification, actor, at)
    select notification, person, new.at from actors
    where person = (select pk from people where id = new.body ->> '$.id');
    delete from push_endpoints where person = (select pk from people where id = new.body ->> '$.id');
    delete from notifications where person = (select pk from people where id = new.body ->> '$.id');
    delete from withdrawn where person = (select pk from people where id = new.body ->> '$.id');
    delete from preferences where person = (select pk from people where id = new.body ->> '$.id');
    delete from boxes where person = (select pk from people where id = new.body ->> '$.id');
end;
