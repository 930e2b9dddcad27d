-- The points of a person on a board: `all`, a week by its Monday (`2026-11-23`), a month (`2026-11`). Kept by `day_counted`.
create table if not exists scores (
    person integer not null references people (pk),
    board text not null,
    points integer not null,
    -- Ascending as everything else a board is ordered by, so that a page goes on by one comparison.
    place integer generated always as (-points) virtual,
    -- When the last of the points was earned: of equals the first to have them stands first.
    reached text,
    -- The person's, the last resort of the order; `people.pk` would tell in which order they were heard of.
    id text not null,
    -- Whether the person is shown to others: active, and did not opt out.
    shown integer not null,
    primary key (person, board)
) without rowid;

create index if not exists scores_listed on scores (board, place, reached, id) where shown = 1 and points > 0;

-- How many people of a board have so many points (step 1), and so many to the next 63 (step 64): a rank is a sum of few
-- rows, however many people stand above.
create table if not exists standings (
    board text not null,
    step integer not null,
    bucket integer not null,
    people integer not null,
    primary key (board, step, bucket)
) without rowid;

-- Where people stood before they moved; no place for who was not there. A page goes on in the order of the first one: who
-- moved since is found where they were. The newest are kept (src/model.rs).
create table if not exists moves (
    n integer primary key autoincrement,
    board text not null,
    person integer not null,
    place integer,
    reached text
);

create index if not exists moves_by_person on moves (board, person, n);

create trigger if not exists score_came after insert on scores when new.shown = 1 and new.points > 0 begin
    insert into standings (board, step, bucket, people)
    values (new.board, 1, new.points, 1), (new.board, 64, new.points / 64, 1)
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
end;

-- Onto the board, and off it.
create trigger if not exists score_shown after update on scores
when new.shown = 1 and new.points > 0 and not (old.shown = 1 and old.points > 0)
begin
    insert into standings (board, step, bucket, people)
    values (new.board, 1, new.points, 1), (new.board, 64, new.points / 64, 1)
    on conflict (board, step, bucket) do update set people = people + 1;
    insert into moves (board, person) values (new.board, new.person);
end;

create trigger if not exists score_hidden after update on scores
when old.shown = 1 and old.points > 0 and not (new.shown = 1 and new.points > 0)
begin
    insert into moves (board, person, place, reached) values (old.board, old.person, old.place, old.reached);
    update standings set people = people - 1
    where board = old.board and step in (1, 64) and bucket = old.points / step;
    delete from standings where board = old.board and step = 1 and bucket = old.points and people = 0;
end;

create trigger if not exists score_gone after delete on scores
when old.shown = 1 and old.points > 0 and not exists (select 1 from clearings where all_of_it = 1)
begin
    update standings set people = people - 1
    where board = old.board and step in (1, 64) and bucket = old.points / step;
    delete from standings where board = old.board and step = 1 and bucket = old.points and people = 0;
end;

-- What people chose: to be on no board; and their time zone, as `users` told last.
create table if not exists settings (
    person integer primary key references people (pk),
    opted_out integer not null default 0,
    time_zone text
);

create trigger if not exists settings_made after insert on settings when new.opted_out = 1 begin
    update scores set shown = 0 where person = new.person;
end;

create trigger if not exists settings_changed after update of opted_out on settings
when new.opted_out <> old.opted_out
begin
    update scores set shown = new.opted_out = 0 and (select status = 'active' from people where pk = new.person)
    where person = new.person;
end;

create trigger if not exists standing_changed after update of status on people when new.status <> old.status begin
    update scores set shown = new.status = 'active'
        and not exists (select 1 from settings where person = new.pk and opted_out = 1)
    where person = new.pk;
end;

-- A person as they stand on a board, in JSON, which a page would otherwise build anew for every reader.
alter table people add column card text;

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
