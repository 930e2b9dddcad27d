//! `spin:variables`: a component reads its own variables.

use super::Ctx;
use super::bindings::spin::variables::variables::{Error, Host, HostWithStore};
use crate::variables::name_fault;
use wasmtime::component::{Accessor, HasSelf};

impl Host for Ctx {}

impl<T: 'static> HostWithStore<T> for HasSelf<Ctx> {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        if let Some(fault) = name_fault(&name) {
            return Ok(Err(Error::InvalidName(fault)));
        }
        Ok(accessor.with(|mut access| {
            let env = &access.get().env;
            env.variables
                .get(&name)
                .cloned()
                .ok_or_else(|| Error::Undefined(format!("no variable for {:?}.{name:?}", env.name)))
        }))
    }
}
