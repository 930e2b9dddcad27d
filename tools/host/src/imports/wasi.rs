//! WASI itself: 0.3 for the SDK, 0.2 for Rust's standard library on `wasm32-wasip2`.
//!
//! A component gets clocks, random numbers and its two output streams. It gets no file system, no socket, no
//! environment and no arguments: those interfaces are there, because the standard library imports them, and
//! empty.

use super::{ComponentEnv, Ctx};
use crate::logs::LogStream;
use anyhow::Result;
use wasmtime::component::Linker;
use wasmtime_wasi::{WasiCtx, p2, p3};

/// The WASI state of a fresh instance.
pub fn context(env: &ComponentEnv) -> WasiCtx {
    WasiCtx::builder()
        .stdout(LogStream::new(env.log.clone()))
        .stderr(LogStream::new(env.log.clone()))
        .allow_tcp(false)
        .allow_udp(false)
        .build()
}

/// Offers both WASIs and `wasi:http` 0.3.
pub fn add_to_linker(linker: &mut Linker<Ctx>) -> Result<()> {
    p2::add_to_linker_async(linker)?;
    p3::add_to_linker(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    Ok(())
}
