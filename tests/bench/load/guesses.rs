//! What the time of an answer tells those who guess: each thing that is there
//! beside one that is not, in turns of no order on one connection.

use std::fmt::Write;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::Size;
use crate::dice::Dice;
use crate::fill::{Filled, folder};
use crate::holders;
use crate::program::{Program, SLED, Serving};
use crate::script::Script;
use crate::wire::Connection;

const SAMPLES: usize = 20_000;
/// A log-in hashes a password on purpose, and a verification is for a number
/// that was not asked about before.
const FEW_SAMPLES: usize = 1_000;
const DISPUTES: usize = 1_000;
const ACCOUNT: &str = "li-lei";
const PASSWORD: &str = "correct horse battery";
/// Who guesses is slowed by those, and would not get so many samples.
const NO_LIMITS: &str = "verifications_per_address_per_hour = 0\nlogins_per_address_per_minute = 0\n\
                         logins_per_account_per_hour = 0\nrequests_per_moderator_per_second = 500000000\n";
/// Of Welch's test: below it nothing is told by so many samples.
const T_MAX: f64 = 4.5;

/// What is asked for, where it is there and where it is not.
struct Guess {
    what: &'static str,
    samples: usize,
    request: Box<dyn Fn(bool, usize) -> Vec<u8>>,
}

/// A number, and the dispute that was filed for it.
struct Filed {
    id: String,
    token: String,
    number: String,
}

pub fn measure(size: &Size) -> String {
    let runtime = Runtime::new().expect("a runtime");
    let disputes = if size.is_bench { DISPUTES } else { 20 };
    let script = runtime.block_on(Script::of_requests(disputes, folder().path()));
    let made = holders::program(&runtime, &script.preparations, SLED);
    let program = without_limits(&made);
    program.says(&format!("moderator add {ACCOUNT} --role admin --password-stdin"), PASSWORD);
    let serving = program.serve(None);
    let filed = runtime.block_on(filed(&serving, &script.requests));
    let mut text = format!(
        "Medians of answers to what is there and to what is not, in turns, one at a time; Welch's t over the \
         quicker nine tenths (below {T_MAX}: nothing is told by so many samples):\n\n{:<44} {:>8} {:>9} {:>9} \
         {:>9} {:>7}\n",
        "what is guessed", "samples", "there µs", "not µs", "differ µs", "t"
    );
    for guess in guesses(filed, &made.provider) {
        let share = if size.is_bench { 1 } else { 50 };
        let times = runtime.block_on(times(&serving, &guess, guess.samples.div_ceil(share)));
        let [there, not] = times.map(Sample::of);
        let t = (there.mean - not.mean) / (there.error_squared + not.error_squared).sqrt();
        let differ = there.median - not.median;
        let _ = writeln!(
            text,
            "{:<44} {:>8} {:>9.1} {:>9.1} {:>9.1} {:>7.1}",
            guess.what, there.count, there.median, not.median, differ, t
        );
    }
    serving.end();
    text
}

fn without_limits(made: &Filled) -> Program {
    let config = fs::read_to_string(made.folder.path().join("zhengming.toml")).expect("it was written");
    Program::configured(made.folder.path(), &(config + NO_LIMITS))
}

async fn filed(serving: &Serving, requests: &[Vec<u8>]) -> Vec<Filed> {
    let mut connection = Connection::open(serving.address).await.expect("it listens");
    let mut filed = Vec::new();
    for request in requests {
        let answer: Value = answered(&mut connection, request, 201).await;
        let text = |field: &str| answer[field].as_str().expect("it is described").to_owned();
        let (id, token) = (text("id"), text("token"));
        let view: Value = answered(&mut connection, &get(&format!("/v1/disputes/{id}"), &token), 200).await;
        let number = view["number"].as_str().expect("it is described").to_owned();
        filed.push(Filed { id, token, number });
    }
    filed
}

async fn answered(connection: &mut Connection, request: &[u8], status: u16) -> Value {
    let answer = connection.ask(request).await.expect("it answers");
    assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(answer.body));
    serde_json::from_slice(answer.body).expect("JSON")
}

fn guesses(filed: Vec<Filed>, key: &str) -> Vec<Guess> {
    let (near, far) = (changed(key, 1), changed(key, key.len() - "zmp_".len()));
    let numbers: Vec<String> = filed.iter().map(|filed| filed.number.clone()).collect();
    vec![
        Guess {
            what: "a number with a dispute; an unknown one",
            samples: FEW_SAMPLES,
            request: Box::new(move |is_there, nth| {
                let unknown = || format!("+86139{nth:08}");
                let number = if is_there { numbers[nth % numbers.len()].clone() } else { unknown() };
                post("/v1/verifications", &json!({ "number": number, "method": "sms_code" }))
            }),
        },
        Guess {
            what: "a dispute's id, with another one's token",
            samples: SAMPLES,
            request: Box::new(move |is_there, nth| {
                let nth = nth % (filed.len() - 1);
                let id = &filed[nth].id;
                let id = if is_there { id.clone() } else { changed(id, 6) };
                get(&format!("/v1/disputes/{id}"), &filed[nth + 1].token)
            }),
        },
        Guess {
            what: "a moderator's name, with a wrong password",
            samples: FEW_SAMPLES,
            request: Box::new(|is_there, _| {
                let name = if is_there { ACCOUNT } else { "li-mei" };
                let body = json!({ "name": name, "password": "battery horse", "totp": "123456" });
                post("/v1/moderation/session", &body)
            }),
        },
        Guess {
            what: "a provider's key but for its end; no letter of it",
            samples: SAMPLES,
            request: Box::new(move |is_near, _| {
                get("/feed/v1/corrections?limit=1", if is_near { &near } else { &far })
            }),
        },
    ]
}

/// Another letter in each of the last places.
fn changed(text: &str, places: usize) -> String {
    let (kept, last) = text.split_at(text.len() - places);
    let other = |letter: char| if letter == 'a' { 'b' } else { 'a' };
    kept.chars().chain(last.chars().map(other)).collect()
}

fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
}

fn post(path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

/// Of what is there, and of what is not.
async fn times(serving: &Serving, guess: &Guess, samples: usize) -> [Vec<Duration>; 2] {
    let mut connection = Connection::open(serving.address).await.expect("it listens");
    let (mut dice, mut times) = (Dice::new(1), [Vec::new(), Vec::new()]);
    let mut told = [const { None }; 2];
    for nth in 0..samples {
        let there_first = dice.once_in(2);
        for is_there in [there_first, !there_first] {
            let request = (guess.request)(is_there, nth);
            let began = Instant::now();
            let answer = connection.ask(&request).await.expect("it answers");
            times[usize::from(!is_there)].push(began.elapsed());
            assert!(![429, 503].contains(&answer.status), "{} is limited", guess.what);
            let body: Value = serde_json::from_slice(answer.body).expect("JSON");
            // Ids and times differ, and what a time is written with.
            let fields: Vec<String> = body.as_object().expect("it is described").keys().cloned().collect();
            told[usize::from(!is_there)] = Some((answer.status, body["code"].clone(), fields));
        }
        assert_eq!(told[0], told[1], "{}: the answer tells", guess.what);
    }
    times
}

/// Of the quicker nine tenths, in microseconds.
struct Sample {
    count: usize,
    median: f64,
    mean: f64,
    /// Of the mean.
    error_squared: f64,
}

impl Sample {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let (count, kept) = (times.len(), times.len().div_ceil(10) * 9);
        let kept: Vec<f64> = times.iter().take(kept).map(|time| time.as_secs_f64() * 1e6).collect();
        let many = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / many;
        let variance = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (many - 1.0).max(1.0);
        Self { count, median: times[count / 2].as_secs_f64() * 1e6, mean, error_squared: variance / many }
    }
}
