//! Callers from outside: curl, over TLS and HTTP/2, from an address of choice.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::child::{AT_MOST, Ended, Process};
use crate::process::wire::{Reply, Request, parse};

pub const HOST: &str = "corrections.test";
/// A caller's address; nginx itself has 127.0.0.1.
pub const SOMEBODY: &str = "127.0.1.1";

const NGINXS: [&str; 3] = ["server: ", "strict-transport-security: ", "x-cache-status: "];

pub struct Gate {
    certificate: PathBuf,
    pub tls: u16,
    pub plain: u16,
    /// Where the second instance listens.
    pub second: u16,
}

impl Gate {
    pub fn new(folder: &Path, tls: u16, plain: u16, second: u16) -> Self {
        Self { certificate: folder.join("cert.pem"), tls, plain, second }
    }

    #[track_caller]
    pub fn ask(&self, request: &Request) -> Reply {
        self.ask_from(SOMEBODY, request)
    }

    /// What comes back is held against the description, but for what nginx adds.
    #[track_caller]
    pub fn ask_from(&self, address: &str, request: &Request) -> Reply {
        let reply = self.told_from(address, request);
        let is_ours = |line: &&str| !NGINXS.iter().any(|name| line.starts_with(name));
        let head: Vec<&str> = reply.head.lines().filter(is_ours).collect();
        request.is_as_described(&Reply { head: head.join("\r\n"), ..reply.clone() });
        reply
    }

    /// The same of what nginx says itself, or has kept.
    #[track_caller]
    pub fn told_from(&self, address: &str, request: &Request) -> Reply {
        let mut curl = self.command(address, request);
        let piped = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let (mut input, sent) = (child.stdin.take().unwrap(), request.sent().to_owned());
        // Who is refused early does not read the rest.
        let sending = std::thread::spawn(move || drop(input.write_all(&sent)));
        let ended = child.wait_with_output().unwrap();
        sending.join().unwrap();
        let reply = parse(&ended.stdout);
        let reply =
            reply.unwrap_or_else(|| panic!("{request:?}: {}", String::from_utf8_lossy(&ended.stderr)));
        assert!(reply.head.starts_with("HTTP/2 "), "{}", reply.head);
        reply
    }

    /// The request is sent; its answer, which is text, comes line by line.
    pub fn begin(&self, address: &str, request: &Request) -> Process {
        Process::start(self.command(address, request), request.sent())
    }

    fn command(&self, address: &str, request: &Request) -> Command {
        let (method, path) = request.target();
        let mut command = self.curl(address);
        command.arg(format!("https://{HOST}:{}{path}", self.tls)).args(["--request", method]);
        for (name, value) in request.fields() {
            // curl counts for itself.
            if name != "content-length" {
                command.args(["--header", &format!("{name}: {value}")]);
            }
        }
        if !request.sent().is_empty() {
            command.args(["--data-binary", "@-"]);
        }
        command
    }

    /// curl with what each call needs.
    pub fn curl(&self, address: &str) -> Command {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--include", "--no-buffer", "--http2", "--path-as-is"]);
        command.args(["--max-time", &AT_MOST.as_secs().to_string(), "--interface", address]);
        // No question whether a body is wanted, and no type of curl's own.
        command.args(["--header", "expect:", "--header", "content-type:"]);
        command.arg("--cacert").arg(&self.certificate);
        for port in [self.tls, self.plain] {
            command.args(["--resolve", &format!("{HOST}:{port}:127.0.0.1")]);
        }
        command
    }

    /// These very bytes over TLS, and nothing more for as long as it is kept.
    pub fn sends(&self, bytes: &str) -> Process {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-verify_return_error", "-servername", HOST]);
        command.args(["-connect", &format!("127.0.0.1:{}", self.tls)]).arg("-CAfile").arg(&self.certificate);
        Process::start(command, bytes.replace("host: localhost", &format!("host: {HOST}")).as_bytes())
    }

    /// Without TLS.
    pub fn in_plain(&self, path: &str, more: &[&str]) -> Ended {
        let mut command = self.curl(SOMEBODY);
        command.arg(format!("http://{HOST}:{}{path}", self.plain)).args(more);
        Process::start(command, b"").ended()
    }
}
