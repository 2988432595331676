//! The guard's words on URLs: schemes, names, notations, grants.

use std::sync::Arc;

use portreeve_core::server::PrivateHost;
use url::Url;

use super::{PublicHttp, Reach, Refusal, Target};
use crate::error::NetError;

fn verdict(url: &str, reach: &Reach) -> Result<(), Refusal> {
    verdict_with(url, reach, PublicHttp::Refused)
}

fn verdict_with(url: &str, reach: &Reach, public_http: PublicHttp) -> Result<(), Refusal> {
    let url = Url::parse(url).unwrap();
    let checked = Target::of(&url).and_then(|target| target.check(target.class(reach), public_http));
    checked.map_err(|error| match error {
        NetError::Refused { reason, .. } => reason,
        other => panic!("{url}: {other}"),
    })
}

fn granted(hosts: &[(&str, u16)]) -> Reach {
    let hosts: Vec<PrivateHost> = hosts
        .iter()
        .map(|(host, port)| PrivateHost {
            host: (*host).to_owned(),
            port: *port,
        })
        .collect();
    Reach::Private(Arc::from(hosts))
}

#[test]
fn public_reach_knows_names_and_notations() {
    use Refusal::{Credentials, Never, PlainHttp, PrivateAddress, PrivateName, Scheme};
    let table = [
        ("https://example.com/mcp", Ok(())),
        ("https://EXAMPLE.com.:8443/mcp", Ok(())),
        ("https://8.8.8.8/", Ok(())),
        ("https://notlocalhost/", Ok(())),
        ("https://internal.example.com/", Ok(())),
        ("https://metadata.google.com/", Ok(())),
        ("http://example.com/", Err(PlainHttp)),
        ("ftp://example.com/", Err(Scheme)),
        ("file:///etc/passwd", Err(Scheme)),
        ("unix:/run/docker.sock", Err(Scheme)),
        ("https://user@example.com/", Err(Credentials)),
        ("https://user:word@example.com/", Err(Credentials)),
        ("https://localhost/", Err(PrivateName)),
        ("https://LOCALHOST./", Err(PrivateName)),
        ("https://a.localhost../", Err(PrivateName)),
        ("https://billing.internal/", Err(PrivateName)),
        ("https://internal/", Err(PrivateName)),
        ("https://metadata.google.internal/", Err(Never)),
        ("https://metadata.google.internal./", Err(Never)),
        ("https://Metadata.Goog/", Err(Never)),
        ("https://127.0.0.1/", Err(PrivateAddress)),
        ("https://127.0.0.1./", Err(PrivateAddress)),
        ("https://0x7f.1/", Err(PrivateAddress)),
        ("https://2130706433/", Err(PrivateAddress)),
        ("https://0177.0.0.01/", Err(PrivateAddress)),
        ("https://127.1/", Err(PrivateAddress)),
        ("https://①②⑦.0.0.1/", Err(PrivateAddress)),
        ("https://[::1]/", Err(PrivateAddress)),
        ("https://[64:ff9b::7f00:1]/", Err(PrivateAddress)),
        ("https://[::ffff:10.0.0.1]/", Err(PrivateAddress)),
        ("https://[::ffff:8.8.8.8]/", Ok(())),
        ("https://169.254.169.254/latest/meta-data", Err(Never)),
        ("https://[fd00:ec2::254]/", Err(Never)),
        ("https://0/", Err(Never)),
    ];
    for (url, expected) in table {
        assert_eq!(verdict(url, &Reach::Public), expected, "{url}");
    }
}

#[test]
fn a_name_with_an_empty_label_is_no_host() {
    assert_eq!(
        verdict("https://a..example.com/", &Reach::Operator),
        Err(Refusal::Host)
    );
}

#[test]
fn a_grant_opens_exactly_its_host_and_port() {
    let reach = granted(&[
        ("billing.internal", 8080),
        ("127.0.0.1", 9000),
        ("::1", 9001),
        ("Mixed.Corp.", 80),
    ]);
    let open = [
        "http://billing.internal:8080/mcp",
        "https://BILLING.internal.:8080/mcp",
        "http://127.0.0.1:9000/",
        "http://0x7f.1:9000/",
        "http://[::1]:9001/",
        "http://mixed.corp/",
        "https://example.com/",
    ];
    for url in open {
        assert_eq!(verdict(url, &reach), Ok(()), "{url}");
    }
    let closed = [
        ("https://billing.internal/", Refusal::PrivateName),
        ("https://billing.internal:8081/", Refusal::PrivateName),
        ("https://a.billing.internal:8080/", Refusal::PrivateName),
        ("https://127.0.0.1:9001/", Refusal::PrivateAddress),
        ("https://127.0.0.2:9000/", Refusal::PrivateAddress),
        ("https://[::ffff:127.0.0.1]:9000/", Refusal::PrivateAddress),
        ("http://example.com/", Refusal::PlainHttp),
        ("http://mixed.corp:8080/", Refusal::PlainHttp),
    ];
    for (url, reason) in closed {
        assert_eq!(verdict(url, &reach), Err(reason), "{url}");
    }
}

#[test]
fn no_grant_opens_a_metadata_service() {
    let hosts = [
        "169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "metadata.google.internal",
        "0.0.0.0",
    ];
    let reach = granted(&hosts.map(|host| (host, 80)));
    for host in hosts {
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        assert_eq!(
            verdict(&format!("http://{host}/"), &reach),
            Err(Refusal::Never),
            "{host}"
        );
    }
}

#[test]
fn the_operator_reaches_what_can_be_read() {
    for url in [
        "http://169.254.169.254/",
        "http://localhost:3000/mcp",
        "http://example.com/",
        "https://[fe80::1]/",
    ] {
        assert_eq!(verdict(url, &Reach::Operator), Ok(()), "{url}");
    }
    assert_eq!(
        verdict("gopher://example.com/", &Reach::Operator),
        Err(Refusal::Scheme)
    );
    assert_eq!(
        verdict("https://a:b@example.com/", &Reach::Operator),
        Err(Refusal::Credentials)
    );
}

#[test]
fn plain_http_to_public_hosts_can_be_allowed() {
    assert_eq!(
        verdict_with("http://example.com/", &Reach::Public, PublicHttp::Allowed),
        Ok(())
    );
    let private = verdict_with("http://10.0.0.1/", &Reach::Public, PublicHttp::Allowed);
    assert_eq!(private, Err(Refusal::PrivateAddress));
}
