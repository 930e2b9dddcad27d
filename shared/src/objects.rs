//! The object store: any that speaks S3, reached with presigned requests (AWS Signature Version 4), so that
//! a URL is all anybody needs.

use std::time::Duration;

use jiff::Timestamp;
use rusty_s3::actions::S3Action;
use rusty_s3::{Bucket, Credentials, UrlStyle};
use url::Url;

use crate::clock::Clock;
use crate::config::Config;

/// A link is signed as of the quarter of an hour it is asked for in, so that it stays the same for that long and caches and
/// `ETag`s hold.
pub const LINK_STEP: Duration = Duration::from_secs(900);
/// How long a link holds from then.
pub const LINK_TIME: Duration = Duration::from_secs(3_600);

/// A bucket and the key to it.
pub struct Objects {
    bucket: Bucket,
    public: Bucket,
    credentials: Credentials,
    cdn: Option<String>,
}

impl Objects {
    /// The store of `s3_endpoint`; `None` where none is configured or its URL is none.
    ///
    /// An endpoint whose host begins with the bucket (`https://bucket.s3.example.com`) is addressed in host style, any other in
    /// path style.
    pub fn from_config(config: &Config) -> Option<Self> {
        let endpoint = config.get("s3_endpoint");
        let public = config.get_or("s3_public_endpoint", endpoint);
        let (name, region) = (config.get("s3_bucket"), config.get_or("s3_region", "us-east-1"));
        Some(Self {
            bucket: bucket(endpoint, name, region)?,
            public: bucket(public, name, region)?,
            credentials: Credentials::new(config.get("s3_access_key_id"), config.get("s3_secret_access_key")),
            cdn: Some(config.get("cdn_url").trim_end_matches('/').to_owned()).filter(|url| !url.is_empty()),
        })
    }

    /// The bucket as the services reach it.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// The bucket as clients reach it.
    pub fn public(&self) -> &Bucket {
        &self.public
    }

    /// The key to it.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Where a client reads `object`: at `cdn_url`, whose links have no end, else by [`Objects::passing_link`].
    pub fn link(&self, object: &str, time: Duration) -> String {
        match &self.cdn {
            Some(cdn) => format!("{cdn}/{object}"),
            None => self.passing_link(object, time),
        }
    }

    /// A presigned GET of `object` that holds for `time` from the beginning of the current [`LINK_STEP`].
    pub fn passing_link(&self, object: &str, time: Duration) -> String {
        let action = self.public.get_object(Some(&self.credentials), object);
        // S3 takes no less than a second.
        action.sign_with_time(time.max(Duration::from_secs(1)), &signed_at()).into()
    }

    /// Signs `action` to hold for `time` from now.
    pub fn sign<'a>(&self, action: &impl S3Action<'a>, time: Duration) -> Url {
        action.sign_with_time(time, &now())
    }
}

/// The store has a clock of its own, which no test moves.
fn now() -> Timestamp {
    Timestamp::from_millisecond(Clock::default().now().millis()).unwrap_or_default()
}

/// The beginning of the current [`LINK_STEP`].
fn signed_at() -> Timestamp {
    Timestamp::from_second(step_of(Clock::default().now().seconds())).unwrap_or_default()
}

/// How long a link of the current step has to hold to end at `until`, in seconds since the epoch.
pub fn time_until(until: i64) -> Duration {
    Duration::from_secs(u64::try_from(until - step_of(Clock::default().now().seconds())).unwrap_or(0))
}

/// How long ago the current step began.
pub(crate) fn since_step() -> Duration {
    let now = Clock::default().now();
    let millis = now.millis() - step_of(now.seconds()) * 1_000;
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// The second at which the step of `seconds` began.
pub(crate) fn step_of(seconds: i64) -> i64 {
    seconds - seconds.rem_euclid(LINK_STEP.as_secs().cast_signed())
}

fn bucket(endpoint: &str, name: &str, region: &str) -> Option<Bucket> {
    let mut endpoint = Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let bare = endpoint.host_str()?.strip_prefix(&format!("{name}.")).map(ToOwned::to_owned);
    let style = match bare {
        Some(host) => {
            endpoint.set_host(Some(&host)).ok()?;
            UrlStyle::VirtualHost
        }
        None => UrlStyle::Path,
    };
    Bucket::new(endpoint, style, name.to_owned(), region.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform;

    async fn objects(variables: &[(&str, &str)]) -> Option<Objects> {
        let mut platform = Platform::default();
        for (name, value) in
            [("s3_bucket", "pictures"), ("s3_access_key_id", "id"), ("s3_secret_access_key", "secret")]
                .iter()
                .chain(variables)
        {
            platform.variables.insert((*name).to_owned(), (*value).to_owned());
        }
        Objects::from_config(&Config::load(&platform).await)
    }

    #[tokio::test]
    async fn the_style_of_addresses_follows_from_the_endpoint() {
        let path = objects(&[("s3_endpoint", "http://127.0.0.1:9000")]).await.unwrap();
        assert!(path.link("a/b", LINK_TIME).starts_with("http://127.0.0.1:9000/pictures/a/b?X-Amz-"));
        let host = objects(&[("s3_endpoint", "https://pictures.s3.example.com")]).await.unwrap();
        assert!(host.link("a/b", LINK_TIME).starts_with("https://pictures.s3.example.com/a/b?X-Amz-"));
        for endpoint in ["", "nowhere", "ftp://example.com"] {
            assert!(objects(&[("s3_endpoint", endpoint)]).await.is_none(), "{endpoint}");
        }
    }

    #[tokio::test]
    async fn clients_get_the_public_endpoint_or_the_cdn() {
        let inside = ("s3_endpoint", "http://minio:9000");
        let public = objects(&[inside, ("s3_public_endpoint", "https://files.example.com")]).await.unwrap();
        assert!(public.link("a", LINK_TIME).starts_with("https://files.example.com/pictures/a?"));
        let head = public.bucket().head_object(Some(public.credentials()), "a");
        assert!(public.sign(&head, LINK_TIME).as_str().starts_with("http://minio:9000/pictures/a?"));
        let cdn = objects(&[inside, ("cdn_url", "https://cdn.example.com/m/")]).await.unwrap();
        assert_eq!(cdn.link("a/b", LINK_TIME), "https://cdn.example.com/m/a/b");
        assert!(cdn.passing_link("a", LINK_TIME).starts_with("http://minio:9000/pictures/a?X-Amz-"));
    }

    #[test]
    fn a_link_stays_the_same_for_a_quarter_of_an_hour() {
        assert_eq!(step_of(1_795_288_860), step_of(1_795_288_860 + 100));
        assert_eq!(step_of(1_795_288_500 + 899), step_of(1_795_288_500));
        assert_eq!(step_of(1_795_288_500 + 900) - step_of(1_795_288_500), 900);
    }
}
