#![doc = include_str!("../README.md")]

pub mod allowed_hosts;
mod body;
pub mod database;
mod engine;
mod imports;
mod instances;
pub mod logs;
pub mod manifest;
pub mod options;
pub mod routes;
pub mod runtime_config;
mod server;
pub mod variables;

use crate::allowed_hosts::AllowedHosts;
use crate::database::Database;
use crate::engine::Compiler;
use crate::imports::key_value::{Store, StoreFile};
use crate::imports::outbound_http::Gateway;
use crate::imports::{ComponentEnv, Ctx};
use crate::instances::Starter;
use crate::logs::LogSink;
use crate::manifest::Manifest;
use crate::options::Options;
use crate::routes::Router;
use crate::runtime_config::{Places, RuntimeConfig};
use crate::server::App;
use crate::variables::Variables;
use anyhow::{Context as _, Result};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// Loads the application and serves it until `stop` is done. `ready` hears the address once requests are
/// answered.
pub async fn run(
    options: &Options,
    ready: impl FnOnce(std::net::SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let working_dir =
        std::env::current_dir().context("the working directory cannot be read: start in another")?;
    let app_dir = options.from.parent().unwrap_or(Path::new("."));
    let manifest = manifest::load(&options.from)?;
    let (config, state_dir) = runtime_config::load(&Places {
        file: options.runtime_config.as_deref(),
        working_dir: &working_dir,
        state_dir: options.state_dir.as_deref(),
        app_dir,
    })?;
    config.check_labels(&manifest)?;
    let variables = Variables::resolve(&manifest, &options.variables, |name| std::env::var(name).ok())?;
    // Before anything is compiled: a busy port is told at once.
    let listener = server::listen(options.listen).await?;
    let local_addr = listener.local_addr()?;

    let cache_dir = options.cache_dir.clone().unwrap_or_else(|| default_cache_dir(app_dir, &state_dir));
    let gateway = Arc::new(Gateway::new()?);
    let envs = environments(&manifest, &config, &variables, &gateway)?;
    let measured = envs.clone();
    let compiled = tokio::task::block_in_place(|| compile_all(&Compiler::new(&cache_dir)?, &manifest))?;

    let (stopping, stopping_seen) = watch::channel(false);
    let (alive, ended) = mpsc::channel(1);
    let services = compiled
        .into_iter()
        .zip(envs)
        .map(|((name, pre), env)| {
            let starter = Starter {
                pre,
                env,
                most_requests: options.most_requests,
                stopping: stopping_seen.clone(),
                alive: alive.downgrade(),
            };
            (name, ProxyHandler::new(starter))
        })
        .collect();
    let app = Arc::new(App::new(public_routes(&manifest)?, services, local_addr));
    gateway.join(&app);
    ready(local_addr);
    server::serve(listener, app, stopping, alive, ended, stop).await;
    options.memory_file.as_deref().map_or(Ok(()), |file| write_memory(file, &measured))
}

/// `{"<component>": <bytes>}`.
fn write_memory(file: &Path, envs: &[Arc<ComponentEnv>]) -> Result<()> {
    let members: Vec<String> = envs
        .iter()
        .map(|env| format!("{:?}:{}", env.name, env.largest_memory.load(Ordering::Relaxed)))
        .collect();
    std::fs::write(file, format!("{{{}}}", members.join(",")))
        .with_context(|| format!("cannot write {}: choose another --memory-file", file.display()))
}

fn public_routes(manifest: &Manifest) -> Result<Router> {
    let public = manifest
        .triggers
        .iter()
        .filter_map(|trigger| trigger.route.clone().map(|route| (route, trigger.component.clone())));
    let (router, duplicates) = Router::build(public)?;
    for duplicate in duplicates {
        eprintln!("[host] {duplicate}");
    }
    Ok(router)
}

/// `target/` beside the manifest outlives a state directory that is thrown away after each test.
fn default_cache_dir(app_dir: &Path, state_dir: &Path) -> PathBuf {
    let target = app_dir.join("target");
    if target.is_dir() { target.join("host-cache") } else { state_dir.join("cache") }
}

/// The components that a trigger names, in order: no other can be reached.
fn served(manifest: &Manifest) -> BTreeMap<&str, &manifest::Component> {
    let ids: std::collections::BTreeSet<_> =
        manifest.triggers.iter().map(|trigger| &trigger.component).collect();
    manifest
        .components
        .iter()
        .filter(|(id, _)| ids.contains(id))
        .map(|(id, component)| (id.as_str(), component))
        .collect()
}

/// Compiles the components side by side; each compilation also uses several threads of its own.
fn compile_all(compiler: &Compiler, manifest: &Manifest) -> Result<Vec<(String, ServicePre<Ctx>)>> {
    let components = served(manifest);
    let waiting = Mutex::new(components.iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let mut done = BTreeMap::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    while let Some((name, component)) = next() {
                        mine.push(((*name).to_owned(), compiler.compile(name, &component.source)));
                    }
                    mine
                })
            })
            .collect();
        for worker in workers {
            if let Ok(mine) = worker.join() {
                done.extend(mine);
            }
        }
    });
    done.into_iter().map(|(name, compiled)| Ok((name, compiled?))).collect()
}

/// What each component's instances share, in the order of [`served`].
fn environments(
    manifest: &Manifest,
    config: &RuntimeConfig,
    variables: &Variables,
    gateway: &Arc<Gateway>,
) -> Result<Vec<Arc<ComponentEnv>>> {
    let mut databases: HashMap<&str, Arc<Database>> = HashMap::new();
    let mut files: HashMap<Option<&Path>, Arc<StoreFile>> = HashMap::new();
    let mut envs = Vec::new();
    for (name, component) in served(manifest) {
        let mut env = ComponentEnv {
            name: name.to_owned(),
            variables: variables.render_all(name, &component.variables)?,
            allowed_hosts: AllowedHosts::parse(&component.allowed_outbound_hosts, variables)
                .with_context(|| format!("component `{name}`"))?,
            databases: HashMap::new(),
            stores: HashMap::new(),
            log: LogSink::new(name, variables.secrets()),
            gateway: gateway.clone(),
            largest_memory: AtomicUsize::new(0),
        };
        for label in &component.sqlite_databases {
            let Some(settings) = config.sqlite.get(label) else {
                continue;
            };
            make_parent(settings.path.as_deref())?;
            let database = databases.entry(label).or_insert_with(|| {
                Arc::new(Database::new(settings.path.clone(), settings.allow_attach_file))
            });
            env.databases.insert(label.clone(), database.clone());
        }
        for label in &component.key_value_stores {
            let Some(path) = config.key_value.get(label).map(Option::as_deref) else {
                continue;
            };
            make_parent(path)?;
            let file = match files.entry(path) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    let file = StoreFile::open(path).with_context(|| {
                        format!("the key-value store `{label}` cannot be opened: check its path")
                    })?;
                    place.insert(file)
                }
            };
            env.stores.insert(label.clone(), Store::new(file.clone(), label));
        }
        envs.push(Arc::new(env));
    }
    Ok(envs)
}

fn make_parent(path: Option<&Path>) -> Result<()> {
    match path.and_then(Path::parent) {
        Some(dir) => std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot make the directory {}: choose another", dir.display())),
        None => Ok(()),
    }
}
