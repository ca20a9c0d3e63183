//! A lean HTTP client: it writes prepared bytes and reads no more of an answer
//! than its status and its length, on one thread of its own.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use std::{cell::RefCell, thread};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::cpu;

/// What sending all requests took.
#[derive(Debug)]
pub struct Sent {
    pub took: Duration,
    /// Of the client's thread.
    pub cpu: Duration,
    /// Of each request, ascending.
    pub latencies: Vec<Duration>,
}

/// Sends every request once, over as many keep-alive connections, each one
/// after its answer.
///
/// # Panics
/// Where an answer is not 201.
pub fn send_all(
    address: SocketAddr,
    connections: usize,
    requests: Vec<Vec<u8>>,
) -> thread::JoinHandle<io::Result<Sent>> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        LocalSet::new().block_on(&runtime, send(address, connections, requests))
    })
}

async fn send(address: SocketAddr, connections: usize, requests: Vec<Vec<u8>>) -> io::Result<Sent> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(requests.len())));
    let requests = Rc::new(RefCell::new(requests.into_iter()));
    let (began, cpu_before) = (Instant::now(), cpu::of_this_thread());
    let mut senders = Vec::new();
    for mut stream in streams {
        let (requests, latencies) = (requests.clone(), latencies.clone());
        senders.push(tokio::task::spawn_local(async move {
            let mut buffer = vec![0; 4096];
            loop {
                let Some(request) = requests.borrow_mut().next() else { return io::Result::Ok(()) };
                let sent = Instant::now();
                stream.write_all(&request).await?;
                answer(&mut stream, &mut buffer).await?;
                latencies.borrow_mut().push(sent.elapsed());
            }
        }));
    }
    for sender in senders {
        sender.await.expect("no sender panics")?;
    }
    let (took, cpu) = (began.elapsed(), cpu::of_this_thread() - cpu_before);
    let mut latencies = latencies.take();
    latencies.sort_unstable();
    Ok(Sent { took, cpu, latencies })
}

/// Reads one answer, which has to be 201.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if let Some(length) = whole_length(&buffer[..filled])
            && filled >= length
        {
            let answer = &buffer[..filled];
            let is_created = answer.starts_with(b"HTTP/1.1 201 ");
            assert!(is_created && filled == length, "{}", String::from_utf8_lossy(answer));
            return Ok(());
        }
    }
}

/// Of head and body, once the head is there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    const FIELD: &[u8] = b"\r\ncontent-length: ";
    let head_end = memchr::memmem::find(answer, b"\r\n\r\n")? + 4;
    let digits = &answer[memchr::memmem::find(&answer[..head_end], FIELD)? + FIELD.len()..head_end];
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    Some(head_end + digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0')))
}
