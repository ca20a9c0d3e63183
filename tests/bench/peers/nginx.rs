//! nginx with files, on one processor: the other server of what never changes.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use crate::cpu;
use crate::program::{free_address, on_processor, until_it_listens};

const CONFIG: &str = include_str!("nginx.conf");

/// Killed when it is dropped.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    pub address: SocketAddr,
    files: PathBuf,
}

impl Nginx {
    /// On this processor alone, with all that it writes in a new folder.
    pub fn start(dir: &Path, processor: usize) -> Self {
        let (address, files) = (free_address(), dir.join("files"));
        fs::create_dir_all(&files).expect("the folder is ours");
        let config = CONFIG
            .replace("{address}", &address.to_string())
            .replace("{dir}", dir.to_str().expect("it is ours"));
        let path = dir.join("nginx.conf");
        fs::write(&path, config).expect("the folder is ours");
        let mut nginx = on_processor(Some(processor), "/usr/sbin/nginx");
        nginx.arg("-p").arg(dir).arg("-e").arg(dir.join("error.log")).arg("-c").arg(path);
        let mut child = nginx.spawn().expect("nginx is installed: see tests/bench/install");
        until_it_listens(&mut child, address);
        Self { child, address, files }
    }

    /// Puts a file there and says its address.
    pub fn put(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.files.join(name), bytes).expect("the folder is ours");
        format!("http://{}/{name}", self.address)
    }

    pub fn cpu(&self) -> Duration {
        cpu::of_process(self.child.id())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
