//! Against an smsbox that answers as the user's guide says; real Kannel is in
//! the integration tests.
#![allow(clippy::unwrap_used)]

use wiremock::matchers::{any, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::domain::number::Number;

const PASSWORD: &str = "a&b=c ü";

fn kannel(send_url: String) -> Kannel {
    let report_url = "https://zhengming.example/v1/sms/delivery".to_owned();
    let (username, password, access_number) = ("zm".to_owned(), PASSWORD.to_owned(), "10690000".to_owned());
    Kannel::new(&KannelConfig { send_url, username, password, access_number, report_url }).unwrap()
}

fn message(text: &str) -> Message {
    let to = Number::from_digits(8_613_800_138_000).unwrap();
    Message { id: "code-7".to_owned(), to, text: text.to_owned(), seal: "c2VhbA".to_owned() }
}

/// What is made of an answer.
async fn answered(answer: ResponseTemplate) -> Result<(), Unavailable> {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    kannel(server.uri()).send(&message("甲")).await
}

#[tokio::test]
async fn asks_as_the_users_guide_says() {
    let server = MockServer::start().await;
    for (text, coding) in [("【正名】验证码 123456", "2"), ("[Zhengming] Your code & more", "0")] {
        let report = "https://zhengming.example/v1/sms/delivery?id=code-7&seal=c2VhbA&status=%d";
        Mock::given(method("GET"))
            .and(path("/cgi-bin/sendsms"))
            .and(query_param("username", "zm"))
            .and(query_param("password", PASSWORD))
            .and(query_param("from", "10690000"))
            .and(query_param("to", "+8613800138000"))
            .and(query_param("text", text))
            .and(query_param("charset", "UTF-8"))
            .and(query_param("coding", coding))
            .and(query_param("dlr-mask", "27"))
            .and(query_param("dlr-url", report))
            .respond_with(ResponseTemplate::new(202).set_body_string("0: Accepted for delivery"))
            .expect(1)
            .mount(&server)
            .await;
        let kannel = kannel(format!("{}/cgi-bin/sendsms", server.uri()));
        assert_eq!(kannel.send(&message(text)).await, Ok(()));
    }
}

#[tokio::test]
async fn what_it_cannot_do_now_is_tried_again_and_what_it_refuses_wants_a_look() {
    for (status, alarm) in [(503, false), (500, false), (429, false), (403, true), (400, true), (302, true)] {
        let told = answered(ResponseTemplate::new(status)).await.unwrap_err();
        assert_eq!((told.why, told.alarm), (format!("answered {status}"), alarm));
    }
    let pause = answered(ResponseTemplate::new(503).insert_header("retry-after", "7")).await.unwrap_err();
    assert_eq!(pause.retry_after_s, Some(7));
    // Queued for later is taken.
    assert_eq!(
        answered(ResponseTemplate::new(202).set_body_string("3: Queued for later delivery")).await,
        Ok(())
    );
}

#[tokio::test]
async fn nothing_that_is_said_holds_the_password_or_the_number() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let kannel = kannel(format!("http://{}/cgi-bin/sendsms", listener.local_addr().unwrap()));
    drop(listener);
    let told = kannel.send(&message("甲")).await.unwrap_err();
    assert!(!told.alarm && told.why.starts_with("no connection: "), "{told}");
    for text in [told.why, format!("{kannel:?}")] {
        assert!(!text.contains("a%26b") && !text.contains("a&b") && !text.contains("138"), "{text}");
    }
}

#[test]
fn an_address_that_cannot_work_is_said_by_its_key() {
    let wrong = |send_url: &str| {
        let [username, password, access_number] = [(); 3].map(|()| "1".to_owned());
        let report_url = "http://a.example/v1/sms/delivery".to_owned();
        let config =
            KannelConfig { send_url: send_url.to_owned(), username, password, access_number, report_url };
        Kannel::new(&config).unwrap_err()
    };
    assert_eq!(wrong("http://a.example/?user=x").key, "send_url");
    assert_eq!(wrong("ftp://a.example/").key, "send_url");
}
