//! Both ways of proving control through real Kannel: bearerbox and smsbox with
//! the configuration that we tell people to use, and Kannel's own fake SMS
//! centre in the place of an operator's.

mod centre;
mod installed;

use serde_json::json;

use self::centre::Centre;
use self::installed::{Kannel, Town};
use crate::process::child::Server;
use crate::process::wire::{get, post};

const NUMBER: &str = "+8613800138001";

/// The start of a verification: its id, and what is to be sent.
fn starts(server: &Server, method: &str) -> (String, serde_json::Value) {
    let body = json!({ "number": NUMBER, "method": method });
    let started = post("/v1/verifications", &body).at(server.public).ok(201);
    (started.text("id"), started.json())
}

fn stands(server: &Server, id: &str) -> serde_json::Value {
    get(&format!("/v1/verifications/{id}")).at(server.public).ok(200).json()
}

fn opens(server: &Server, token: &str) {
    let labels = get("/v1/labels").bearer(token).at(server.public).ok(200);
    assert_eq!(labels.text("number"), NUMBER);
}

/// Waits for what is said of the verification, report by report.
fn is_delivered(server: &mut Server, id: &str) {
    while stands(server, id)["delivery"] != "delivered" {
        server.process.says("/v1/sms/delivery");
    }
}

fn code_in(text: &str) -> &str {
    text.split_once("验证码 ").unwrap().1.split('，').next().unwrap()
}

#[test]
fn a_code_goes_out_in_chinese_and_its_delivery_is_reported() {
    let town = Town::new();
    let kannel = Kannel::start(&town);
    let mut centre = Centre::silent(&kannel);
    let mut server = town.serve("trace");
    let (id, _) = starts(&server, "sms_code");
    let message = centre.gets();
    assert_eq!((message.from.as_str(), message.to.as_str()), ("10690000", NUMBER));
    assert!(message.text.starts_with("【正名】验证码 ") && message.text.ends_with('。'), "{}", message.text);
    let code = code_in(&message.text);
    let confirm = post(&format!("/v1/verifications/{id}/confirm"), &json!({ "code": code }));
    let token = confirm.at(server.public).ok(200).text("token");
    opens(&server, &token);
    is_delivered(&mut server, &id);

    let log = server.stopped().err;
    for secret in [town.password(), "8%26b", town.token(), &NUMBER[3..], &token, &format!(" {code}")] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

#[test]
fn in_english_it_is_one_plain_message() {
    let town = Town::new();
    let kannel = Kannel::start(&town);
    let mut centre = Centre::silent(&kannel);
    let mut server = town.serve("info");
    let body = json!({ "number": NUMBER, "method": "sms_code" });
    let start = post("/v1/verifications", &body).field("accept-language", "en");
    let id = start.at(server.public).ok(201).text("id");
    let message = centre.gets();
    assert!(message.text.starts_with("[Zhengming] Your code is ") && message.text.ends_with("whoever asks."));
    is_delivered(&mut server, &id);
}

#[test]
fn a_text_comes_in_and_nothing_is_sent_back() {
    let town = Town::new();
    let kannel = Kannel::start(&town);
    let mut server = town.serve("trace");
    // In Chinese as a phone sends it, and in plain letters from a centre that
    // leaves the country's code out.
    for from in [NUMBER, &NUMBER[3..]] {
        let (id, started) = starts(&server, "send_sms");
        assert_eq!(started["send_to"], "10690000");
        assert_eq!(stands(&server, &id), json!({ "status": "pending" }));
        let text = started["text"].as_str().unwrap();
        let mut centre = match from {
            NUMBER => Centre::sends_chinese(&kannel, from, text),
            _ => Centre::sends_plain(&kannel, from, &text["正名 ".len()..]),
        };
        server.process.says("it confirmed a verification");
        let told = stands(&server, &id);
        assert_eq!((&told["status"], &told["number"]), (&json!("confirmed"), &json!(NUMBER)), "{from}");
        opens(&server, told["token"].as_str().unwrap());
        assert_eq!(stands(&server, &id), json!({ "status": "confirmed" }));

        // What comes to the phone next is a code: no answer came before it.
        starts(&server, "sms_code");
        assert!(centre.gets().text.starts_with("【正名】验证码 "));
        drop(centre);
    }
    let log = server.stopped().err;
    for secret in [town.token(), &NUMBER[3..]] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

#[test]
fn while_kannel_is_down_messages_wait() {
    let town = Town::new();
    let mut server = town.serve("info");
    let (id, _) = starts(&server, "sms_code");
    server.process.says("gateway does not work gateway=\"sms\"");
    assert_eq!(stands(&server, &id), json!({ "status": "pending" }));
    let kannel = Kannel::start(&town);
    let mut centre = Centre::silent(&kannel);
    let message = centre.gets();
    assert!(message.text.starts_with("【正名】验证码 "));
    is_delivered(&mut server, &id);
}

#[test]
fn a_wrong_password_wants_a_look_and_a_wrong_token_confirms_nothing() {
    let town = Town::new();
    let mut server = town.serve("info");
    let mut kannel = Kannel::start_with(&town, |conf| {
        conf.replace(town.password(), "another").replace(town.token(), "another")
    });
    let (id, started) = starts(&server, "send_sms");
    let _centre = Centre::sends_chinese(&kannel, NUMBER, started["text"].as_str().unwrap());
    server.process.says("status=401");
    assert_eq!(stands(&server, &id), json!({ "status": "pending" }));
    starts(&server, "sms_code");
    let said = server.process.says("somebody has to look");
    assert!(said.contains("answered 403") && !said.contains(town.password()), "{said}");
    assert!(kannel.is_running());
}
