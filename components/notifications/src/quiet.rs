//! Quiet hours, in the zone of the person: by the clock on their wall, whatever daylight saving makes of it.

use jiff::Timestamp;
use jiff::civil::Time;
use shared::clock::Instant;
use shared::wire::QuietHours;
use shared::zones;

/// The end of the quiet hours that hold at `now`; `None` where none hold, or they cannot be read.
pub fn quiet_until(hours: &QuietHours, now: Instant) -> Option<Instant> {
    let zone = zones::find(&hours.time_zone)?;
    let (start, end): (Time, Time) = (hours.start.parse().ok()?, hours.end.parse().ok()?);
    // They may run over midnight; from a time to the same one is never.
    let holds = |time: Time| match start <= end {
        true => start <= time && time < end,
        false => start <= time || time < end,
    };
    let at = Timestamp::from_millisecond(now.millis()).ok()?;
    let local = zone.to_datetime(at);
    if !holds(local.time()) {
        return None;
    }
    let is_today = local.time() < end;
    let day = if is_today { local.date() } else { local.date().tomorrow().ok()? };
    let end = zone.to_ambiguous_timestamp(day.to_datetime(end));
    let mut until = end.compatible().ok()?;
    // An hour that comes twice: this is the second time.
    if until <= at {
        until = end.later().ok()?;
    }
    // Where the clock is put on over the end, it is over there and then.
    let mut jumps = zone.following(at).map(|jump| jump.timestamp()).take_while(|jump| *jump < until);
    let over = jumps.find(|jump| !holds(zone.to_datetime(*jump).time()));
    Some(Instant::from_millis(over.unwrap_or(until).as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(start: &str, end: &str, zone: &str, now: &str) -> Option<String> {
        let hours = QuietHours { start: start.to_owned(), end: end.to_owned(), time_zone: zone.to_owned() };
        quiet_until(&hours, Instant::parse(now).unwrap()).map(Instant::rfc3339)
    }

    fn at(text: &str) -> Option<String> {
        Some(format!("{text}:00.000Z"))
    }

    #[test]
    fn they_hold_from_their_start_to_before_their_end_on_the_wall_of_the_person() {
        let berlin = |now: &str| until("22:00", "07:00", "Europe/Berlin", now);
        // In winter an hour ahead of UTC.
        assert_eq!(berlin("2026-01-10T20:59:59.999Z"), None);
        assert_eq!(berlin("2026-01-10T21:00:00Z"), at("2026-01-11T06:00"));
        assert_eq!(berlin("2026-01-11T00:30:00Z"), at("2026-01-11T06:00"));
        assert_eq!(berlin("2026-01-11T06:00:00Z"), None);
        let noon = |now: &str| until("12:00", "13:30", "Asia/Kolkata", now);
        assert_eq!(noon("2026-01-10T06:29:59Z"), None);
        assert_eq!(noon("2026-01-10T06:30:00Z"), at("2026-01-10T08:00"));
        assert_eq!(noon("2026-01-10T08:00:00Z"), None);
        assert_eq!(until("08:00", "08:00", "UTC", "2026-01-10T08:00:00Z"), None);
    }

    #[test]
    fn the_night_the_clocks_go_on_is_an_hour_shorter_and_the_other_an_hour_longer() {
        let berlin = |now: &str| until("22:00", "07:00", "Europe/Berlin", now);
        assert_eq!(berlin("2026-03-28T21:00:00Z"), at("2026-03-29T05:00"));
        assert_eq!(berlin("2026-03-29T04:59:59Z"), at("2026-03-29T05:00"));
        assert_eq!(berlin("2026-03-29T05:00:00Z"), None);
        assert_eq!(berlin("2026-10-24T20:00:00Z"), at("2026-10-25T06:00"));
        assert_eq!(berlin("2026-10-25T05:30:00Z"), at("2026-10-25T06:00"));
        assert_eq!(berlin("2026-10-25T06:00:00Z"), None);
    }

    #[test]
    fn an_end_that_the_clocks_pass_over_is_when_they_do() {
        // From 02:00 to 03:00, at 07:00 UTC.
        let new_york = |now: &str| until("22:00", "02:30", "America/New_York", now);
        assert_eq!(new_york("2026-03-08T05:00:00Z"), at("2026-03-08T07:00"));
        assert_eq!(new_york("2026-03-08T07:00:00Z"), None);
        // All of them passed over.
        assert_eq!(until("02:10", "02:50", "America/New_York", "2026-03-08T07:00:00Z"), None);
    }

    #[test]
    fn hours_that_come_twice_are_quiet_twice() {
        // 01:30 is at 05:30 and at 06:30 UTC.
        let new_york = |now: &str| until("01:00", "01:45", "America/New_York", now);
        assert_eq!(new_york("2026-11-01T05:30:00Z"), at("2026-11-01T05:45"));
        assert_eq!(new_york("2026-11-01T05:50:00Z"), None);
        assert_eq!(new_york("2026-11-01T06:30:00Z"), at("2026-11-01T06:45"));
        assert_eq!(new_york("2026-11-01T06:45:00Z"), None);
    }

    #[test]
    fn the_month_in_which_morocco_is_an_hour_behind_itself_is_known() {
        let morocco = |now: &str| until("22:00", "07:00", "Africa/Casablanca", now);
        assert_eq!(morocco("2026-01-10T23:00:00Z"), at("2026-01-11T06:00"));
        assert_eq!(morocco("2026-03-01T23:00:00Z"), at("2026-03-02T07:00"), "Ramadan");
        assert_eq!(until("22:00", "07:00", "Mars/Olympus", "2026-01-10T23:00:00Z"), None);
    }
}
