//! One look for news, and who is told of it.

use std::collections::{HashMap, HashSet};

use shared::clock::Instant;
use shared::db::DbError;
use shared::live::Arrival;
use shared::trace::log;

use super::work::{self, Done, Parcel, Share};
use super::{Poller, Stream};
use crate::frames::{self, HEARTBEAT, Row, Told};
use crate::model::{self, CATCHING_UP, LEASE, PAGE, PAUSE, RENEWAL};
use crate::store::{self, Behind, Cursor};

impl Poller {
    /// Takes over what requests opened. Each is behind at first, by what happened since its place was looked up.
    pub(super) fn take_over(&mut self) {
        for arrival in self.app.streams.arrivals() {
            let Arrival { stream, person, user, seq, ends, opening, outlet } = arrival;
            let written = self.app.now();
            let outlet = Some(outlet);
            let taken = Stream { person, user, seq, behind: true, ends, outlet, written, unread: None };
            self.streams.insert(stream, taken);
            self.people = None;
            self.write(stream, opening);
        }
    }

    /// Looks for news once.
    pub(super) async fn round(&mut self) -> Result<(), DbError> {
        let now = self.app.now();
        self.end_those_over(now);
        self.close_and_renew(now).await?;
        let behind = self.behind(now);
        self.beat(now);
        if behind.is_empty() && !store::has_news(&self.app.db, self.cursor).await? {
            return Ok(());
        }
        let people = self.people.take().unwrap_or_else(|| {
            let people: HashSet<i64> = self.streams.values().map(|stream| stream.person).collect();
            serde_json::json!(people).to_string()
        });
        let news = store::poll(&self.app.db, self.cursor, &people, &behind, now).await;
        self.people = Some(people);
        let news = news?;
        self.cursor = Cursor { row: Some(news.head), signal: Some(news.signal) };
        if !news.rows.is_empty() || !behind.is_empty() {
            self.stirred = now;
        }
        self.hand_out(news.rows, &behind, &news.heads.into_iter().collect());
        let (asked, ended): (Vec<_>, Vec<_>) = news.signals.into_iter().partition(|(_, what)| what == "ask");
        ended.into_iter().for_each(|(stream, _)| self.end(stream));
        self.answer(asked.into_iter().map(|(stream, _)| stream).collect(), now).await
    }

    /// Says which of these are open here, and finds out whether anybody reads them.
    async fn answer(&mut self, mut asked: Vec<i64>, now: Instant) -> Result<(), DbError> {
        asked.retain(|stream| self.streams.contains_key(stream));
        if asked.is_empty() {
            return Ok(());
        }
        self.stirred = now;
        store::renew_streams(&self.app.db, &asked, now.plus(LEASE)).await?;
        asked.into_iter().for_each(|stream| self.write(stream, HEARTBEAT.to_owned()));
        Ok(())
    }

    /// A token that ended takes its streams along.
    fn end_those_over(&mut self, now: Instant) {
        let over = self.streams.iter().filter(|(_, stream)| stream.ends <= now);
        for stream in over.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.end(stream);
            self.closed.push(stream);
        }
    }

    async fn close_and_renew(&mut self, now: Instant) -> Result<(), DbError> {
        if !self.closed.is_empty() {
            store::close_streams(&self.app.db, &self.closed).await?;
            self.closed.clear();
        }
        if self.streams.is_empty() || now < self.renewed.plus(RENEWAL) {
            return Ok(());
        }
        let ours: Vec<i64> = self.streams.keys().copied().collect();
        let there = store::renew_streams(&self.app.db, &ours, now.plus(LEASE)).await?;
        self.renewed = now;
        // Where this instance was stopped for so long that others took its streams for closed.
        let there: HashSet<i64> = there.into_iter().collect();
        ours.into_iter().filter(|stream| !there.contains(stream)).for_each(|stream| self.end(stream));
        Ok(())
    }

    /// Who can be given what they missed.
    fn behind(&mut self, now: Instant) -> Vec<Behind> {
        self.held.retain(|_, until| until.is_none_or(|until| until > now));
        let free = self.streams.iter().filter(|(_, stream)| {
            stream.behind && stream.outlet.is_some() && !self.held.contains_key(&stream.person)
        });
        free.map(|(number, stream)| (stream.person, stream.seq, *number)).take(CATCHING_UP).collect()
    }

    fn hand_out(&mut self, rows: Vec<Row>, behind: &[Behind], heads: &HashMap<i64, i64>) {
        let mut shares: HashMap<i64, Vec<Share>> = HashMap::new();
        for (person, seq, stream) in behind {
            match heads.get(stream) {
                Some(head) => shares.entry(*person).or_default().push(share_of(*stream, *seq, *head)),
                // It was closed before this instance knew of it.
                None => self.end(*stream),
            }
        }
        let mut of_person: HashMap<i64, Vec<Row>> = HashMap::new();
        for row in rows {
            of_person.entry(row.0).or_default().push(row);
        }
        // What is new is for all others as well.
        for (number, stream) in self.streams.iter_mut().filter(|(_, stream)| !stream.behind) {
            let Some(last) = of_person.get(&stream.person).and_then(|rows| rows.last()) else { continue };
            if stream.outlet.is_none() || self.held.contains_key(&stream.person) {
                stream.behind = true;
                continue;
            }
            let share = Share { stream: *number, until: i64::MAX, then: last.1, more: false };
            shares.entry(stream.person).or_default().push(share);
        }
        let mut asked = Vec::new();
        for (person, shares) in shares {
            let rows = of_person.remove(&person).unwrap_or_default();
            let Some(user) = shares.iter().find_map(|share| Some(self.streams.get(&share.stream)?.user))
            else {
                continue;
            };
            let parcel = Parcel { person, user, rows, shares };
            if parcel.rows.iter().any(Row::is_asked_for) {
                self.hold(&parcel);
                asked.push(parcel);
            } else {
                self.give(&parcel, &Told::default());
            }
        }
        if !asked.is_empty() {
            self.work.push(work::ask(&self.app, asked));
        }
    }

    /// Until it is known what to tell; what happens meanwhile makes a stream be behind.
    fn hold(&mut self, parcel: &Parcel) {
        self.held.insert(parcel.person, None);
        for share in &parcel.shares {
            if let Some(stream) = self.streams.get_mut(&share.stream) {
                stream.behind = false;
            }
        }
    }

    /// Writes to each stream what of a parcel is for it.
    fn give(&mut self, parcel: &Parcel, told: &Told) {
        let frames = frames::frames(&parcel.rows, told);
        for share in &parcel.shares {
            let Some(stream) = self.streams.get_mut(&share.stream) else { continue };
            if stream.outlet.is_none() {
                stream.behind = true;
                continue;
            }
            let mut text = String::new();
            for frame in frames.iter().filter(|frame| frame.seq > stream.seq && frame.seq <= share.until) {
                // A count that has not changed is no news.
                if frame.unread.is_none() || frame.unread != stream.unread {
                    text.push_str(&frame.text);
                    stream.unread = frame.unread.or(stream.unread);
                }
            }
            stream.seq = stream.seq.max(share.then);
            // Of a parcel that was held, it may be behind by what happened meanwhile.
            stream.behind = share.more || self.held.contains_key(&parcel.person) && stream.behind;
            self.write(share.stream, shared::media::fill(&self.app, text));
        }
    }

    /// What came of something that was under way.
    pub(super) fn note(&mut self, done: Done) {
        match done {
            Done::Written(stream, Some(outlet)) => {
                if let Some(stream) = self.streams.get_mut(&stream) {
                    stream.outlet = Some(outlet);
                }
            }
            Done::Written(stream, None) => {
                if self.streams.contains_key(&stream) {
                    self.end(stream);
                    self.closed.push(stream);
                }
            }
            Done::Asked(parcels, Ok(mut told)) => {
                for parcel in parcels {
                    self.give(&parcel, &told.remove(&parcel.user).unwrap_or_default());
                    self.held.remove(&parcel.person);
                }
            }
            Done::Asked(parcels, Err(error)) => {
                let fields = serde_json::json!({ "error": error.to_string() });
                log("warn", self.app.service.name, "notifications not told", fields);
                let until = self.app.now().plus(PAUSE);
                for parcel in parcels {
                    self.held.insert(parcel.person, Some(until));
                    for share in &parcel.shares {
                        if let Some(stream) = self.streams.get_mut(&share.stream) {
                            stream.behind = true;
                        }
                    }
                }
            }
        }
    }

    /// A comment where nothing was written for a while.
    fn beat(&mut self, now: Instant) {
        let quiet = self.streams.iter().filter(|(_, stream)| now >= stream.written.plus(model::HEARTBEAT));
        for stream in quiet.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.write(stream, HEARTBEAT.to_owned());
        }
    }

    /// Begins to write, unless there is nothing, or something is being written.
    fn write(&mut self, number: i64, text: String) {
        let now = self.app.now();
        if let Some(stream) = self.streams.get_mut(&number)
            && !text.is_empty()
            && let Some(outlet) = stream.outlet.take()
        {
            stream.written = now;
            self.work.push(work::write(number, outlet, text));
        }
    }

    /// Ends a stream. What is being written to it is the last.
    fn end(&mut self, stream: i64) {
        if self.streams.remove(&stream).is_some() {
            self.people = None;
        }
    }
}

/// A page after the number `seq` of a person whose last one is `head`.
fn share_of(stream: i64, seq: i64, head: i64) -> Share {
    let end = seq.saturating_add(PAGE);
    match head <= end {
        true => Share { stream, until: i64::MAX, then: head, more: false },
        false => Share { stream, until: end, then: end, more: true },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_behind_goes_on_page_by_page() {
        assert_eq!(share_of(1, 5, 5), Share { stream: 1, until: i64::MAX, then: 5, more: false });
        assert_eq!(share_of(1, 5, 105), Share { stream: 1, until: i64::MAX, then: 105, more: false });
        assert_eq!(share_of(1, 5, 106), Share { stream: 1, until: 105, then: 105, more: true });
    }
}
