//! A-TR-8: framing and odd bytes, on raw connections: what is not certain is refused, what is accepted reaches the
//! server as one request that was framed anew. And A-TR-2: targets of other hosts.

use serde_json::json;

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::wire::{Post, Wire};

/// A node behind which every byte for the server is read.
struct Watched {
    node: Node,
    upstream: Upstream,
    post: Post,
    slug: String,
}

impl Watched {
    async fn start() -> Self {
        let node = Node::start().await;
        let upstream = Upstream::start(Speaks::Both).await;
        let post = Post::before(&upstream.url).await;
        let slug = node.add("com.acme/billing", &post.url);
        post.taken();
        Self {
            node,
            upstream,
            post,
            slug,
        }
    }

    fn body(tool: &str) -> String {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({"name": tool, "arguments": {}, "_meta": meta});
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string()
    }

    /// The head of a good call, up to the fields that frame its body.
    fn head(&self, tool: &str) -> String {
        format!("POST /s/{}/mcp HTTP/1.1\r\n{}", self.slug, self.fields(tool))
    }

    fn fields(&self, tool: &str) -> String {
        let (host, key) = (self.node.url.trim_start_matches("http://"), &self.node.key);
        format!(
            "Host: {host}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nMCP-Protocol-Version: \
             2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
        )
    }

    /// A whole good call.
    fn call(&self, tool: &str) -> String {
        let body = Self::body(tool);
        format!("{}Content-Length: {}\r\n\r\n{body}", self.head(tool), body.len())
    }

    /// What the server got is one call of `echo`, framed anew.
    fn one_call_arrived(&self, name: &str, before: u64) {
        assert_eq!(self.upstream.calls(), before + 1, "{name}");
        let body = Self::body("echo");
        let seen = self.upstream.seen().pop().unwrap();
        assert_eq!(seen.body, body.as_bytes(), "{name}");
        let taken = self.post.taken().to_ascii_lowercase();
        assert_eq!(taken.matches("post /").count(), 1, "{name}: {taken}");
        assert_eq!(taken.matches("content-length:").count(), 1, "{name}: {taken}");
        assert!(
            taken.contains(&format!("content-length: {}\r\n", body.len())),
            "{name}: {taken}"
        );
        assert!(!taken.contains("transfer-encoding"), "{name}: {taken}");
        assert!(!taken.contains("wipe"), "{name}: {taken}");
    }
}

fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_8_a_body_framed_twice_is_framed_anew_and_ends_its_connection() {
    let watched = Watched::start().await;
    let hidden = watched.call("wipe");
    let body = Watched::body("echo");
    let both = chunked(&body);
    for (name, framing) in [
        (
            "length first",
            format!(
                "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
                both.len() + hidden.len()
            ),
        ),
        (
            "encoding first",
            format!(
                "Transfer-Encoding: chunked\r\nContent-Length: {}\r\n",
                both.len() + hidden.len()
            ),
        ),
        (
            "a short length",
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n".to_owned(),
        ),
        (
            "no length at all",
            "Content-Length: x\r\nTransfer-Encoding: chunked\r\n".to_owned(),
        ),
        (
            "keep-alive asked for",
            format!(
                "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: {}\r\n",
                both.len()
            ),
        ),
    ] {
        let before = watched.upstream.calls();
        let mut wire = Wire::connect(&watched.node.url).await;
        let head = watched.head("echo");
        wire.write(format!("{head}{framing}\r\n{both}{hidden}")).await;
        let answer = wire.answer().await.unwrap_or_else(|| panic!("{name}"));
        if answer.status == 400 {
            assert_eq!(watched.upstream.calls(), before, "{name}");
            assert!(wire.is_closed().await, "{name}: it stays open");
            continue;
        }
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert!(
            answer.head.contains("\r\nconnection: close\r\n"),
            "{name}: {answer:?}"
        );
        assert!(wire.is_closed().await, "{name}: what came behind was answered");
        watched.one_call_arrived(name, before);
    }
}

/// Sends calls of `echo` with these fields and bodies, and a call of `wipe` right behind. Nothing may arrive.
async fn refuses(cases: &[(&str, String, String)]) {
    let watched = Watched::start().await;
    let (head, hidden) = (watched.head("echo"), watched.call("wipe"));
    for (name, framing, body) in cases {
        let mut wire = Wire::connect(&watched.node.url).await;
        wire.write(format!("{head}{framing}\r\n{body}{hidden}")).await;
        let answer = wire.answer().await;
        assert!(
            answer.as_ref().is_some_and(|answer| answer.status == 400),
            "{name}: {answer:?}"
        );
        assert!(wire.is_closed().await, "{name}: it stays open");
        assert_eq!(watched.upstream.calls(), 0, "{name}: a call arrived");
    }
    assert!(!watched.post.taken().contains("tools/call"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_8_framing_that_says_nothing_certain_is_refused() {
    let body = Watched::body("echo");
    let n = body.len();
    let lengths = [
        ("two lengths", format!("{n}\r\nContent-Length: 4")),
        ("a list of lengths", format!("{n}, 4")),
        ("a list of one length", format!("{n}, {n}")),
        ("a signed length", format!("+{n}")),
        ("a hexadecimal length", format!("0x{n:x}")),
        ("a length beyond numbers", "99999999999999999999".to_owned()),
        ("an empty length", String::new()),
    ];
    let encodings = [
        ("identity last", "chunked, identity"),
        ("identity", "identity"),
        ("xchunked", "xchunked"),
        ("two fields", "chunked\r\nTransfer-Encoding: identity"),
        ("an empty encoding", ""),
        ("a quoted encoding", "\"chunked\""),
        ("a vertical tab", "\u{b}chunked"),
        ("obs-fold of an encoding", "\r\n chunked"),
    ];
    let lengths = lengths.map(|(name, value)| (name, format!("Content-Length: {value}\r\n"), body.clone()));
    let encodings =
        encodings.map(|(name, value)| (name, format!("Transfer-Encoding: {value}\r\n"), chunked(&body)));
    refuses(&[lengths.as_slice(), encodings.as_slice()].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_8_fields_that_readers_take_apart_differently_are_refused() {
    let body = Watched::body("echo");
    let n = body.len();
    let fields = [
        ("a space before the colon", "X-A : b"),
        ("a tab before the colon", "X-A\t: b"),
        ("obs-fold", "X-A: b\r\n folded"),
        ("a line that begins blank", " X-A: b"),
        ("NUL in a value", "X-A: a\0b"),
        ("a bare CR in a value", "X-A: a\rContent-Length: 4"),
        ("NUL in a name", "X\0A: b"),
        ("no name", ": b"),
        ("no colon", "X-A"),
    ];
    let mut cases: Vec<_> = fields
        .map(|(name, field)| (name, format!("{field}\r\nContent-Length: {n}\r\n"), body.clone()))
        .into();
    let spaced = format!("Content-Length : {n}\r\n");
    cases.push(("a space after the length's name", spaced, body));
    refuses(&cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_8_chunks_without_a_good_size_are_refused() {
    let body = Watched::body("echo");
    let n = body.len();
    let sizes = [
        ("no size", "\r\n".to_owned()),
        ("a signed size", format!("+{n:x}\r\n")),
        ("a size beyond numbers", "fffffffffffffffff\r\n".to_owned()),
        ("a size with 0x", format!("0x{n:x}\r\n")),
        ("a chunk that is longer", format!("{:x}\r\n", n - 1)),
        ("a bare LF after a size", format!("{n:x}\n")),
    ];
    let encoding = "Transfer-Encoding: chunked\r\n";
    let cases = sizes.map(|(name, size)| {
        let chunks = format!("{size}{body}\r\n0\r\n\r\n");
        (name, encoding.to_owned(), chunks)
    });
    refuses(&cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_8_what_may_be_accepted_arrives_as_one_request() {
    let watched = Watched::start().await;
    let body = Watched::body("echo");
    let length = body.len();
    let head = watched.head("echo");
    let with_length = |fields: &str| format!("{head}{fields}Content-Length: {length}\r\n\r\n{body}");
    let in_two = body.split_at(20);
    let two = format!(
        "14;x=\"y\"\r\n{}\r\n{:x}\r\n{}\r\n0\r\nX-Trailer: 1\r\nAuthorization: Bearer x\r\n\r\n",
        in_two.0,
        in_two.1.len(),
        in_two.1
    );
    for (name, request) in [
        ("bare line feeds", with_length("").replace("\r\n", "\n")),
        (
            "the same length twice",
            with_length(&format!("Content-Length: {length}\r\n")),
        ),
        ("an empty line before", format!("\r\n{}", with_length(""))),
        (
            "chunks, an extension and trailers",
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{two}"),
        ),
        (
            "chunked in capitals",
            format!("{head}Transfer-Encoding: CHUNKED\r\n\r\n{}", chunked(&body)),
        ),
        (
            "`Connection: Authorization`",
            with_length("Connection: Authorization, Content-Type, Mcp-Name\r\n"),
        ),
        (
            "`Connection` with hop fields",
            with_length(
                "Connection: keep-alive, X-A\r\nKeep-Alive: timeout=5\r\nX-A: b\r\nTE: trailers\r\nTrailer: X-B\r\n\
             Proxy-Connection: close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
            ),
        ),
        ("an expectation", with_length("Expect: something\r\n")),
    ] {
        let before = watched.upstream.calls();
        let mut wire = Wire::connect(&watched.node.url).await;
        wire.write(&request).await;
        let answer = wire.answer().await.unwrap_or_else(|| panic!("{name}"));
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        watched.one_call_arrived(name, before);
        let seen = watched.upstream.seen().pop().unwrap();
        for field in [
            "x-a",
            "te",
            "trailer",
            "x-trailer",
            "keep-alive",
            "upgrade",
            "authorization",
            "expect",
        ] {
            assert!(!seen.headers.contains_key(field), "{name}: {field} arrived");
        }
        wire.write(watched.call("echo")).await;
        let next = wire.answer().await;
        if let Some(next) = next {
            assert_eq!(next.status, 200, "{name}: the next request on it");
            watched.one_call_arrived(name, before + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_8_requests_behind_each_other_stay_apart() {
    let watched = Watched::start().await;
    let mut wire = Wire::connect(&watched.node.url).await;
    // A refused request takes its own body along, and no more.
    let body = Watched::body("wipe");
    let refused = format!(
        "{}Content-Length: {}\r\n\r\n{body}",
        watched.head("echo"),
        body.len()
    );
    wire.write(format!(
        "{}{refused}{}",
        watched.call("echo"),
        watched.call("echo")
    ))
    .await;
    let statuses = [wire.answer().await, wire.answer().await, wire.answer().await];
    let statuses = statuses.map(|answer| answer.map(|answer| answer.status));
    assert_eq!(statuses, [Some(200), Some(400), Some(200)]);
    assert_eq!(watched.upstream.calls(), 2);
    assert!(!watched.post.taken().contains("wipe"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_2_a_target_of_another_host_is_refused() {
    let watched = Watched::start().await;
    let ours = watched.node.url.trim_start_matches("http://").to_owned();
    let body = Watched::body("echo");
    let slug = &watched.slug;
    let ask = async |target: &str, hosts: &[&str]| {
        let fields = watched
            .fields("echo")
            .replacen(&format!("Host: {ours}\r\n"), "", 1);
        let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        let length = body.len();
        let mut wire = Wire::connect(&watched.node.url).await;
        wire.write(format!(
            "POST {target} HTTP/1.1\r\n{hosts}{fields}Content-Length: {length}\r\n\r\n{body}"
        ))
        .await;
        wire.answer().await.map(|answer| answer.status)
    };
    let path = format!("/s/{slug}/mcp");
    let port = ours.rsplit(':').next().unwrap();
    let (mine, theirs) = (
        format!("http://{ours}{path}"),
        format!("http://evil.example{path}"),
    );
    let before = watched.upstream.calls();
    for (target, hosts) in [
        (path.as_str(), vec!["evil.example"]),
        (&path, vec![&format!("evil.example:{port}")]),
        (&path, vec!["localhost"]),
        (&path, vec!["localhost:1"]),
        (&path, vec![""]),
        (&path, vec![]),
        (&path, vec![&format!("{ours}.evil.example")]),
        (&path, vec![&format!("evil@{ours}")]),
        (&path, vec![&ours, "evil.example"]),
        (&path, vec!["evil.example", &ours]),
        (&path, vec![&ours, &ours]),
        (&theirs, vec![&ours]),
        (&theirs, vec!["evil.example"]),
        (&mine, vec![&ours, "evil.example"]),
        (&format!("http://user@{ours}{path}"), vec![&ours]),
    ] {
        let status = ask(target, &hosts).await;
        assert!(
            matches!(status, Some(400 | 403)),
            "{target} {hosts:?}: {status:?}"
        );
    }
    assert_eq!(watched.upstream.calls(), before);
    assert_eq!(ask(&path, &[&ours]).await, Some(200));
    assert_eq!(ask(&path, &[&format!("LocalHost:{port}")]).await, Some(200));
    assert_eq!(ask(&mine, &[&ours]).await, Some(200), "absolute form");
    for target in [
        format!("/s/{slug}/mcp/"),
        format!("/s/{slug}/mcp/x"),
        format!("//s/{slug}/mcp"),
        format!("/s//{slug}/mcp"),
        format!("/s/%2e%2e/s/{slug}/mcp"),
        format!("/s/../s/{slug}/mcp"),
        format!("/s/{slug}%2fmcp"),
        format!("/S/{slug}/mcp"),
        format!("/s/{}/mcp", slug.to_uppercase()),
        "*".to_owned(),
    ] {
        let status = ask(&target, &[&ours]).await;
        assert!(
            status.is_some_and(|status| (400..500).contains(&status)),
            "{target}: {status:?}"
        );
    }
    assert_eq!(watched.upstream.calls(), before + 3);
}
