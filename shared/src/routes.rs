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
pub struct Routes {
    router: Router<Ctx>,
    documents: Vec<Document>,
    heard: Option<Heard>,
}

/// What a service does when it has heard events, besides what its triggers did: after the answer, so it may begin
/// work and wait for nothing.
pub type Heard = fn(&Ctx);

/// Makes the document of some routes. Few requests ask for it, and every instance would pay half a
/// millisecond for it at its start.
pub type Document = fn() -> UtoipaMethodRouter<Ctx>;

/// Public routes of one path, as [`routes!`](crate::routes!) makes them.
pub struct Public {
    /// The path of the first handler.
    pub path: String,
    /// Those of the others: the same.
    pub others: Vec<String>,
    /// The handlers by method.
    pub methods: MethodRouter<Ctx>,
    /// What they say of themselves.
    pub document: Document,
}

/// The public routes of one path: `shared::routes!(posts::get_post, posts::update_post)`. Method, path
/// and document are those of `#[utoipa::path]` on the handler.
#[macro_export]
macro_rules! routes {
    ($first:ident::$handler:ident $(, $other:ident::$another:ident)* $(,)?) => {
        utoipa_axum::paste! {
            $crate::routes::Public {
                path: <$first::[<__path_ $handler>] as utoipa::Path>::path(),
                others: vec![$(<$other::[<__path_ $another>] as utoipa::Path>::path()),*],
                methods: axum::routing::on(
                    $crate::routes::filter(<$first::[<__path_ $handler>] as utoipa::Path>::methods()),
                    $first::$handler,
                )$(.on(
                    $crate::routes::filter(<$other::[<__path_ $another>] as utoipa::Path>::methods()),
                    $other::$another,
                ))*,
                document: || utoipa_axum::routes!($first::$handler $(, $other::$another)*),
            }
        }
    };
}

/// The methods of a handler for axum.
pub fn filter(methods: Vec<utoipa::openapi::HttpMethod>) -> axum::routing::MethodFilter {
    use utoipa_axum::PathItemExt;
    let filters = methods.iter().map(PathItemExt::to_method_filter);
    filters.reduce(axum::routing::MethodFilter::or).unwrap_or(axum::routing::MethodFilter::GET)
}

impl Routes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds public ones, all of one path.
    ///
    /// # Panics
    /// Where they are of several: at the start, so in every test.
    pub fn public(mut self, Public { path, others, methods, document }: Public) -> Self {
        assert!(others.iter().all(|other| *other == path), "{path} and {others:?} are several routes");
        self.router = self.router.route(&path, methods);
        self.documents.push(document);
        self
    }

    /// Adds one that is not public, below `/internal/` or `/worker/`.
    ///
    /// # Panics
    /// Where it is of another path: at the start, so in every test.
    pub fn internal(mut self, path: &str, methods: MethodRouter<Ctx>) -> Self {
        assert!(NOT_PUBLIC.iter().any(|prefix| path.starts_with(prefix)), "{path} needs a document");
        self.router = self.router.route(path, methods);
        self
    }

    /// Does `work` whenever events were heard (`POST /internal/events`, which every service has).
    pub fn heard(mut self, work: Heard) -> Self {
        self.heard = Some(work);
        self
    }

    /// Lays `layer` around the routes added so far.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.router = self.router.layer(layer);
        self
    }

    /// Them for axum, and what is done when events were heard.
    pub(crate) fn into_router(self) -> (Router<Ctx>, Option<Heard>) {
        (self.router, self.heard)
    }

    /// What the handlers say of themselves; [`crate::openapi`] completes it.
    pub(crate) fn into_openapi(self) -> OpenApi {
        let documents = self.documents.into_iter();
        documents.fold(OpenApiRouter::new(), |router, document| router.routes(document())).into_openapi()
    }
}
