//! All SQL of the service, by noun. Who may see what is inside each statement.

mod internal;
mod log;
mod streams;
mod sweeps;
mod tickets;

pub use internal::*;
pub use log::*;
pub use streams::*;
pub use sweeps::*;
pub use tickets::*;
