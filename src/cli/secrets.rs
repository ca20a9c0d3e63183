//! Reads what partners gave us out of the files that the configuration names.
//! What is wrong with one is said with the key's line and a remedy.

use std::io::ErrorKind;

use crate::cli::Failed;
use crate::cli::config::SecretFile;
use crate::env::secret_files::{self, SecretFileError};

/// What the file has but for the end of its line.
pub(super) fn read(file: &SecretFile) -> Result<String, Failed> {
    let text = secret_files::read_text(&file.path).map_err(|error| unreadable(file, &error))?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(wrong(file, &format!("{}: it is empty", file.path.display())));
    }
    Ok(line.to_owned())
}

pub(super) fn wrong(file: &SecretFile, why: &str) -> Failed {
    Failed::because(&format!("{file}: {why}"))
}

fn unreadable(file: &SecretFile, error: &SecretFileError) -> Failed {
    let failed = Failed::new(&file.to_string(), error);
    match error {
        SecretFileError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
            failed.hint("write the secret into that file, and let nobody but the service read it (mode 600)")
        }
        _ => failed,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;

    fn named(path: &Path) -> SecretFile {
        SecretFile { path: path.to_owned(), key: "sms.x".to_owned(), place: "z.toml:7".to_owned() }
    }

    #[test]
    fn a_secret_ends_with_its_line_and_is_not_empty() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " a secret \r\n").unwrap();
        assert_eq!(read(&named(file.path())).unwrap(), " a secret ");
        std::fs::write(file.path(), "\n").unwrap();
        let said = read(&named(file.path())).unwrap_err().to_string();
        assert!(said.starts_with("z.toml:7: sms.x: ") && said.ends_with("it is empty"), "{said}");
        let said = read(&named(Path::new("/nonexistent"))).unwrap_err().to_string();
        assert!(said.starts_with("z.toml:7: sms.x: /nonexistent: ") && said.contains("mode 600"), "{said}");
    }
}
