-- Posts. `pk` orders them (newest is greatest) and is never used again, since cursors
-- outlive the post they name; whoever brings posts from elsewhere inserts them oldest first.
create table if not exists posts (
    pk integer primary key autoincrement,
    id text not null unique,
    author integer not null references people (pk),
    text text not null,
    visibility text not null check (visibility in ('public', 'followers')),
    status text not null check (status in ('published', 'pending_media')),
    -- What the text names, as JSON arrays: lower-case words, and `people.pk`s. Kept here so that a
    -- page of posts is built without looking elsewhere; post_tags and post_mentions invert them.
    hashtags text not null default '[]',
    mentions text not null default '[]',
    created_at text not null,
    edited_at text,
    -- Kept by triggers (0002_threads.sql).
    comments integer not null default 0,
    views integer not null default 0,
    reaction_count integer not null default 0,
    -- {type: n} of the types somebody reacted with.
    reactions text not null default '{}'
);

-- An author's posts in order. With `status`, so that a post that will not be shown is passed over
-- without being read; and with `pk` before it, so that the order holds across both.
create index if not exists posts_by_author on posts (author, pk, status);

create table if not exists post_tags (
    tag text not null,
    post integer not null,
    primary key (tag, post)
) without rowid;

create table if not exists post_mentions (
    person integer not null,
    post integer not null,
    primary key (person, post)
) without rowid;

create trigger if not exists posts_indexed after insert on posts
when new.hashtags <> '[]' or new.mentions <> '[]'
begin
    insert into post_tags (tag, post) select value, new.pk from json_each(new.hashtags) where true
    on conflict do nothing;
    insert into post_mentions (person, post) select value, new.pk from json_each(new.mentions) where true
    on conflict do nothing;
end;

create trigger if not exists posts_reindexed after update of hashtags, mentions on posts
when new.hashtags <> old.hashtags or new.mentions <> old.mentions
begin
    delete from post_tags where post = old.pk and tag in (select value from json_each(old.hashtags));
    delete from post_mentions where post = old.pk and person in (select value from json_each(old.mentions));
    insert into post_tags (tag, post) select value, new.pk from json_each(new.hashtags) where true
    on conflict do nothing;
    insert into post_mentions (person, post) select value, new.pk from json_each(new.mentions) where true
    on conflict do nothing;
end;

create trigger if not exists posts_unindexed after delete on posts
when old.hashtags <> '[]' or old.mentions <> '[]'
begin
    delete from post_tags where post = old.pk and tag in (select value from json_each(old.hashtags));
    delete from post_mentions where post = old.pk and person in (select value from json_each(old.mentions));
end;
