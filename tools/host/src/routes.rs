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

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[(&str, &str)]) -> Router {
        let routes = routes.iter().map(|(route, component)| ((*route).to_owned(), (*component).to_owned()));
        Router::build(routes).unwrap().0
    }

    fn found(router: &Router, path: &str) -> Option<String> {
        router.find(path).map(|found| found.component)
    }

    #[test]
    fn an_exact_route_comes_before_a_parameter_before_the_longest_wildcard() {
        let router = router(&[
            ("/...", "web"),
            ("/v1/...", "api"),
            ("/v1/posts/...", "posts"),
            ("/v1/posts/:id", "post"),
            ("/v1/posts/new", "editor"),
            ("/", "root"),
        ]);
        for (path, component) in [
            ("/", "root"),
            ("/x", "web"),
            ("/v1/users/1", "api"),
            ("/v1/posts/1/comments", "posts"),
            ("/v1/posts/1", "post"),
            ("/v1/posts/new", "editor"),
        ] {
            assert_eq!(found(&router, path).as_deref(), Some(component), "{path}");
        }
    }

    #[test]
    fn a_wildcard_takes_the_rest_with_its_slashes() {
        let router = router(&[("/foo/...", "foo")]);
        for (path, rest) in [("/foo", ""), ("/foo/", "/"), ("/foo/bar", "/bar"), ("/foo/bar/", "/bar/")] {
            assert_eq!(router.find(path).unwrap().path_info, rest, "{path}");
        }
        assert_eq!(found(&router, "/food"), None);
    }

    #[test]
    fn parameters_are_captured_by_name() {
        let found = router(&[("/people/:person_id/posts/:post/...", "posts")])
            .find("/people/7/posts/9/likes")
            .unwrap();
        assert_eq!(found.parameters.get("person_id").map(String::as_str), Some("7"));
        assert_eq!(found.parameters.get("post").map(String::as_str), Some("9"));
        assert_eq!(found.path_info, "/likes");
        assert_eq!(found.route_prefix(), "/people/:person_id/posts/:post");
    }

    #[test]
    fn the_last_of_two_equal_routes_wins_and_the_first_is_named() {
        let routes = [("/a", "first"), ("/a", "second")].map(|(route, id)| (route.to_owned(), id.to_owned()));
        let (router, duplicates) = Router::build(routes).unwrap();
        assert_eq!(found(&router, "/a").as_deref(), Some("second"));
        assert!(duplicates[0].contains("`/a`") && duplicates[0].contains("`first`"), "{duplicates:?}");
    }

    #[test]
    fn a_route_without_slashes_is_put_in_order() {
        let found = router(&[("a/b/", "ab")]).find("/a/b").unwrap();
        assert_eq!((found.based_route.as_str(), found.raw_route.as_str()), ("/a/b", "a/b/"));
    }
}
