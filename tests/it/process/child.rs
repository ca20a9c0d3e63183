//! A process of the program: what it says, line by line, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use regex::Regex;
use zhengming::domain::plain::turns;

use super::clean::unclean;
use super::wire::get;

/// Much longer than anything takes here; a test that waits for it has failed.
pub const AT_MOST: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// Killed when it is dropped.
pub struct Process {
    child: Child,
    /// Where it runs, if it is the program.
    folder: Option<PathBuf>,
    lines: Receiver<(Stream, String)>,
    heard: Vec<(Stream, String)>,
}

/// A process that has come to its end.
#[derive(Debug)]
pub struct Ended {
    /// None if a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Process {
    pub fn start(mut command: Command, input: &[u8]) -> Self {
        let is_ours = command.get_program() == env!("CARGO_BIN_EXE_zhengming");
        let folder = command.get_current_dir().filter(|_| is_ours).map(Path::to_owned);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let (tell, lines) = channel();
        let told = tell.clone();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        std::thread::spawn(move || pass_on(out, Stream::Out, &told));
        std::thread::spawn(move || pass_on(err, Stream::Err, &tell));
        // A process that does not want it may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input);
        Self { child, folder, lines, heard: Vec::new() }
    }

    /// Waits for a line with these words, on either stream.
    pub fn says(&mut self, words: &str) -> String {
        self.may_say(words).unwrap_or_else(|| panic!("it never said {words:?}, but: {:#?}", self.heard))
    }

    /// The same of one that may end instead.
    fn may_say(&mut self, words: &str) -> Option<String> {
        loop {
            match self.lines.recv_timeout(AT_MOST) {
                Ok((stream, line)) => {
                    self.heard.push((stream, line.clone()));
                    if line.contains(words) {
                        return Some(line);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("it says no {words:?}, but: {:#?}", self.heard),
            }
        }
    }

    /// What it has said and nobody has heard yet.
    pub fn unheard(&mut self) -> Vec<String> {
        let from = self.heard.len();
        self.heard.extend(self.lines.try_iter());
        self.heard[from..].iter().map(|(_, line)| line.clone()).collect()
    }

    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Ended {
        loop {
            match self.lines.recv_timeout(AT_MOST) {
                Ok(line) => self.heard.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(_) => panic!("it does not end; it said: {:#?}", self.heard),
            }
        }
        let code = self.child.wait().unwrap().code();
        Ended { code, out: self.text(Stream::Out), err: self.text(Stream::Err) }
    }

    /// The most memory that it ever had.
    pub fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.split_whitespace().next().unwrap().parse().unwrap()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL: no last words.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn text(&self, wanted: Stream) -> String {
        let lines = self.heard.iter().filter(|(stream, _)| *stream == wanted);
        lines.flat_map(|(_, line)| [line.as_str(), "\n"]).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        while let Ok(line) = self.lines.recv_timeout(AT_MOST) {
            self.heard.push(line);
        }
        let Some(folder) = &self.folder else { return };
        let logged = self.heard.iter().filter(|(stream, _)| *stream == Stream::Err);
        let unclean = logged.filter_map(|(_, line)| Some((unclean(folder, line)?, line))).next();
        assert!(unclean.is_none() || std::thread::panicking(), "it is in the log: {unclean:?}");
    }
}

impl Ended {
    /// What was printed by a process that did what it was asked.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.out
    }

    /// What a process said that could not do it.
    #[track_caller]
    pub fn failed(self) -> String {
        assert_eq!(self.code, Some(1), "{self:#?}");
        self.err
    }
}

/// `serve`, once it listens.
pub struct Server {
    pub process: Process,
    pub public: SocketAddr,
    pub admin: SocketAddr,
}

impl Server {
    pub fn start(command: Command) -> Self {
        Self::try_start(command).unwrap_or_else(|ended| panic!("it does not serve: {ended:#?}"))
    }

    /// How it ended, where it did not listen.
    pub fn try_start(command: Command) -> Result<Self, Ended> {
        let mut process = Process::start(command, b"");
        let Some(line) = process.may_say("admin_listen") else { return Err(process.ended()) };
        Ok(Self { public: address(&line, "listen"), admin: address(&line, "admin_listen"), process })
    }

    /// After whatever was done to it: it works, it did not panic, it ends well.
    #[track_caller]
    pub fn stands(self) {
        assert_eq!(get("/readyz").at(self.admin).ok(200).json()["ready"], true);
        get("/v1/challenge").at(self.public).ok(200);
        let ended = self.stopped();
        assert_eq!(ended.code, Some(0));
        assert!(!ended.err.contains("panicked") && !ended.err.contains("ERROR"), "{}", ended.err);
        // Nobody outside begins a line of the log, nor turns what follows.
        let begins =
            |line: &&str| line.starts_with("20") && !line.contains(|c: char| c.is_control() || turns(c));
        assert!(ended.err.lines().all(|line| begins(&line)), "{}", ended.err);
    }

    /// Asks it to end; what it has said by then.
    pub fn stopped(self) -> Ended {
        self.process.signal("TERM");
        self.process.ended()
    }
}

/// Of a log line as text or as JSON.
fn address(line: &str, field: &str) -> SocketAddr {
    let pattern = Regex::new(&format!(r#"\b{field}(?:=|":")([0-9.]+:[0-9]+)"#)).unwrap();
    pattern.captures(line).unwrap_or_else(|| panic!("no {field} in {line}"))[1].parse().unwrap()
}

fn pass_on(from: impl Read, stream: Stream, tell: &Sender<(Stream, String)>) {
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        // Nobody listens any more.
        if tell.send((stream, String::from_utf8_lossy(&line).into_owned())).is_err() {
            return;
        }
    }
}
