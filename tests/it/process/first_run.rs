//! The first minutes with the program: what it says of what it made, of what is
//! good for trying only, and of what comes next; and of what it cannot use.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::child::{Process, Server};
use super::house::{keep, only_word, program};
use super::wire::get;

fn serve(folder: &TempDir, line: &str) -> Command {
    let mut command = program(folder.path(), line);
    command.env("ZHENGMING_LISTEN", "127.0.0.1:0").env("ZHENGMING_ADMIN_LISTEN", "127.0.0.1:0");
    // However full the disk is that tests run on.
    command.env("ZHENGMING_DISK_FREE_BYTES_MIN", "0");
    command
}

#[test]
fn without_a_configuration_it_says_what_it_made_and_what_comes_next() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(serve(&folder, "serve"));
    get("/readyz").at(server.admin).ok(200);
    // What it tells to type next can be typed.
    let mut next = program(folder.path(), "key issue provider tencent --name 腾讯");
    next.env("ZHENGMING_ADMIN_LISTEN", server.admin.to_string());
    let key = only_word(&Process::start(next, b"").ended().done(), "zmp_");
    get("/feed/v1/corrections").bearer(&key).at(server.public).ok(200);
    let public = server.public;
    let said = server.stopped().err;
    for words in [
        "without a configuration: every key is at its default would_be=\"zhengming.toml\"",
        "made: all that it keeps path=./zhengming-data\n",
        "made: codes and tokens follow from it: keep a copy elsewhere path=./zhengming-data/secret.key",
        "made: the log is signed with it: keep a copy elsewhere path=./zhengming-data/feed.key",
        "made: the database: `zhengming store export` copies it path=./zhengming-data/db",
        "good for trying only: messages reach ./zhengming-data/outbox.ndjson and nobody else key=\"sms.gateway\"",
        "good for trying only: the log is named localhost/feed key=\"feed.origin\"",
        "good for trying only: links lead to http://127.0.0.1:8080 key=\"public_url\"",
        "remedy=\"set gateway of [sms] to kannel or http\"",
        &format!("next: holders and moderators open http://{public}/ and http://{public}/console"),
        "next: zhengming key issue provider tencent --name 腾讯\n",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }

    // The second time there is nothing to make, and less to say.
    let said = Server::start(serve(&folder, "serve")).stopped().err;
    assert!(!said.contains("made: ") && !said.contains("next: "), "{said}");
    assert!(said.contains("good for trying only: "), "{said}");
}

#[test]
fn a_file_of_the_usual_name_is_taken_and_a_named_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("zhengming.toml"), "[feed]\norigin = \"usual.example.org\"\n").unwrap();
    let server = Server::start(serve(&folder, "serve"));
    let key = String::from_utf8(get("/feed/v1/key").at(server.public).ok(200).body).unwrap();
    assert!(key.starts_with("usual.example.org+"), "{key}");
    assert!(!server.stopped().err.contains("without a configuration"));

    let elsewhere = "data_dir = \"elsewhere\"\n[feed]\norigin = \"named.example.org\"\n";
    fs::write(folder.path().join("named.toml"), elsewhere).unwrap();
    let server = Server::start(serve(&folder, "serve --config named.toml"));
    let key = String::from_utf8(get("/feed/v1/key").at(server.public).ok(200).body).unwrap();
    assert!(key.starts_with("named.example.org+"), "{key}");
    let said = server.stopped().err;
    assert!(
        said.contains("next: zhengming key issue provider tencent --name 腾讯 --config named.toml"),
        "{said}"
    );
    assert!(!said.contains("feed.origin"), "a name of one's own is not for trying: {said}");
}

#[test]
fn a_wrong_configuration_says_key_line_and_remedy() {
    for (config, said) in [
        ("\n[feed]\norigins = \"x\"\n", "z.toml:3: unknown key \"origins\" in [feed]; is origin meant?"),
        (
            "[sms]\ngateway = \"smpp\"\n",
            "z.toml:2: sms.gateway: expected outbox or kannel or http, found \"smpp\"",
        ),
        ("[sms]\ngateway = \"http\"\n", "z.toml:1: sms.url is missing; gateway = \"http\" needs it"),
        (
            "public_url = \"a\"\n",
            "z.toml:1: public_url: expected a URL such as https://example.org/path, found \"a\"",
        ),
        (
            "[limits]\nsms_per_minute = -1\n",
            "z.toml:2: limits.sms_per_minute: expected a whole number from 0 to",
        ),
        (
            "[sms]\ngateway = \"http\"\nurl = \"http://127.0.0.1:1/\"\nhmac_key_file = \"sms.key\"\n",
            "z.toml:4: sms.hmac_key_file: sms.key: No such file or directory (os error 2)\n  write the secret into that file",
        ),
        (
            "[[operators]]\nid = \"cmcc\"\ngateway = \"camara\"\nbase_url = \"http://127.0.0.1:1\"\n\
             token_url = \"http://127.0.0.1:1\"\nclient_id = \"a\"\nclient_secret_file = \"cmcc.secret\"\n",
            "z.toml:7: operators.client_secret_file: cmcc.secret: No such file or directory (os error 2)\n  write",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        keep(&folder.path().join("z.toml"), config, 0o600);
        let err = Process::start(serve(&folder, "serve --config z.toml --log off"), b"").ended().failed();
        assert!(err.starts_with(&format!("zhengming: {said}")), "{config}: {err}");
    }
    let folder = tempfile::tempdir().unwrap();
    let err = Process::start(serve(&folder, "serve --config none.toml"), b"").ended().failed();
    assert!(
        err.contains("none.toml: No such file") && err.contains("an empty file is a configuration"),
        "{err}"
    );
}
