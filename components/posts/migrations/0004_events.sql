-- What posts tells others, written in the statement of the change; the bodies are those of the
-- catalogue in shared/src/events.rs. And what it does with a person who was deleted.

create trigger if not exists posts_told after insert on posts begin
    insert into outbox (type, key, at, body)
    select 'post.created', new.id, new.created_at, json_object(
        'postId', new.id, 'authorId', author.id, 'status', new.status, 'visibility', new.visibility,
        'mentions', json((select json_group_array(named.id) from json_each(new.mentions) as m join people as named on named.pk = m.value)))
    from people as author where author.pk = new.author;
    insert into outbox (type, key, at, body)
    select 'post.published', new.id, new.created_at, json_object(
        'postId', new.id, 'authorId', author.id, 'visibility', new.visibility,
        'mentions', json((select json_group_array(named.id) from json_each(new.mentions) as m join people as named on named.pk = m.value)))
    from people as author where author.pk = new.author and new.status = 'published';
end;

create trigger if not exists posts_publication_told after update of status on posts
when new.status = 'published' and old.status <> 'published'
begin
    insert into outbox (type, key, at, body)
    select 'post.published', new.id, new.created_at, json_object(
        'postId', new.id, 'authorId', author.id, 'visibility', new.visibility,
        'mentions', json((select json_group_array(named.id) from json_each(new.mentions) as m join people as named on named.pk = m.value)))
    from people as author where author.pk = new.author;
end;

create trigger if not exists posts_edit_told after update of text on posts when new.text <> old.text
begin
    insert into outbox (type, key, at, body)
    select 'post.updated', new.id, new.edited_at, json_object(
        'postId', new.id, 'authorId', author.id,
        'mentions', json((select json_group_array(named.id) from json_each(new.mentions) as m join people as named on named.pk = m.value)))
    from people as author where author.pk = new.author;
end;

-- The time of a removal while it goes on. A delete brings no time of its own, and rows that go with
-- another are deleted by the foreign key; their triggers read it here. Every removal but that of a
-- reaction is therefore an insert into this table, whose row is gone again when the statement ends.
create table if not exists removals (
    post integer,
    comment integer,
    person integer,
    at text not null
);

create trigger if not exists removals_done after insert on removals begin
    delete from posts where pk = new.post;
    delete from comments where pk = new.comment;
    -- Their reactions and comments first, so that the counts of what stays fall.
    delete from reactions where person = new.person;
    delete from comments where author = new.person;
    delete from views where person = new.person;
    delete from posts where author = new.person;
    update posts set mentions = (select json_group_array(value) from json_each(mentions) where value <> new.person)
    where pk in (select post from post_mentions where person = new.person);
    delete from removals;
end;

create trigger if not exists posts_removal_told after delete on posts begin
    insert into outbox (type, key, at, body)
    select 'post.deleted', old.id, removals.at, json_object(
        'postId', old.id, 'authorId', author.id,
        'wasPublished', json(iif(old.status = 'published', 'true', 'false')))
    from people as author, removals where author.pk = old.author;
end;

create trigger if not exists views_told after insert on views begin
    insert into outbox (type, key, at, body)
    select 'post.viewed', post.id, new.at, json_object('postId', post.id, 'authorId', author.id, 'viewerId', viewer.id)
    from posts as post join people as author on author.pk = post.author join people as viewer on viewer.pk = new.person
    where post.pk = new.post;
end;

create trigger if not exists views_told_again after update of at on views when new.at <> old.at begin
    insert into outbox (type, key, at, body)
    select 'post.viewed', post.id, new.at, json_object('postId', post.id, 'authorId', author.id, 'viewerId', viewer.id)
    from posts as post join people as author on author.pk = post.author join people as viewer on viewer.pk = new.person
    where post.pk = new.post;
end;

create trigger if not exists comments_told after insert on comments begin
    insert into outbox (type, key, at, body)
    select 'comment.created', post.id, new.created_at, json_object(
        'commentId', new.id, 'postId', post.id, 'postAuthorId', post_author.id,
        'parentId', parent.id, 'parentAuthorId', parent_author.id, 'authorId', author.id,
        'mentions', json((select json_group_array(named.id) from json_each(new.mentions) as m join people as named on named.pk = m.value)))
    from posts as post
    join people as post_author on post_author.pk = post.author
    join people as author on author.pk = new.author
    left join comments as parent on parent.pk = new.parent
    left join people as parent_author on parent_author.pk = parent.author
    where post.pk = new.post;
end;

create trigger if not exists comment_mentions_emptied after insert on comments when new.mentions <> '[]' begin
    update comments set mentions = '[]' where pk = new.pk;
end;

-- Of a post that goes, its comments and reactions go untold: post.deleted says it all.
create trigger if not exists comments_removal_told after delete on comments begin
    insert into outbox (type, key, at, body)
    select 'comment.deleted', post.id, removals.at, json_object(
        'commentId', old.id, 'postId', post.id, 'postAuthorId', post_author.id, 'authorId', author.id)
    from posts as post
    join people as post_author on post_author.pk = post.author
    join people as author on author.pk = old.author, removals
    where post.pk = old.post;
end;

create trigger if not exists reactions_told after insert on reactions begin
    insert into outbox (type, key, at, body)
    select 'reaction.created', post.id, new.created_at, json_object(
        'postId', post.id, 'postAuthorId', post_author.id, 'userId', person.id, 'type', new.type)
    from posts as post
    join people as post_author on post_author.pk = post.author
    join people as person on person.pk = new.person
    where post.pk = new.post;
end;

-- A reaction taken back has the time of that in `created_at`.
create trigger if not exists reactions_removal_told after delete on reactions begin
    insert into outbox (type, key, at, body)
    select 'reaction.removed', post.id, coalesce((select at from removals), old.created_at), json_object(
        'postId', post.id, 'postAuthorId', post_author.id, 'userId', person.id, 'type', old.type)
    from posts as post
    join people as post_author on post_author.pk = post.author
    join people as person on person.pk = old.person
    where post.pk = old.post;
end;

-- The receipt counts every row that was theirs: posts, comments, reactions, views, mentions of them.
-- What others wrote below goes with it, uncounted.
create trigger if not exists erasure_counted before insert on inbox when new.type = 'user.deleted' begin
    insert into outbox (type, key, at, body)
    select 'erasure.completed', new.body ->> '$.id', new.at, json_object(
        'userId', new.body ->> '$.id', 'deletionId', new.body ->> '$.deletionId', 'service', 'posts',
        'rows', (select count(*) from posts where author = person.pk)
            + (select count(*) from comments where author = person.pk)
            + (select count(*) from reactions where person = person.pk)
            + (select count(*) from views where person = person.pk)
            + (select count(*) from post_mentions where person = person.pk))
    from (select (select pk from people where id = new.body ->> '$.id') as pk) as person;
end;

create trigger if not exists erasure_done after insert on inbox when new.type = 'user.deleted' begin
    insert into removals (person, at) select pk, new.at from people where id = new.body ->> '$.id';
end;
