//! What the configuration file says of a provider.

use portreeve_core::name::SecretName;
use portreeve_core::secret::Secret;

use crate::tokens::GroupRule;

/// A provider.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// Its name, which stands in addresses: `[a-z0-9-]`.
    pub name: String,
    /// What its button says.
    pub title: String,
    /// Its identifier, exactly as it writes it.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// How we prove that it is us.
    pub credential: ClientCredential,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Which claims say what.
    pub claims: ClaimNames,
    /// Who may sign in: whom one of them admits; everybody, if there is none.
    pub admit: Vec<AdmitRule>,
    /// Which groups follow from which claims.
    pub groups: Vec<GroupRule>,
    /// How far signing out goes.
    pub sign_out: SignOut,
}

/// How far signing out goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignOut {
    /// It ends the session here; that at the provider goes on, and other applications with it.
    #[default]
    Local,
    /// Who signed out here is offered to sign out of the provider, too.
    Provider,
}

/// How we prove to a provider that it is us.
#[derive(Debug, Clone)]
pub enum ClientCredential {
    /// Not at all: PKCE alone binds the code to us.
    None,
    /// A secret of the configuration file.
    Secret(Secret),
    /// A secret of the vault.
    Vault(SecretName),
    /// A private key on P-256 (PKCS #8, PEM), with which assertions are signed (`private_key_jwt`).
    Key {
        /// The key.
        pem: Secret,
        /// How the provider knows it.
        key_id: Option<String>,
    },
}

/// Which claims say what of a user.
#[derive(Debug, Clone)]
pub struct ClaimNames {
    /// The name people know the user by, at the first sign-in.
    pub name: String,
    /// What the user is called.
    pub display_name: String,
    /// Where mail goes.
    pub email: String,
    /// Groups.
    pub groups: String,
}

/// Who may sign in.
#[derive(Debug, Clone)]
pub struct AdmitRule {
    /// The claim that is looked at.
    pub claim: String,
    /// It is, or holds, one of these.
    pub values: Vec<String>,
}
