-- What realtime does with what it hears. Events of two sources come in any order, so each may be the first to name a person.

-- Who sees what an author shows to close friends, as `scoops` tells.
create table if not exists close_friends (
    owner integer not null references people (pk),
    friend integer not null references people (pk),
    primary key (owner, friend)
) without rowid;

create index if not exists close_friends_by_friend on close_friends (friend);

create index if not exists people_unknown on people (pk) where status = 'unknown';

create trigger if not exists close_friend_heard after insert on inbox when new.type = 'close_friend.added' begin
    insert into people (id) values (new.body ->> '$.ownerId') on conflict (id) do nothing;
    insert into people (id) values (new.body ->> '$.friendId') on conflict (id) do nothing;
    insert into close_friends (owner, friend)
    select owner.pk, friend.pk from people as owner, people as friend
    where owner.id = new.body ->> '$.ownerId' and friend.id = new.body ->> '$.friendId'
      and owner.status <> 'deleted' and friend.status <> 'deleted'
    on conflict do nothing;
end;

create trigger if not exists close_friend_unheard after insert on inbox when new.type = 'close_friend.removed' begin
    delete from close_friends
    where owner = (select pk from people where id = new.body ->> '$.ownerId')
      and friend = (select pk from people where id = new.body ->> '$.friendId');
end;

-- How many are unread is asked when it is told.
create trigger if not exists notification_heard after insert on inbox
when new.type in ('notification.created', 'notification.updated')
begin
    insert into log (person, seq, kind, ref, at)
    select l.person, l.head + 1, 'notification', new.body ->> '$.notificationId', new.at
    from people as p join listeners as l on l.person = p.pk
    where p.id = new.body ->> '$.userId' and l.until > new.at;
    insert into log (person, seq, kind, at)
    select l.person, l.head + 1, 'unread', new.at
    from people as p join listeners as l on l.person = p.pk
    where p.id = new.body ->> '$.userId' and l.until > new.at;
end;

create trigger if not exists read_heard after insert on inbox when new.type = 'notification.read' begin
    insert into log (person, seq, kind, at)
    select l.person, l.head + 1, 'unread', new.at
    from people as p join listeners as l on l.person = p.pk
    where p.id = new.body ->> '$.userId' and l.until > new.at;
end;

create trigger if not exists media_heard after insert on inbox when new.type in ('media.ready', 'media.failed') begin
    insert into log (person, seq, kind, ref, at)
    select l.person, l.head + 1, 'media', json_set(new.body -> '$.media', '$.alt', null), new.at
    from people as p join listeners as l on l.person = p.pk
    where p.id = new.body ->> '$.ownerId' and l.until > new.at;
end;

-- A post or a scoop goes to who listens and may see it: for somebody whom few follow they are found among the followers, for
-- somebody whom many follow among the listeners. What is published costs neither all of the one nor all of the other.
create trigger if not exists published_to_few after insert on inbox
when new.type in ('post.published', 'scoop.published')
    and exists (select 1 from listeners where until > new.at)
    and coalesce((select followers from people where id = new.body ->> '$.authorId'), 0) <= 1000
begin
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    insert into log (person, seq, kind, ref, author, close, until, at)
    select l.person, l.head + 1, iif(new.type = 'post.published', 'feed', 'scoop'),
        coalesce(new.body ->> '$.postId', new.body ->> '$.scoopId'), author.pk,
        new.body ->> '$.audience' is 'close_friends', new.body ->> '$.expiresAt', new.at
    from people as author cross join follows as f cross join listeners as l
    where author.id = new.body ->> '$.authorId' and author.status <> 'deleted' and f.followee = author.pk
      and new.body ->> '$.audience' is not 'close_friends'
      and l.person = f.follower and l.until > new.at;
end;

create trigger if not exists published_to_many after insert on inbox
when new.type in ('post.published', 'scoop.published')
    and exists (select 1 from listeners where until > new.at)
    and coalesce((select followers from people where id = new.body ->> '$.authorId'), 0) > 1000
begin
    insert into log (person, seq, kind, ref, author, close, until, at)
    select l.person, l.head + 1, iif(new.type = 'post.published', 'feed', 'scoop'),
        coalesce(new.body ->> '$.postId', new.body ->> '$.scoopId'), author.pk,
        new.body ->> '$.audience' is 'close_friends', new.body ->> '$.expiresAt', new.at
    from people as author cross join listeners as l cross join follows as f
    where author.id = new.body ->> '$.authorId' and author.status <> 'deleted' and l.until > new.at
      and new.body ->> '$.audience' is not 'close_friends'
      and f.follower = l.person and f.followee = author.pk;
end;

create trigger if not exists published_to_close_friends after insert on inbox
when new.type = 'scoop.published' and new.body ->> '$.audience' = 'close_friends'
begin
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    insert into log (person, seq, kind, ref, author, close, until, at)
    select l.person, l.head + 1, 'scoop', new.body ->> '$.scoopId', author.pk, 1, new.body ->> '$.expiresAt', new.at
    from people as author cross join close_friends as c cross join listeners as l
    where author.id = new.body ->> '$.authorId' and author.status <> 'deleted' and c.owner = author.pk
      and l.person = c.friend and l.until > new.at;
end;

create trigger if not exists session_ended after insert on inbox when new.type = 'session.ended' begin
    insert into ended_sessions (id, at) values (new.body ->> '$.sessionId', new.at)
    on conflict (id) do nothing;
    delete from tickets
    where person = (select pk from people where id = new.body ->> '$.userId') and session = new.body ->> '$.sessionId';
    insert into signals (stream, what, at)
    select pk, 'end', new.at from streams where session = new.body ->> '$.sessionId';
    delete from streams where session = new.body ->> '$.sessionId';
end;

create trigger if not exists person_stopped after insert on inbox when new.type in ('user.suspended', 'user.deleted') begin
    insert into signals (stream, what, at)
    select pk, 'end', new.at from streams where person = (select pk from people where id = new.body ->> '$.id');
    delete from streams where person = (select pk from people where id = new.body ->> '$.id');
    delete from tickets where person = (select pk from people where id = new.body ->> '$.id');
end;

-- The receipt counts before anything is gone. In logs of others numbers stay where something of the person was.
create trigger if not exists person_erased before insert on inbox when new.type = 'user.deleted' begin
    insert into outbox (type, key, at, body)
    select 'erasure.completed', new.body ->> '$.id', new.at, json_object(
        'userId', new.body ->> '$.id', 'deletionId', new.body ->> '$.deletionId', 'service', 'realtime',
        'rows', (select count(*) from people where pk = gone.pk and status <> 'deleted')
            + (select count(*) from listeners where person = gone.pk)
            + (select count(*) from log where person = gone.pk)
            + (select count(*) from log where author = gone.pk)
            + (select count(*) from streams where person = gone.pk)
            + (select count(*) from tickets where person = gone.pk)
            + (select count(*) from close_friends where owner = gone.pk)
            + (select count(*) from close_friends where friend = gone.pk))
    from (select (select pk from people where id = new.body ->> '$.id') as pk) as gone;
    delete from log where person = (select pk from people where id = new.body ->> '$.id');
    delete from listeners where person = (select pk from people where id = new.body ->> '$.id');
    delete from close_friends where owner = (select pk from people where id = new.body ->> '$.id');
    delete from close_friends where friend = (select pk from people where id = new.body ->> '$.id');
    update log set kind = 'nothing', ref = null, author = null, until = null
    where author = (select pk from people where id = new.body ->> '$.id');
end;
