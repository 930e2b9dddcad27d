-- What analytics does with what it hears. Events of two sources come in any order, so each may be the first to name a person
-- or, where a post waits for its media, a post; of who is deleted, and of their posts, nothing is counted that comes later.

create trigger if not exists published_heard after insert on inbox when new.type = 'post.published' begin
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    insert into posts (id, author, published)
    select new.body ->> '$.postId', pk, strftime('%s', substr(new.at, 1, 10)) / 86400
    from people where id = new.body ->> '$.authorId' and status <> 'deleted'
    on conflict (id) do update set published = excluded.published where posts.published is null;
end;

create trigger if not exists post_deleted_heard after insert on inbox when new.type = 'post.deleted' begin
    delete from posts where id = new.body ->> '$.postId';
end;

-- The author may react to and comment on what is not published yet.
create trigger if not exists reaction_heard after insert on inbox when new.type = 'reaction.created' begin
    insert into people (id) values (new.body ->> '$.postAuthorId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.userId') on conflict (id) do nothing;
    insert into posts (id, author)
    select new.body ->> '$.postId', pk from people where id = new.body ->> '$.postAuthorId' and status <> 'deleted'
    on conflict (id) do nothing;
    insert into reactions (post, person, type, day)
    select p.pk, u.pk, new.body ->> '$.type', strftime('%s', substr(new.at, 1, 10)) / 86400
    from posts as p, people as u
    where p.id = new.body ->> '$.postId' and u.id = new.body ->> '$.userId' and u.status <> 'deleted'
    on conflict (post, person, type) do nothing;
end;

create trigger if not exists reaction_unheard after insert on inbox when new.type = 'reaction.removed' begin
    delete from reactions
    where post = (select pk from posts where id = new.body ->> '$.postId')
      and person = (select pk from people where id = new.body ->> '$.userId')
      and type = new.body ->> '$.type';
end;

create trigger if not exists comment_heard after insert on inbox when new.type = 'comment.created' begin
    insert into people (id) values (new.body ->> '$.postAuthorId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    insert into posts (id, author)
    select new.body ->> '$.postId', pk from people where id = new.body ->> '$.postAuthorId' and status <> 'deleted'
    on conflict (id) do nothing;
    insert into comments (id, post, person, day)
    select new.body ->> '$.commentId', p.pk, u.pk, strftime('%s', substr(new.at, 1, 10)) / 86400
    from posts as p, people as u
    where p.id = new.body ->> '$.postId' and u.id = new.body ->> '$.authorId' and u.status <> 'deleted'
    on conflict (id) do nothing;
end;

create trigger if not exists comment_unheard after insert on inbox when new.type = 'comment.deleted' begin
    delete from comments where id = new.body ->> '$.commentId';
end;

create trigger if not exists follow_heard after insert on inbox when new.type = 'follow.created' begin
    insert into people (id) values (new.body ->> '$.followerId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.followeeId') on conflict (id) do nothing;
    insert into followers (followee, follower, day)
    select followee.pk, follower.pk, strftime('%s', substr(new.at, 1, 10)) / 86400
    from people as followee, people as follower
    where followee.id = new.body ->> '$.followeeId' and follower.id = new.body ->> '$.followerId'
      and followee.status <> 'deleted' and follower.status <> 'deleted'
    on conflict (followee, follower) do nothing;
end;

create trigger if not exists follow_unheard after insert on inbox when new.type = 'follow.removed' begin
    delete from followers
    where followee = (select pk from people where id = new.body ->> '$.followeeId')
      and follower = (select pk from people where id = new.body ->> '$.followerId');
end;

-- A view counts whoever it was; who was erased since, or may not be named any more, adds nobody to the sketch.
-- Rank: one more than the zeros at the head of 20 bits, five digits.
create trigger if not exists view_heard after insert on inbox when new.type = 'post.viewed' begin
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.viewerId') on conflict (id) do nothing;
    insert into posts (id, author)
    select new.body ->> '$.postId', pk from people where id = new.body ->> '$.authorId' and status <> 'deleted'
    on conflict (id) do nothing;
    insert into post_days (post, day, views)
    select pk, strftime('%s', substr(new.at, 1, 10)) / 86400, 1 from posts where id = new.body ->> '$.postId'
    on conflict (post, day) do update set views = views + 1;
    insert into author_days (author, day, views)
    select author, strftime('%s', substr(new.at, 1, 10)) / 86400, 1 from posts where id = new.body ->> '$.postId'
    on conflict (author, day) do update set views = views + 1;
    insert into sketches (post, register, rank)
    select p.pk, substr(u.id, -3), 1 + 4 * (5 - length(ltrim(substr(u.id, -8, 5), '0'))) + case
            when ltrim(substr(u.id, -8, 5), '0') = '' then 0
            when ltrim(substr(u.id, -8, 5), '0') < '2' then 3
            when ltrim(substr(u.id, -8, 5), '0') < '4' then 2
            when ltrim(substr(u.id, -8, 5), '0') < '8' then 1
            else 0
        end
    from posts as p, people as u
    where p.id = new.body ->> '$.postId' and u.id = new.body ->> '$.viewerId' and u.status <> 'deleted'
    on conflict (post, register) do update set rank = excluded.rank where excluded.rank > sketches.rank;
end;

-- Who did or looked at something. What is taken back is no sign of anybody: a block, or who deletes a post, does it as well.
create trigger if not exists activity_heard after insert on inbox
when new.type in ('user.registered', 'user.updated', 'post.published', 'post.viewed', 'comment.created', 'reaction.created',
    'follow.created', 'scoop.published', 'scoop.viewed')
begin
    insert into people (id)
    values (coalesce(new.body ->> '$.viewerId', new.body ->> '$.followerId', new.body ->> '$.userId',
        new.body ->> '$.authorId', new.body ->> '$.id'))
    on conflict (id) do nothing;
    insert into activity (person, day)
    select pk, strftime('%s', substr(new.at, 1, 10)) / 86400 from people
    where id = coalesce(new.body ->> '$.viewerId', new.body ->> '$.followerId', new.body ->> '$.userId',
        new.body ->> '$.authorId', new.body ->> '$.id') and status <> 'deleted'
    on conflict (person, day) do nothing;
end;

-- The receipt counts what was theirs before it goes with the person (`person_gone`). They are named in nothing that was
-- heard any more.
create trigger if not exists person_erased before insert on inbox when new.type = 'user.deleted' begin
    insert into outbox (type, key, at, body)
    select 'erasure.completed', new.body ->> '$.id', new.at, json_object(
        'userId', new.body ->> '$.id', 'deletionId', new.body ->> '$.deletionId', 'service', 'analytics',
        'rows', (select count(*) from people where pk = gone.pk and status <> 'deleted')
            + (select count(*) from posts where author = gone.pk)
            + (select count(*) from reactions where person = gone.pk)
            + (select count(*) from comments where person = gone.pk)
            + (select count(*) from followers where followee = gone.pk)
            + (select count(*) from followers where follower = gone.pk)
            + (select count(*) from author_days where author = gone.pk)
            + (select count(*) from activity where person = gone.pk))
    from (select (select pk from people where id = new.body ->> '$.id') as pk) as gone;
    update inbox set
        key = iif(key = new.body ->> '$.id', '00000000-0000-0000-0000-000000000000', key),
        body = replace(body, new.body ->> '$.id', '00000000-0000-0000-0000-000000000000')
    where source <> new.source and instr(body, new.body ->> '$.id');
end;
