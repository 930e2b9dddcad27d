-- Search over handles and display names. Only active people are in it, so the suspended and the
-- deleted are out of it in the statement that makes them so.

-- Words by prefix; accents and case do not count.
create virtual table if not exists people_words using fts5 (
    handle, name, tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);

-- Any three letters in a row: what is inside a word, and what is similar.
create virtual table if not exists people_grams using fts5 (
    text, tokenize = 'trigram'
);

-- What is deleted leaves the index pages at once, not at their next merge.
insert into people_words (people_words, rank) values ('secure-delete', 1);

insert into people_grams (people_grams, rank) values ('secure-delete', 1);

-- Words with at most one letter left out. Two words that share a key differ by one letter more, less,
-- changed or swapped; so a typo is found by equality. The first five letters have keys too, for
-- who mistypes the start of a longer word.
create table if not exists search_keys (
    key text not null,
    person integer not null references people (pk),
    primary key (key, person)
) without rowid;

create index if not exists search_keys_by_person on search_keys (person);

-- Who has to be indexed anew: written by the triggers below, each row handled as it goes in.
create view if not exists searchable as select null as person where 0;

create trigger if not exists searchable_indexed instead of insert on searchable
begin
    delete from people_words where rowid = new.person;
    delete from people_grams where rowid = new.person;
    delete from search_keys where person = new.person;
    insert into people_words (rowid, handle, name)
    select pk, handle, display_name from people where pk = new.person and status = 'active';
    insert into people_grams (rowid, text)
    select pk, coalesce(handle || ' ', '') || coalesce(display_name, '') from people where pk = new.person and status = 'active';
    -- 51 places are enough for the longest word of a display name.
    insert into search_keys (key, person)
    select distinct substr(w.word, 1, i.value) || substr(w.word, i.value + 2), p.pk
    from people as p, json_each(
        '[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50]'
    ) as i, (
        select lower(value) as word from people as p, json_each(
            '[' || replace(replace(json_quote(coalesce(p.handle || ' ', '') || coalesce(p.display_name, '')), '_', ' '), ' ', '","') || ']')
        where p.pk = new.person
        union
        select lower(substr(value, 1, 5)) from people as p, json_each(
            '[' || replace(replace(json_quote(coalesce(p.handle || ' ', '') || coalesce(p.display_name, '')), '_', ' '), ' ', '","') || ']')
        where p.pk = new.person and length(value) > 5
    ) as w
    where p.pk = new.person and p.status = 'active' and length(w.word) >= 3 and i.value <= length(w.word);
end;

create trigger if not exists registered_searchable after insert on people when new.status = 'active'
begin
    insert into searchable (person) values (new.pk);
end;

create trigger if not exists updated_searchable after update of handle, display_name, status on people
when (new.handle, new.display_name, new.status) is not (old.handle, old.display_name, old.status)
begin
    insert into searchable (person) values (new.pk);
end;
