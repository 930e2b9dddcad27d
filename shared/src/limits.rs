//! Rate limits: points per window, kept in the service's database with one upsert, told to the
//! client in the fields of the IETF draft (`RateLimit-Policy`, `RateLimit`). A 5xx refunds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::app::{App, Ctx};
use crate::db::DbError;
use crate::error::{ApiError, ApiResult};
use crate::params;

/// So many points in so long.
#[derive(Debug)]
pub struct Limit {
    /// Name of the policy, as answered.
    pub name: &'static str,
    /// Points per window.
    pub points: i64,
    /// Length of the window.
    pub window: Duration,
}

/// Changes per person and hour: create 3 points, update 2, delete 1.
pub static WRITES_HOUR: Limit =
    Limit { name: "writes-hour", points: 5_000, window: Duration::from_secs(3600) };
/// Changes per person and day.
pub static WRITES_DAY: Limit =
    Limit { name: "writes-day", points: 35_000, window: Duration::from_secs(24 * 3600) };

#[derive(Clone, Debug)]
struct Spent {
    limit: &'static Limit,
    key: String,
    cost: i64,
    used: i64,
    resets_in: i64,
}

/// What one request spent: put in its extensions by the edge, read for the headers of the answer.
#[derive(Clone, Default)]
pub struct Spending(Arc<Mutex<Vec<Spent>>>);

/// Spends points within a request.
pub struct Limiter(Spending);

impl FromRequestParts<Ctx> for Limiter {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Ctx) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Spending>().cloned().unwrap_or_default()))
    }
}

const SPEND: &str = "insert into rate_limits (key, resets_at, used)
    select value ->> 0, ?2 + (value ->> 1), value ->> 2 from json_each(?1) where true
    on conflict (key) do update set
        used = iif(resets_at <= ?2, excluded.used, used + excluded.used),
        resets_at = iif(resets_at <= ?2, excluded.resets_at, resets_at)
    returning key, used, resets_at";

const REFUND: &str = "update rate_limits set used = max(0, used - ?2) where key = ?1";

impl Limiter {
    /// Spends `cost` points of each limit for each of whom it names, in one statement; 429 where
    /// one is used up. Does nothing where `rate_limits` is off.
    pub async fn spend(&self, app: &App, on: &[(&'static Limit, &str)], cost: i64) -> ApiResult<()> {
        self.0.spend(app, on, cost).await
    }
}

impl Spending {
    pub(crate) async fn spend(&self, app: &App, on: &[(&'static Limit, &str)], cost: i64) -> ApiResult<()> {
        if !app.config.is_on("rate_limits") {
            return Ok(());
        }
        let now = app.now().millis();
        let keys: Vec<String> = on.iter().map(|(limit, who)| format!("{}:{who}", limit.name)).collect();
        let wanted: Vec<_> = on
            .iter()
            .zip(&keys)
            .map(|((limit, _), key)| (key, u64::try_from(limit.window.as_millis()).unwrap_or(u64::MAX), cost))
            .collect();
        let rows = app.db.rows(SPEND, params![serde_json::json!(wanted), now]).await?;
        let mut worst: Option<i64> = None;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let [key, used, resets_at] = row.as_slice() else {
                continue;
            };
            let (Some(key), Some(used), Some(resets_at)) =
                (key.as_text(), used.as_integer(), resets_at.as_integer())
            else {
                continue;
            };
            let Some(index) = keys.iter().position(|known| known == key) else {
                continue;
            };
            let limit = on[index].0;
            // Rounded up, but never longer than the window.
            let resets_in = (resets_at - now + 999).div_euclid(1000).max(1);
            if used > limit.points {
                worst = worst.max(Some(resets_in));
            }
            all.push(Spent { limit, key: key.to_owned(), cost, used, resets_in });
        }
        worst.map_or(Ok(()), |seconds| Err(ApiError::rate_limited(seconds)))
    }

    /// Writes `RateLimit-Policy` and `RateLimit` where something was spent.
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_empty() {
            return;
        }
        // A limit may count for several, as the address and the account; what is told is the tightest,
        // since a name stands for one policy.
        let tightest = |spent: &&Spent| {
            let same = all.iter().filter(|other| other.limit.name == spent.limit.name);
            same.max_by_key(|other| other.used).is_some_and(|most| std::ptr::eq(most, *spent))
        };
        let policies: Vec<String> = all
            .iter()
            .filter(tightest)
            .map(|spent| {
                format!(
                    "\"{}\";q={};w={}",
                    spent.limit.name,
                    spent.limit.points,
                    spent.limit.window.as_secs()
                )
            })
            .collect();
        let left: Vec<String> = all
            .iter()
            .filter(tightest)
            .map(|spent| {
                let remaining = (spent.limit.points - spent.used).max(0);
                format!("\"{}\";r={remaining};t={}", spent.limit.name, spent.resets_in)
            })
            .collect();
        for (name, list) in [("ratelimit-policy", policies), ("ratelimit", left)] {
            if let Ok(value) = HeaderValue::from_str(&list.join(", ")) {
                headers.insert(name, value);
            }
        }
    }

    /// Gives everything back: the fault was ours.
    pub(crate) async fn refund(&self, app: &App) -> Result<(), DbError> {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for spent in all {
            app.db.rows(REFUND, params![spent.key, spent.cost]).await?;
        }
        Ok(())
    }
}
