//! Compiles the components and keeps what was compiled.
//!
//! Compilation takes seconds for each component, so its result is cached on disk by wasmtime, keyed by the
//! component's bytes, wasmtime's version and the settings below. The second start reads it back.

use crate::imports::{self, Ctx};
use anyhow::{Context as _, Result, anyhow, bail};
use std::path::Path;
use std::time::{Duration, Instant};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// Instances alive at once, of all components together.
const MOST_INSTANCES: u32 = 1_000;

/// How long a component computes before others get their turn on its thread.
pub const TURN: Duration = Duration::from_millis(10);

/// A compile slower than this is told.
const SLOW_COMPILE: Duration = Duration::from_secs(1);

/// What every component may import from, for the sentence that refuses anything else.
const OFFERED: [&str; 10] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:http/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
    "spin:key-value/key-value@3.0.0",
    "spin:sqlite/sqlite@3.1.0",
    "spin:variables/variables@3.0.0",
];

/// The engine with everything a component may import.
pub struct Compiler {
    engine: Engine,
    linker: Linker<Ctx>,
}

impl Compiler {
    /// An engine that caches in `cache_dir`.
    pub fn new(cache_dir: &Path) -> Result<Self> {
        let engine = make_engine(cache_dir)?;
        let mut linker = Linker::new(&engine);
        imports::add_to_linker(&mut linker)?;
        let ticking = engine.weak();
        // The clock by which a computing component gives way; it ends with the engine.
        std::thread::Builder::new().name("turns".to_owned()).spawn(move || {
            while let Some(engine) = ticking.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TURN);
            }
        })?;
        Ok(Self { engine, linker })
    }

    /// Compiles one component, or finds it compiled, and checks what it imports and exports.
    pub fn compile(&self, name: &str, path: &Path) -> Result<ServicePre<Ctx>> {
        if !path.is_file() {
            bail!(
                "component `{name}`: the file {} is missing: build it with `cargo build --release --target wasm32-wasip2`",
                path.display()
            );
        }
        let start = Instant::now();
        let component = Component::from_file(&self.engine, path).map_err(|error| {
            anyhow!("component `{name}`: {} is no component wasmtime can run: {error:#}", path.display())
        })?;
        if start.elapsed() > SLOW_COMPILE {
            eprintln!("[host] compiled {name} in {:.1} s", start.elapsed().as_secs_f64());
        }
        let pre: InstancePre<Ctx> = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| self.refuse_import(name, &component, &error))?;
        ServicePre::new(pre).map_err(|_| {
            anyhow!("component `{name}` does not export wasi:http/handler@0.3.0: build it with spin-sdk 7 and `#[http_service]`")
        })
    }

    fn refuse_import(&self, name: &str, component: &Component, error: &wasmtime::Error) -> anyhow::Error {
        let component = component.component_type();
        let unknown = component
            .imports(&self.engine)
            .map(|(import, _)| import)
            .find(|import| !OFFERED.iter().any(|offered| import.starts_with(offered)));
        match unknown {
            Some(import) => anyhow!(
                "component `{name}` imports {import}, which this host does not have: do without it, or run the application with `spin up`"
            ),
            None => anyhow!("component `{name}` imports what this host has not in that version: {error:#}"),
        }
    }
}

fn make_engine(cache_dir: &Path) -> Result<Engine> {
    std::fs::create_dir_all(cache_dir).with_context(|| {
        format!("cannot make the cache directory {}: give another with --cache-dir", cache_dir.display())
    })?;
    let cache_dir = std::path::absolute(cache_dir)?;
    let mut settings = CacheConfig::new();
    settings.with_directory(&cache_dir);
    let cache = Cache::new(settings).map_err(|error| {
        anyhow!(
            "the cache directory {} cannot be used: {error:#}: give another with --cache-dir",
            cache_dir.display()
        )
    })?;
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .cache(Some(cache));
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    match Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(_) => {
            // The pool reserves terabytes of addresses, which not every machine has to give.
            eprintln!(
                "[host] this machine has too little address space for the instance pool: instances start slower"
            );
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            Ok(Engine::new(&config)?)
        }
    }
}

/// Memory set aside in advance, so that a fresh instance takes microseconds.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(MOST_INSTANCES)
        .total_memories(MOST_INSTANCES)
        .total_tables(2 * MOST_INSTANCES)
        .total_stacks(MOST_INSTANCES)
        .total_core_instances(4 * MOST_INSTANCES)
        .table_elements(100_000)
        .max_core_instances_per_component(64)
        .max_memories_per_component(8)
        .max_tables_per_component(16)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        // A page kept mapped is a page fault saved when its slot is used again.
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(256 << 10);
    pool
}
