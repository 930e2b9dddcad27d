-- What administrators remove goes as its author would delete it.
create trigger if not exists content_removed_heard after insert on inbox when new.type = 'content.removed' begin
    insert into removals (post, at)
    select pk, new.at from posts
    where id = new.body ->> '$.targetId' and new.body ->> '$.targetType' = 'post';
    insert into removals (comment, at)
    select pk, new.at from comments
    where id = new.body ->> '$.targetId' and new.body ->> '$.targetType' = 'comment';
end;
