//! How the whole is used.

use shared::db::{Db, DbError};
use shared::params;

use super::{date, span};
use crate::model::{COHORTS, week_of};

/// Rows of days and weeks, and of people those active within a month: by `people_by_activity`, one look for the month, in which the
/// week and the day are.
///
/// ?1 the first day, ?2 today, ?3 the first week of newcomers, ?4 this week.
pub const GET_OVERVIEW: &str = concat!(
    "with recursive ",
    span!("+?1", "+?2"),
    ", cohorts (week) as (select +?3 union all select week + 1 from cohorts where week < +?4)
    select json_object('users', sums.users, 'posts', sums.posts, 'dau', seen.dau, 'wau', seen.wau, 'mau', seen.mau,
        'days', json((select json_group_array(json(item)) from (
            select json_object('date', ",
    date!("span.day"),
    ", 'activeUsers', coalesce(d.active, 0), 'newUsers', coalesce(d.users, 0), 'posts', coalesce(d.posts, 0),
                'comments', coalesce(d.comments, 0), 'reactions', coalesce(d.reactions, 0)) as item
            from span left join site_days as d on d.day = span.day order by span.day))),
        'retention', json((select json_group_array(json(item)) from (
            select json_object('week', ",
    date!("(c.week * 7 - 3)"),
    ", 'size', coalesce((select sum(users) from site_days where day between c.week * 7 - 3 and c.week * 7 + 3), 0),
                'weeks', json((select json_group_array(people) from (
                    select coalesce(r.people, 0) as people from cohorts as w
                    left join retention as r on r.cohort = c.week and r.week = w.week
                    where w.week >= c.week order by w.week)))) as item
            from cohorts as c order by c.week))))
    from (select coalesce(sum(users), 0) as users, coalesce(sum(posts), 0) as posts from site_days) as sums,
        (select count(*) filter (where active_on = +?2) as dau, count(*) filter (where active_on > ?2 - 7) as wau, count(*) as mau
            from people indexed by people_by_activity where active_on > ?2 - 30) as seen"
);

/// The numbers of now, of the days of `range`, and of the last weeks of newcomers.
pub async fn get_overview(db: &Db, range: (i64, i64)) -> Result<String, DbError> {
    let (from, today) = range;
    let week = week_of(today);
    let overview = db.read(GET_OVERVIEW, params![from, today, week - COHORTS + 1, week]).await?;
    Ok(overview.unwrap_or_default())
}
