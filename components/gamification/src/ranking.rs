//! The ranks of a page. The statement that reads it tells the rank of its highest, and how many people there are for each number of points
//! from there down; the rest is counted here, where it costs less than a sum for each item.

/// Ranks from the highest of a page down to its lowest.
pub struct Ranking {
    /// Of the highest.
    rank: i64,
    /// Points, the most first, and how many people of the page's range have so many or more.
    down: Vec<(i64, i64)>,
}

impl Ranking {
    /// Of a page whose highest has `rank`. `people` is how many have how many points, `30 1,20 4` in any order, from the highest down to
    /// the lowest; of the lowest it does not matter.
    pub fn new(rank: i64, people: &str) -> Self {
        let pair = |pair: &str| {
            let (points, people) = pair.split_once(' ')?;
            Some((points.parse().ok()?, people.parse().ok()?))
        };
        let mut down: Vec<(i64, i64)> = people.split(',').filter_map(pair).collect();
        down.sort_unstable_by(|one, other| other.cmp(one));
        let mut sum = 0;
        for (_, people) in &mut down {
            sum += *people;
            *people = sum;
        }
        Self { rank, down }
    }

    /// The rank of so many points: as many further on as there are people between.
    pub fn of(&self, points: i64) -> i64 {
        let more = self.down.partition_point(|(above, _)| *above > points);
        self.rank + more.checked_sub(1).and_then(|last| self.down.get(last)).map_or(0, |(_, people)| *people)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_share_a_rank_and_the_next_is_as_many_further_on() {
        let ranking = Ranking::new(5, "20 4,30 1,25 2");
        assert_eq!([30, 25, 20, 10].map(|points| ranking.of(points)), [5, 6, 8, 12]);
        assert_eq!(ranking.of(22), 8, "whom nobody between has");
    }

    #[test]
    fn a_page_of_equals_has_one_rank() {
        assert_eq!(Ranking::new(7, "").of(10), 7);
    }
}
