//! Access tokens of a node, made beside it: on its store and with its master key, as its authorization server makes them.

use std::path::Path;
use std::sync::Arc;

use portreeve_access::{Access, AccessParts, NewToken, TokenParts};
use portreeve_core::caller::Principal;
use portreeve_core::id::{AuthorizationId, NodeId, UserId};
use portreeve_core::oauth::Scopes;
use portreeve_core::random::Rng;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::SystemClock;
use portreeve_inspect::{Keyring, from_hex};
use portreeve_store::{ChainHead, FileJournal, JournalSync, Store, StoreOptions};
use tempfile::TempDir;

use crate::node::{Engines, Node};

/// The client that tokens are given to unless a test says otherwise.
pub(crate) const CLIENT: &str = "https://host.example/client.json";

/// Makes tokens of one node.
pub(crate) struct Mint {
    access: Access,
    store: Store,
    _folder: TempDir,
}

#[derive(Debug)]
struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system has random bytes");
    }
}

impl Mint {
    /// On the store of a node.
    pub(crate) async fn of(node: &Node) -> Self {
        let url = match node.engines() {
            Engines::Alone => format!("sqlite:{}", node.data().join("portreeve.db").display()),
            Engines::Servers { store, .. } => store,
        };
        let text = std::fs::read_to_string(node.data().join("master.key")).expect("a master key");
        let bytes = from_hex(text.trim()).expect("hex");
        let master = SecretKey::new(bytes.try_into().expect("32 bytes"));
        let folder = TempDir::new().expect("a temporary directory");
        Self::on(&url, master, &node.url, folder).await
    }

    /// Somebody else's, who only says that they are this node.
    pub(crate) async fn strangers(node: &Node) -> Self {
        let folder = TempDir::new().expect("a temporary directory");
        let url = format!("sqlite:{}", folder.path().join("strange.db").display());
        Self::on(&url, SecretKey::new([9; 32]), &node.url, folder).await
    }

    async fn on(url: &str, master: SecretKey, issuer: &str, folder: TempDir) -> Self {
        let id = NodeId::new(&SystemClock, &SystemRng);
        let store = Store::open(url, &StoreOptions::new(id)).await.expect("a store");
        let access = Access::new(AccessParts {
            identity: Arc::new(store.clone()),
            policies: Arc::new(store.clone()),
            sessions: Arc::new(store.clone()),
            journal: Arc::new(journal(folder.path())),
            tokens: TokenParts {
                store: Arc::new(store.clone()),
                sealing_key: Keyring::new(master).derive("token-signing-keys"),
                issuer: issuer.to_owned(),
                issuers: portreeve_access::Issuers::default(),
                lifetime: portreeve_access::TOKEN_LIFETIME,
            },
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
        });
        Self {
            access,
            store,
            _folder: folder,
        }
    }

    /// A token of the local admin for the default client.
    pub(crate) async fn token(&self, audience: &str, scopes: &str) -> String {
        let authorization = AuthorizationId::new(&SystemClock, &SystemRng);
        self.token_of((UserId::LOCAL_ADMIN, authorization), audience, scopes)
            .await
    }

    /// A token of a user that rests on an authorization.
    pub(crate) async fn token_of(
        &self,
        (user, authorization): (UserId, AuthorizationId),
        audience: &str,
        scopes: &str,
    ) -> String {
        let new = NewToken {
            subject: Principal::User(user),
            client: CLIENT.parse().expect("a client"),
            audience: audience.to_owned(),
            scopes: Scopes::known_in(scopes),
            authorization,
            signed_in_at: None,
        };
        let issued = self.access.issue_token(&new).await.expect("a token");
        issued.token.expose().to_owned()
    }

    /// Ends an authorization, as another node does.
    pub(crate) async fn end(&self, authorization: AuthorizationId) {
        let ended = self.access.end_authorization(authorization).await;
        ended.expect("it ends");
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}

/// What tokens are made of in a house that is no process of its own.
pub(crate) fn token_parts(store: &Store) -> TokenParts {
    TokenParts {
        store: Arc::new(store.clone()),
        sealing_key: SecretKey::new([8; 32]),
        issuer: "https://gw.acme.example".to_owned(),
        issuers: portreeve_access::Issuers::default(),
        lifetime: portreeve_access::TOKEN_LIFETIME,
    }
}

fn journal(folder: &Path) -> FileJournal {
    FileJournal::open(&folder.join("journal"), JournalSync::Os, ChainHead::EMPTY).expect("a journal")
}
