//! The front door: connections, routes and the headers a component finds on its request.

use crate::allowed_hosts::is_chaining_host;
use crate::body::{IdleLimit, empty, full};
use crate::imports::outbound_http::bare_response;
use crate::instances::{Alive, Starter};
use crate::routes::{RouteMatch, Router};
use anyhow::{Context as _, Result, bail};
use http::header::{CONNECTION, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::HashMap;
use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use wasmtime_wasi_http::handler::{InstantiationError, ProxyHandler};
use wasmtime_wasi_http::{Error, WasiBody};

/// How long a client may take to send its headers; also how long a kept connection may idle. No round number:
/// a client that asks every 10 or 15 seconds would meet the very moment its connection closes.
const HEADER_LIMIT: Duration = Duration::from_secs(13);

/// How long a client may be silent in the middle of a body.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// How long the host waits, when told to stop, for what is in flight.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How long a request waits for an instance when there are no more, and how often it looks.
const INSTANCE_LIMIT: Duration = Duration::from_secs(5);
const INSTANCE_RETRY: Duration = Duration::from_millis(20);

/// Connections at once; further ones wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 4_096;

/// The path of the host's own answers.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// The client address of a chained call, which has none.
const NO_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The application: its routes, its components, its address.
pub struct App {
    router: Router,
    services: HashMap<String, ProxyHandler<Starter>>,
    local_addr: SocketAddr,
}

impl App {
    /// An application that is reached at `local_addr`.
    pub fn new(
        router: Router,
        services: HashMap<String, ProxyHandler<Starter>>,
        local_addr: SocketAddr,
    ) -> Self {
        Self { router, services, local_addr }
    }

    /// Where the application listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Answers a request from the network.
    async fn answer(&self, mut request: Request<WasiBody>, client: SocketAddr) -> Response<WasiBody> {
        let headers = request.headers_mut();
        if headers.get(HOST).and_then(|host| host.to_str().ok()).is_some_and(is_chaining_host) {
            headers.remove(HOST);
        }
        headers.remove(CONNECTION);
        if let Some(name) = request.uri().path().strip_prefix(WELL_KNOWN) {
            return if name == "health" {
                Response::new(full("OK"))
            } else {
                bare_response(StatusCode::NOT_FOUND)
            };
        }
        let Some(found) = self.router.find(request.uri().path()) else {
            return bare_response(StatusCode::NOT_FOUND);
        };
        let Some(service) = self.services.get(&found.component) else {
            return bare_response(StatusCode::INTERNAL_SERVER_ERROR);
        };
        self.call(service, request, &found, client).await
    }

    /// Answers a request from another component.
    pub async fn chain(
        &self,
        component: &str,
        request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, Error> {
        let Some(service) = self.services.get(component) else {
            return Err(Error::DestinationNotFound);
        };
        let found = RouteMatch::chained(component, request.uri().path());
        Ok(self.call(service, request, &found, NO_CLIENT).await)
    }

    async fn call(
        &self,
        service: &ProxyHandler<Starter>,
        mut request: Request<WasiBody>,
        found: &RouteMatch,
        client: SocketAddr,
    ) -> Response<WasiBody> {
        let Some(uri) = absolute_uri(request.uri(), request.headers()) else {
            return bare_response(StatusCode::BAD_REQUEST);
        };
        *request.uri_mut() = uri;
        add_spin_headers(&mut request, found, client);
        let log = &service.state().env.log;
        let start = Instant::now();
        loop {
            let error = match service.handle((), request).await {
                Ok(response) => return response,
                Err(error) => error,
            };
            // All instances are taken: the request comes back whole, and one may be free in a moment.
            match error.downcast::<InstantiationError<()>>() {
                Ok(full) if start.elapsed() < INSTANCE_LIMIT => {
                    request = full.request.into_inner().unwrap_or_else(PoisonError::into_inner);
                    tokio::time::sleep(INSTANCE_RETRY).await;
                }
                Ok(full) => {
                    log.print(format!("no instance could be started: {}", full.error).as_bytes());
                    return bare_response(StatusCode::SERVICE_UNAVAILABLE);
                }
                Err(error) => {
                    log.print(format!("the request failed: {error}").as_bytes());
                    return bare_response(StatusCode::INTERNAL_SERVER_ERROR);
                }
            }
        }
    }
}

/// The request's address with scheme and authority, or nothing where header and request line disagree.
fn absolute_uri(uri: &Uri, headers: &HeaderMap) -> Option<Uri> {
    let header = match headers.get(HOST) {
        Some(host) => Some(host.to_str().ok()?.parse::<Authority>().ok()?),
        None => None,
    };
    let mut parts = uri.clone().into_parts();
    let authority = match (header, parts.authority.take()) {
        (Some(header), Some(line)) if header != line => return None,
        (Some(authority), _) | (None, Some(authority)) => authority,
        (None, None) => return None,
    };
    parts.authority = Some(authority);
    parts.scheme = Some(Scheme::HTTP);
    Uri::from_parts(parts).ok()
}

/// Adds what Spin tells a component about its route. Like Spin it adds and does not replace: the last value of
/// each is the host's, whatever the client sent.
fn add_spin_headers<B>(request: &mut Request<B>, found: &RouteMatch, client: SocketAddr) {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let full_url = format!("http://{host}{path}");
    let headers = request.headers_mut();
    let mut add = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(name, value);
        }
    };
    add(HeaderName::from_static("spin-path-info"), &found.path_info);
    add(HeaderName::from_static("spin-full-url"), &full_url);
    add(HeaderName::from_static("spin-matched-route"), &found.based_route);
    add(HeaderName::from_static("spin-base-path"), "/");
    add(HeaderName::from_static("spin-raw-component-route"), &found.raw_route);
    add(HeaderName::from_static("spin-component-route"), found.route_prefix());
    add(HeaderName::from_static("spin-client-addr"), &client.to_string());
    for (parameter, value) in &found.parameters {
        let name = format!("spin-path-match-{}", parameter.to_ascii_lowercase().replace('_', "-"));
        if let Ok(name) = HeaderName::try_from(name) {
            add(name, value);
        }
    }
}

/// Opens the port.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!(
                "{address} is in use: stop what listens there, or choose another with --listen (port 0 takes a free one)"
            )
        }
        Err(error) => {
            Err(error).with_context(|| format!("cannot listen on {address}: choose another with --listen"))
        }
    }
}

/// Serves until `stop` is done, then until what is in flight has ended or has had its time.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stopping: watch::Sender<bool>,
    alive: Alive,
    mut ended: mpsc::Receiver<Infallible>,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => match accepted {
                Ok((stream, client, place)) => {
                    let serving = connection(stream, client, app.clone(), stopping.subscribe());
                    let held = (place, alive.clone());
                    tokio::spawn(async move {
                        serving.await;
                        drop(held);
                    });
                }
                // Out of file handles, most likely: some will come free.
                Err(error) => {
                    eprintln!("[host] cannot accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    drop(listener);
    stopping.send_replace(true);
    drop(alive);
    if tokio::time::timeout(STOP_LIMIT, ended.recv()).await.is_err() {
        eprintln!("[host] stopped with work unfinished after {} s", STOP_LIMIT.as_secs());
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await?;
    let (stream, client) = listener.accept().await?;
    Ok((stream, client, place))
}

async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    app: Arc<App>,
    mut stopping: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(app.answer(request.map(bounded), client).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT);
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    // A broken connection is the client's affair, and common: nothing is logged.
    tokio::select! {
        _ = serving.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}

fn bounded(body: Incoming) -> WasiBody {
    if body.is_end_stream() {
        return empty();
    }
    IdleLimit::new(body.map_err(Error::from), BODY_LIMIT).boxed_unsync()
}
