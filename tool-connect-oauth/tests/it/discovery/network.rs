//! The host's address guard holds for what strangers name.

use std::sync::Arc;

use tool_connect_core::{ErrorKind, SystemClock};
use tool_connect_hub::transport::{HttpSettings, HttpTransport};
use tool_connect_oauth::discovery::{Discovery, parse_challenges};
use tool_connect_oauth::flow::OAuthHttp;

/// The Hub's own transport, unchanged: what a resource says about its metadata cannot lead inwards, in whatever form.
#[tokio::test]
async fn oauth_client_14_discovery_addresses_pass_the_ssrf_guard() {
    let transport = HttpTransport::new(&HttpSettings::default()).unwrap();
    let discovery = Discovery::new(OAuthHttp::new(Arc::new(transport)), Arc::new(SystemClock));
    let resource = "https://api.example/mcp".parse().unwrap();
    for inwards in [
        "https://127.0.0.1/meta",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.7/meta",
        "https://[::1]/meta",
        "https://[::ffff:10.0.0.7]/meta",
        "https://2130706433/meta",
        "https://0x7f.1/meta",
        "https://localhost/meta",
    ] {
        let header = format!("Bearer resource_metadata=\"{inwards}\"");
        let challenge = parse_challenges(&header).unwrap().remove(0);
        let error = discovery.resource(&resource, Some(&challenge)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Blocked, "{inwards}: {error}");
        let issuer = inwards.trim_end_matches("/meta");
        let error = discovery.server(issuer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Blocked, "{issuer}: {error}");
    }
    // What is not even https does not get as far as the transport.
    let challenge =
        parse_challenges("Bearer resource_metadata=\"http://169.254.169.254/\"").unwrap().remove(0);
    let error = discovery.resource(&resource, Some(&challenge)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
}
