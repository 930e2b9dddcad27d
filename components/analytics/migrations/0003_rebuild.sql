-- A rebuild empties what events make again, and the cursors of the inbox with it. People, their activity and the sketches stay: it
-- adds to those only what is not there yet. Posts stay for the sketches, as if nobody had told of them.
create trigger if not exists rebuilt after insert on rebuilds begin
    delete from reactions;
    delete from comments;
    delete from followers;
    delete from post_days;
    delete from author_days;
    update posts set published = null;
    update site_days set posts = 0, comments = 0, reactions = 0;
    delete from inbox;
    delete from inbox_cursors;
    delete from rebuilds;
end;
