//! What every page has around it: title, navigation, account, assets.

use std::sync::Arc;

use crate::assets::AssetPaths;
use crate::visitor::Offers;

/// Who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// The label people know the visitor by.
    pub(crate) label: String,
    /// What the visitor's roles open.
    pub(crate) offers: Offers,
    /// The token of the sign-out form.
    pub(crate) sign_out_token: String,
}

/// The frame of a page.
#[derive(Debug, Clone)]
pub(crate) struct Shell {
    /// The page's title, without the installation's name.
    pub(crate) title: String,
    /// The navigation entry that the page belongs to.
    pub(crate) section: &'static str,
    /// Who is signed in.
    pub(crate) account: Option<Account>,
    /// What the installation is called.
    pub(crate) brand: Arc<str>,
    /// The colour of the browser's own frame.
    pub(crate) theme: String,
    /// Where the assets are.
    pub(crate) assets: AssetPaths,
    /// How much waits for a manager, as words; nothing for others, and when nothing does.
    pub(crate) waiting: Option<String>,
    /// Portreeve's version.
    pub(crate) version: &'static str,
}

impl Shell {
    /// What the visitor's roles open; nothing for who is not signed in.
    pub(crate) fn offers(&self) -> Offers {
        self.account
            .as_ref()
            .map(|account| account.offers)
            .unwrap_or_default()
    }

    /// Whether the navigation leads further than to what everybody may look at: for who has a role.
    pub(crate) fn navigates(&self) -> bool {
        let offers = self.offers();
        offers.views || offers.audits
    }
}
