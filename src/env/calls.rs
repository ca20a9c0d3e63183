//! HTTP to others: clients with TLS by rustls on ring. Its other provider, which
//! is the default, takes much longer to build.

use std::sync::Once;

use reqwest::{Client, ClientBuilder};

pub fn client() -> ClientBuilder {
    static PROVIDER: Once = Once::new();
    // Where somebody has set one before, it is as good.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Client::builder()
}
