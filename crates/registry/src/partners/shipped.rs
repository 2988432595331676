//! The catalogue that the binary carries: the folder `partners/` of the repository as one document. It is trusted as the binary
//! is, so it has no signature; nobody checked its partners from here, so it has no evidence.

use super::catalogue::Catalogue;

/// Made by `UPDATE_GOLDEN=1 hcargo test -p portreeve --test it partners_folder` from the folder.
const SHIPPED: &str = include_str!("../../../../partners/catalogue.json");

/// The catalogue that is shipped.
pub fn shipped() -> Result<Catalogue, serde_json::Error> {
    serde_json::from_str(SHIPPED)
}
