//! Redirects: what may be registered, and what is the same.

use proptest::prelude::*;

use super::{RedirectUri, admitted, law};

fn admits(registered: &str, asked: &str) -> bool {
    match RedirectUri::parse(asked) {
        Ok(asked) => admitted(&[registered.to_owned()], &asked),
        Err(_) => false,
    }
}

#[test]
fn a_as_8_redirects_are_compared_as_texts_but_for_the_port_of_loopback() {
    for (registered, asked) in [
        ("https://host.example/cb", "https://host.example/cb"),
        ("https://host.example/cb?a=b", "https://host.example/cb?a=b"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:51234/callback"),
        (
            "http://127.0.0.1:3000/callback",
            "http://127.0.0.1:51234/callback",
        ),
        ("http://localhost/callback", "http://localhost:3118/callback"),
        ("http://localhost:33418", "http://localhost:33419/"),
        ("http://[::1]:1/cb", "http://[::1]:65535/cb"),
        ("http://127.0.0.1/", "http://127.0.0.1:33418/"),
        (
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "cursor://anysphere.cursor-mcp/oauth/callback",
        ),
        ("com.example.app:/cb", "com.example.app:/cb"),
    ] {
        assert!(admits(registered, asked), "{registered} {asked}");
    }
    for (registered, asked) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.com/cb"),
        ("http://localhost/cb", "http://localhost@evil.example/cb"),
        ("http://localhost/cb", "http://localhost:1@evil.example/cb"),
        ("http://localhost/cb", "http://localhost:80:80/cb"),
        ("http://localhost/cb", "http://localhost.:80/cb"),
        ("http://localhost/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1/cb", "http://localhost/cb"),
        ("http://127.0.0.1/cb", "http://[::1]/cb"),
        ("http://127.0.0.1/cb", "https://127.0.0.1/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:8080/other"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:8080/cb?a=b"),
        ("http://127.0.0.1/cb", "http://0x7f.1/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:8080/cb#x"),
        ("https://x.example/cb", "https://x.example/cb/../y"),
        ("https://x.example/cb", "https://x.example/%2e%2e/cb"),
        ("https://x.example/cb", "https://x.example:8443/cb"),
        ("https://x.example/cb", "https://x.example/cb/"),
        ("https://x.example/cb", "https://x.example/cb#a"),
        ("https://x.example/cb", "https://x.example\\@evil.example/cb"),
        ("https://x.example/cb", "https://X.example/cb"),
        ("https://x.example/cb", " https://x.example/cb"),
        ("cursor://one/cb", "cursor://two/cb"),
    ] {
        assert!(!admits(registered, asked), "{registered} {asked}");
    }
}

#[test]
fn a_as_9_only_places_that_codes_may_go_to_are_registered() {
    for wrong in [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "blob:https://x.example/1",
        "about:blank",
        "http://host.example/cb",
        "http://10.0.0.1/cb",
        "https://user@host.example/cb",
        "https://user:pass@host.example/cb",
        "https://host.example/cb#fragment",
        "https:///cb",
        "https:host.example",
        "https://0x7f.1/cb",
        "https://host.example:/cb",
        "https://host.example:080/cb",
        "https://ho%73t.example/cb",
        "JavaScript:alert(1)",
        "HTTPS://host.example/cb",
        "myapp:/cb",
        "com..app:/cb",
        "com.example.app:",
        "/cb",
        "",
        "https://h\u{f6}st.example/cb",
    ] {
        assert!(RedirectUri::parse(wrong).is_err(), "{wrong}");
    }
    for (right, host) in [
        ("https://host.example:8443/cb?x=y", "host.example:8443"),
        ("http://localhost:33418/", "localhost"),
        ("vscode://ms.example/cb", "vscode:"),
        ("com.example.app:/oauth", "com.example.app:"),
    ] {
        assert_eq!(
            RedirectUri::parse(right).map(|uri| uri.host()),
            Ok(host.to_owned())
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_redirect_that_is_admitted_leads_to_the_same_place(
        one in "(https|http|cursor|com\\.x)://(127\\.0\\.0\\.1|localhost|\\[::1\\]|a\\.b|[a-z0-9.@:%]{0,9})(:[0-9]{1,5})?(/[a-z.%2e/]{0,6})?(\\?[a-z=]{0,3})?",
        other in "(https|http|cursor|com\\.x)://(127\\.0\\.0\\.1|localhost|\\[::1\\]|a\\.b|[a-z0-9.@:%]{0,9})(:[0-9]{1,5})?(/[a-z.%2e/]{0,6})?(\\?[a-z=]{0,3})?",
        port in 1_u16..,
    ) {
        law(&one, &other);
        law(&one, &one);
        law("http://127.0.0.1/cb", &format!("http://127.0.0.1:{port}/cb"));
    }

    #[test]
    fn no_text_is_worse_than_refused(one in "\\PC{0,60}", other in "\\PC{0,60}") {
        law(&one, &other);
        law(&format!("https://{one}"), &format!("https://{other}"));
        law(&format!("http://localhost{one}"), &format!("http://localhost{other}"));
    }
}
