-- All that a page asks of a score, so that it reads the index alone: what only chooses rows counts as asked, too.
create index if not exists scores_ranked on scores (board, place, reached, id, shown, points)
where shown = 1 and points > 0;

drop index if exists scores_listed;

-- Counts the changes of what people are shown by. With the last of `moves` it tells whether a page is still what it was
-- (src/kept.rs). It begins anywhere, so that what an instance keeps of one database is never taken for another's.
create table if not exists card_changes (
    one integer primary key check (one = 1),
    n integer not null
);

insert into card_changes (one, n) values (1, abs(random() / 2)) on conflict (one) do nothing;

create trigger if not exists people_card_counted after update of card on people
when old.card is not null and new.card is not old.card
begin
    update card_changes set n = n + 1;
end;
