//! What this service tells, typed. What it hears is applied by the triggers of `migrations/0002_events.sql`.

pub use shared::events::ErasureCompleted;
