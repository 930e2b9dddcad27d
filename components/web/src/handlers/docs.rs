//! `/docs`: the explorer.

use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use shared::answer::IfNoneMatch;
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;

use crate::explorer::{File, PAGE};

/// Nothing but what this server serves runs or loads; Swagger UI sets styles and draws its icons from data.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// An explorer for this document.
#[utoipa::path(get, path = "/docs", params(IfNoneMatch), security(()),
    responses((status = 200, description = "A page.", body = String, content_type = "text/html")))]
pub async fn read_docs(headers: HeaderMap, known: IfNoneMatch) -> ApiResult {
    let page = File::named(PAGE).ok_or_else(ApiError::not_found)?;
    let mut response = answer(page, &headers, &known, "public, no-cache")?;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// A file of the explorer.
#[utoipa::path(get, path = "/docs/{file}", security(()),
    params(("file" = String, Path, description = "As the page names it.", example = "explorer.js"), IfNoneMatch),
    responses((status = 200, description = "The file.", content((String = "text/javascript"), (String = "text/css")))))]
pub async fn read_docs_file(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    known: IfNoneMatch,
) -> ApiResult {
    let file = File::named(&name).filter(|file| file.name != PAGE).ok_or_else(ApiError::not_found)?;
    // The page names each file with its tag, so under that name it never changes.
    let is_for_good = query.and_then(|query| Some(query.strip_prefix("v=")? == file.tag)).unwrap_or(false);
    let caching = if is_for_good { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    answer(file, &headers, &known, caching)
}

fn answer(file: &'static File, headers: &HeaderMap, known: &IfNoneMatch, caching: &'static str) -> ApiResult {
    let is_gzip = accepts_gzip(headers);
    // A strong tag names the bytes, and these are others.
    let tag = if is_gzip { format!("\"{}-gzip\"", file.tag) } else { format!("\"{}\"", file.tag) };
    let plain = if is_gzip { Vec::new() } else { file.plain().map_err(ApiError::internal)? };
    let mut response = known.answer_tagged(&tag, || content(file, is_gzip, plain));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    Ok(response)
}

fn content(file: &'static File, is_gzip: bool, plain: Vec<u8>) -> Response {
    let kind = [(header::CONTENT_TYPE, file.kind())];
    if !is_gzip {
        return (StatusCode::OK, kind, plain).into_response();
    }
    (StatusCode::OK, kind, [(header::CONTENT_ENCODING, "gzip")], file.gzip).into_response()
}

/// Whether the client takes gzip (RFC 9110, 12.5.3); one that says nothing gets what needs no decoding.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|one| {
        let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        matches!(coding.trim(), "gzip" | "*") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_to_who_takes_it() {
        let accepts = |value: &str| {
            accepts_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().unwrap())]))
        };
        assert!(accepts("gzip") && accepts("br, gzip;q=0.5") && accepts("*") && accepts("deflate,gzip"));
        assert!(
            !accepts("identity") && !accepts("gzip;q=0") && !accepts("br;q=1.0, gzip; q=0.0") && !accepts("")
        );
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
