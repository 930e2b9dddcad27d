//! Requests a component sends: to the network, to another component, or to the application itself.
//!
//! Every one is held against the component's `allowed_outbound_hosts` first. `http://<id>.spin.internal` is
//! handed to that component in this process, without a socket. A host `self.alt`, or none, means the
//! application's own public routes and goes in by the front door.

use super::ComponentEnv;
use crate::allowed_hosts::chaining_target;
use crate::body::{IdleLimit, empty};
use crate::server::App;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// How long anything may take for which the component set no limit; Spin's figure.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends the requests of all components: one pool of connections, and the way back in for chained calls.
pub struct Gateway {
    client: Client<HttpsConnector<HttpConnector>, WasiBody>,
    app: OnceLock<Weak<App>>,
}

impl Gateway {
    /// A gateway not yet joined to an application.
    pub fn new() -> anyhow::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            // Named, because another crate of the workspace may bring a second provider.
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .build(connector);
        Ok(Self { client, app: OnceLock::new() })
    }

    /// Joins the application, once it is complete.
    pub fn join(&self, app: &Arc<App>) {
        let _ = self.app.set(Arc::downgrade(app));
    }

    fn app(&self) -> Result<Arc<App>, Error> {
        self.app.get().and_then(Weak::upgrade).ok_or(Error::ConnectionTerminated)
    }

    async fn send(
        &self,
        env: &ComponentEnv,
        mut request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let to_self = request.uri().host().is_none_or(|host| host.is_empty() || host == "self.alt");
        let allowed =
            if to_self { env.allowed_hosts.allow_self() } else { env.allowed_hosts.allow(request.uri()) };
        if !allowed {
            env.log.print(refusal(request.uri(), to_self).as_bytes());
            return Err(Error::HttpRequestDenied);
        }
        // The client writes the header from the address; a component's own would win over it.
        request.headers_mut().remove(HOST);
        if let Some(component) = chaining_target(request.uri()) {
            let component = component.to_owned();
            return self.app()?.chain(&component, request).await;
        }
        if to_self {
            *request.uri_mut() = self_uri(self.app()?.local_addr(), request.uri())?;
        }
        let wait = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT).min(DEFAULT_TIMEOUT)
            + options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let response = timeout(wait, self.client.request(request))
            .await
            .map_err(|_| Error::ConnectionReadTimeout)?
            .map_err(|error| client_error(&error))?;
        let idle = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
        Ok(response.map(|body| IdleLimit::new(body.map_err(Error::from), idle).boxed_unsync()))
    }
}

fn refusal(uri: &Uri, to_self: bool) -> String {
    let target = match (to_self, uri.scheme_str(), uri.authority()) {
        (false, Some(scheme), Some(authority)) => format!("{scheme}://{}", authority.host()),
        _ => "http://self".to_owned(),
    };
    // Without the path: a query may hold what no log should.
    format!(
        "a request to {target} was refused: add it to the component's allowed_outbound_hosts to permit it"
    )
}

fn self_uri(local: std::net::SocketAddr, uri: &Uri) -> Result<Uri, Error> {
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Authority::try_from(local.to_string()).ok();
    Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)
}

fn client_error(error: &ClientError) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut said = String::new();
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        if let Some(rustls::Error::InvalidCertificate(_)) = inner.downcast_ref() {
            return Error::TlsCertificateError;
        }
        if inner.is::<rustls::Error>() {
            return Error::TlsProtocolError;
        }
        if let Some(hyper) = inner.downcast_ref::<hyper::Error>()
            && hyper.is_incomplete_message()
        {
            return Error::ConnectionTerminated;
        }
        cause = match inner.downcast_ref::<std::io::Error>() {
            Some(io) => match io_error(io) {
                Some(error) => return error,
                // An io::Error passes over the error it wraps when asked for its source.
                None => io.get_ref().map(|wrapped| wrapped as _),
            },
            None => inner.source(),
        };
    }
    match error.is_connect() {
        // The connector keeps the type of this one to itself.
        true if said.contains("dns error") => {
            Error::DnsError { rcode: Some("address not available".to_owned()), info_code: None }
        }
        true => Error::DestinationUnavailable,
        false => Error::InternalError(Some(error.to_string())),
    }
}

fn io_error(error: &std::io::Error) -> Option<Error> {
    match error.kind() {
        ErrorKind::ConnectionRefused => Some(Error::ConnectionRefused),
        ErrorKind::TimedOut => Some(Error::ConnectionTimeout),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Some(Error::DestinationIpUnroutable),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
            Some(Error::ConnectionTerminated)
        }
        _ => None,
    }
}

/// One instance's way out.
pub struct Outbound {
    env: Arc<ComponentEnv>,
}

impl Outbound {
    /// The way out of an instance of `env`'s component.
    pub fn new(env: Arc<ComponentEnv>) -> Self {
        Self { env }
    }
}

type Sending = dyn Future<Output = Result<(), Error>> + Send;

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<Sending>,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Box<Sending>), Error>> + Send> {
        let env = self.env.clone();
        Box::new(async move {
            let gateway = env.gateway.clone();
            let response = gateway.send(&env, request, options.unwrap_or_default()).await?;
            // Errors of the connection arrive with the body; there is nothing further to wait for.
            Ok((response, Box::new(async { Ok(()) }) as Box<Sending>))
        })
    }
}

/// A response without a body.
pub fn bare_response(status: http::StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}
