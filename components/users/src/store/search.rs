//! The search for people.

use shared::db::{DbError, PageOut};
use shared::ids::Id;
use shared::page::Page;
use shared::params;

use super::Store;
use crate::search::Query;

// Each way of finding reads an index and is cut off, so that a query of one letter costs no more
// than one of ten. Typos are looked for where few are found without, similar names where nobody is
// found otherwise. The sort key
// is made of what the query and the name are alone (how it was found, how long the handle is, the
// id), so that pages join; followers come and go. ?1 caller, ?2 handle, ?3 text, ?4 prefixes,
// ?5 keys, ?6 words, ?7 part, ?8 grams, ?9 enough, ?10 after, ?11 limit.
const SEARCH: &str = shared::page_sql!(
    concat!(
        "with me as materialized (select pk from people where id = ?1 and status = 'active'),
        exact as materialized (
            select * from (select pk as person, iif(handle = ?2, 0, 2) as rank from people
                where handle >= ?2 and handle < ?2 || '{' order by handle limit 500)
            union all
            select * from (select rowid, 3 from people_words where ?4 <> '' and people_words match ?4
                order by rowid limit 1000)
        ),
        near as materialized (
            select * from exact
            union all
            select * from (select k.person, 4 from json_each(?5) as q
                cross join search_keys as k on k.key = q.value ->> 1
                where ?6 > 0 and (select count(*) from exact) < 100
                group by k.person having count(distinct q.value ->> 0) = ?6 limit 1000)
            union all
            select * from (select rowid, 5 from people_grams where ?7 <> '' and people_grams match ?7
                order by rowid limit 1000)
        ),
        found as (
            select * from near
            union all
            select * from (select g.rowid, 6 from json_each(?8) as q
                cross join people_grams as g on g.text match q.value
                where not exists (select 1 from near)
                group by g.rowid having count(*) >= ?9 order by count(*) desc limit 200)
        ),
        best as (select person, min(rank) as rank from found group by person),
        ranked as (
            select p.pk, printf('%d%02d%s',
                iif(b.rank > 1 and p.display_name = ?3 collate nocase, 1, b.rank),
                coalesce(length(p.handle), 99), p.id) as k
            from best as b join people as p on p.pk = b.person
            where p.status = 'active' and (p.pk = (select pk from me) or ",
        shared::unblocked!("(select pk from me)", "p"),
        ")
        )
        select ",
        shared::profile_json!("(select pk from me)", "p"),
        " as item, r.k as k from ranked as r join people as p on p.pk = r.pk
        where (?10 is null or r.k > ?10) and exists (select 1 from me) order by r.k limit ?11 + 1"
    ),
    "?11"
);

impl Store {
    /// A page of the people `query` finds for `caller`, best first.
    pub async fn search_people(&self, caller: Id, query: &Query, page: &Page) -> Result<PageOut, DbError> {
        let params = params![
            caller,
            query.handle.as_str(),
            query.text.as_str(),
            query.prefixes.as_str(),
            query.keys.as_str(),
            query.words,
            query.part.as_str(),
            query.grams.as_str(),
            query.enough,
            page.after_text(),
            page.limit
        ];
        self.0.page(SEARCH, params).await
    }
}

#[cfg(test)]
mod tests {
    use super::SEARCH;
    use crate::store::tests::plan;

    #[tokio::test]
    async fn search_scans_no_table_of_people() {
        let plan = plan(SEARCH, 11).await;
        for table in ["people", "p", "k", "search_keys"] {
            assert!(
                !plan
                    .lines()
                    .any(|line| line.starts_with(&format!("SCAN {table}")) && !line.contains("VIRTUAL")),
                "{plan}"
            );
        }
    }
}
