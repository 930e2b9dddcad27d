-- The top of a reader's feed as it was when they last read it: a cache, which any statement may empty. What was
-- posted since lies above `newest` and is few rows, so that most reads need not merge all authors (README.md).
create table if not exists feed_heads (
    reader integer primary key,
    -- The newest post of anybody when the head was made.
    newest integer not null,
    -- `posts.pk`s, newest first, as a JSON array.
    posts text not null,
    -- Whether these are all there are.
    whole integer not null,
    -- In milliseconds.
    made_at integer not null
);

-- What goes is left out at the read. These are the ways in which older posts come into a feed.
create trigger if not exists feed_heads_followed after insert on follows begin
    delete from feed_heads where reader = new.follower;
end;

create trigger if not exists feed_heads_unfollowed after delete on follows begin
    delete from feed_heads where reader = old.follower;
end;

create trigger if not exists feed_heads_unmuted after delete on mutes begin
    delete from feed_heads where reader = old.muter;
end;

create trigger if not exists feed_heads_published after update of status on posts when new.status <> old.status begin
    delete from feed_heads where reader in (select follower from follows where followee = new.author);
end;

create trigger if not exists feed_heads_returned after update of status on people when new.status <> old.status begin
    delete from feed_heads where reader = new.pk;
    delete from feed_heads where reader in (select follower from follows where followee = new.pk);
end;
