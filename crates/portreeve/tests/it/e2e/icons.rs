//! Icons: fetched once a version is approved, checked, kept, and shown from here alone.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, Uri, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use portreeve_net::TlsAcceptor;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::node::Node;

const NAME: &str = "com.acme/billing";
const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"><script>alert(2)</script>\
    <path d=\"M0 0h8v8z\"/><image href=\"https://evil.example/track.png\"/></svg>";

/// Somebody's web server, with TLS; where it leads inside, nobody may follow.
struct Pictures {
    origin: String,
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Shelf {
    asked: Arc<Mutex<Vec<String>>>,
    inside: String,
}

fn png(side: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(side.to_be_bytes());
    bytes.extend(side.to_be_bytes());
    bytes.extend([8, 6, 0, 0, 0]);
    bytes
}

async fn picture(State(shelf): State<Shelf>, uri: Uri) -> Response {
    shelf.asked.lock().unwrap().push(uri.path().to_owned());
    let moved = |to: String| (StatusCode::FOUND, [(header::LOCATION, to)]).into_response();
    // None of them says what it is.
    let plain = |bytes: Vec<u8>| ([(header::CONTENT_TYPE, "text/html")], bytes).into_response();
    match uri.path() {
        "/logo.svg" => plain(SVG.as_bytes().to_vec()),
        "/dark.png" => plain(png(64)),
        "/moved" => moved("/dark.png".to_owned()),
        "/round" => moved("/round".to_owned()),
        "/inside" => moved(format!("{}/secret.png", shelf.inside)),
        "/wide.png" => plain(png(4_096)),
        "/long.png" => plain([png(64), vec![0; 300 * 1024]].concat()),
        "/page" => plain(b"<!doctype html><p>hello".to_vec()),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A web server without TLS at a port that nobody was granted.
async fn inside() -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(0));
    let router = Router::new().fallback({
        let asked = Arc::clone(&asked);
        async move || {
            *asked.lock().unwrap() += 1;
            png(64)
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (origin, asked)
}

impl Pictures {
    async fn start(cert: &Path, key: &Path, inside: String) -> Self {
        let tls = Arc::new(TlsAcceptor::load(cert, key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("https://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shelf = Shelf {
            asked: Arc::clone(&asked),
            inside,
        };
        let router = Router::new().fallback(picture).with_state(shelf);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, router) = (Arc::clone(&tls), router.clone());
                tokio::spawn(async move {
                    let Ok(stream) = tls.acceptor().accept(stream).await else {
                        return;
                    };
                    let serving = Builder::new(TokioExecutor::new());
                    let service = TowerToHyperService::new(router);
                    let _ = serving.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { origin, asked }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.retain(|path| path != "/mcp" && !path.starts_with("/.well-known"));
        asked
    }

    fn document(&self, icons: &[(&str, Option<&str>)]) -> String {
        let icons: Vec<Value> = icons
            .iter()
            .map(|(path, theme)| {
                let mut icon = json!({"src": format!("{}{path}", self.origin)});
                if let Some(theme) = theme {
                    icon["theme"] = json!(theme);
                }
                icon
            })
            .collect();
        json!({
            "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name": NAME, "description": "Invoices", "version": "1.0.0", "icons": icons,
            "remotes": [{"type": "streamable-http", "url": format!("{}/mcp", self.origin)}],
        })
        .to_string()
    }
}

async fn start(folder: &Path) -> (Node, Pictures, Arc<Mutex<usize>>) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (cert, key, config) = (
        folder.join("host.pem"),
        folder.join("host.key"),
        folder.join("p.toml"),
    );
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(&config, format!("[egress]\nca_file = \"{}\"\n", cert.display())).unwrap();
    let (origin, inside_asked) = inside().await;
    let pictures = Pictures::start(&cert, &key, origin).await;
    let node = Node::start_with(&["--config", config.to_str().unwrap()]).await;
    (node, pictures, inside_asked)
}

/// Waits until the job has looked. Nodes of other tests stand at the same lock.
async fn looked(node: &Node, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let icons = node.cli_json(&["server", "icons", NAME]);
        let items = icons["items"].as_array().unwrap().clone();
        if items.len() == count {
            return items;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(90),
            "{icons} {}",
            node.log_text()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whoever has the address needs nothing else, and nobody guesses one.
async fn is_served(node: &Node, href: &str, dark: &Value) {
    assert!(href.starts_with(&format!("{}/icons/", node.url)), "{href}");
    let shown = node.web.get(href).await.unwrap();
    assert_eq!(
        (shown.status, shown.header("content-type")),
        (200, "image/svg+xml")
    );
    let text = shown.text();
    assert!(
        text.contains("M0 0h8v8z") && !text.contains("alert") && !text.contains("evil.example"),
        "{text}"
    );
    assert!(
        shown
            .header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert!(shown.header("content-security-policy").contains("sandbox"));
    assert_eq!(shown.header("x-content-type-options"), "nosniff");
    assert_eq!(
        shown.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let known = [("if-none-match", shown.header("etag").to_owned())];
    let again = node.web.ask("GET", href, &known, String::new()).await.unwrap();
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(
        node.web.get(dark["href"].as_str().unwrap()).await.unwrap().body,
        png(64)
    );
    let none = format!("{}/icons/0190a0a0-0000-7000-8000-000000000001", node.url);
    assert_eq!(node.web.get(&none).await.unwrap().status, 404);
}

/// Pages show the icons from here, and send nobody to where they came from.
async fn no_page_asks_a_stranger(node: &Node, pictures: &Pictures, hrefs: [&str; 2]) {
    let [light, dark] = hrefs.map(|href| href.rsplit('/').next().unwrap());
    for page in ["/", "/servers/com.acme/billing"] {
        let page = node.web.get(&format!("{}{page}", node.url)).await.unwrap();
        let text = page.text();
        assert!(text.contains(&format!("src=\"/icons/{light}\"")), "{text}");
        assert!(text.contains(&format!("srcset=\"/icons/{dark}\"")), "{text}");
        assert!(!text.contains(&pictures.origin), "{text}");
        assert!(page.header("content-security-policy").contains("img-src 'self'"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn icons_are_fetched_after_approval_cleaned_and_shown_from_here_alone() {
    let folder = TempDir::new().unwrap();
    let (node, pictures, _) = start(folder.path()).await;
    let file = folder.path().join("server.json");
    let icons = [("/logo.svg", Some("light")), ("/dark.png", Some("dark"))];
    std::fs::write(&file, pictures.document(&icons)).unwrap();
    node.cli_json(&["server", "add", "--file", file.to_str().unwrap(), "--internal"]);
    let early = node.cli_json(&["server", "icons", NAME, "--fetch"]);
    assert_eq!(
        early["items"],
        json!([]),
        "nothing is fetched for what is not listed"
    );
    assert_eq!(pictures.asked(), Vec::<String>::new());

    node.cli_json(&["server", "approve", NAME]);
    let icons = looked(&node, 2).await;
    let [light, dark] = icons.as_slice() else {
        panic!("{icons:?}")
    };
    assert_eq!(
        (light["mediaType"].as_str(), dark["mediaType"].as_str()),
        (Some("image/svg+xml"), Some("image/png"))
    );
    assert_eq!(light["theme"], "light");

    let href = light["href"].as_str().unwrap();
    is_served(&node, href, dark).await;
    no_page_asks_a_stranger(&node, &pictures, [href, dark["href"].as_str().unwrap()]).await;
    let audit = node.api("GET", "/audit?action=server.icons", None).await;
    assert_eq!(
        audit.json()["items"][0]["detail"],
        json!({"shown": 2, "failed": 0})
    );

    // A change of something else fetches nothing again; what the profile names comes first.
    let asked = pictures.asked().len();
    node.cli_json(&["server", "edit", NAME, "--summary", "Invoices"]);
    let profile = format!("{}/moved", pictures.origin);
    node.cli_json(&["server", "edit", NAME, "--icon", &profile]);
    let icons = looked(&node, 3).await;
    assert_eq!(
        (&icons[0]["name"], &icons[0]["href"]),
        (&json!("profile.icons[0]"), &icons[2]["href"])
    );
    assert_eq!(pictures.asked()[asked..], ["/moved", "/dark.png"]);

    node.cli(&["server", "remove", NAME]);
    assert_eq!(
        node.web.get(href).await.unwrap().status,
        404,
        "it goes with its server"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn b11_icons_that_cannot_be_shown_are_findings_and_stop_nothing() {
    let folder = TempDir::new().unwrap();
    let (node, pictures, inside) = start(folder.path()).await;
    let file = folder.path().join("server.json");
    let wrong = [
        ("/page", "it is no PNG, JPEG, WebP or SVG"),
        ("/wide.png", "4096 by 4096 pixels"),
        ("/long.png", "longer than `262144` bytes"),
        ("/missing", "answers 404"),
        ("/round", "leads on more than 3 times"),
        ("/inside", "is refused"),
    ];
    let icons: Vec<_> = wrong.iter().map(|(path, _)| (*path, None)).collect();
    std::fs::write(&file, pictures.document(&icons)).unwrap();
    let added = node.cli_json(&[
        "server",
        "add",
        "--file",
        file.to_str().unwrap(),
        "--internal",
        "--approve",
    ]);
    assert_eq!(added["version"]["approval"], "approved", "{added}");
    let told = looked(&node, wrong.len()).await;
    for ((path, reason), icon) in wrong.iter().zip(&told) {
        let problem = icon["problem"].as_str().unwrap_or_default();
        assert!(problem.contains(reason), "{path}: {icon}");
        assert_eq!(icon["href"], Value::Null, "{path}");
    }
    assert_eq!(*inside.lock().unwrap(), 0, "a redirect grants nothing");
    assert_eq!(
        pictures.asked().iter().filter(|path| *path == "/round").count(),
        4
    );

    let assessed = node
        .api("POST", "/servers/com.acme%2Fbilling/assess", Some(json!({})))
        .await
        .json();
    let findings = assessed["findings"].as_array().unwrap();
    let found: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["assessor"] == "icons")
        .collect();
    assert_eq!(found.len(), wrong.len(), "{assessed}");
    assert!(found.iter().all(|finding| finding["severity"] == "low"));
    assert_eq!(
        (&found[0]["path"], &assessed["blocked"]),
        (&json!("icons[0]"), &json!(false))
    );

    // Where they lie and what is wrong is for those who can mend it.
    let key = node.new_key("reader");
    let headers = [("authorization", format!("Bearer {key}"))];
    let url = format!("{}/api/v1/servers/com.acme%2Fbilling/icons", node.url);
    let seen = node.web.ask("GET", &url, &headers, String::new()).await.unwrap();
    assert_eq!((seen.status, &seen.json()["items"]), (200, &json!([])));
    let refused = node.web.ask("POST", &url, &headers, String::new()).await.unwrap();
    assert_eq!(refused.status, 403, "{}", refused.text());
    let page = node.web.get(&format!("{}/", node.url)).await.unwrap().text();
    assert!(page.contains("monogram") && !page.contains("/icons/"), "{page}");
}
