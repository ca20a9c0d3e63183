//! `import`: a file that a provider or an operator delivered, read as an upload
//! of theirs would be, through a running service or on the store itself.

use std::pin::Pin;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::ReaderStream;

use crate::casework::actors::Owner;
use crate::cli::Failed;
use crate::cli::args::Input;
use crate::cli::config::Config;
use crate::cli::house::{House, World};
use crate::cli::remote::Remote;
use crate::domain::id::{OperatorId, ProviderId};
use crate::domain::lines::{LabelSaid, TenureSaid};
use crate::http::body::{BodyStream, Lines};
use crate::http::problem::Problem;
use crate::http::uploads::{
    Form, LINE_BYTES_MAX, SaidLines, UPLOAD_BYTES_MAX, receive_labels, receive_tenures,
};
use crate::store::Tally;

/// An opened file, with what its beginning says of its form. On a terminal a
/// bar moves with its bytes.
struct Source {
    form: Form,
    reader: Pin<Box<dyn AsyncRead + Send + Sync>>,
}

pub async fn labels(from: Input, provider: ProviderId, config: &Config, world: &World) -> Result<(), Failed> {
    let source = Source::open(from).await?;
    if let Some(remote) = Remote::find(config, world).await? {
        return source.send(&remote, &format!("/owner/labels?provider={provider}")).await;
    }
    let house = House::build(config, world).await?;
    let casework = &house.app.casework;
    let provider = casework.provider_for(Owner::at_the_command_line(), provider);
    let mut lines = source.lines(LabelSaid::COLUMNS).await?;
    let upload = receive_labels(casework, &provider, &mut lines).await.map_err(|problem| said(&problem))?;
    let tally = upload.finish().await.map_err(|error| Failed::because(&error.to_string()))?;
    tell(&tally);
    Ok(())
}

pub async fn tenures(
    from: Input,
    operator: OperatorId,
    config: &Config,
    world: &World,
) -> Result<(), Failed> {
    let source = Source::open(from).await?;
    if let Some(remote) = Remote::find(config, world).await? {
        return source.send(&remote, &format!("/owner/tenures?operator={operator}")).await;
    }
    let house = House::build(config, world).await?;
    let casework = &house.app.casework;
    let operator = casework.operator_for(Owner::at_the_command_line(), operator);
    let mut lines = source.lines(TenureSaid::COLUMNS).await?;
    let upload = receive_tenures(casework, &operator, None, &mut lines).await;
    let upload = upload.map_err(|problem| said(&problem))?;
    let tally = upload.finish(lines.digest()).await;
    tell(&tally.map_err(|error| Failed::because(&error.to_string()))?);
    Ok(())
}

impl Source {
    /// JSON lines begin with a brace; anything else is CSV with a header.
    async fn open(from: Input) -> Result<Self, Failed> {
        let mut reader: Pin<Box<dyn AsyncRead + Send + Sync>> = match &from {
            Input::Stdin => Box::pin(tokio::io::stdin()),
            Input::File(path) => {
                let file = File::open(path).await;
                Box::pin(file.map_err(|error| Failed::new(&path.display().to_string(), &error))?)
            }
        };
        let mut first = [0];
        let read = reader.read(&mut first).await.map_err(|error| Failed::new("reading", &error))?;
        let form = if first[0] == b'{' || read == 0 { Form::Ndjson } else { Form::Csv };
        let begun = std::io::Cursor::new(first[..read].to_vec());
        let reader = bar(&from).wrap_async_read(begun.chain(reader));
        Ok(Self { form, reader: Box::pin(reader) })
    }

    async fn lines(self, columns: &[&str]) -> Result<SaidLines, Failed> {
        let body = BodyStream::from_reader(self.reader);
        let lines = Lines::new(body, LINE_BYTES_MAX, UPLOAD_BYTES_MAX);
        SaidLines::begin(self.form, lines, columns).await.map_err(|problem| said(&problem))
    }

    async fn send(self, remote: &Remote, path: &str) -> Result<(), Failed> {
        let media_type = match self.form {
            Form::Ndjson => "application/x-ndjson",
            Form::Csv => "text/csv",
        };
        let answer =
            remote.post(path, media_type, reqwest::Body::wrap_stream(ReaderStream::new(self.reader))).await?;
        let tally: Tally =
            answer.json().await.map_err(|error| Failed::new("the service's answer", &error))?;
        tell(&tally);
        Ok(())
    }
}

/// Drawn on a terminal only, on standard error.
fn bar(from: &Input) -> ProgressBar {
    let size = match from {
        Input::File(path) => std::fs::metadata(path).ok().map(|metadata| metadata.len()),
        Input::Stdin => None,
    };
    let bar = size.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.with_style(style.expect("the template is fixed and well-formed"))
}

fn said(problem: &Problem) -> Failed {
    Failed::because(problem.detail())
}

fn tell(tally: &Tally) {
    let Tally { accepted, unchanged, rejected, corrections, held, errors, .. } = tally;
    println!(
        "accepted {accepted}, unchanged {unchanged}, rejected {rejected}, corrections {corrections}, held {held}"
    );
    for (line, code) in errors {
        println!("line {line}: {code}");
    }
}
