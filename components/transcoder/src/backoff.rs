//! How long to wait before trying again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// What the first wait is made of.
const BASE: Duration = Duration::from_millis(250);

/// The wait before attempt `failed + 1`: doubled each time up to `longest`, and between half of that and all
/// of it, so that workers which lost the same server do not come back in step.
pub fn delay(failed: u32, longest: Duration) -> Duration {
    jittered(failed, longest, random())
}

fn jittered(failed: u32, longest: Duration, fraction: f64) -> Duration {
    let whole = BASE.saturating_mul(1 << failed.saturating_sub(1).min(16)).min(longest);
    whole.mul_f64(0.5 + fraction / 2.0)
}

/// Between 0 and 1. The standard library seeds its hashers at random, which is as good as jitter needs.
fn random() -> f64 {
    f64::from(RandomState::new().hash_one(()) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_up_to_the_longest() {
        let longest = Duration::from_secs(5);
        let waits: Vec<_> = (1..8).map(|failed| jittered(failed, longest, 1.0).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!(jittered(u32::MAX, longest, 1.0), longest);
    }

    #[test]
    fn jitter_takes_at_most_half_away() {
        let longest = Duration::from_secs(5);
        assert_eq!(jittered(3, longest, 0.0).as_millis(), 500);
        for _ in 0..100 {
            let wait = delay(3, longest).as_millis();
            assert!((500..=1000).contains(&wait), "{wait}");
        }
    }
}
