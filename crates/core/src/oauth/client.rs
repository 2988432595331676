//! Clients as the authorization server knows them, whichever way they became known.

use crate::oauth::ClientId;
use crate::server::as_words;
use crate::time::Timestamp;

/// How a client became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// It registered itself (RFC 7591). Anybody may, so its name is what it says of itself.
    Registered,
    /// Its identity is the address of a document that describes it; who serves the host speaks for it.
    Document,
    /// An administrator entered it.
    Managed,
}

as_words!(ClientKind { Registered = "registered", Document = "document", Managed = "managed" });

/// How a client shows at the token endpoint that it is itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientAuth {
    /// It cannot keep a secret; the proof key of each authorization stands for it.
    None,
    /// A secret in the header `Authorization`.
    SecretBasic,
    /// A secret in the form.
    SecretPost,
    /// An assertion that it signs with its own key (RFC 7523).
    PrivateKeyJwt,
}

as_words!(ClientAuth {
    None = "none",
    SecretBasic = "client_secret_basic",
    SecretPost = "client_secret_post",
    PrivateKeyJwt = "private_key_jwt",
});

/// What a client may hand in at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GrantKind {
    /// A code.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// Nothing: it acts for itself.
    ClientCredentials,
    /// An assertion of a trusted issuer.
    JwtBearer,
}

as_words!(GrantKind {
    AuthorizationCode = "authorization_code",
    RefreshToken = "refresh_token",
    ClientCredentials = "client_credentials",
    JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
});

/// Where the public keys of a client are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientKeys {
    /// Here: a JWK set, as JSON text.
    Inline(String),
    /// At an address that the client names.
    At(String),
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its identity.
    pub id: ClientId,
    /// How it became known.
    pub kind: ClientKind,
    /// What it calls itself, or what the administrator calls it.
    pub name: String,
    /// Where codes may be sent.
    pub redirect_uris: Vec<String>,
    /// What it may hand in.
    pub grants: Vec<GrantKind>,
    /// How it authenticates.
    pub auth: ClientAuth,
    /// SHA-256 of its 256-bit secret, hex.
    pub secret_hash: Option<String>,
    /// Its public keys.
    pub keys: Option<ClientKeys>,
    /// A digest of what people see of it: name and hosts of its redirects. Where it changes, people are asked again.
    pub snapshot: String,
    /// Actor label of who entered it.
    pub created_by: String,
    /// When it became known.
    pub created_at: Timestamp,
    /// When it got a token last.
    pub used_at: Option<Timestamp>,
    /// Until when a copy of its document is good.
    pub fresh_until: Option<Timestamp>,
}

impl Client {
    /// Whether it may hand that in.
    pub fn may(&self, grant: GrantKind) -> bool {
        self.grants.contains(&grant)
    }
}
