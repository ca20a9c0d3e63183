//! Providers and what their label codes mean.
//!
//! Absent: the labels themselves, and providers' keys. A provider that is not
//! in the catalogue may still report and pull; only its codes say nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::id::ProviderId;
use crate::domain::label::Category;
use crate::domain::name::folded;
use crate::domain::reference::ReferenceError;

/// Out of `labels.toml` and `providers.toml`.
#[derive(Debug, Clone)]
pub struct LabelCatalog {
    codes: BTreeMap<ProviderId, Codes>,
    texts: BTreeMap<String, Category>,
    /// Folded, as the names that they are looked for in.
    warning_words: Vec<String>,
    providers: BTreeMap<ProviderId, Provider>,
}

#[derive(Debug, Clone, Default)]
struct Codes {
    by_code: BTreeMap<String, (Category, String)>,
    by_text: BTreeMap<String, Category>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    name: String,
    appeal_url: Option<String>,
    appeal: String,
}

impl LabelCatalog {
    pub fn from_toml(labels: &str, providers: &str) -> Result<Self, ReferenceError> {
        let labels: LabelsFile = toml::from_str(labels).map_err(|why| ReferenceError::new(LABELS, why))?;
        let providers: ProvidersFile =
            toml::from_str(providers).map_err(|why| ReferenceError::new(PROVIDERS, why))?;
        Ok(Self {
            warning_words: folded_words(&labels.warning_words)?,
            texts: labels.texts,
            codes: labels
                .provider
                .into_iter()
                .map(|(id, provider)| Ok((id.clone(), Codes::new(&id, provider.codes)?)))
                .collect::<Result<_, ReferenceError>>()?,
            providers: checked_providers(providers.provider)?,
        })
    }

    /// What a provider's code means. A text on its own ("快递送餐") is taken
    /// for a code too.
    pub fn category_for_code(&self, provider: &ProviderId, code: &str) -> Option<Category> {
        let own = self.codes.get(provider).and_then(|codes| {
            codes
                .by_code
                .get(code)
                .map(|(category, _)| *category)
                .or_else(|| codes.by_text.get(code).copied())
        });
        own.or_else(|| self.texts.get(code).copied())
    }

    /// The words that a provider shows for a code of its own.
    pub fn text_for_code(&self, provider: &ProviderId, code: &str) -> Option<&str> {
        self.codes.get(provider)?.by_code.get(code).map(|(_, text)| text.as_str())
    }

    /// Whether a name warns of its bearer rather than naming it, as crowds
    /// write them: "冒充客服", "骗子".
    pub fn is_warning(&self, name: &str) -> bool {
        let name = folded(name);
        self.warning_words.iter().any(|word| name.contains(word))
    }

    /// What people call the provider; its id where we do not know.
    pub fn provider_name<'a>(&'a self, provider: &'a ProviderId) -> &'a str {
        self.providers.get(provider).map_or(provider.as_str(), |known| &known.name)
    }

    /// Where the provider takes appeals, if the address is known for certain.
    pub fn appeal_url(&self, provider: &ProviderId) -> Option<&str> {
        self.providers.get(provider)?.appeal_url.as_deref()
    }

    /// How to appeal to the provider, in Chinese words.
    pub fn appeal_text(&self, provider: &ProviderId) -> Option<&str> {
        self.providers.get(provider).map(|known| known.appeal.as_str())
    }

    /// The providers whose labels are described, by id.
    pub fn provider_ids(&self) -> impl Iterator<Item = &ProviderId> {
        self.codes.keys()
    }
}

impl Codes {
    fn new(provider: &ProviderId, codes: Vec<Code>) -> Result<Self, ReferenceError> {
        let wrong = |code: &str, why: &str| {
            ReferenceError::new(LABELS, format!("provider.{provider}.codes: code {code:?} {why}"))
        };
        let mut read = Self::default();
        for Code { code, text, category } in codes {
            if code.is_empty() || text.is_empty() {
                return Err(wrong(&code, "or its text is empty"));
            }
            // Where two codes share a text, they must share the meaning.
            if read.by_text.insert(text.clone(), category).is_some_and(|other| other != category) {
                return Err(wrong(&code, "has the text of another code, and not its category"));
            }
            if read.by_code.insert(code.clone(), (category, text)).is_some() {
                return Err(wrong(&code, "is given twice"));
            }
        }
        Ok(read)
    }
}

fn folded_words(words: &[String]) -> Result<Vec<String>, ReferenceError> {
    let fold = |word: &String| match folded(word) {
        // An empty word would be found in every name.
        empty if empty.is_empty() => {
            Err(ReferenceError::new(LABELS, format!("warning_words: {word:?} has no letter")))
        }
        folded => Ok(folded),
    };
    words.iter().map(fold).collect()
}

fn checked_providers(
    providers: BTreeMap<ProviderId, Provider>,
) -> Result<BTreeMap<ProviderId, Provider>, ReferenceError> {
    for (id, provider) in &providers {
        if provider.name.trim().is_empty() {
            return Err(ReferenceError::new(PROVIDERS, format!("provider.{id}.name: it is empty")));
        }
        // It becomes a link on our pages.
        if provider.appeal_url.as_deref().is_some_and(|url| !is_web_address(url)) {
            return Err(ReferenceError::new(
                PROVIDERS,
                format!("provider.{id}.appeal_url: an address with https:// or http:// is needed"),
            ));
        }
    }
    Ok(providers)
}

fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control()))
}

const LABELS: &str = "labels.toml";
const PROVIDERS: &str = "providers.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelsFile {
    warning_words: Vec<String>,
    texts: BTreeMap<String, Category>,
    provider: BTreeMap<ProviderId, LabelsProvider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelsProvider {
    codes: Vec<Code>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
    text: String,
    category: Category,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProvidersFile {
    provider: BTreeMap<ProviderId, Provider>,
}

#[cfg(test)]
mod tests;
