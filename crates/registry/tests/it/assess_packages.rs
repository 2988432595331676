//! Packages say themselves whose they are; who cannot be asked says nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use portreeve_registry::{
    Approve, AssessmentPolicy, FindingSeverity as Severity, PackagePlace, PackagePlaces,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::world::{NAME, World, admin};

/// The registries of packages, all in one place: what stands at a path, and who asked with a token.
#[derive(Clone)]
struct Shops {
    origin: Url,
    shelf: Arc<Mutex<HashMap<String, (u16, String)>>>,
}

impl Shops {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}/", listener.local_addr().unwrap());
        let shops = Self {
            origin: origin.parse().unwrap(),
            shelf: Arc::default(),
        };
        let served = shops.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let served = served.clone();
                tokio::spawn(async move { served.serve(stream).await });
            }
        });
        shops
    }

    fn put(&self, path: &str, status: u16, body: &Value) {
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        self.shelf.lock().unwrap().insert(path.to_owned(), (status, body));
    }

    /// Images are shown to who has the token that anybody gets.
    async fn serve(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let has_token = head
            .to_ascii_lowercase()
            .contains("authorization: bearer anybody");
        let (status, headers, body) = if path.starts_with("/v2/") && !has_token {
            let realm = self.origin.join("token").unwrap();
            let challenge =
                format!("www-authenticate: Bearer realm=\"{realm}\",service=\"shop\",scope=\"pull\"\r\n");
            (401, challenge, String::new())
        } else {
            let on_shelf = self.shelf.lock().unwrap().get(&path).cloned();
            match on_shelf {
                Some((302, place)) => (302, format!("location: {place}\r\n"), String::new()),
                Some((status, body)) => (status, String::new(), body),
                None => (404, String::new(), String::new()),
            }
        };
        let text = format!(
            "HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let _ = stream.write_all(text.as_bytes()).await;
    }

    fn world(&self) -> World {
        World::assessing(AssessmentPolicy {
            packages: Some(PackagePlaces {
                npm: PackagePlace::Own(self.origin.clone()),
                pypi: PackagePlace::Own(self.origin.clone()),
                nuget: PackagePlace::Own(self.origin.clone()),
                images: vec![self.origin.clone()],
            }),
            ..AssessmentPolicy::default()
        })
    }

    fn image(&self, name: &str) -> String {
        let origin = &self.origin;
        format!("{}:{}/{name}", origin.host_str().unwrap(), origin.port().unwrap())
    }
}

/// What is found about one package: how bad, and what shows it.
async fn found(world: &World, package: Value) -> Vec<(Severity, String, String)> {
    found_of(world, vec![package]).await
}

async fn found_of(world: &World, packages: Vec<Value>) -> Vec<(Severity, String, String)> {
    let document = json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": NAME, "description": "Bills", "version": "1.0.0", "packages": packages,
    });
    world.add(&document.to_string(), Approve::No).await.unwrap();
    let name = NAME.parse().unwrap();
    let judged = world.registry.assess(&admin(), &name, None).await.unwrap();
    let ours = judged
        .findings
        .into_iter()
        .filter(|finding| finding.assessor == "packages");
    ours.map(|finding| {
        (
            finding.severity,
            finding.message,
            finding.evidence.unwrap_or_default(),
        )
    })
    .collect()
}

fn package(kind: &str, identifier: &str) -> Value {
    json!({"registryType": kind, "identifier": identifier, "version": "1.0.0", "transport": {"type": "stdio"}})
}

#[tokio::test]
async fn what_a_package_says_decides() {
    let shops = Shops::open().await;
    let readme = format!("# Bills\n<!-- mcp-name: {NAME} -->");
    shops.put(
        "/@acme%2Fbilling/1.0.0",
        200,
        &json!({"mcpName": NAME.to_uppercase()}),
    );
    shops.put(
        "/pypi/billing/1.0.0/json",
        200,
        &json!({"info": {"description": readme}}),
    );
    shops.put("/v3-flatcontainer/acme.billing/1.0.0/readme", 200, &json!(readme));
    for (kind, identifier) in [
        ("npm", "@acme/billing"),
        ("pypi", "billing"),
        ("nuget", "Acme.Billing"),
    ] {
        assert_eq!(
            found(&shops.world(), package(kind, identifier)).await,
            [],
            "{kind}"
        );
    }

    shops.put("/@acme%2Fbilling/1.0.0", 200, &json!({}));
    let nothing = found(&shops.world(), package("npm", "@acme/billing")).await;
    assert!(
        matches!(&nothing[..], [(Severity::Medium, said, _)] if said.contains("does not say")),
        "{nothing:?}"
    );

    shops.put(
        "/pypi/billing/1.0.0/json",
        200,
        &json!({"info": {"description": format!("mcp-name: {NAME}2")}}),
    );
    let another = found(&shops.world(), package("pypi", "billing")).await;
    assert!(
        matches!(&another[..], [(Severity::High, _, shown)] if shown.ends_with(&format!("{NAME}2"))),
        "{another:?}"
    );

    // A package without a README is one, however its version is written.
    shops.put(
        "/v3-flatcontainer/silent/index.json",
        200,
        &json!({"versions": ["0.9.0", "1.0.0"]}),
    );
    for version in ["1.0.0", "1.0", "1.0.0+Build"] {
        let mut silent = package("nuget", "Silent");
        silent["version"] = json!(version);
        let silent = found(&shops.world(), silent).await;
        assert!(
            matches!(&silent[..], [(Severity::Medium, said, _)] if said.contains("does not say")),
            "{version}: {silent:?}"
        );
    }
    let mut missing = package("nuget", "Silent");
    missing["version"] = json!("1.1.0");
    let missing = found(&shops.world(), missing).await;
    assert!(
        matches!(&missing[..], [(Severity::High, said, _)] if said.contains("does not exist")),
        "{missing:?}"
    );

    let missing = found(&shops.world(), package("nuget", "Nobody")).await;
    assert!(
        matches!(&missing[..], [(Severity::High, said, _)] if said.contains("does not exist")),
        "{missing:?}"
    );
}

#[tokio::test]
async fn a_gw_9_a_registry_that_cannot_be_asked_proves_nothing() {
    let shops = Shops::open().await;
    for (status, body) in [(429, json!({})), (503, json!({})), (200, json!("no JSON at all"))] {
        shops.put("/billing/1.0.0", status, &body);
        let found = found(&shops.world(), package("npm", "billing")).await;
        assert!(
            matches!(&found[..], [(Severity::Medium, said, _)] if said.contains("could not be asked")),
            "{status}: {found:?}"
        );
    }
    let strange = found(
        &shops.world(),
        package("oci", "registry.unknown.example/acme/billing:1"),
    )
    .await;
    assert!(
        matches!(&strange[..], [(Severity::Medium, _, shown)] if shown.contains("assessment.packages.images")),
        "{strange:?}"
    );
    let port = shops.origin.port().unwrap();
    for image in ["127.0.0.1:PORT?.pkg.dev/x", "127.0.0.1:PORT#.azurecr.io/x"] {
        let image = image.replace("PORT", &port.to_string());
        let led = found(&shops.world(), package("oci", &image)).await;
        assert!(
            led.iter()
                .all(|(_, said, shown)| said.contains("could not be asked")
                    && shown.contains("is no registry that is asked")),
            "{led:?}"
        );
    }
    let up = found(&shops.world(), package("npm", "..")).await;
    assert!(
        up.iter().all(|(_, said, _)| said.contains("could not be asked")),
        "{up:?}"
    );
}

#[tokio::test]
async fn packages_that_are_too_many_to_ask_about_are_told() {
    let shops = Shops::open().await;
    let packages: Vec<Value> = (0..12)
        .map(|number| {
            let name = format!("billing-{number}");
            shops.put(&format!("/{name}/1.0.0"), 200, &json!({"mcpName": NAME}));
            package("npm", &name)
        })
        .collect();
    let told = found_of(&shops.world(), packages).await;
    assert!(
        matches!(&told[..], [(Severity::Medium, said, shown)]
            if said.contains("could not be asked") && shown.starts_with("npm billing-10 1.0.0")),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_image_says_it_in_a_label() {
    let shops = Shops::open().await;
    let label = |name: &str| json!({"config": {"Labels": {"io.modelcontextprotocol.server.name": name}}});
    shops.put(
        "/token?service=shop&scope=pull",
        200,
        &json!({"token": "anybody"}),
    );
    shops.put(
        "/v2/acme/billing/manifests/1.0.0",
        200,
        &json!({"manifests": [
            {"digest": "sha256:arm", "platform": {"os": "linux", "architecture": "arm64"}},
            {"digest": "sha256:usual", "platform": {"os": "linux", "architecture": "amd64"}},
        ]}),
    );
    shops.put(
        "/v2/acme/billing/manifests/sha256:usual",
        200,
        &json!({"config": {"digest": "sha256:config"}}),
    );
    shops.put("/v2/acme/billing/blobs/sha256:config", 302, &json!("/elsewhere"));
    shops.put("/elsewhere", 200, &label(NAME));
    let image = shops.image("acme/billing:1.0.0");
    assert_eq!(found(&shops.world(), package("oci", &image)).await, []);

    // A place that a registry names is not the operator's word: this one leads into the house.
    shops.put(
        "/v2/acme/billing/blobs/sha256:config",
        302,
        &json!("http://127.0.0.1:9/config"),
    );
    let inside = found(&shops.world(), package("oci", &image)).await;
    assert!(matches!(&inside[..], [(Severity::Medium, _, _)]), "{inside:?}");

    shops.put(
        "/v2/acme/billing/blobs/sha256:config",
        200,
        &label("com.other/billing"),
    );
    let another = found(&shops.world(), package("oci", &image)).await;
    assert!(matches!(&another[..], [(Severity::High, _, _)]), "{another:?}");
}
