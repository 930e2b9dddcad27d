//! What this service tells and hears. Triggers do both (`migrations/`); here is who has to erase.

use shared::events::CATALOGUE;

/// The services that hear of deletions, and so have to erase and to export: each once.
pub fn erasing_services() -> Vec<&'static str> {
    let mut services: Vec<&str> = CATALOGUE
        .iter()
        .filter(|kind| kind.name == "user.deleted")
        .flat_map(|kind| kind.subscribers)
        .copied()
        .collect();
    services.dedup();
    services
}
