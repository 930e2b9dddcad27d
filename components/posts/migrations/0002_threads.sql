-- Comments, reactions and views, and the counts of them on posts.
-- They go with their post, and a comment with the one it replies to: foreign keys cascade at any
-- depth, which triggers do not, and each row that goes still fires its triggers.
create table if not exists comments (
    pk integer primary key autoincrement,
    id text not null unique,
    post integer not null references posts (pk) on delete cascade,
    parent integer references comments (pk) on delete cascade,
    author integer not null references people (pk),
    text text not null,
    -- 1 for a comment on the post itself.
    depth integer not null check (depth between 1 and 50),
    replies integer not null default 0,
    created_at text not null,
    -- `people.pk`s the text names: told in comment.created, then emptied, since no read needs them.
    mentions text not null default '[]'
);

-- (post, parent, pk): the comments on a post (parent null) or the replies to one, oldest first.
create index if not exists comments_by_post on comments (post, parent);
create index if not exists comments_by_parent on comments (parent);
create index if not exists comments_by_author on comments (author);

create trigger if not exists comments_counted after insert on comments begin
    update posts set comments = comments + 1 where pk = new.post;
    update comments set replies = replies + 1 where pk = new.parent;
end;

create trigger if not exists comments_uncounted after delete on comments begin
    update posts set comments = comments - 1 where pk = old.post;
    update comments set replies = replies - 1 where pk = old.parent;
end;

-- A person may react with several types, with each once.
create table if not exists reactions (
    pk integer primary key autoincrement,
    post integer not null references posts (pk) on delete cascade,
    person integer not null references people (pk),
    type text not null check (type in ('like', 'love', 'laugh', 'wow', 'sad', 'fire')),
    created_at text not null,
    active integer not null default 1,
    unique (post, person, type)
);

-- (post, pk): who reacted, newest first.
create index if not exists reactions_by_post on reactions (post);
create index if not exists reactions_by_person on reactions (person);

create trigger if not exists reactions_counted after insert on reactions begin
    update posts set
        reaction_count = reaction_count + 1,
        reactions = json_set(reactions, '$.' || new.type, coalesce(reactions ->> ('$.' || new.type), 0) + 1)
    where pk = new.post;
end;

-- A toggle is one upsert: it inserts the reaction, or finds it and sets `active` to 0, which takes
-- it away here. An upsert cannot delete, and its answer is given before this trigger runs.
create trigger if not exists reactions_taken_back after update of active on reactions when new.active = 0
begin
    delete from reactions where pk = new.pk;
end;

create trigger if not exists reactions_uncounted after delete on reactions begin
    update posts set
        reaction_count = reaction_count - 1,
        reactions = iif(
            reactions ->> ('$.' || old.type) > 1,
            json_set(reactions, '$.' || old.type, reactions ->> ('$.' || old.type) - 1),
            json_remove(reactions, '$.' || old.type))
    where pk = old.post;
end;

-- Who looked in the last 24 h, so that they count once; swept at every tick, since nobody needs to
-- know it longer. `at` is the time of the view that counted.
create table if not exists views (
    post integer not null references posts (pk) on delete cascade,
    person integer not null references people (pk),
    at text not null,
    primary key (post, person)
) without rowid;

create index if not exists views_by_age on views (at);
create index if not exists views_by_person on views (person);

create trigger if not exists views_counted after insert on views begin
    update posts set views = views + 1 where pk = new.post;
end;

create trigger if not exists views_counted_again after update of at on views when new.at <> old.at
begin
    update posts set views = views + 1 where pk = new.post;
end;
