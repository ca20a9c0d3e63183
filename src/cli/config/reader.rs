//! Takes keys out of a TOML document one by one, remembers where each came
//! from, and at the end refuses what nobody asked for.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, SecretFile, values};

const VARIABLE_PREFIX: &str = "ZHENGMING_";
/// Of two words that begin alike and share most of their letters; 1 is the same.
const LIKE_ENOUGH: f64 = 0.8;

/// A table of the file with the variables that override it.
pub(super) struct Section<'t> {
    source: Source<'t>,
    /// As in `[path]`; empty for the document itself.
    path: String,
    line: usize,
    keys: BTreeMap<String, (usize, Spanned<DeValue<'t>>)>,
    variables: Variables,
    /// Variables of sections not opened yet.
    nested: BTreeMap<String, Variables>,
    /// What was asked for so far: at the end, all that there is.
    known: Vec<String>,
}

/// From key to name and value.
type Variables = BTreeMap<String, (String, String)>;

#[derive(Clone, Copy)]
struct Source<'t> {
    text: &'t str,
    file_name: &'t str,
}

/// What stands behind a key, and how to speak of it.
struct Found<'t> {
    place: String,
    name: String,
    value: Value<'t>,
}

enum Value<'t> {
    File(DeValue<'t>),
    Variable(String),
}

impl<'t> Section<'t> {
    pub(super) fn root(
        text: &'t str,
        file_name: &'t str,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let source = Source { text, file_name };
        let table = DeTable::parse(text).map_err(|error| ConfigError {
            place: source.place(source.line(error.span().map_or(0, |span| span.start))),
            message: error.message().replace('\n', "; "),
        })?;
        let mut root = Self::new(source, String::new(), 1, table.into_inner(), Variables::new());
        for (name, value) in env {
            let Some(key) = name.strip_prefix(VARIABLE_PREFIX) else { continue };
            let key = key.to_ascii_lowercase();
            match key.split_once("__") {
                Some((section, key)) => {
                    root.nested.entry(section.into()).or_default().insert(key.into(), (name, value));
                }
                None => {
                    root.variables.insert(key, (name, value));
                }
            }
        }
        Ok(root)
    }

    /// The table of this name, empty if the file has none.
    pub(super) fn section(&mut self, name: &str) -> Result<Section<'t>, ConfigError> {
        self.known.push(name.to_owned());
        let variables = self.nested.remove(name).unwrap_or_default();
        match self.keys.remove(name) {
            None => Ok(Self::new(self.source, name.into(), self.line, DeTable::new(), variables)),
            Some((line, value)) => match value.into_inner() {
                DeValue::Table(table) => Ok(Self::new(self.source, name.into(), line, table, variables)),
                other => Err(self.wrong_type(name, line, "a table", &other)),
            },
        }
    }

    /// The array of tables of this name.
    pub(super) fn tables(&mut self, name: &str) -> Result<Vec<Section<'t>>, ConfigError> {
        self.known.push(name.to_owned());
        if let Some((variable, _)) = self.nested.remove(name).unwrap_or_default().into_values().next() {
            return Err(ConfigError { place: variable, message: format!("set [[{name}]] in the file") });
        }
        let Some((line, value)) = self.keys.remove(name) else { return Ok(Vec::new()) };
        let array = match value.into_inner() {
            DeValue::Array(array) => array,
            other => return Err(self.wrong_type(name, line, "an array of tables", &other)),
        };
        let open = |item: Spanned<DeValue<'t>>| {
            let line = self.source.line(item.span().start);
            match item.into_inner() {
                DeValue::Table(table) => {
                    Ok(Self::new(self.source, name.into(), line, table, Variables::new()))
                }
                other => Err(self.wrong_type(name, line, "an array of tables", &other)),
            }
        };
        array.into_iter().map(open).collect()
    }

    /// Where its header is.
    pub(super) fn place(&self) -> String {
        self.source.place(self.line)
    }

    pub(super) fn parsed<T, E: Display>(
        &mut self,
        key: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        Ok(self.parsed_if_set(key, parse)?.unwrap_or(default))
    }

    /// `by` says what needs the key.
    pub(super) fn required<T, E: Display>(
        &mut self,
        key: &str,
        by: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        self.parsed_if_set(key, parse)?.ok_or_else(|| self.missing(key, by))
    }

    pub(super) fn required_secret(&mut self, key: &str, by: &str) -> Result<SecretFile, ConfigError> {
        let Some(found) = self.take(key) else { return Err(self.missing(key, by)) };
        let path = found.parsed(values::path)?;
        Ok(found.secret_at(path))
    }

    /// A file with a secret. An empty path is none.
    pub(super) fn secret(&mut self, key: &str) -> Result<Option<SecretFile>, ConfigError> {
        let Some(found) = self.take(key) else { return Ok(None) };
        let path = found.parsed(values::optional_path)?;
        Ok(path.map(|path| found.secret_at(path)))
    }

    /// One of a few words; the first one is the default.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        choices: &[(&'static str, T)],
    ) -> Result<T, ConfigError> {
        let chosen = self.parsed_if_set(key, |text| {
            choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice).ok_or_else(|| {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                format!("expected {}, found {text:?}", words.join(" or "))
            })
        })?;
        Ok(chosen.unwrap_or(choices[0].1))
    }

    pub(super) fn whole<T>(
        &mut self,
        key: &str,
        default: T,
        range: RangeInclusive<T>,
    ) -> Result<T, ConfigError>
    where
        T: TryFrom<i128> + PartialOrd + Display,
    {
        let Some(found) = self.take(key) else { return Ok(default) };
        let number = match &found.value {
            Value::File(DeValue::Integer(number)) => {
                i128::from_str_radix(number.as_str(), number.radix()).ok()
            }
            Value::File(other) => return Err(found.wrong_type("a whole number", other)),
            Value::Variable(text) => text.parse().ok(),
        };
        match number.and_then(|number| T::try_from(number).ok()) {
            Some(number) if range.contains(&number) => Ok(number),
            _ => {
                Err(found.wrong(format!("expected a whole number from {} to {}", range.start(), range.end())))
            }
        }
    }

    pub(super) fn flag(&mut self, key: &str, default: bool) -> Result<bool, ConfigError> {
        let Some(found) = self.take(key) else { return Ok(default) };
        match &found.value {
            Value::File(DeValue::Boolean(flag)) => Ok(*flag),
            Value::File(other) => Err(found.wrong_type("true or false", other)),
            Value::Variable(text) => text.parse().map_err(|_| found.wrong("expected true or false")),
        }
    }

    pub(super) fn list<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, ConfigError> {
        let Some(found) = self.take(key) else { return Ok(Vec::new()) };
        let parse = |text: &str| parse(text).map_err(|why| found.wrong(why));
        match &found.value {
            Value::File(DeValue::Array(items)) => items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::String(text) => parse(text),
                    other => Err(found.wrong_type("a list of strings", other)),
                })
                .collect(),
            Value::File(other) => Err(found.wrong_type("a list of strings", other)),
            Value::Variable(text) => {
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(parse).collect()
            }
        }
    }

    /// Takes keys that mean nothing here, so that they are not unknown.
    pub(super) fn pass_over(&mut self, keys: &[&str]) {
        for key in keys {
            self.take(key);
        }
    }

    /// Refuses what is left over, the earliest line first.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
        let within = if self.path.is_empty() { String::new() } else { format!(" in [{}]", self.path) };
        let unknown = |place, key: &str| {
            let message = format!("unknown key {key:?}{within}; {}", self.remedy(key));
            Err(ConfigError { place, message })
        };
        if let Some((key, (line, _))) = self.keys.iter().min_by_key(|(_, (line, _))| *line) {
            return unknown(self.source.place(*line), key);
        }
        // At the top only names with a section are ours beyond doubt.
        if let Some((key, (variable, _))) = self.variables.first_key_value()
            && !self.path.is_empty()
        {
            return unknown(variable.clone(), key);
        }
        if let Some((section, variables)) = self.nested.first_key_value()
            && let Some((variable, _)) = variables.values().next()
        {
            let message = format!("unknown section {section:?}; {}", self.remedy(section));
            return Err(ConfigError { place: variable.clone(), message });
        }
        Ok(())
    }

    fn new(source: Source<'t>, path: String, line: usize, table: DeTable<'t>, variables: Variables) -> Self {
        let keys = table
            .into_iter()
            .map(|(key, value)| {
                let line = source.line(key.span().start);
                (key.into_inner().into_owned(), (line, value))
            })
            .collect();
        Self { source, path, line, keys, variables, nested: BTreeMap::new(), known: Vec::new() }
    }

    /// What was meant, or what there is.
    fn remedy(&self, unknown: &str) -> String {
        let likeness = |known: &&String| strsim::jaro_winkler(known, unknown);
        let near = self.known.iter().filter(|known| likeness(known) >= LIKE_ENOUGH);
        let meant = near.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        meant.map_or_else(
            || format!("there are {}", self.known.join(", ")),
            |meant| format!("is {meant} meant?"),
        )
    }

    /// A variable goes before the file.
    fn take(&mut self, key: &str) -> Option<Found<'t>> {
        self.known.push(key.to_owned());
        let name = self.name(key);
        let in_file = self.keys.remove(key);
        if let Some((variable, text)) = self.variables.remove(key) {
            return Some(Found { place: variable, name, value: Value::Variable(text) });
        }
        let (line, value) = in_file?;
        Some(Found { place: self.source.place(line), name, value: Value::File(value.into_inner()) })
    }

    fn parsed_if_set<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        self.take(key).map(|found| found.parsed(parse)).transpose()
    }

    fn missing(&self, key: &str, by: &str) -> ConfigError {
        let message = format!("{} is missing; {by} needs it", self.name(key));
        ConfigError { place: self.place(), message }
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }

    fn wrong_type(&self, key: &str, line: usize, wanted: &str, found: &DeValue) -> ConfigError {
        let message = format!("{}: expected {wanted}, found {}", self.name(key), kind(found));
        ConfigError { place: self.source.place(line), message }
    }
}

impl Found<'_> {
    fn parsed<T, E: Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, ConfigError> {
        let text = match &self.value {
            Value::File(DeValue::String(text)) => text.as_ref(),
            Value::File(other) => return Err(self.wrong_type("a string", other)),
            Value::Variable(text) => text,
        };
        parse(text).map_err(|why| self.wrong(why))
    }

    fn secret_at(self, path: PathBuf) -> SecretFile {
        SecretFile { path, key: self.name, place: self.place }
    }

    fn wrong(&self, why: impl Display) -> ConfigError {
        ConfigError { place: self.place.clone(), message: format!("{}: {why}", self.name) }
    }

    fn wrong_type(&self, wanted: &str, found: &DeValue) -> ConfigError {
        self.wrong(format!("expected {wanted}, found {}", kind(found)))
    }
}

impl Source<'_> {
    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.file_name)
    }
}

fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
