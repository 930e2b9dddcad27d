//! What a person has earned.

use serde::Deserialize;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::rank_of;
use crate::docs::Ranks;
use crate::streaks::Half;

/// `scores` by its key, three times a rank's few rows, and all halves of days on which the person did something.
pub const FIND_PROGRESS: &str = concat!(
    "select json_object(
        'points', coalesce(whole.points, 0),
        'rank', json_object(
            'weekly', iif(week.shown = 1 and week.points > 0, ",
    rank_of!("+?2", "week.points"),
    ", null),
            'allTime', iif(whole.shown = 1 and whole.points > 0, ",
    rank_of!("'all'", "whole.points"),
    ", null)),
        'optedOut', json(iif(s.opted_out = 1, 'true', 'false')),
        'timeZone', s.time_zone,
        'awards', json((select json_group_array(json_array(badge, at))
            from (select badge, at from awards where person = me.pk order by at desc, badge))),
        'activity', json((select json_group_array(json_array(half, mask))
            from (select half, mask from activity where person = me.pk order by half))))
    from people as me
    left join settings as s on s.person = me.pk
    left join scores as whole on whole.person = me.pk and whole.board = 'all'
    left join scores as week on week.person = me.pk and week.board = +?2
    where me.id = +?1 and me.status = 'active'"
);

/// The row of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressRow {
    /// All their points.
    pub points: i64,
    /// Where they stand.
    pub rank: Ranks,
    /// Whether they are on no board.
    pub opted_out: bool,
    /// As they told `users`.
    pub time_zone: Option<String>,
    /// Badges with their times, the newest first.
    pub awards: Vec<(String, String)>,
    /// When they did something, in order.
    pub activity: Vec<Half>,
}

/// What `person` has earned, with the rank on the board `week`; `None` where they are nobody here.
pub async fn find_progress(db: &Db, person: Id, week: &str) -> Result<Option<ProgressRow>, DbError> {
    db.read_as(FIND_PROGRESS, params![person, week]).await
}

/// Triggers take the person off all boards, or put them back.
const UPDATE_OPTED_OUT: &str = "insert into settings (person, opted_out)
    select pk, ?2 from people where id = ?1 and status = 'active'
    on conflict (person) do update set opted_out = excluded.opted_out
    returning 1";

/// Whether `person` wants to be on no board.
pub async fn update_opted_out(db: &Db, person: Id, opted_out: bool) -> Result<(), DbError> {
    db.write(UPDATE_OPTED_OUT, params![person, opted_out]).await.map(drop)
}
