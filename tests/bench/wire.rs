//! The client's end of HTTP/1.1: prepared bytes go out, and of an answer no
//! more is read than its status and where it ends.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const BUFFER_BYTES: usize = 16_384;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A connection that is kept: one request at a time.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub head: &'a [u8],
    pub body: &'a [u8],
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        Self::of(TcpStream::connect(address).await?)
    }

    /// From one of the addresses that this machine has for itself: whoever
    /// opens very many from a single one looks for a free port for longer than
    /// all the rest takes.
    pub async fn open_from(source: Ipv4Addr, address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((source, 0).into())?;
        Self::of(socket.connect(address).await?)
    }

    fn of(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    pub async fn ask(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.resize(self.buffer.len().max(BUFFER_BYTES), 0);
        let mut filled = 0;
        let (head, whole) = loop {
            if filled == self.buffer.len() {
                self.buffer.resize(2 * filled, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            match lengths(&self.buffer[..filled])? {
                Some((head, whole)) if filled >= whole => break (head, whole),
                _ => {}
            }
        };
        assert_eq!(filled, whole, "nothing is answered that was not asked");
        let (head, body) = self.buffer[..whole].split_at(head);
        Ok(Answer { status: status(head)?, head, body })
    }
}

impl Answer<'_> {
    /// A field of the head, by its name in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let lines = std::str::from_utf8(self.head).ok()?.split("\r\n");
        let mut fields = lines.filter_map(|line| line.split_once(": "));
        fields.find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

/// Of the head, and of head and body; once the head is there.
fn lengths(answer: &[u8]) -> io::Result<Option<(usize, usize)>> {
    const FIELD: &[u8] = b"\r\ncontent-length: ";
    let Some(head) = memchr::memmem::find(answer, HEAD_END).map(|end| end + HEAD_END.len()) else {
        return Ok(None);
    };
    let body = match memchr::memmem::find(&answer[..head], FIELD) {
        Some(at) => {
            let digits = answer[at + FIELD.len()..].iter().take_while(|byte| byte.is_ascii_digit());
            digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))
        }
        None if matches!(status(answer)?, 204 | 304) => 0,
        None => return Err(io::Error::new(io::ErrorKind::InvalidData, "an answer without a length")),
    };
    Ok(Some((head, head + body)))
}

fn status(head: &[u8]) -> io::Result<u16> {
    let digits = head.strip_prefix(b"HTTP/1.1 ").and_then(|rest| std::str::from_utf8(rest.get(..3)?).ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
