-- JSON that a page of posts would otherwise build anew for every reader, which was the larger part of reading it:
-- `opening` is what of a post depends neither on its counts nor on who reads, without the closing brace; `card`
-- is a person as the author of one. These triggers keep them; the statement that makes a post brings its `opening`
-- along, which costs less than a second look at the row (src/store/mod.rs).
alter table posts add column opening text;

alter table people add column card text;

create trigger if not exists posts_opening_made after insert on posts when new.opening is null begin
    update posts set opening = rtrim(json_object(
        'id', id, 'text', text, 'media', json('[]'), 'visibility', visibility, 'createdAt', created_at,
        'editedAt', edited_at, 'status', status, 'hashtags', json(hashtags)), '}')
    where pk = new.pk;
end;

create trigger if not exists posts_opening_changed
after update of text, visibility, edited_at, status, hashtags on posts begin
    update posts set opening = rtrim(json_object(
        'id', id, 'text', text, 'media', json('[]'), 'visibility', visibility, 'createdAt', created_at,
        'editedAt', edited_at, 'status', status, 'hashtags', json(hashtags)), '}')
    where pk = new.pk;
end;

create trigger if not exists people_card_made after insert on people begin
    update people set card = json_object(
        'id', id, 'handle', handle, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
        'private', json(iif(private, 'true', 'false')), 'createdAt', created_at)
    where pk = new.pk;
end;

create trigger if not exists people_card_changed
after update of handle, display_name, bio, avatar_url, private, created_at on people begin
    update people set card = json_object(
        'id', id, 'handle', handle, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
        'private', json(iif(private, 'true', 'false')), 'createdAt', created_at)
    where pk = new.pk;
end;

-- What was there before: naming a column fires its trigger.
update posts set visibility = visibility;

update people set private = private;
