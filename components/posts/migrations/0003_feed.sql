-- The newest published post of every author who has one: 10 bytes a row, so that all of them stay
-- in memory. The feed merges the authors one follows from here (see README.md).
create table if not exists author_latest (
    author integer primary key,
    post integer not null
);

create trigger if not exists posts_latest after insert on posts when new.status = 'published' begin
    insert into author_latest (author, post) values (new.author, new.pk)
    on conflict (author) do update set post = max(post, excluded.post);
end;

-- A post that waited for its media comes out where it was written, not at the top.
create trigger if not exists posts_latest_published after update of status on posts
when new.status = 'published' and old.status <> 'published'
begin
    insert into author_latest (author, post) values (new.author, new.pk)
    on conflict (author) do update set post = max(post, excluded.post);
end;

create trigger if not exists posts_latest_gone after delete on posts
when exists (select 1 from author_latest where author = old.author and post = old.pk)
begin
    delete from author_latest where author = old.author;
    insert into author_latest (author, post)
    select author, pk from posts where author = old.author and status = 'published'
    order by pk desc limit 1;
end;
