-- Most posts name nobody and are out at once, and a post is told to many. So what only some posts have is told by an event of
-- its own, and `post.created` only of a post that waits for its media.
drop trigger if exists posts_told;

drop trigger if exists posts_publication_told;

drop trigger if exists comments_told;

create trigger if not exists posts_told after insert on posts begin
    insert into outbox (type, key, at, body)
    select iif(new.status = 'published', 'post.published', 'post.created'), new.id, new.created_at,
        json_object('postId', new.id, 'authorId', author.id, 'visibility', new.visibility)
    from people as author where author.pk = new.author;
end;

create trigger if not exists posts_publication_told after update of status on posts
when new.status = 'published' and old.status <> 'published'
begin
    insert into outbox (type, key, at, body)
    select 'post.published', new.id, new.created_at,
        json_object('postId', new.id, 'authorId', author.id, 'visibility', new.visibility)
    from people as author where author.pk = new.author;
end;

create trigger if not exists mentions_told after insert on posts
when new.status = 'published' and new.mentions <> '[]'
begin
    insert into outbox (type, key, at, body)
    select 'mention.created', new.id, new.created_at, json_object(
        'postId', new.id, 'authorId', author.id, 'visibility', new.visibility,
        'mentions', json((select json_group_array(named.id) from json_each(new.mentions) as m join people as named on named.pk = m.value)))
    from people as author where author.pk = new.author;
end;

create trigger if not exists mentions_told_late after update of status on posts
when new.status = 'published' and old.status <> 'published' and new.mentions <> '[]'
begin
    insert into outbox (type, key, at, body)
    select 'mention.created', new.id, new.created_at, json_object(
        'postId', new.id, 'authorId', author.id, 'visibility', new.visibility,
        'mentions', json((select json_group_array(named.id) from json_each(new.mentions) as m join people as named on named.pk = m.value)))
    from people as author where author.pk = new.author;
end;

-- With who may see the post: it is the first that others hear of a post they keep nothing of.
create trigger if not exists comments_told after insert on comments begin
    insert into outbox (type, key, at, body)
    select 'comment.created', post.id, new.created_at, json_object(
        'commentId', new.id, 'postId', post.id, 'postAuthorId', post_author.id, 'visibility', post.visibility,
        'parentId', parent.id, 'parentAuthorId', parent_author.id, 'authorId', author.id,
        'mentions', json((select json_group_array(named.id) from json_each(new.mentions) as m join people as named on named.pk = m.value)))
    from posts as post
    join people as post_author on post_author.pk = post.author
    join people as author on author.pk = new.author
    left join comments as parent on parent.pk = new.parent
    left join people as parent_author on parent_author.pk = parent.author
    where post.pk = new.post;
end;
