//! Requests from many connections on one thread, on a processor of its own:
//! each as soon as a connection is free, or as many as one likes, whether the
//! ones before are answered or not.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet, yield_now};
use tokio::time::timeout;

use crate::cpu;
use crate::latencies::Latencies;
use crate::wire::Connection;

/// Who has no answer by then goes away.
const PATIENCE: Duration = Duration::from_secs(15);
/// And who is not let in: where the system's queue is full, it says nothing,
/// and knocking again by itself a second later would be no flood.
const KNOCK_PATIENCE: Duration = Duration::from_millis(200);
/// Where connections come from, in turns.
const FIRST_SOURCE: u8 = 2;
const SOURCES: u8 = 64;
/// For connections that are kept, made before the flood.
const KNOCKS_MAX: usize = 50;

/// What is sent.
#[derive(Debug)]
pub struct Requests {
    pub all: Vec<Vec<u8>>,
    /// Those that can be sent.
    waiting: VecDeque<usize>,
    /// One that was taken is used up; what was refused is sent again.
    once: bool,
    /// Of an answer that counts.
    status: u16,
}

/// How much, from where.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    pub connections: usize,
    /// Each request over a new one.
    pub anew: bool,
    /// In a second; else as many as are answered.
    pub rate: Option<f64>,
    pub lasts: Duration,
    pub processor: usize,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Flooded {
    pub took: Duration,
    /// Arrivals, and those of them for which no connection was free.
    pub offered: u64,
    pub unsent: u64,
    /// Answered as wanted before the end.
    pub good: u64,
    pub latencies: Latencies,
    pub others: BTreeMap<u16, u64>,
    pub without_retry_after: u64,
    /// Connections that were refused or broken, and answers not waited for.
    pub refused: u64,
    pub broken: u64,
    pub given_up: u64,
    /// Of the client's thread.
    pub cpu: Duration,
    /// From the last arrival to the last answer.
    pub drained: Duration,
}

impl Requests {
    pub fn again(request: Vec<u8>) -> Self {
        Self { all: vec![request], waiting: VecDeque::from([0]), once: false, status: 200 }
    }

    pub fn once_each(requests: Vec<Vec<u8>>) -> Self {
        let waiting = (0..requests.len()).collect();
        Self { all: requests, waiting, once: true, status: 201 }
    }

    fn take(&mut self) -> usize {
        let nth = self.waiting.pop_front().expect("there are more than can be taken");
        if !self.once {
            self.waiting.push_back(nth);
        }
        nth
    }

    fn give_back(&mut self, nth: usize) {
        if self.once {
            self.waiting.push_back(nth);
        }
    }
}

impl Flooded {
    pub fn goodput(&self) -> f64 {
        self.good as f64 / self.took.as_secs_f64()
    }

    pub fn cpu_percent(&self) -> f64 {
        100.0 * self.cpu.as_secs_f64() / self.took.as_secs_f64()
    }
}

struct Flood {
    address: SocketAddr,
    requests: RefCell<Requests>,
    flow: Flow,
    done: RefCell<Flooded>,
    /// One for each request that is to be sent; closed at the end.
    tickets: Semaphore,
    idle: Cell<u64>,
    is_over: Cell<bool>,
    opened: Cell<u8>,
}

/// Sends on a thread of its own, and gives back what can still be sent.
pub fn flood(address: SocketAddr, requests: Requests, flow: Flow) -> (Flooded, Requests) {
    let thread = std::thread::spawn(move || {
        let mut only = CpuSet::new();
        only.set(flow.processor);
        sched_setaffinity(None, &only).expect("the processor is there");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        LocalSet::new().block_on(&runtime.expect("a runtime"), pour(address, requests, flow))
    });
    thread.join().expect("the client does not panic")
}

async fn pour(address: SocketAddr, requests: Requests, flow: Flow) -> (Flooded, Requests) {
    let flood = Rc::new(Flood {
        address,
        requests: RefCell::new(requests),
        flow,
        done: RefCell::default(),
        tickets: Semaphore::new(0),
        idle: Cell::new(0),
        is_over: Cell::new(false),
        opened: Cell::new(0),
    });
    let mut senders = JoinSet::new();
    for _ in 0..flow.connections {
        senders.spawn_local(flood.clone().send());
    }
    while flood.idle.get() < flow.connections as u64 {
        yield_now().await;
    }
    let (began, cpu_before) = (Instant::now(), cpu::of_this_thread());
    let (mut offered, mut unsent) = (0, 0);
    while began.elapsed() < flow.lasts {
        let arrive = match flow.rate {
            Some(rate) => (began.elapsed().as_secs_f64() * rate) as u64 - offered,
            None => flood.idle.get(),
        };
        let sent = arrive.min(flood.idle.get());
        flood.idle.set(flood.idle.get() - sent);
        flood.tickets.add_permits(sent as usize);
        offered += arrive;
        unsent += arrive - sent;
        yield_now().await;
    }
    flood.is_over.set(true);
    let (took, cpu) = (began.elapsed(), cpu::of_this_thread() - cpu_before);
    flood.tickets.close();
    senders.join_all().await;
    let drained = began.elapsed() - took;
    let flood = Rc::into_inner(flood).expect("all senders have ended");
    let done = Flooded { took, offered, unsent, cpu, drained, ..flood.done.into_inner() };
    (done, flood.requests.into_inner())
}

impl Flood {
    async fn send(self: Rc<Self>) {
        let mut connection = None;
        for _ in 0..if self.flow.anew { 0 } else { KNOCKS_MAX } {
            if connection.is_none() {
                connection = self.open().await;
            }
        }
        loop {
            self.idle.set(self.idle.get() + 1);
            let Ok(ticket) = self.tickets.acquire().await else { return };
            ticket.forget();
            let arrived = Instant::now();
            if connection.is_none() {
                connection = self.open().await;
                self.done.borrow_mut().refused += u64::from(connection.is_none());
            }
            let Some(open) = &mut connection else { continue };
            let nth = self.requests.borrow_mut().take();
            if !self.asks(open, nth, arrived).await || self.flow.anew {
                connection = None;
            }
        }
    }

    async fn open(&self) -> Option<Connection> {
        let nth = self.opened.get();
        self.opened.set(nth.wrapping_add(1));
        let source = Ipv4Addr::new(127, 0, 0, FIRST_SOURCE + nth % SOURCES);
        let opening = Connection::open_from(source, self.address);
        timeout(KNOCK_PATIENCE, opening).await.ok().and_then(Result::ok)
    }

    /// Whether the connection can be gone on with.
    async fn asks(&self, connection: &mut Connection, nth: usize, arrived: Instant) -> bool {
        let request = self.requests.borrow_mut().all[nth].clone();
        let answer = timeout(PATIENCE, connection.ask(&request)).await;
        let mut done = self.done.borrow_mut();
        let is_taken = match &answer {
            Ok(Ok(answer)) => answer.status == self.requests.borrow().status,
            // It may have been taken, and would count twice.
            _ => true,
        };
        if !is_taken {
            self.requests.borrow_mut().give_back(nth);
        }
        match &answer {
            Ok(Ok(_)) if is_taken => {
                done.good += u64::from(!self.is_over.get());
                done.latencies.add(arrived.elapsed());
            }
            Ok(Ok(answer)) => {
                *done.others.entry(answer.status).or_default() += 1;
                done.without_retry_after += u64::from(answer.field("retry-after").is_none());
            }
            Ok(Err(_)) => done.broken += 1,
            Err(_) => done.given_up += 1,
        }
        matches!(answer, Ok(Ok(_)))
    }
}
