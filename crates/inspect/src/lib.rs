//! Looks at what comes from outside without believing it: canonical hashes, tool definitions and their differences,
//! MACs, signatures and seals, pictures, and what is hidden in a text.
//!
//! Pure functions, no input or output. JSON is read strictly (a key twice in one object is refused), because two
//! readers that disagree about a document would also disagree about what was approved.
//!
//! Before: `client` and the faces hand over what they received. After: `registry` pins the hashes, `gateway` compares
//! them, `store` signs the audit chains with the keys made here.

mod error;
mod hex;
mod json;

mod hash;
mod tool;

mod diff;
mod excerpt;
mod picture;
pub mod scan;

mod schema;

mod es256;
mod keys;
mod proof;
mod seal;
mod signer;

pub use diff::{FieldChange, document_diff, tool_diff};
pub use error::InspectError;
pub use es256::{Es256Pair, NoPair};
pub use hash::{canonical, content_hash, one_spelling, sha256, sha256_hex};
pub use hex::decode as from_hex;
pub use json::MAX_DEPTH;
pub use keys::{Keyring, Mac};
pub use picture::{NoPicture, Picture, picture};
pub use proof::PublicKey;
pub use schema::{ToolSchema, ValueProblem, ValueSchema};
pub use seal::{SealError, Sealer};
pub use signer::Ed25519Signer;
pub use tool::{MAX_TOOL_NAME, tool_definition};
