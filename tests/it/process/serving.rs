//! `zhengming serve`: how it starts, what it refuses to start with, how it ends.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use super::child::{AT_MOST, Process, Server};
use super::house::{House, keep, program};
use super::wire::{get, parse, post, request};
use serde_json::json;

const DOCUMENTED: &str = include_str!("../../../fixtures/zhengming.toml");

#[test]
fn it_starts_with_the_documented_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = DOCUMENTED.replace("127.0.0.1:8080", "127.0.0.1:0").replace("127.0.0.1:9090", "127.0.0.1:0");
    fs::write(folder.path().join("z.toml"), config).unwrap();
    let server = Server::start(program(folder.path(), "serve --config z.toml"));
    let ready = get("/readyz").at(server.admin).ok(200).json();
    assert_eq!((&ready["ready"], &ready["checkpoint_size"]), (&json!(true), &json!(0)));
    get("/v1/challenge").at(server.public).ok(200);
    assert_eq!(server.stopped().code, Some(0));
    for made in ["db", "secret.key", "feed.key", "high-water-mark", "log"] {
        assert!(folder.path().join("zhengming-data").join(made).exists(), "{made}");
    }
}

#[test]
fn it_starts_with_an_empty_configuration() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("z.toml"), "").unwrap();
    let mut command = program(folder.path(), "serve --config z.toml");
    command.env("ZHENGMING_LISTEN", "127.0.0.1:0").env("ZHENGMING_ADMIN_LISTEN", "127.0.0.1:0");
    let server = Server::start(command);
    get("/readyz").at(server.admin).ok(200);
    assert_eq!(get("/healthz").at(server.admin).ok(200).body, b"ok");
    assert_eq!(server.stopped().code, Some(0));
    let data = folder.path().join("zhengming-data");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(data.clone()), mode(data.join("secret.key"))), (0o700, 0o600));
}

#[test]
fn what_it_cannot_use_is_said_in_one_line() {
    for (config, said) in [
        ("listen = \"127.0.0.1:0\"\n\n[feed]\norigins = \"x\"\n", "zhengming: z.toml:4: "),
        ("listen = \"here\"\n", "zhengming: z.toml:1: "),
        ("listen = \n", "zhengming: z.toml:1: "),
        (
            "store = \"postgres://zm:secret@127.0.0.1:1/zm\"\n",
            "zhengming: the store: error connecting to server: Connection refused",
        ),
        (
            "[sms]\ngateway = \"kannel\"\nsend_url = \"http://127.0.0.1:1/\"\nusername = \"a\"\npassword_file = \"p\"\n",
            "zhengming: z.toml:5: sms.password_file: p: No such file",
        ),
        ("reference_dir = \"none\"\nstore = \"sled:/dev/null/db\"\n", "zhengming: the store: "),
        ("data_dir = \"/dev/null/data\"\n", "zhengming: the data folder /dev/null/data: "),
    ] {
        let folder = tempfile::tempdir().unwrap();
        keep(&folder.path().join("z.toml"), config, 0o600);
        let mut command = program(folder.path(), "serve --config z.toml --log off");
        command.env("ZHENGMING_DISK_FREE_BYTES_MIN", "0");
        let err = Process::start(command, b"").ended().failed();
        assert!(err.starts_with(said), "{config}: {err}");
        // What cannot be used, and at most a word on what to do.
        assert!(err.trim_end().lines().count() <= 1 + usize::from(err.contains("\n  write ")), "{err}");
    }
    let folder = tempfile::tempdir().unwrap();
    keep(&folder.path().join("z.toml"), "store = \"postgres://zm:secret@127.0.0.1:1/zm\"\n", 0o644);
    let err = Process::start(program(folder.path(), "serve --config z.toml"), b"").ended().failed();
    assert!(err.contains("others than its owner may use it (mode 644)") && !err.contains("zm:"), "{err}");
    let err = Process::start(program(folder.path(), "serve --config none.toml"), b"").ended().failed();
    assert!(err.starts_with("zhengming: none.toml: No such file"), "{err}");
}

#[test]
fn wrong_usage_is_2() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["swerve --config z.toml", "serve --config z.toml --log-format loud", "key issue"] {
        let ended = Process::start(program(folder.path(), line), b"").ended();
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line}");
        assert!(ended.err.contains("For more information, try '--help'"), "{}", ended.err);
    }
    let ended = Process::start(program(folder.path(), "serve --config z.toml --log =="), b"").ended();
    assert!(ended.failed().starts_with("zhengming: --log: "));
}

#[test]
fn a_folder_serves_once_at_a_time() {
    let house = House::new();
    let server = house.serve();
    let err = house.run("serve", "").failed();
    assert!(err.contains("the database ./zhengming-data/db is in use by another process"), "{err}");
    assert!(err.contains("is admin_listen the same as its?"), "{err}");
    get("/readyz").at(server.admin).ok(200);
    let mut second = house.command("serve");
    second.env("ZHENGMING_LISTEN", server.public.to_string()).env("ZHENGMING_DATA_DIR", "other");
    let err = Process::start(second, b"").ended().failed();
    assert!(err.contains(&format!("listening on {}: Address already in use", server.public)), "{err}");
    assert_eq!(server.stopped().code, Some(0));
}

#[test]
fn a_secret_that_others_may_read_is_refused() {
    let house = House::new();
    house.run("key list", "").done();
    let secret = house.path("zhengming-data/secret.key");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    for line in ["serve", "key list"] {
        let err = house.run(line, "").failed();
        assert!(err.contains("mode 644") && err.contains("chmod 600"), "{err}");
    }
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(house.serve().stopped().code, Some(0));
}

#[test]
fn what_is_under_way_at_the_end_is_answered() {
    for signal in ["TERM", "INT"] {
        let house = House::new();
        let mut server = house.serve();
        let body = json!({ "number": "+8613800138001", "method": "sms_code" }).to_string();
        let started = request("POST", "/v1/verifications").body("application/json", body.as_str());
        let head = started.field("expect", "100-continue").head();
        let mut stream = TcpStream::connect(server.public).unwrap();
        stream.set_read_timeout(Some(AT_MOST)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n", "a route waits for the body now");

        server.process.signal(signal);
        server.process.says("draining");
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        parse(&answer).unwrap().ok(201);
        let ended = server.process.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.err);

        // What was promised is kept by the next one.
        let server = house.serve();
        let number = "+8613800138001";
        let id = parse(&answer).unwrap().text("id");
        let code = house.phone.code(number).unwrap();
        let confirm = post(&format!("/v1/verifications/{id}/confirm"), &json!({ "code": code }));
        assert_eq!(confirm.at(server.public).ok(200).text("number"), number);
    }
}
