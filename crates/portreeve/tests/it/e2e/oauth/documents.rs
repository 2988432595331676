//! Clients that are described by a document at the address which is their identity (A-AS-11, A-AS-12).

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use portreeve_net::TlsAcceptor;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::house::{Browser, Fields, House, but, encoded, parameter};

const DOCUMENT: &str = "https://host.example/client.json";
const REDIRECT: &str = "https://host.example/cb";

/// What the host answers.
#[derive(Clone)]
struct Said {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// A host behind a proxy through which the node reaches everything.
struct Host {
    said: Arc<Mutex<Said>>,
    asked: Arc<AtomicUsize>,
    proxy: SocketAddr,
    cert: std::path::PathBuf,
    _folder: TempDir,
}

fn document() -> Value {
    json!({
        "client_id": DOCUMENT, "client_name": "Editor", "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
    })
}

fn good(document: &Value) -> Said {
    Said {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: document.to_string(),
    }
}

impl Host {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["host.example".to_owned()]).unwrap();
        let (cert, key) = (folder.path().join("host.pem"), folder.path().join("host.key"));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let tls = Arc::new(TlsAcceptor::load(&cert, &key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let said = Arc::new(Mutex::new(good(&document())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (Arc::clone(&said), Arc::clone(&asked));
        let router = Router::new().fallback(async move || {
            count.fetch_add(1, Ordering::SeqCst);
            answer(answers.lock().unwrap().clone())
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, router) = (Arc::clone(&tls), router.clone());
                tokio::spawn(async move { serve(stream, &tls, router).await });
            }
        });
        Self {
            said,
            asked,
            proxy,
            cert,
            _folder: folder,
        }
    }

    fn says(&self, said: Said) {
        *self.said.lock().unwrap() = said;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn house(&self) -> (House, TempDir) {
        let (folder, file) = self.config("");
        (House::start_with(&["--config", &file]).await, folder)
    }

    /// A configuration with the way to it, and with what else stands there.
    fn config(&self, more: &str) -> (TempDir, String) {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("portreeve.toml");
        // The server behind the gateway is on this machine, and is reached without the proxy.
        let config = format!(
            "[egress]\nproxy = \"http://{}\"\nno_proxy = [\"127.0.0.1\", \"localhost\"]\nca_file = \"{}\"\n{more}",
            self.proxy,
            self.cert.display()
        );
        std::fs::write(&file, config).unwrap();
        (folder, file.display().to_string())
    }
}

fn answer(said: Said) -> Response {
    let mut response = said.body.into_response();
    *response.status_mut() = http::StatusCode::from_u16(said.status).unwrap();
    let headers = response.headers_mut();
    headers.remove("content-type");
    for (name, value) in said.headers {
        headers.insert(name, value.parse().unwrap());
    }
    response
}

async fn serve(mut stream: TcpStream, tls: &TlsAcceptor, router: Router) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
    let stream = tls.acceptor().accept(stream).await.ok()?;
    let serving = Builder::new(TokioExecutor::new());
    let service = TowerToHyperService::new(router);
    serving.serve_connection(TokioIo::new(stream), service).await.ok()
}

/// What is no document of the client.
fn wrong_answers() -> Vec<(Said, &'static str)> {
    vec![
        (
            Said {
                status: 404,
                ..good(&document())
            },
            "404",
        ),
        (
            Said {
                status: 302,
                headers: vec![("location", "/other".to_owned())],
                body: String::new(),
            },
            "a redirect",
        ),
        (
            Said {
                headers: vec![("content-type", "text/html".to_owned())],
                ..good(&document())
            },
            "no JSON",
        ),
        (
            Said {
                body: "{".to_owned(),
                ..good(&document())
            },
            "half of it",
        ),
        (
            good(&json!({"client_id": "https://host.example/other.json", "redirect_uris": [REDIRECT]})),
            "another",
        ),
        (
            good(&json!({"client_id": DOCUMENT, "redirect_uris": [REDIRECT],
                "token_endpoint_auth_method": "client_secret_basic"})),
            "a secret",
        ),
        (
            good(
                &json!({"client_id": DOCUMENT, "redirect_uris": [REDIRECT], "client_name": "x".repeat(6_000)}),
            ),
            "too long",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_11_a_document_stands_for_its_client() {
    let host = Host::start().await;
    let (house, _folder) = host.house().await;
    let browser = Browser::signed_in(&house).await;
    let asked = but(&house.request(DOCUMENT), "redirect_uri", Some(REDIRECT));
    for (wrong, why) in wrong_answers() {
        host.says(wrong);
        let before = host.asked();
        let page = browser.authorize(&house, &asked).await;
        assert_eq!(
            (page.status, page.header("location")),
            (400, ""),
            "{why}: {}",
            page.text()
        );
        assert_eq!(
            host.asked(),
            before + 1,
            "{why}: errors are not kept, redirects not followed"
        );
    }
    host.says(good(&document()));
    let before = host.asked();
    let page = browser.authorize(&house, &asked).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(
        page.text().contains("described by <strong>host.example</strong>"),
        "{}",
        page.text()
    );
    let answer = browser
        .post(&house, "/authorize", &Browser::form(&page, "allow"))
        .await;
    let code = parameter(&answer, "code").expect("a code");
    let exchange = but(&house.exchange(DOCUMENT, &code), "redirect_uri", Some(REDIRECT));
    let token = house.post("/token", &exchange).await;
    assert_eq!(token.status, 200, "{}", token.text());
    let silent = browser.authorize(&house, &asked).await;
    assert!(
        parameter(&silent, "code").is_some(),
        "{} {}",
        silent.status,
        silent.text()
    );
    assert_eq!(host.asked(), before + 1, "a copy is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cd_5_a_document_that_changed_is_asked_about_again() {
    let host = Host::start().await;
    let (house, _folder) = host.house().await;
    let browser = Browser::signed_in(&house).await;
    let asked = but(&house.request(DOCUMENT), "redirect_uri", Some(REDIRECT));
    let mut unkept = good(&document());
    unkept.headers.push(("cache-control", "no-store".to_owned()));
    host.says(unkept.clone());
    let page = browser.authorize(&house, &asked).await;
    let answer = browser
        .post(&house, "/authorize", &Browser::form(&page, "allow"))
        .await;
    assert!(parameter(&answer, "code").is_some(), "{}", answer.text());
    assert_eq!(
        browser.authorize(&house, &asked).await.status,
        303,
        "nothing changed"
    );
    let mut changed = document();
    changed["client_name"] = "Another".into();
    host.says(Said {
        body: changed.to_string(),
        ..unkept.clone()
    });
    assert_eq!(
        browser.authorize(&house, &asked).await.status,
        200,
        "another name"
    );
    let mut changed = document();
    changed["redirect_uris"] = json!([REDIRECT, "https://evil.example/cb"]);
    host.says(Said {
        body: changed.to_string(),
        ..unkept
    });
    assert_eq!(
        browser.authorize(&house, &asked).await.status,
        200,
        "another host of a redirect"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_invents_documents_shuts_no_used_client_out() {
    let host = Host::start().await;
    let (_folder, file) = host.config("[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\n");
    let house = House::start_alone_with(&["--config", &file]).await;
    let browser = Browser::signed_in(&house).await;
    let asked = but(&house.request(DOCUMENT), "redirect_uri", Some(REDIRECT));
    let mut unkept = good(&document());
    unkept.headers.push(("cache-control", "no-store".to_owned()));
    host.says(unkept);
    let page = browser.authorize(&house, &asked).await;
    let answer = browser
        .post(&house, "/authorize", &Browser::form(&page, "allow"))
        .await;
    let code = parameter(&answer, "code").expect("a code");
    let exchange = but(&house.exchange(DOCUMENT, &code), "redirect_uri", Some(REDIRECT));
    assert_eq!(house.post("/token", &exchange).await.status, 200);

    // One address asks for as much as it may, all of it at the host of the client.
    let from_there = async |fields: &Fields| {
        let headers = [
            ("x-forwarded-for", "203.0.113.1".to_owned()),
            ("cookie", browser.cookie.clone()),
        ];
        let url = format!("{}/authorize?{}", house.node.url, encoded(fields));
        house
            .node
            .web
            .ask("GET", &url, &headers, String::new())
            .await
            .unwrap()
    };
    let mut is_limited = false;
    for number in 0..60 {
        let invented = format!("https://host.example/{number}.json");
        let page = from_there(&but(&asked, "client_id", Some(&invented))).await;
        is_limited = page.text().contains("try again in");
        if is_limited {
            break;
        }
    }
    assert!(is_limited, "one address asks for as much as it likes");
    let before = host.asked();
    assert_eq!(browser.authorize(&house, &asked).await.status, 303);
    assert_eq!(host.asked(), before + 1, "it has a limit of its own");
    assert_eq!(from_there(&asked).await.status, 303, "the former copy serves");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_12_no_document_is_fetched_from_inside() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let reached = house.upstream.reached();
    let mut told = Vec::new();
    let port = url::Url::parse(&house.upstream.url).unwrap().port().unwrap();
    for inside in [
        format!("https://127.0.0.1:{port}/client.json"),
        format!("https://localhost:{port}/client.json"),
        "https://10.0.0.1/client.json".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://[::1]/client.json".to_owned(),
        "https://[64:ff9b::7f00:1]/client.json".to_owned(),
        "https://[2002:7f00:1::]/client.json".to_owned(),
        "https://metadata.google.internal/client.json".to_owned(),
        "https://no-such-host.invalid/client.json".to_owned(),
    ] {
        let asked = but(&house.request(&inside), "redirect_uri", Some(REDIRECT));
        let page = browser.authorize(&house, &asked).await;
        assert_eq!((page.status, page.header("location")), (400, ""), "{inside}");
        let text = page.text();
        told.push(text.split_once("<main").unwrap().1.to_owned());
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "all sound alike");
    assert_eq!(house.upstream.reached(), reached);
}
