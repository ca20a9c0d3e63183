//! Bodies that nobody should send.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use zhengming::http::accept::{AcceptLimits, Server};
use zhengming::http::client::TrustedProxies;
use zhengming::http::service::routes;
use zhengming::store::Role;

use super::{asked, files_in, jpeg, pdf, png};
use crate::support::{World, parts};

const FORM: &str = "multipart/form-data; boundary=limit";
const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn what_is_no_document_is_refused_and_nothing_is_kept() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = asked(&world, &alice).await;
    let before = world.changes();
    let truncated = &jpeg(1)[..300];
    let mut bomb = png(1);
    bomb[16..24].copy_from_slice(&[50_000u32.to_be_bytes(), 50_000u32.to_be_bytes()].concat());
    let sum = crc32fast::hash(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    for (file, status, code) in [
        (&b""[..], 422, "document_unreadable"),
        (truncated, 422, "document_unreadable"),
        (&bomb, 413, "document_too_large"),
        (&pdf()[..200], 422, "document_unreadable"),
        (b"GIF89a", 415, "document_type"),
        (b"PK\x03\x04", 415, "document_type"),
        (b"<svg onload=alert(1)>", 415, "document_type"),
        (b"MZ this program", 415, "document_type"),
        (&[&jpeg(1)[..2], &vec![0; 8 * MIB]].concat(), 413, "document_too_large"),
    ] {
        let said = dispute.hands_in(&[file]).await.refused(status, code);
        assert!(said.text("detail").len() > 20);
        // A good one before it is not kept either.
        dispute.hands_in(&[&jpeg(1), file]).await.refused(status, code);
    }
    let seven: Vec<Vec<u8>> = (1..=7).map(jpeg).collect();
    let seven: Vec<&[u8]> = seven.iter().map(Vec::as_slice).collect();
    let refused = dispute.hands_in(&seven).await.refused(422, "documents_too_many");
    assert_eq!(refused["documents_max"], 6);
    assert_eq!((world.changes(), files_in(&world)), (before, 0));
    dispute.hands_in(&seven[..6]).await.ok(201);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = asked(&world, &alice).await;
    let good = parts("file", &[&jpeg(1)]);
    let endless = b"--limit\r\nX-Header: ".iter().copied().chain(vec![b'a'; MIB]).collect::<Vec<u8>>();
    let preamble = [vec![b'-'; MIB], good.clone()].concat();
    let headers = [b"--limit\r\n".to_vec(), b"A: b\r\n".repeat(100_000)].concat();
    for (media_type, body, status, code) in [
        ("application/json", b"{}".to_vec(), 415, "media_type_unsupported"),
        ("multipart/mixed; boundary=limit", good.clone(), 415, "media_type_unsupported"),
        ("multipart/form-data", good.clone(), 400, "request_malformed"),
        ("multipart/form-data; boundary=", good.clone(), 400, "request_malformed"),
        ("multipart/form-data; boundary=other", good.clone(), 400, "body_malformed"),
        (FORM, Vec::new(), 411, "length_required"),
        (FORM, b"--limit--\r\n".to_vec(), 400, "field_malformed"),
        (FORM, b"{}".to_vec(), 400, "body_malformed"),
        (FORM, good[..good.len() / 2].to_vec(), 400, "body_malformed"),
        (FORM, good[..good.len() - 9].to_vec(), 400, "body_malformed"),
        (FORM, parts("document", &[&jpeg(1)]), 400, "field_unknown"),
        (FORM, b"--limit\r\n\r\nno head\r\n--limit--\r\n".to_vec(), 400, "body_malformed"),
        (FORM, b"--limit\r\nA: b\r\n\r\nno name\r\n--limit--\r\n".to_vec(), 400, "field_unknown"),
        (FORM, b"--limit\r\n\xff\xfe: \0\r\n\r\n\r\n--limit--\r\n".to_vec(), 400, "body_malformed"),
        (FORM, endless, 400, "body_malformed"),
        (FORM, preamble, 400, "body_malformed"),
        (FORM, headers, 400, "body_malformed"),
    ] {
        let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let answer = dispute.sends_evidence(media_type, body).await;
        assert_eq!((answer.status, answer["code"].as_str()), (status, Some(code)), "{media_type} {start}");
    }
    dispute.is("needs_evidence").await;
    assert_eq!(files_in(&world), 0);
    dispute.sends_evidence(FORM, good).await.ok(201);
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_read() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = asked(&world, &alice).await;
    let head = format!(
        "POST /v1/disputes/{}/evidence HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Content-Type: {FORM}\r\nContent-Length: {}\r\n\r\n",
        dispute.id,
        dispute.token,
        49 * MIB
    );
    let answer = world.client.bytes(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"), "{answer}");
}

#[tokio::test]
async fn who_stops_sending_is_not_waited_for() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = asked(&world, &alice).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = AcceptLimits { body_idle_timeout_ms: 50, ..AcceptLimits::default() };
    let ids = Arc::new(|| Uuid::from_u128(7));
    let server = Server::new(limits, TrustedProxies::default(), ids, routes(&world.service));
    let stop = CancellationToken::new();
    tokio::spawn(server.serve(listener, stop.clone()));
    let body = parts("file", &[&jpeg(1), &jpeg(2)]);
    let head = format!(
        "POST /v1/disputes/{}/evidence HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Content-Type: {FORM}\r\nContent-Length: {}\r\n\r\n",
        dispute.id,
        dispute.token,
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // The whole of the first one, and some of the second.
    stream.write_all(&body[..body.len() - 50]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_stalled"), "{answer}");
    assert_eq!(files_in(&world), 0, "what had come is gone");
    dispute.hands_in(&[&jpeg(1)]).await.ok(201);
    stop.cancel();
}
