-- A third step of `standings`, of 4,096 points each: those who are far down a board of all time have thousands of steps of 64 above them,
-- and their rank was a sum over all of these.
insert into standings (board, step, bucket, people)
select board, 4096, bucket / 64, sum(people) from standings where step = 64 group by board, bucket / 64
on conflict (board, step, bucket) do update set people = excluded.people;

drop trigger if exists score_came;

drop trigger if exists score_changed;

drop trigger if exists score_shown;

drop trigger if exists score_hidden;

drop trigger if exists score_gone;

create trigger if not exists score_came after insert on scores when new.shown = 1 and new.points > 0 begin
    insert into standings (board, step, bucket, people)
    values (new.board, 1, new.points, 1), (new.board, 64, new.points / 64, 1), (new.board, 4096, new.points / 4096, 1)
    on conflict (board, step, bucket) do update set people = people + 1;
    insert into moves (board, person) values (new.board, new.person);
end;

-- From one number of points to another.
create trigger if not exists score_changed after update on scores
when new.shown = 1 and new.points > 0 and old.shown = 1 and old.points > 0
    and (new.points, new.reached) is not (old.points, old.reached)
begin
    insert into moves (board, person, place, reached) values (old.board, old.person, old.place, old.reached);
    update standings set people = people - 1
    where board = old.board and step = 1 and bucket = old.points and old.points <> new.points;
    delete from standings where board = old.board and step = 1 and bucket = old.points and people = 0;
    insert into standings (board, step, bucket, people)
    select new.board, 1, new.points, 1 where old.points <> new.points
    on conflict (board, step, bucket) do update set people = people + 1;
    update standings set people = people - 1
    where board = old.board and step = 64 and bucket = old.points / 64 and old.points / 64 <> new.points / 64;
    insert into standings (board, step, bucket, people)
    select new.board, 64, new.points / 64, 1 where old.points / 64 <> new.points / 64
    on conflict (board, step, bucket) do update set people = people + 1;
    update standings set people = people - 1
    where board = old.board and step = 4096 and bucket = old.points / 4096
      and old.points / 4096 <> new.points / 4096;
    insert into standings (board, step, bucket, people)
    select new.board, 4096, new.points / 4096, 1 where old.points / 4096 <> new.points / 4096
    on conflict (board, step, bucket) do update set people = people + 1;
end;

-- Onto the board, and off it.
create trigger if not exists score_shown after update on scores
when new.shown = 1 and new.points > 0 and not (old.shown = 1 and old.points > 0)
begin
    insert into standings (board, step, bucket, people)
    values (new.board, 1, new.points, 1), (new.board, 64, new.points / 64, 1), (new.board, 4096, new.points / 4096, 1)
    on conflict (board, step, bucket) do update set people = people + 1;
    insert into moves (board, person) values (new.board, new.person);
end;

create trigger if not exists score_hidden after update on scores
when old.shown = 1 and old.points > 0 and not (new.shown = 1 and new.points > 0)
begin
    insert into moves (board, person, place, reached) values (old.board, old.person, old.place, old.reached);
    update standings set people = people - 1
    where (board, step, bucket) in (values (old.board, 1, old.points), (old.board, 64, old.points / 64),
        (old.board, 4096, old.points / 4096));
    delete from standings where board = old.board and step = 1 and bucket = old.points and people = 0;
end;

create trigger if not exists score_gone after delete on scores
when old.shown = 1 and old.points > 0 and not exists (select 1 from clearings where all_of_it = 1)
begin
    update standings set people = people - 1
    where (board, step, bucket) in (values (old.board, 1, old.points), (old.board, 64, old.points / 64),
        (old.board, 4096, old.points / 4096));
    delete from standings where board = old.board and step = 1 and bucket = old.points and people = 0;
end;
