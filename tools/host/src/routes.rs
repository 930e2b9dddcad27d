//! Which component answers a path.
//!
//! The matching itself is `routefinder`'s, the crate Spin uses, so that precedence cannot differ: an exact
//! route before one with parameters, before the longest wildcard.

use anyhow::{Result, anyhow};
use std::collections::BTreeMap;

/// The public routes of an application.
pub struct Router {
    inner: routefinder::Router<Target>,
    routes: Vec<(String, String)>,
}

struct Target {
    component: String,
    route: String,
}

/// How a request found its component; the source of the `spin-*` headers.
#[derive(Debug, PartialEq, Eq)]
pub struct RouteMatch {
    /// The component that answers.
    pub component: String,
    /// The route as matched, without a trailing slash.
    pub based_route: String,
    /// The route as the manifest writes it.
    pub raw_route: String,
    /// What the trailing wildcard took, with its leading slash.
    pub path_info: String,
    /// What the `:parameters` took.
    pub parameters: BTreeMap<String, String>,
}

impl RouteMatch {
    /// The match of a chained call: as if the component had the route `/...`.
    pub fn chained(component: &str, path: &str) -> Self {
        Self {
            component: component.to_owned(),
            based_route: "/...".to_owned(),
            raw_route: "/...".to_owned(),
            path_info: path.to_owned(),
            parameters: BTreeMap::new(),
        }
    }

    /// The route as written, without its wildcard.
    pub fn route_prefix(&self) -> &str {
        self.raw_route.strip_suffix("/...").unwrap_or(&self.raw_route)
    }
}

impl Router {
    /// Builds the table from `(route, component)` pairs. The last of two equal routes wins, as in Spin; the
    /// losers are returned so that they can be warned about.
    pub fn build(routes: impl IntoIterator<Item = (String, String)>) -> Result<(Self, Vec<String>)> {
        let mut unique: Vec<(String, String)> = Vec::new();
        let mut duplicates = Vec::new();
        for (route, component) in routes {
            match unique.iter_mut().find(|(known, _)| *known == route) {
                Some((_, owner)) => {
                    duplicates.push(format!(
                        "the route `{route}` of `{owner}` is never used: `{component}` has it too"
                    ));
                    *owner = component;
                }
                None => unique.push((route, component)),
            }
        }
        let mut inner = routefinder::Router::new();
        for (route, component) in &unique {
            let based = based(route);
            let spec = match based.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => based,
            };
            inner.add(spec, Target { component: component.clone(), route: route.clone() }).map_err(
                |error| anyhow!("the route `{route}` of component `{component}` cannot be read: {error}"),
            )?;
        }
        Ok((Self { inner, routes: unique }, duplicates))
    }

    /// The routes, with the component of each.
    pub fn routes(&self) -> &[(String, String)] {
        &self.routes
    }

    /// Finds the component for a path.
    pub fn find(&self, path: &str) -> Option<RouteMatch> {
        let found = self.inner.best_match(path)?;
        let target = found.handler();
        let captures = found.captures();
        // The trailing slash is part of what a wildcard takes, and routefinder leaves it out.
        let path_info = captures.wildcard().map_or(String::new(), |rest| {
            let slash = if path.ends_with('/') { "/" } else { "" };
            if rest.is_empty() { slash.to_owned() } else { format!("/{rest}{slash}") }
        });
        Some(RouteMatch {
            component: target.component.clone(),
            based_route: based(&target.route),
            raw_route: target.route.clone(),
            path_info,
            parameters: captures.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        })
    }
}

/// The route with a leading slash and without a trailing one.
fn based(route: &str) -> String {
    let route = route.strip_suffix('/').unwrap_or(route);
    if route.starts_with('/') || route.is_empty() { route.to_owned() } else { format!("/{route}") }
}
