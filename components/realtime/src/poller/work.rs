//! What takes a while, side by side: writes, and questions.

use std::collections::HashMap;

use futures_util::future::{BoxFuture, Either, select};
use serde::{Deserialize, Serialize};
use shared::app::Ctx;
use shared::clients::{Client, ClientError};
use shared::ids::Id;
use shared::platform::{Outlet, sleep};
use shared::trace::Trace;

use crate::frames::{Row, Told};
use crate::model::{PATIENCE, PAUSE};

/// Something under way.
pub type Work = BoxFuture<'static, Done>;

/// What came of it.
pub enum Done {
    /// A stream was written to; without its outlet nobody reads it any more.
    Written(i64, Option<Outlet>),
    /// What `notifications` knows of these, by person.
    Asked(Vec<Parcel>, Result<HashMap<Id, Told>, ClientError>),
}

/// What happened to one person, and which of their streams are to be told.
pub struct Parcel {
    /// Their row.
    pub person: i64,
    /// Their id.
    pub user: Id,
    /// In order.
    pub rows: Vec<Row>,
    /// Each as it was when the rows were read.
    pub shares: Vec<Share>,
}

/// What of it is for one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which.
    pub stream: i64,
    /// Up to this number.
    pub until: i64,
    /// The number it has then.
    pub then: i64,
    /// Whether there is more.
    pub more: bool,
}

/// Writes to a stream; who does not read for long is taken for gone.
pub fn write(stream: i64, outlet: Outlet, text: String) -> Work {
    Box::pin(async move {
        let sent = std::pin::pin!(outlet.send(text.into_bytes()));
        match select(sent, std::pin::pin!(sleep(PATIENCE))).await {
            Either::Left((outlet, _)) => Done::Written(stream, outlet),
            Either::Right(_) => Done::Written(stream, None),
        }
    })
}

/// `POST /internal/notifications` of notifications.
#[derive(Serialize)]
struct Asked {
    people: Vec<AskedOf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AskedOf {
    user_id: Id,
    ids: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    people: HashMap<Id, Told>,
}

/// Asks what is told of notifications, and how many are unread.
pub fn ask(app: &Ctx, parcels: Vec<Parcel>) -> Work {
    let app = app.clone();
    Box::pin(async move {
        let of = |parcel: &Parcel| AskedOf {
            user_id: parcel.user,
            ids: parcel.rows.iter().filter_map(Row::notification).collect(),
        };
        let asked = Asked { people: parcels.iter().map(of).collect() };
        let trace = Trace::fresh(app.now());
        let client = Client::new(&app, &trace, "notifications");
        let answer = client.post_within::<Answer>("/internal/notifications", &asked, PAUSE).await;
        Done::Asked(parcels, answer.map(|answer| answer.people))
    })
}
