//! What a host must know about a server, in no host's own words yet.
//!
//! Before: a served document. After: each host writes the literal words as they are and asks for the prompts in its own
//! way.

mod read;

use portreeve_core::name::Slug;
use portreeve_core::route::{Access, Credentials};
use portreeve_mcp::server_json::ServerJson;
use serde_json::{Map, Value};

use read::{Way, bundles, identifier, is_address, ways};

/// Characters of a description that are shown to the person.
const DESCRIPTION: usize = 300;

/// What a host must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The name in the registry.
    pub name: String,
    /// A name for hosts that take only letters, digits, `-` and `_`.
    pub key: String,
    /// The version.
    pub version: String,
    /// The name for people.
    pub title: String,
    /// What the server does.
    pub description: String,
    /// Where it comes from: `gateway`, or the kind of its package.
    pub source: &'static str,
    /// How the host gets to the server.
    pub launch: Launch,
    /// What the person must be asked for.
    pub prompts: Vec<Prompt>,
    /// How one is let in.
    pub auth: Auth,
    /// The same with a key in a header, for hosts that cannot open a browser; where a key is taken besides.
    pub keyed: Option<Box<Setup>>,
    /// The gateway's public origin, where it is known.
    pub origin: Option<String>,
    /// The gateway's route, where it is known.
    pub slug: Option<Slug>,
}

/// How one is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Without a credential, as far as the gateway is concerned.
    Open,
    /// By OAuth: the host finds everything by the URL, and the person signs in.
    SignIn {
        /// The tokens are this Portreeve's own, not those of another issuer.
        own: bool,
    },
    /// With what the headers carry.
    Key,
}

/// What is known of the route that the gateway serves a version on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// Its name.
    pub slug: Slug,
    /// Its address.
    pub url: String,
    /// Who may use it.
    pub access: Access,
    /// Which credentials it takes.
    pub credentials: Credentials,
}

/// How a host gets to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// Over Streamable HTTP.
    Http {
        /// The URL.
        url: String,
        /// Headers that it sends.
        headers: Vec<(String, Words)>,
    },
    /// As a process of its own.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments, one word each.
        args: Vec<Words>,
        /// Its environment.
        env: Vec<(String, Words)>,
    },
    /// As a bundle that is downloaded, checked and opened.
    Bundle {
        /// Where it is.
        url: String,
        /// The SHA-256 of the file, in hex.
        sha256: String,
    },
}

/// A text with places for what the person is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words(pub Vec<Piece>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// The answer to the prompt at this place of [`Setup::prompts`].
    Prompt(usize),
}

/// Something that the person is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its name in a host: letters, digits, `-`, `_`.
    pub id: String,
    /// What it is for.
    pub description: String,
    /// It must not be shown.
    pub is_secret: bool,
}

// === impl Prompt ===

impl Prompt {
    /// Its name as an environment variable.
    pub fn variable(&self) -> String {
        let name: String = self
            .id
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            format!("_{name}")
        } else {
            name
        }
    }
}

// === impl Words ===

impl Words {
    fn literal(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// The same with texts that stand side by side as one.
    fn joined(self) -> Self {
        let mut joined: Vec<Piece> = Vec::with_capacity(self.0.len());
        for piece in self.0 {
            match (joined.last_mut(), piece) {
                (_, Piece::Text(text)) if text.is_empty() => {}
                (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
                (_, piece) => joined.push(piece),
            }
        }
        Self(joined)
    }

    /// The text, with each prompt written by `prompt`.
    pub fn render(&self, prompts: &[Prompt], prompt: impl Fn(&Prompt) -> String) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Prompt(place) => prompts.get(*place).map(&prompt).unwrap_or_default(),
        };
        self.0.iter().map(piece).collect()
    }

    /// Whether a host might take a part of it for a variable of its own, such as `${env:AWS_SECRET}`.
    fn is_plain(&self) -> bool {
        self.0.iter().all(|piece| match piece {
            Piece::Text(text) => !text.contains("${") && !text.contains(is_odd),
            Piece::Prompt(_) => true,
        })
    }
}

// === impl Setup ===

impl Setup {
    /// What a host must know of a served document. The gateway's route comes before anything that runs locally.
    pub fn of(document: &Map<String, Value>) -> Option<Self> {
        let view = ServerJson::view(document);
        let way = ways(&view).next()?;
        Self::by(&view, way)
    }

    /// Every way to the server that is a command or an address: the gateway's route, and each package that a host can run.
    pub fn all(document: &Map<String, Value>) -> Vec<Self> {
        let view = ServerJson::view(document);
        ways(&view).filter_map(|way| Self::by(&view, way)).collect()
    }

    /// The same and the bundles, each way entered as the gateway's routes are entered.
    pub fn entered(document: &Map<String, Value>, origin: &str, doors: &[Door]) -> Vec<Self> {
        let view = ServerJson::view(document);
        let bundles = bundles(document).map(|launch| ("mcpb", launch, Vec::new()));
        ways(&view)
            .chain(bundles)
            .filter_map(|way| Self::by(&view, way))
            .map(|setup| setup.through(origin, doors))
            .collect()
    }

    fn by(view: &ServerJson, (source, launch, prompts): Way) -> Option<Self> {
        let name = view.name.as_ref()?;
        let auth = match &launch {
            Launch::Http { headers, .. } if !headers.is_empty() => Auth::Key,
            _ => Auth::Open,
        };
        let title = view.title.as_deref().unwrap_or(name.short());
        launch.is_plain().then(|| Self {
            key: identifier(name.short()),
            name: name.to_string(),
            version: view.version.as_ref().map(ToString::to_string).unwrap_or_default(),
            title: shown(title),
            description: shown(&view.description),
            source,
            launch,
            prompts,
            auth,
            keyed: None,
            origin: None,
            slug: None,
        })
    }

    /// A route that takes access tokens needs nothing but its URL; a key is for hosts that cannot sign anybody in.
    fn through(mut self, origin: &str, doors: &[Door]) -> Self {
        self.origin = Some(origin.to_owned());
        let Launch::Http { url, headers } = &self.launch else {
            return self;
        };
        let Some(door) = doors.iter().find(|door| door.url == *url) else {
            return self;
        };
        let credentials = &door.credentials;
        self.slug = Some(door.slug.clone());
        let signs_in = credentials.tokens || !credentials.issuers.is_empty();
        if door.access == Access::Anonymous || !signs_in {
            return self;
        }
        let launch = Launch::Http {
            url: url.clone(),
            headers: Vec::new(),
        };
        // A document says how a key is handed over, where one is taken.
        let is_keyed = credentials.keys && !headers.is_empty();
        let keyed = is_keyed.then(|| Box::new(self.clone()));
        Self {
            launch,
            prompts: Vec::new(),
            auth: Auth::SignIn {
                own: credentials.tokens,
            },
            keyed,
            ..self
        }
    }

    /// For a host that cannot sign anybody in; nothing where only that lets one in.
    pub(super) fn without_sign_in(&self) -> Option<&Self> {
        match self.auth {
            Auth::SignIn { .. } => self.keyed.as_deref(),
            Auth::Open | Auth::Key => Some(self),
        }
    }

    /// Whether nothing in it could be taken for a variable by a host that reads `$NAME`.
    pub(super) fn has_no_dollar(&self) -> bool {
        let has_none = |words: &Words| {
            words.0.iter().all(|piece| match piece {
                Piece::Text(text) => !text.contains('$'),
                Piece::Prompt(_) => true,
            })
        };
        match &self.launch {
            Launch::Http { url, headers } => {
                !url.contains('$') && headers.iter().all(|(_, value)| has_none(value))
            }
            Launch::Stdio { args, env, .. } => {
                args.iter().all(has_none) && env.iter().all(|(_, value)| has_none(value))
            }
            Launch::Bundle { .. } => true,
        }
    }
}

/// A character that is not seen as what it is: it controls, it turns the direction, or it has no width.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text of a document as one line that a person is shown.
fn shown(text: &str) -> String {
    let line: String = text.chars().map(|c| if is_odd(c) { ' ' } else { c }).collect();
    line.trim().chars().take(DESCRIPTION).collect()
}

impl Launch {
    fn is_plain(&self) -> bool {
        let (words, pairs) = match self {
            Self::Http { url, .. } | Self::Bundle { url, .. } if !is_address(url) => return false,
            Self::Http { headers, .. } => (&[][..], headers),
            Self::Stdio { args, env, .. } => (&args[..], env),
            Self::Bundle { .. } => return true,
        };
        let mut all = words.iter().chain(pairs.iter().map(|(_, value)| value));
        let names_are_plain = pairs.iter().all(|(name, _)| {
            let mut bytes = name.bytes();
            !name.is_empty()
                && !name.starts_with('-')
                && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        });
        names_are_plain && all.all(Words::is_plain)
    }
}
