//! Values that look like credentials: known prefixes with enough behind them, private keys, tokens with three parts.

/// A value that looks like a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialLike {
    /// What it looks like: "a GitHub token".
    pub kind: &'static str,
    /// Its beginning, so that it can be found. Never more than its prefix and four characters.
    pub beginning: String,
}

/// What begins so, and has at least so many characters `[A-Za-z0-9_-]` behind it.
const PREFIXES: &[(&str, usize, &str)] = &[
    ("ghp_", 30, "a GitHub token"),
    ("gho_", 30, "a GitHub token"),
    ("ghs_", 30, "a GitHub token"),
    ("github_pat_", 30, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("npm_", 30, "an npm token"),
    ("sk-ant-", 20, "an Anthropic key"),
    ("sk-", 32, "an API key"),
    ("sk_live_", 16, "a Stripe key"),
    ("rk_live_", 16, "a Stripe key"),
    ("AKIA", 16, "an AWS access key"),
    ("ASIA", 16, "an AWS access key"),
    ("AIza", 30, "a Google API key"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
    ("hf_", 30, "a Hugging Face token"),
    ("prv_", 32, "a Portreeve key"),
];

/// Every value in the text that looks like a credential, at most one of a kind.
pub fn credentials(text: &str) -> Vec<CredentialLike> {
    let mut found: Vec<CredentialLike> = Vec::new();
    let mut note = |kind: &'static str, beginning: &str| {
        if !found.iter().any(|known| known.kind == kind) {
            let beginning = beginning.chars().take(20).collect();
            found.push(CredentialLike { kind, beginning });
        }
    };
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
        note("a private key", "-----BEGIN ");
    }
    for word in text.split(|c: char| !is_part(c)) {
        let known = PREFIXES.iter().find(|(prefix, ..)| word.starts_with(prefix));
        if let Some((prefix, behind, kind)) = known
            && let Some(rest) = word.strip_prefix(prefix)
            && rest.chars().filter(|c| c.is_ascii_alphanumeric()).count() >= *behind
            && is_random(rest)
        {
            let start: String = word.chars().take(prefix.len() + 4).collect();
            note(kind, &start);
        }
        if word.starts_with("eyJ") && is_jwt(word) {
            note("a signed token (JWT)", "eyJ");
        }
    }
    found
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// A placeholder such as `ghp_xxxxxxxxxxxx` has few different characters.
fn is_random(rest: &str) -> bool {
    let mut seen = [false; 128];
    for byte in rest.bytes() {
        if let Some(place) = seen.get_mut(usize::from(byte)) {
            *place = true;
        }
    }
    seen.iter().filter(|there| **there).count() >= 8
}

fn is_jwt(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    matches!(&parts[..], [head, body, signature] if head.len() >= 10 && body.starts_with("eyJ") && signature.len() >= 20)
}
