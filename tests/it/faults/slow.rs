//! A disk that does not answer for a while: nobody is told that something is
//! durable, reads go on, who comes beyond the queue is sent away, and all that
//! was taken is answered once the disk is back.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use serde_json::json;

use super::killed::filers::prove;
use crate::process::child::{AT_MOST, Server};
use crate::process::house::{House, only_word};
use crate::process::wire::{Request, get, parse, post};
use crate::support::trial;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/faults/slow-disk.c");
const WAITING: usize = 40;

fn serve(house: &House) -> Server {
    let library = house.path("slow-disk.so");
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(SOURCE).status();
    assert!(compiled.unwrap().success());
    let mut command = house.command("serve");
    command.env("LD_PRELOAD", library).env("SLOW_DISK_GATE", house.path("gate"));
    Server::start(command)
}

#[test]
fn while_the_disk_stands_still_reads_go_on_and_nothing_is_promised() {
    let rounds = trial::rounds(1, 30);
    let house = House::new();
    let provider = only_word(&house.run("key issue provider tencent --name 腾讯", "").done(), "zmp_");
    let server = serve(&house);
    let mut statuses = BTreeMap::<u16, u64>::new();
    for round in 0..rounds {
        let filings: Vec<Request> = (0..WAITING)
            .map(|nth| {
                let number = format!("+86139{round:04}{nth:04}");
                let token = prove(server.public, &house.phone, &number).expect("it answers");
                let body = json!({ "reason": "reassigned", "opened": "2025-03" });
                post("/v1/disputes", &body).bearer(&token).field("idempotency-key", "1")
            })
            .collect();
        fs::write(house.path("gate"), "").unwrap();
        let mut waiting: Vec<_> = filings
            .iter()
            .map(|filing| {
                let mut stream = TcpStream::connect(server.public).unwrap();
                stream.write_all(&[filing.head().as_bytes(), filing.sent()].concat()).unwrap();
                stream
            })
            .collect();
        // Reads of what is durable are answered meanwhile, with every filing behind the gate.
        for _ in 0..WAITING {
            get("/feed/v1/corrections?limit=10").bearer(&provider).at(server.public).ok(200);
            get("/feed/v1/checkpoint").at(server.public).ok(200);
        }
        for stream in &mut waiting {
            stream.set_nonblocking(true).unwrap();
            let mut byte = [0];
            assert!(stream.read(&mut byte).is_err(), "answered, and nothing is durable");
            stream.set_nonblocking(false).unwrap();
        }
        fs::remove_file(house.path("gate")).unwrap();
        for (filing, stream) in filings.iter().zip(&mut waiting) {
            stream.set_read_timeout(Some(AT_MOST)).unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            let reply = parse(&all).expect("a whole answer");
            *statuses.entry(reply.status).or_default() += 1;
            assert_eq!(filing.at(server.public).ok(201).json(), reply.ok(201).json(), "the same again");
        }
    }
    server.stopped().done();
    let came = format!("reads go on, {WAITING} filings wait and are answered: {statuses:?}");
    trial::tell("a disk that stands still", rounds, &came);
}
