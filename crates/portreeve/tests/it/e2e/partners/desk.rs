//! A vendor engineer's desk: a folder with one partner's files, a key, a name server that shows it, and the binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::vendor::Vendor;
use crate::doubles::{changing_name_server, name_server};
use crate::node::binary;

/// The domain of the vendor; only the test's name server knows it.
pub(super) const DOMAIN: &str = "harbour-double.systems";

/// The desk.
pub(super) struct Desk {
    files: tempfile::TempDir,
    pub(super) vendor: Vendor,
    pub(super) public: String,
    /// What the domain says of itself; the last one is its key.
    pub(super) records: Arc<Mutex<Vec<String>>>,
}

/// Runs the binary with nothing of the machine's own.
pub(super) fn portreeve(arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(binary());
    command.args(arguments).env_clear();
    command.output().expect("the binary runs")
}

/// The same, and what it prints as JSON.
pub(super) fn portreeve_json(arguments: &[&str]) -> (i32, Value) {
    let output = portreeve(&[arguments, &["--json"]].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text} {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), value)
}

impl Desk {
    /// A desk on which everything is right.
    pub(super) async fn start() -> Self {
        let files = tempfile::TempDir::new().unwrap();
        let at = |name: &str| files.path().join(name);
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        fs::write(at("key.pem"), made.signing_key.serialize_pem()).unwrap();
        fs::write(at("cert.pem"), made.cert.pem()).unwrap();
        let vendor = Vendor::start(files.path()).await;
        let key = at("domain.key");
        let (code, made) = portreeve_json(&["partner", "key", key.to_str().unwrap()]);
        assert_eq!(code, 0);
        let record = made["record"].as_str().unwrap().to_owned();
        let records = Arc::new(Mutex::new(vec!["v=spf1 -all".to_owned(), record]));
        let names = changing_name_server(DOMAIN, Arc::clone(&records)).await;
        let elsewhere = name_server(DOMAIN, vec!["v=spf1 -all".to_owned()]).await;
        for (file, names) in [("check.toml", names), ("elsewhere.toml", elsewhere)] {
            let cert = at("cert.pem");
            let config = format!(
                "[egress]\nca_file = {:?}\n[registry.auth]\nname_server = \"{names}\"\n",
                cert.display().to_string()
            );
            fs::write(at(file), config).unwrap();
        }
        fs::create_dir(at("partners")).unwrap();
        let public = made["publicKey"].as_str().unwrap().to_owned();
        let desk = Self {
            files,
            vendor,
            public,
            records,
        };
        desk.write("harbour", &desk.manifest("harbour"), &desk.server("harbour"));
        desk
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    /// The folder of all partners.
    pub(super) fn folder(&self) -> String {
        self.text("partners")
    }

    /// The folder of a partner.
    pub(super) fn partner(&self, name: &str) -> String {
        self.text(&format!("partners/{name}"))
    }

    fn site(&self, path: &str) -> String {
        format!("https://{}/{path}", self.vendor.secure)
    }

    /// A right `partner.toml`, as a tree.
    pub(super) fn manifest(&self, name: &str) -> toml::Table {
        let url = |path: &str| self.site(path);
        toml::Table::try_from(json!({
            "name": name, "title": "Harbour", "summary": "Finds berths for ships", "description": "Berths, tides and pilots.",
            "domain": DOMAIN, "namespace": "systems.harbour-double", "categories": ["Operations & Supply Chain"],
            "icon": url("icon.svg"), "terms": url("terms"), "privacy": url("terms#privacy"),
            "license": {"name": "Terms", "url": url("terms#license")},
            "documentation": {"title": "Manual", "url": url("docs")},
            "support": {"name": "Desk", "email": format!("desk@{DOMAIN}")},
            "security": {"name": "Desk", "email": format!("security@{DOMAIN}")},
            "servers": {name: {"login": "none", "eras": ["legacy"]}},
        }))
        .unwrap()
    }

    /// A right `server.json`.
    pub(super) fn server(&self, name: &str) -> Value {
        json!({
            "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name": format!("systems.harbour-double/{name}"), "title": "Harbour", "description": "Finds berths",
            "version": "1.0.0", "websiteUrl": self.site("docs"),
            "remotes": [{"type": "streamable-http", "url": self.site("mcp")}],
        })
    }

    /// Writes a partner of one server, and signs it.
    pub(super) fn write(&self, name: &str, manifest: &toml::Table, server: &Value) {
        let folder = self.at("partners").join(name);
        fs::create_dir_all(folder.join("servers")).unwrap();
        fs::write(folder.join("partner.toml"), manifest.to_string()).unwrap();
        fs::write(folder.join(format!("servers/{name}.json")), server.to_string()).unwrap();
        self.sign(&folder);
    }

    /// Signs, where the form of the file lets it.
    pub(super) fn sign(&self, folder: &Path) {
        let _ = portreeve(&[
            "partner",
            "sign",
            folder.to_str().unwrap(),
            "--key",
            &self.text("domain.key"),
        ]);
    }

    /// Checks a partner against the network; `config` says what the network is.
    pub(super) fn check(&self, path: &str, config: &str) -> (i32, Value) {
        portreeve_json(&[
            "partner",
            "check",
            path,
            "--internal",
            "--config",
            &self.text(config),
        ])
    }
}

/// The checks of an item with an outcome.
pub(super) fn with_outcome<'a>(item: &'a Value, outcome: &str) -> Vec<&'a str> {
    let checks = item["checks"].as_object().unwrap().iter();
    checks
        .filter(|(_, one)| *one == outcome)
        .map(|(id, _)| id.as_str())
        .collect()
}
