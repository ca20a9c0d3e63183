//! Tokens: one for all, renewed in time, and what happens where there is none.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = MockServer::start().await;
    let tokens = |text| Mock::given(path("/token")).respond_with(token(text)).up_to_n_times(1).expect(1);
    tokens("t1").mount(&server).await;
    tokens("t2").mount(&server).await;
    Mock::given(header("authorization", "Bearer t1"))
        .respond_with(problem(401, "UNAUTHENTICATED"))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(header("authorization", "Bearer t2"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"tenureDateCheck": true})))
        .expect(2)
        .mount(&server)
        .await;
    let camara = camara(&server);
    for _ in 0..2 {
        assert_eq!(camara.ask(number(), &held_since(), CORRELATOR).await.unwrap().answer, Yes);
    }
}

#[tokio::test]
async fn a_token_refused_twice_is_an_alarm() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(token("t1")).expect(2).mount(&server).await;
    Mock::given(path(TENURE)).respond_with(problem(401, "UNAUTHENTICATED")).expect(2).mount(&server).await;
    let error = camara(&server).ask(number(), &held_since(), CORRELATOR).await.unwrap_err();
    assert_eq!(error, alarm("401 UNAUTHENTICATED"));
}

/// Time in seconds that a test moves, and a gateway that goes by it.
fn timed(server: &MockServer) -> (Arc<AtomicI64>, Camara) {
    let now_s = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&now_s);
    let now: Now = Arc::new(move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap());
    (now_s, Camara::new(&config(server), now).unwrap())
}

async fn answers_yes(server: &MockServer) {
    let yes = ResponseTemplate::new(200).set_body_json(json!({"tenureDateCheck": true}));
    Mock::given(path(TENURE)).respond_with(yes).mount(server).await;
}

#[tokio::test]
async fn one_token_serves_until_shortly_before_it_expires() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(token("t1")).expect(2).mount(&server).await;
    answers_yes(&server).await;
    let (now_s, camara) = timed(&server);
    let question = held_since();
    // 300 s of life: given up 30 s before its end, renewed 30 s before that.
    for second in [0, 100, 239, 240, 241, 270] {
        now_s.store(second, Ordering::SeqCst);
        let asks = (0..8).map(|_| camara.ask(number(), &question, CORRELATOR));
        for reply in futures_util::future::join_all(asks).await {
            assert_eq!(reply.unwrap().answer, Yes);
        }
    }
}

#[tokio::test]
async fn a_renewal_that_fails_is_felt_when_the_old_token_ends() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(token("t1")).up_to_n_times(1).mount(&server).await;
    Mock::given(path("/token")).respond_with(ResponseTemplate::new(502)).expect(2).mount(&server).await;
    answers_yes(&server).await;
    let (now_s, camara) = timed(&server);
    for second in [0, 240, 241, 269] {
        now_s.store(second, Ordering::SeqCst);
        assert_eq!(camara.ask(number(), &held_since(), CORRELATOR).await.unwrap().answer, Yes);
    }
    now_s.store(270, Ordering::SeqCst);
    assert_eq!(camara.ask(number(), &held_since(), CORRELATOR).await.unwrap_err(), later("token: 502"));
}

#[tokio::test]
async fn nobody_else_waits_for_a_renewal() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(token("t1")).up_to_n_times(1).mount(&server).await;
    let hangs = token("t2").set_delay(Duration::from_secs(3_600));
    Mock::given(path("/token")).respond_with(hangs).mount(&server).await;
    answers_yes(&server).await;
    let (now_s, camara) = timed(&server);
    let question = held_since();
    camara.ask(number(), &question, CORRELATOR).await.unwrap();
    now_s.store(240, Ordering::SeqCst);
    let mut renewing = Box::pin(camara.ask(number(), &question, CORRELATOR));
    assert!(futures_util::poll!(&mut renewing).is_pending());
    for _ in 0..3 {
        assert_eq!(camara.ask(number(), &question, CORRELATOR).await.unwrap().answer, Yes);
    }
}

#[tokio::test]
async fn a_token_server_that_fails() {
    let oauth =
        |status: u16, error: &str| ResponseTemplate::new(status).set_body_json(json!({"error": error}));
    let ok = |body: Value| ResponseTemplate::new(200).set_body_json(body);
    for (answer, why, retry_after_s, is_alarm) in [
        (oauth(401, "invalid_client"), "token: 401 invalid_client", None, true),
        (oauth(400, "invalid_scope"), "token: 400 invalid_scope", None, true),
        (oauth(400, "s:cret 1"), "token: 400", None, true),
        (ResponseTemplate::new(404), "token: 404", None, true),
        (ResponseTemplate::new(502), "token: 502", None, false),
        (ResponseTemplate::new(429).insert_header("retry-after", "9"), "token: 429", Some(9), false),
        (ok(json!({})), "token: the answer is not what RFC 6749 says", None, false),
        (
            ok(json!({"access_token": "t", "token_type": "mac"})),
            "token: the answer holds no bearer token",
            None,
            true,
        ),
        (
            ok(json!({"access_token": "t\r\nx", "token_type": "bearer"})),
            "token: the answer holds no bearer token",
            None,
            true,
        ),
    ] {
        let server = MockServer::start().await;
        Mock::given(path("/token")).respond_with(answer).mount(&server).await;
        let error = camara(&server).ask(number(), &held_since(), CORRELATOR).await.unwrap_err();
        assert_eq!(error, Unavailable { why: why.to_owned(), retry_after_s, alarm: is_alarm });
    }
}
