//! The server: connections, and what they may take of time.

use std::convert::Infallible;
use std::time::Duration;

use http::header::EXPECT;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::Body;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Objects;
use crate::body::Shared;

/// How long a client may take to send its headers; also how long a kept connection may idle.
const HEADER_LIMIT: Duration = Duration::from_secs(65);
/// How long the server waits, when told to stop, for what is in flight.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Serves until `stop` is done, then until what is in flight has ended or has had its time.
pub async fn serve(objects: Objects, listener: TcpListener, stop: impl Future<Output = ()>) {
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(objects.clone(), stream, stopped.clone()));
                }
                // Out of file handles, most likely: some will come free.
                Err(error) => {
                    eprintln!("[objects] cannot accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_LIMIT, ended).await.is_err() {
        eprintln!("[objects] stopped with requests unfinished after {} s", STOP_LIMIT.as_secs());
    }
}

async fn connection(objects: Objects, stream: TcpStream, mut stopping: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let objects = objects.clone();
        async move { Ok::<_, Infallible>(answer(&objects, request).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        _ = serving.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    serving.as_mut().graceful_shutdown();
    // A client that went away is no news.
    let _ = serving.await;
}

async fn answer(objects: &Objects, request: http::Request<hyper::body::Incoming>) -> http::Response<Body> {
    // One that waits for leave to send has sent nothing yet.
    let waits = request.headers().contains_key(EXPECT);
    let (parts, incoming) = request.into_parts();
    let body = Shared::new(incoming);
    let request = http::Request::from_parts(parts, Body::http_body(body.clone()));
    let response = objects.respond(request).await;
    if !waits && !response.status().is_success() {
        body.drain().await;
    }
    response
}
