//! Time zones by name, from 2026 on (`build.rs`): for quiet hours, and for what day it is where somebody is.

use jiff::tz::TimeZone;

/// A line for each rule, as POSIX writes it, and the zones that follow it.
const RULES: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.txt"));

/// The zone called `name`.
pub fn find(name: &str) -> Option<TimeZone> {
    if let Some(data) = irregular(name) {
        return TimeZone::tzif(name, data).ok();
    }
    let mut lines = RULES.lines().filter_map(|line| line.split_once(' '));
    let (rule, _) = lines.find(|(_, names)| names.split(' ').any(|one| one == name))?;
    TimeZone::posix(rule).ok()
}

/// One that follows no rule.
fn irregular(name: &str) -> Option<&'static [u8]> {
    include!(concat!(env!("OUT_DIR"), "/irregular.rs"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::tz::TimeZoneDatabase;

    #[test]
    fn every_zone_that_users_admits_is_known_and_as_the_whole_database_has_it() {
        let whole = TimeZoneDatabase::bundled();
        for name in include_str!("../../components/users/src/time_zones.txt").lines() {
            let (ours, theirs) = (find(name).unwrap_or_else(|| panic!("{name}")), whole.get(name).unwrap());
            // Every twelve hours for six years.
            for step in 0..4_383 {
                let at = Timestamp::from_second(1_767_225_600 + step * 43_200).unwrap();
                assert_eq!(ours.to_offset(at), theirs.to_offset(at), "{name} {at}");
            }
        }
        assert!(irregular("Africa/Casablanca").is_some(), "whose clocks follow the moon");
        for unknown in ["Mars/Olympus", "", "CET-1CEST,M3.5.0,M10.5.0/3", "Europe"] {
            assert!(find(unknown).is_none(), "{unknown}");
        }
    }
}
