//! `zhengming webhook`, with a server running and without; and what a
//! receiver hears.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::channel;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::child::{AT_MOST, Ended, Server};
use super::house::{House, only_word};

const ISSUE: &str = "key issue provider tencent --name 腾讯";
const URL: &str = "https://hooks.example.org/z?token=a";
const RELEASE: &str =
    "number,event,on\n+8613800138001,disconnected,2024-11-20\n+8613800138001,activated,2025-03-12\n";

fn come_and_go(run: &dyn Fn(&str) -> Ended) {
    let add = format!("webhook add tencent {URL}");
    let early = run(&add).failed();
    assert!(early.contains("provider is malformed: it has no valid key"), "{early}");
    run(ISSUE).done();
    let secret = only_word(&run(&add).done(), "whsec_");
    assert_eq!(STANDARD.decode(&secret["whsec_".len()..]).unwrap().len(), 32);
    let again = run(&add).failed();
    assert!(again.contains("url is malformed: is there already"), "{again}");
    run("webhook add tencent http://HOOKS.example.org:80/").done();
    assert_eq!(
        run("webhook list").done(),
        format!("tencent  {URL}  working\ntencent  http://hooks.example.org/  working\n")
    );
    let remove = format!("webhook remove tencent {URL}");
    assert_eq!(run(&remove).done(), "done\n");
    let again = run(&remove).failed();
    assert!(again.contains("there is no such thing here"), "{again}");
    assert_eq!(run("webhook list").done(), "tencent  http://hooks.example.org/  working\n");
}

#[test]
fn webhooks_come_and_go_while_the_server_runs() {
    let house = House::new();
    let server = house.serve();
    come_and_go(&|line| house.run_beside(server.admin, line, ""));
    assert_eq!(server.stopped().code, Some(0));
}

#[test]
fn webhooks_come_and_go_while_no_server_runs() {
    let house = House::new();
    come_and_go(&|line| house.run(line, ""));
}

/// The head and the body of the first request that comes; it is taken.
fn first_request(listener: TcpListener) -> (String, String) {
    let (tell, heard) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        let (head, body) = loop {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).unwrap();
            all.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8(all.clone()).unwrap();
            // The body is one JSON object.
            if let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.ends_with("}}")) {
                break (head.to_owned(), body.to_owned());
            }
        };
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        tell.send((head, body)).unwrap();
    });
    heard.recv_timeout(AT_MOST).unwrap()
}

fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let found = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    found.unwrap_or_else(|| panic!("no {name} in {head}"))
}

#[test]
fn a_receiver_hears_of_a_release_and_knows_who_speaks() {
    let house = House::new();
    let mut command = house.command("serve");
    command.env("ZHENGMING_FEED__WEBHOOKS_TO_PRIVATE_ADDRESSES", "true");
    let server = Server::start(command);
    let run = |line: &str, input: &str| house.run_beside(server.admin, line, input).done();
    run(ISSUE, "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/z", listener.local_addr().unwrap());
    let secret = only_word(&run(&format!("webhook add tencent {url}"), ""), "whsec_");
    run("import tenures - --operator cmcc", RELEASE);

    let (head, body) = first_request(listener);
    assert!(head.starts_with("POST /z HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "content-type"), "application/json");
    assert!(body.starts_with(r#"{"type":"checkpoint.published","timestamp":"20"#), "{body}");
    assert!(body.ends_with(r#""data":{"size":1}}"#), "{body}");
    let key = STANDARD.decode(&secret["whsec_".len()..]).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, timestamp) = (field(&head, "webhook-id"), field(&head, "webhook-timestamp"));
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = field(&head, "webhook-signature").strip_prefix("v1,").unwrap();
    mac.verify_slice(&STANDARD.decode(signature).unwrap()).unwrap();
}

#[test]
fn our_own_house_is_not_called_unless_that_is_wanted() {
    let house = House::new();
    house.run(ISSUE, "").done();
    house.run("webhook add tencent http://127.0.0.1:9/?token=secret", "").done();
    house.run("import tenures - --operator cmcc", RELEASE).done();
    let mut server = house.serve();
    let said = server.process.says("webhook failing");
    assert!(said.contains("provider=tencent") && !said.contains("token"), "{said}");
    let listed = house.run_beside(server.admin, "webhook list", "").done();
    assert!(listed.contains("failing since 20"), "{listed}");
    assert!(listed.ends_with("the address is not a public one\n"), "{listed}");
    assert_eq!(server.stopped().code, Some(0));
}
