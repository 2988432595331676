//! The partner programme, the part that works on files: what a partner says of itself and of its servers, what of that is
//! true, what it earns by it, and the signed catalogue that carries all this to every registry.
//!
//! `format` is what a partner writes, `azure` the same in the words of the Azure catalogue; `folder` reads a whole folder of
//! partners, `sight` looks at what they name on the network, `check` judges; `tier` says what the evidence is worth. In
//! `catalogue` all of it is signed and read again. Nothing here opens a file: `portreeve partner` and the pull request
//! check hand over what they read. `registry` is what a running registry makes of catalogues.

mod category;
mod format;
mod skeleton;

mod azure;

mod folder;
mod proof;

mod sight;

mod check;

mod tier;

mod catalogue;
mod shipped;

mod registry;

pub use azure::{Converted, from_azure, to_azure};
pub use catalogue::{
    CATALOGUE_FORMAT, Catalogue, Held, Listed, ListedIcon, ListedServer, ListedWithdrawal, Reader, Refusal,
    Rotation, SignedCatalogue, law, opened, seal,
};
pub use category::Category;
pub use check::{
    CheckId, Evidence, Finding as PartnerFinding, Level, Outcome, Report, ServerEvidence, check_ids,
};
pub use folder::{Files, Folder, IconFile, Submitted, SubmittedServer};
pub use format::{Contact, Link, Login, Named, Partner, ServerNote, UseCase, Vendor, partner_schema};
pub use proof::{Approval, Proof, approval_statement, proof_statement};
pub use registry::{
    Carried, Examiner, Listing, ListingHealth, ListingState, NewRegistration, PartnerCounts, PartnerJob,
    PartnerSettings, Partners, PartnersParts, PartnersQuery, PartnersStatus, RegisteredHere, Registration,
    Update, Variable, Withdraw, Withdrawing,
};
pub use shipped::shipped;
pub use sight::{Outlook, Sight};
pub use skeleton::skeleton;
pub use tier::{Standing, TRUSTED_FOR, Tier, standing};
