//! Files for pages, as HTTP sees them.

use reqwest::Method;

use crate::support::service::{TestService, answered};

#[tokio::test]
async fn scripts_are_served_with_what_they_are_and_kept() {
    let service = TestService::start().await;
    for name in ["proof-of-work.js", "proof-of-work-worker.js"] {
        let path = format!("/assets/{name}");
        let whole = answered(service.request(Method::GET, &path)).await;
        assert_eq!((whole.status, whole.header("content-type")), (200, "text/javascript; charset=utf-8"));
        assert_eq!(whole.header("x-content-type-options"), "nosniff");
        assert_eq!(whole.header("cache-control"), "public, max-age=3600");
        assert!(!whole.body.is_empty());
        let tag = whole.header("etag").to_owned();
        let known = answered(service.request(Method::GET, &path).header("if-none-match", &tag)).await;
        assert_eq!((known.status, known.header("etag"), known.body.as_str()), (304, tag.as_str(), ""));
        assert_eq!(known.header("cache-control"), "public, max-age=3600");
    }
    for path in ["/assets/mod.rs", "/assets/", "/assets/..%2fmod.rs", "/assets/x/proof-of-work.js"] {
        assert_eq!(answered(service.request(Method::GET, path)).await.status, 404, "{path}");
    }
}
