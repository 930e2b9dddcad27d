-- A post is heard of only where it names somebody or is commented on, so that is what tells who may see it.
drop trigger if exists post_told;

-- Before what asks whether the post is closed.
create trigger if not exists post_closed before insert on inbox
when new.type in ('mention.created', 'comment.created') and new.body ->> '$.visibility' <> 'public'
begin
    insert into closed_posts (id) values (new.body ->> '$.postId') on conflict (id) do nothing;
end;

create trigger if not exists mention_told after insert on inbox when new.type = 'mention.created' begin
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    insert into people (id) select value from json_each(new.body, '$.mentions') where true
    on conflict (id) do nothing;
    insert into happenings (person, actor, type, target_type, target_id, post, host, cause, at)
    select p.pk, author.pk, 'mention', 'post', new.body ->> '$.postId', new.body ->> '$.postId', author.pk,
        new.body ->> '$.postId', new.at
    from json_each(new.body, '$.mentions') as named, people as p, people as author
    where p.id = named.value and author.id = new.body ->> '$.authorId';
end;
