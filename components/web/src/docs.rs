//! Answers that handlers build, as the document shows them.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::error::Problem;
use utoipa::ToSchema;

/// Whether something is well.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is.
    Ok,
    /// It is not.
    Failing,
}

/// The process is well: else it would not answer.
#[derive(Deserialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: Status,
}

/// A service and its database.
#[derive(Deserialize, ToSchema)]
pub struct ServiceHealth {
    /// The service.
    pub status: Status,
    /// Its database.
    pub database: Status,
}

/// Every service is ready.
#[derive(Deserialize, ToSchema)]
pub struct Readiness {
    /// Always `ok`.
    pub status: Status,
    /// Each, by name.
    pub services: BTreeMap<String, ServiceHealth>,
}

/// A problem that says which service is not ready.
#[derive(Deserialize, ToSchema)]
pub struct NotReady {
    /// As every refusal.
    #[serde(flatten)]
    pub problem: Problem,
    /// Each, by name.
    pub services: BTreeMap<String, ServiceHealth>,
}
