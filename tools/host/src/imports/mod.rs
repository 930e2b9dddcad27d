//! What a component may import, one file for each interface, and the state of one instance.
//!
//! The traits are generated from the WIT under `wit/`, the contract the SDK publishes; the files beside this
//! one implement them for [`Ctx`].

pub mod key_value;
pub mod outbound_http;
pub mod sqlite;
pub mod variables;
pub mod wasi;

use crate::allowed_hosts::AllowedHosts;
use crate::logs::LogSink;
use anyhow::Result;
use outbound_http::Outbound;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime::ResourceLimiter;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "imports",
        // The WIT's blocking functions wait on the host, so they are async here as well.
        imports: { default: async | trappable },
        with: {
            "spin:sqlite/sqlite.connection": super::sqlite::Connection,
            "spin:key-value/key-value.store": super::key_value::Store,
        },
        trappable_error_type: {},
    });
}

/// What all instances of one component share.
pub struct ComponentEnv {
    /// Its id in the manifest.
    pub name: String,
    /// Its variables, rendered.
    pub variables: HashMap<String, String>,
    /// Where it may send requests.
    pub allowed_hosts: AllowedHosts,
    /// The databases it may open, by label.
    pub databases: HashMap<String, Arc<sqlite::Database>>,
    /// The stores it may open, by label.
    pub stores: HashMap<String, key_value::Store>,
    /// Where its output goes.
    pub log: Arc<LogSink>,
    /// Sends its requests.
    pub gateway: Arc<outbound_http::Gateway>,
    /// The largest linear memory one of its instances had, in bytes.
    pub largest_memory: AtomicUsize,
}

/// The state of one instance.
pub struct Ctx {
    env: Arc<ComponentEnv>,
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    outbound: Outbound,
    open_connections: usize,
    open_stores: usize,
}

impl Ctx {
    /// The state of a fresh instance of `env`'s component.
    pub fn new(env: Arc<ComponentEnv>) -> Self {
        Self {
            wasi: wasi::context(&env),
            table: ResourceTable::new(),
            http: WasiHttpCtx::new(),
            outbound: Outbound::new(env.clone()),
            env,
            open_connections: 0,
            open_stores: 0,
        }
    }

    /// How wasmtime-wasi-http reaches its part of the state.
    pub fn http_view(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}

/// Refuses nothing: the pool bounds memories. It notes how large they grow.
impl ResourceLimiter for Ctx {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.env.largest_memory.fetch_max(desired, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl WasiView for Ctx {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Ctx {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.http_view()
    }
}

/// Offers every import there is.
pub fn add_to_linker(linker: &mut Linker<Ctx>) -> Result<()> {
    wasi::add_to_linker(linker)?;
    bindings::spin::sqlite::sqlite::add_to_linker::<_, HasSelf<Ctx>>(linker, own)?;
    bindings::spin::key_value::key_value::add_to_linker::<_, HasSelf<Ctx>>(linker, own)?;
    bindings::spin::variables::variables::add_to_linker::<_, HasSelf<Ctx>>(linker, own)?;
    Ok(())
}

fn own(ctx: &mut Ctx) -> &mut Ctx {
    ctx
}
