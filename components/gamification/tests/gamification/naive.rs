//! Points as the README has them, counted the plain way from the causes that stand.

use std::collections::BTreeMap;

use jiff::civil::Date;

/// Kind, points, how many a day from one person, how many a day.
const KINDS: [(&str, usize, usize, usize); 6] = [
    ("post", 10, 10, 10),
    ("comment", 3, 3, 30),
    ("scoop", 5, 5, 5),
    ("commented", 2, 3, 50),
    ("reacted", 1, 5, 100),
    ("followed", 2, 1, 50),
];

/// A cause that stands.
#[derive(Clone, Debug)]
pub struct Cause {
    pub person: usize,
    pub kind: &'static str,
    /// The other person of it.
    pub partner: Option<usize>,
    pub at: String,
}

/// `board person points reached` of all who have points, sorted.
pub fn scores(causes: &[Cause]) -> Vec<String> {
    let mut days: BTreeMap<(usize, &str, String), Vec<&Cause>> = BTreeMap::new();
    for cause in causes {
        days.entry((cause.person, cause.kind, cause.at[..10].to_owned())).or_default().push(cause);
    }
    let mut scores: BTreeMap<(String, usize), (usize, String)> = BTreeMap::new();
    for ((person, kind, day), mut causes) in days {
        let (_, points, per_pair, per_day) = *KINDS.iter().find(|one| one.0 == kind).unwrap();
        causes.sort_by(|one, other| one.at.cmp(&other.at));
        let mut pairs: BTreeMap<Option<usize>, usize> = BTreeMap::new();
        causes.retain(|cause| {
            let of_pair = pairs.entry(cause.partner).or_default();
            *of_pair += 1;
            *of_pair <= per_pair
        });
        causes.truncate(per_day);
        let date: Date = day.parse().unwrap();
        let back = i64::from(date.weekday().to_monday_zero_offset());
        let monday = date.checked_sub(jiff::Span::new().days(back)).unwrap();
        for board in ["all".to_owned(), monday.to_string(), day[..7].to_owned()] {
            let score = scores.entry((board, person)).or_default();
            score.0 += causes.len() * points;
            score.1 = score.1.clone().max(causes.last().unwrap().at.clone());
        }
    }
    scores
        .into_iter()
        .map(|((board, person), (points, at))| format!("{board} {person} {points} {at}"))
        .collect()
}
