//! Who is about to use what.

use shared::clients::ClaimedMedia;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

/// By the unique key of media.
const CLAIM: &str = "update media set claimed_at = ?4
    where key in (select value from json_each(?2)) and owner = (select pk from people where id = ?1) and purpose = ?3
    returning key";

const CLAIMED: &str = "select json_group_array(json_object('key', m.key, 'status', m.status,
        'media', json((select json from shown where pk = m.pk)), 'avatarUrl', m.avatar_url))
    from (select m.* from json_each(?2) as named join media as m on m.key = named.value
        where m.owner = (select pk from people where id = ?1) and m.purpose = ?3 order by named.key) as m";

/// Notes that `owner` is about to use these of theirs, so that no sweep takes them meanwhile.
pub async fn claim(db: &Db, owner: Id, keys: &str, purpose: &str, now: Instant) -> Result<(), DbError> {
    db.rows(CLAIM, params![owner, keys, purpose, now.millis()]).await.map(drop)
}

/// Those of `keys` that are `owner`'s, for this purpose.
pub async fn find_claimed(
    db: &Db,
    owner: Id,
    keys: &str,
    purpose: &str,
) -> Result<Vec<ClaimedMedia>, DbError> {
    Ok(db.read_as(CLAIMED, params![owner, keys, purpose]).await?.unwrap_or_default())
}
