//! An operator behind the number service: ranges of months, and no names.

use std::sync::Arc;

use serde_json::json;
use wiremock::matchers::{any, header};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};
use zhengming::casework::AskedOperator;
use zhengming::env::clock::{Clock, MockClock};
use zhengming::gateway::aliyun::{Aliyun, AliyunConfig};

use super::{Ends, NUMBER, TIMEOUT_MS, clock, ends, pushed, world};

/// Put out anew on 10 May 2026.
const PUT_OUT_ON: &str = "2026-05-10 00:00:00";

fn answers(result: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "Code": "OK", "Data": { "VerifyResult": result } }))
}

async fn service(online_time: &str) -> MockServer {
    let server = MockServer::start().await;
    let twice = |request: &Request| {
        let start_time = request.url.query_pairs().find(|(name, _)| name == "StartTime").unwrap().1;
        answers(if *start_time <= *PUT_OUT_ON { "1" } else { "2" })
    };
    Mock::given(any())
        .and(header("x-acs-action", "DescribePhoneTwiceTelVerify"))
        .respond_with(twice)
        .mount(&server)
        .await;
    Mock::given(any())
        .and(header("x-acs-action", "DescribePhoneNumberOnlineTime"))
        .respond_with(answers(online_time))
        .mount(&server)
        .await;
    server
}

fn asked(server: &MockServer, clock: &MockClock) -> AskedOperator {
    let config = AliyunConfig {
        endpoint: server.uri(),
        access_key_id: "LTAItest".into(),
        access_key_secret: "secret".into(),
        auth_code: "code".into(),
        online_time_auth_code: "code".into(),
        timeout_ms: TIMEOUT_MS,
        response_bytes_max: 65_536,
    };
    let time = clock.clone();
    let api = Arc::new(Aliyun::new(config, Arc::new(move || time.now())).unwrap());
    AskedOperator { id: "cmcc".parse().unwrap(), follows_ports: false, api }
}

#[tokio::test]
async fn what_it_is_sure_of_is_decided_and_the_rest_is_for_people() {
    for (online_time, opened, questions, outcome) in [
        // Six to twelve months: since 29 June for sure, since 30 April perhaps.
        ("3", "2026-05", 3, Ends::VoidBefore("2026-04-01")),
        ("3", "2026-04-10", 1, Ends::Review("operator_unknown")),
        ("3", "2026-06", 3, Ends::VoidBefore("2026-05-01")),
        ("2", "2026-01", 1, Ends::Refused("not_held_since")),
        ("5", "2026-08", 2, Ends::Refused("no_change_of_holder")),
        ("-1", "2026-05", 1, Ends::Review("operator_unknown")),
    ] {
        println!("{online_time} {opened}");
        let clock = clock();
        let server = service(online_time).await;
        let world = world(&clock, vec![asked(&server, &clock)]).await;
        pushed(&world, "registry", &[("+8613800138001", "ported_out", "2026-11-20")]).await;
        let dispute = world.holder(NUMBER).await.files_reassigned(opened).await;
        ends(&world, &dispute, NUMBER, outcome).await;
        let requests = server.received_requests().await.unwrap();
        assert_eq!(requests.len(), questions);
    }
}

#[tokio::test]
async fn names_are_not_asked_and_for_people() {
    let clock = clock();
    let server = service("5").await;
    let world = world(&clock, vec![asked(&server, &clock)]).await;
    let provider = world.provider("dianhuabang").await;
    provider
        .uploads(&json!({ "number": NUMBER, "kind": "name", "name": "老王烧烤", "source": "business" }))
        .await;
    let body =
        json!({ "reason": "name_mismatch", "labels": [{ "provider": "dianhuabang", "name": "老王烧烤" }] });
    let dispute = world.holder(NUMBER).await.files(body).await;
    ends(&world, &dispute, NUMBER, Ends::Review("operator_unknown")).await;
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
    // Nor ever again by itself: it was no outage.
    world.advance_days(3);
    world.work().await;
    ends(&world, &dispute, NUMBER, Ends::Review("operator_unknown")).await;
}
