-- Weeks and months that ended long ago go (src/model.rs says which): nobody is shown one that is over.
create index if not exists scores_by_board on scores (board);

-- A view to insert into: at most so many rows of a board that ended.
create view if not exists endings as select null as board, null as most where 0;

-- What is left of it meanwhile has no standings: nobody asks for a rank there, and to keep them would cost more than to delete.
create trigger if not exists board_ended instead of insert on endings begin
    insert into clearings (all_of_it) values (1);
    delete from standings where board = new.board;
    delete from scores where (person, board) in (
        select person, board from scores where board = new.board limit new.most);
    delete from clearings;
end;
