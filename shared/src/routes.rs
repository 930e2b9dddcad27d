//! The routes of a service. A public one cannot be added without its document, an internal one has none.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, Route};
use tower_layer::Layer;
use tower_service::Service;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::app::Ctx;

/// Where what is not public begins: other services and workers call it, and no document shows it.
const NOT_PUBLIC: [&str; 2] = ["/internal/", "/worker/"];

/// The routes of a service, each public one with its document.
#[derive(Default)]
pub struct Routes(OpenApiRouter<Ctx>);

impl Routes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Public ones, all of one path: `.public(routes!(get_post, update_post))`. Method, path and
    /// document are those of `#[utoipa::path]` on the handler.
    pub fn public(self, routes: UtoipaMethodRouter<Ctx>) -> Self {
        Self(self.0.routes(routes))
    }

    /// One that is not public, below `/internal/` or `/worker/`.
    ///
    /// # Panics
    /// Where it is of another path: at the start, so in every test.
    pub fn internal(self, path: &str, routes: MethodRouter<Ctx>) -> Self {
        assert!(NOT_PUBLIC.iter().any(|prefix| path.starts_with(prefix)), "{path} needs a document");
        Self(self.0.route(path, routes))
    }

    /// Lays `layer` around the routes added so far.
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self(self.0.layer(layer))
    }

    /// Them for axum.
    pub(crate) fn into_router(self) -> Router<Ctx> {
        self.0.into()
    }

    /// What the handlers say of themselves; [`crate::openapi`] completes it.
    pub(crate) fn into_openapi(self) -> OpenApi {
        self.0.into_openapi()
    }
}

impl From<Router<Ctx>> for Routes {
    fn from(router: Router<Ctx>) -> Self {
        Self(router.into())
    }
}
