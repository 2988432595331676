//! The thirty categories of a partner: those of the Azure catalogue, as a list and not as a sentence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! categories {
    ($($name:ident = $word:literal),+ $(,)?) => {
        /// What a partner's servers are about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Category {
            $(#[doc = $word] #[serde(rename = $word)] $name,)+
        }

        impl Category {
            /// All of them, by the alphabet.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The words by which it is written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

categories! {
    Analytics = "Analytics",
    Collaboration = "Collaboration",
    Commerce = "Commerce",
    Compliance = "Compliance & Legal",
    Compute = "Compute",
    Containers = "Containers",
    CustomerService = "Customer Service",
    Databases = "Databases",
    DeveloperTools = "Developer Tools",
    DevOps = "DevOps",
    Finance = "Finance",
    Geolocation = "Geolocation",
    HumanResources = "Human Resources",
    Identity = "Identity",
    Integration = "Integration",
    InternetOfThings = "Internet of Things",
    Management = "IT & Management Tools",
    MachineLearning = "Machine Learning",
    Media = "Media",
    Migration = "Migration",
    MixedReality = "Mixed Reality",
    Monitoring = "Monitoring & Diagnostics",
    Networking = "Networking",
    Operations = "Operations & Supply Chain",
    Productivity = "Productivity",
    ProjectManagement = "Project Management",
    Sales = "Sales",
    Security = "Security",
    Storage = "Storage",
    Web = "Web",
}

impl Category {
    /// The category of these words.
    pub fn of(words: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|one| one.as_str().eq_ignore_ascii_case(words.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_thirty_and_each_is_found_by_its_words() {
        assert_eq!(Category::ALL.len(), 30);
        for one in Category::ALL {
            assert_eq!(Category::of(one.as_str()), Some(*one));
            assert_eq!(serde_json::json!(one), serde_json::json!(one.as_str()));
        }
        assert_eq!(Category::of("Developer Tools, Web"), None);
    }
}
