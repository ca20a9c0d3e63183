//! What a file is, whatever its length.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

const READ_BYTES: usize = 256 * 1024;

/// SHA-256 of what there is left to read.
pub fn sha256_of(mut file: impl Read) -> io::Result<[u8; 32]> {
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; READ_BYTES]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finalize().into()),
            read => digest.update(&buffer[..read]),
        }
    }
}
