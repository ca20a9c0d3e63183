//! Callers take all descriptors that they can get: nobody new is let in for a
//! while, who is in is answered, and all is well as soon as others let go.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use super::killed::pushers::Batch;
use crate::process::child::{AT_MOST, Server};
use crate::process::house::{House, only_word};
use crate::process::wire::{Reply, Request, get, parse, read_some};
use crate::support::trial;

/// Of which callers get some 96.
const DESCRIPTORS_MAX: u32 = 512;
const IDLE: usize = 700;

fn serve(house: &House) -> Server {
    let serve = house.command("serve");
    let mut command = Command::new("prlimit");
    command.arg(format!("--nofile={DESCRIPTORS_MAX}")).arg(serve.get_program()).args(serve.get_args());
    command.current_dir(serve.get_current_dir().unwrap());
    Server::start(command)
}

/// Connections that say nothing, more than there are descriptors.
fn crowd(address: SocketAddr) -> Vec<TcpStream> {
    (0..IDLE).map(|_| TcpStream::connect(address).unwrap()).collect()
}

/// On a connection that was let in before the others came.
fn early(mut stream: &TcpStream, request: &Request) -> Option<Reply> {
    stream.set_read_timeout(Some(AT_MOST)).unwrap();
    stream.write_all(&[request.head().as_bytes(), request.sent()].concat()).ok()?;
    let mut all = Vec::new();
    stream.read_to_end(&mut all).ok()?;
    parse(&all)
}

/// Lets somebody in, to the end of one answer.
fn let_in(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /feed/v1/key HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(AT_MOST)).unwrap();
    let mut answer = [0; 4_096];
    assert!(read_some(&mut stream, &mut answer).unwrap() > 0);
    stream
}

#[test]
fn without_descriptors_nothing_ends_and_nothing_is_lost() {
    let rounds = trial::rounds(2, 30);
    let house = House::new();
    let provider = only_word(&house.run("key issue provider tencent --name 腾讯", "").done(), "zmp_");
    let operator = only_word(&house.run("key issue operator cmcc --name 移动", "").done(), "zmo_");
    let mut server = serve(&house);
    let (mut batches, mut answered) = (Vec::new(), BTreeMap::new());
    for nth in 0..rounds {
        let inside = let_in(server.public);
        let crowd = crowd(server.public);
        let batch = Batch::new(nth);
        let reply = early(&inside, &batch.request(&operator)).expect("who is in is answered").ok(200);
        *answered.entry(reply.status).or_insert(0_u64) += 1;
        assert!(server.process.is_running());
        drop(crowd);
        let told = batch.repeated(&operator, server.public).json();
        assert_eq!(told["corrections"], 300, "{told}");
        batches.push(batch);
        get("/feed/v1/corrections?limit=10").bearer(&provider).at(server.public).ok(200);
    }
    for batch in &batches {
        assert_eq!(batch.repeated(&operator, server.public).json()["corrections"], 300);
    }
    server.stopped().done();
    assert!(house.run("store check", "").done().contains("Everything is in order"));
    let came = format!(
        "{IDLE} idle connections to {DESCRIPTORS_MAX} descriptors: answered {answered:?}, nothing lost"
    );
    trial::tell("more callers than descriptors", rounds, &came);
}
