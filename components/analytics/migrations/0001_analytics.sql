-- Numbers by day. A day is its number since 1970-01-01, in UTC; a week that of its Monday, (day + 3) / 7. Rows of one thing
-- (a reaction, a comment, a follow) know the day they were counted on, so that it is that day's number which falls when they
-- are taken back; triggers on them keep the sums, and reads add up nothing but days.

create table if not exists posts (
    pk integer primary key,
    id text not null unique,
    author integer not null references people (pk),
    -- Null: nobody told of it yet, or it waits for its media.
    published integer
);

create index if not exists posts_by_author on posts (author);

create table if not exists reactions (
    post integer not null,
    person integer not null references people (pk),
    type text not null,
    day integer not null,
    primary key (post, person, type)
) without rowid;

create index if not exists reactions_by_person on reactions (person);

create table if not exists comments (
    pk integer primary key,
    id text not null unique,
    post integer not null,
    person integer not null references people (pk),
    day integer not null
);

create index if not exists comments_by_post on comments (post);

create index if not exists comments_by_person on comments (person);

create table if not exists followers (
    followee integer not null references people (pk),
    follower integer not null references people (pk),
    day integer not null,
    primary key (followee, follower)
) without rowid;

create index if not exists followers_by_follower on followers (follower);

-- Of a view nothing is kept but that there was one.
create table if not exists post_days (
    post integer not null,
    day integer not null,
    views integer not null default 0,
    reactions integer not null default 0,
    comments integer not null default 0,
    primary key (post, day)
) without rowid;

create table if not exists author_days (
    author integer not null references people (pk),
    day integer not null,
    views integer not null default 0,
    reactions integer not null default 0,
    comments integer not null default 0,
    followers integer not null default 0,
    posts integer not null default 0,
    primary key (author, day)
) without rowid;

-- `users`: who came on that day and is not deleted. `active`: who did or looked at anything.
create table if not exists site_days (
    day integer primary key,
    users integer not null default 0,
    active integer not null default 0,
    posts integer not null default 0,
    comments integer not null default 0,
    reactions integer not null default 0
);

-- How many different people viewed a post: a HyperLogLog sketch, of which the rows are the registers that are not 0. The
-- register of a person is the last three hexadecimal digits of their id, 12 of its random bits; what follows from the 20 before
-- them is the rank. A register stands for one person in 4,096.
create table if not exists sketches (
    post integer not null,
    register text not null,
    rank integer not null,
    primary key (post, register)
) without rowid;

-- On which days somebody did or looked at anything, for 13 weeks: not what. It and the sketches outlive a rebuild, since who
-- looked is told no more after a day.
create table if not exists activity (
    person integer not null references people (pk),
    day integer not null,
    primary key (person, day)
) without rowid;

-- The last of them: who was active within a week or a month is a range of this index.
alter table people add column active_on integer;

create index if not exists people_by_activity on people (active_on) where active_on is not null;

-- How many of those who came in the week `cohort` were active in the week `week`.
create table if not exists retention (
    cohort integer not null,
    week integer not null,
    people integer not null,
    primary key (cohort, week)
) without rowid;

-- To insert a row is to empty what is derived; it is gone when the statement ends. While it is there, what is deleted
-- counts nothing down.
create table if not exists rebuilds (
    at text not null
);

create trigger if not exists post_made after insert on posts when new.published is not null begin
    insert into author_days (author, day, posts) values (new.author, new.published, 1)
    on conflict (author, day) do update set posts = posts + 1;
    insert into site_days (day, posts) values (new.published, 1)
    on conflict (day) do update set posts = posts + 1;
end;

create trigger if not exists post_published after update of published on posts
when old.published is null and new.published is not null
begin
    insert into author_days (author, day, posts) values (new.author, new.published, 1)
    on conflict (author, day) do update set posts = posts + 1;
    insert into site_days (day, posts) values (new.published, 1)
    on conflict (day) do update set posts = posts + 1;
end;

-- With all its numbers. The rows that go with it count nothing down any more, since there is no post.
create trigger if not exists post_gone after delete on posts begin
    update author_days set
        views = author_days.views - d.views, reactions = author_days.reactions - d.reactions,
        comments = author_days.comments - d.comments
    from (select day, views, reactions, comments from post_days where post = old.pk) as d
    where author_days.author = old.author and author_days.day = d.day;
    update site_days set
        reactions = site_days.reactions - d.reactions, comments = site_days.comments - d.comments
    from (select day, reactions, comments from post_days where post = old.pk) as d
    where site_days.day = d.day;
    update author_days set posts = posts - 1 where author = old.author and day = old.published;
    update site_days set posts = posts - 1 where day = old.published;
    delete from post_days where post = old.pk;
    delete from reactions where post = old.pk;
    delete from comments where post = old.pk;
    delete from sketches where post = old.pk;
end;

create trigger if not exists reaction_counted after insert on reactions begin
    insert into post_days (post, day, reactions) values (new.post, new.day, 1)
    on conflict (post, day) do update set reactions = reactions + 1;
    insert into author_days (author, day, reactions) select author, new.day, 1 from posts where pk = new.post
    on conflict (author, day) do update set reactions = reactions + 1;
    insert into site_days (day, reactions) values (new.day, 1)
    on conflict (day) do update set reactions = reactions + 1;
end;

create trigger if not exists reaction_uncounted after delete on reactions
when exists (select 1 from posts where pk = old.post) and not exists (select 1 from rebuilds)
begin
    update post_days set reactions = reactions - 1 where post = old.post and day = old.day;
    update author_days set reactions = reactions - 1
    where author = (select author from posts where pk = old.post) and day = old.day;
    update site_days set reactions = reactions - 1 where day = old.day;
end;

create trigger if not exists comment_counted after insert on comments begin
    insert into post_days (post, day, comments) values (new.post, new.day, 1)
    on conflict (post, day) do update set comments = comments + 1;
    insert into author_days (author, day, comments) select author, new.day, 1 from posts where pk = new.post
    on conflict (author, day) do update set comments = comments + 1;
    insert into site_days (day, comments) values (new.day, 1)
    on conflict (day) do update set comments = comments + 1;
end;

create trigger if not exists comment_uncounted after delete on comments
when exists (select 1 from posts where pk = old.post) and not exists (select 1 from rebuilds)
begin
    update post_days set comments = comments - 1 where post = old.post and day = old.day;
    update author_days set comments = comments - 1
    where author = (select author from posts where pk = old.post) and day = old.day;
    update site_days set comments = comments - 1 where day = old.day;
end;

create trigger if not exists follower_counted after insert on followers begin
    insert into author_days (author, day, followers) values (new.followee, new.day, 1)
    on conflict (author, day) do update set followers = followers + 1;
end;

create trigger if not exists follower_uncounted after delete on followers
when not exists (select 1 from rebuilds)
begin
    update author_days set followers = followers - 1 where author = old.followee and day = old.day;
end;

-- The first sign of somebody on a day. (A person without a time of coming would be of the first day there is.) Of people nobody told of yet the cohort is not known: `person_known` makes up for it.
create trigger if not exists activity_counted after insert on activity begin
    insert into site_days (day, active) values (new.day, 1)
    on conflict (day) do update set active = active + 1;
    update people set active_on = new.day where pk = new.person and (active_on is null or active_on < new.day);
    insert into retention (cohort, week, people)
    select (coalesce(strftime('%s', substr(created_at, 1, 10)), 0) / 86400 + 3) / 7, (new.day + 3) / 7, 1
    from people where pk = new.person and status in ('active', 'suspended')
        and not exists (select 1 from activity where person = new.person and day <> new.day
            and day between (new.day + 3) / 7 * 7 - 3 and (new.day + 3) / 7 * 7 + 3)
    on conflict (cohort, week) do update set people = people + 1;
end;

create trigger if not exists person_made after insert on people when new.status in ('active', 'suspended') begin
    insert into site_days (day, users) values (coalesce(strftime('%s', substr(new.created_at, 1, 10)), 0) / 86400, 1)
    on conflict (day) do update set users = users + 1;
end;

create trigger if not exists person_known after update of status on people
when new.status in ('active', 'suspended') and old.status not in ('active', 'suspended')
begin
    insert into site_days (day, users) values (coalesce(strftime('%s', substr(new.created_at, 1, 10)), 0) / 86400, 1)
    on conflict (day) do update set users = users + 1;
    insert into retention (cohort, week, people)
    select distinct (coalesce(strftime('%s', substr(new.created_at, 1, 10)), 0) / 86400 + 3) / 7, (day + 3) / 7, 1
    from activity where person = new.pk
    on conflict (cohort, week) do update set people = people + 1;
end;

-- Whatever was theirs, and what they did to others, which posts and social may or may not have told yet.
create trigger if not exists person_gone after update of status on people
when new.status = 'deleted' and old.status <> 'deleted'
begin
    delete from posts where author = new.pk;
    delete from reactions where person = new.pk;
    delete from comments where person = new.pk;
    delete from followers where followee = new.pk;
    delete from followers where follower = new.pk;
    delete from author_days where author = new.pk;
    update site_days set users = users - 1
    where day = coalesce(strftime('%s', substr(old.created_at, 1, 10)), 0) / 86400 and old.status in ('active', 'suspended');
    update site_days set active = active - 1 where day in (select day from activity where person = new.pk);
    update retention set people = people - 1
    where cohort = (coalesce(strftime('%s', substr(old.created_at, 1, 10)), 0) / 86400 + 3) / 7
      and week in (select (day + 3) / 7 from activity where person = new.pk) and old.status in ('active', 'suspended');
    delete from activity where person = new.pk;
    update people set active_on = null where pk = new.pk;
end;
