//! Calls and words that belong in one place, or nowhere.

use super::source::Source;

struct Ban {
    words: &'static [&'static str],
    applies: Applies,
    /// Beginnings of paths where it does not apply.
    except: &'static [&'static str],
    why: &'static str,
}

#[derive(PartialEq)]
enum Applies {
    Everywhere,
    /// To `src` without its tests.
    Product,
    /// To lines that only tests compile.
    Tests,
    /// To these rooms without their tests.
    Rooms(&'static [&'static str]),
}

const BANS: [Ban; 11] = [
    Ban {
        words: &["SystemTime::now", "Timestamp::now", "Zoned::now"],
        applies: Applies::Everywhere,
        except: &["src/env/"],
        why: "time is an argument: take a Clock",
    },
    Ban {
        words: &["Instant::now"],
        applies: Applies::Everywhere,
        except: &["src/env/", "src/http/accept", "tests/it/edge", "tests/it/failover/", "tests/bench/"],
        why: "time is an argument: take a Clock",
    },
    Ban {
        words: &["rand::", "fastrand::", "getrandom", "OsRng", "Uuid::now_v7", "Uuid::new_v4"],
        applies: Applies::Everywhere,
        except: &["src/env/"],
        why: "chance is an argument: take an Entropy",
    },
    Ban {
        words: &["env::var", "env::vars", "env::var_os", "env::vars_os", "env::args", "env::args_os"],
        applies: Applies::Product,
        except: &["src/main.rs", "src/cli/"],
        why: "the environment is an argument",
    },
    Ban {
        words: &["sleep", "sleep_until"],
        applies: Applies::Tests,
        // Its callers come at a pace.
        except: &["tests/bench/load/soak/"],
        why: "tests never sleep: wait for what is to happen, or move a MockClock",
    },
    Ban {
        words: &["sleep", "sleep_until"],
        applies: Applies::Product,
        except: &[
            "src/http/accept",
            "src/feed/shared.rs",
            "src/casework/worker",
            "src/casework/webhooks/telling",
            "src/feed/publisher",
            "src/feed/mirror/follow",
            "src/feed/snapshot/keeper",
            "src/cli/",
            "src/store/postgres/follow",
            "src/store/sled/open",
        ],
        why: "only loops that wait for their next turn sleep, and who waits for a lock",
    },
    Ban {
        words: &["println!", "eprintln!", "print!", "eprint!"],
        applies: Applies::Product,
        except: &["src/cli/", "src/main.rs"],
        why: "only cli speaks to the terminal: use tracing",
    },
    Ban {
        words: &[".unwrap()", ".unwrap_err()"],
        applies: Applies::Product,
        except: &[],
        why: "say why it cannot fail: expect(\"…\")",
    },
    Ban {
        words: &["todo!", "unimplemented!", "dbg!", "#[ignore"],
        applies: Applies::Everywhere,
        except: &[],
        why: "nothing is left undone or skipped",
    },
    Ban {
        words: &["HashMap", "HashSet"],
        applies: Applies::Rooms(&["domain"]),
        except: &[],
        why: "domain's order never depends on hashing: BTreeMap, BTreeSet",
    },
    Ban {
        words: &["StatusCode", "http::", "hyper::", "warp::"],
        applies: Applies::Rooms(&["domain", "store", "casework"]),
        except: &[],
        why: "HTTP is spoken in http only",
    },
];

pub fn problems(source: &Source) -> Vec<String> {
    let bans: Vec<&Ban> = BANS.iter().filter(|ban| ban.concerns_file(source)).collect();
    let mut problems = Vec::new();
    for (number, line) in source.lines() {
        for ban in bans.iter().filter(|ban| ban.concerns_line(source, number)) {
            if let Some(word) = ban.words.iter().find(|word| contains_word(line, word)) {
                problems.push(format!("{}:{number}: {word}: {}", source.path, ban.why));
            }
        }
    }
    problems
}

impl Ban {
    fn concerns_file(&self, source: &Source) -> bool {
        let is_there = match self.applies {
            Applies::Everywhere | Applies::Tests => true,
            Applies::Product => source.is_product(),
            Applies::Rooms(rooms) => rooms.iter().any(|room| {
                let rest = source.path.strip_prefix("src/").and_then(|path| path.strip_prefix(room));
                rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            }),
        };
        is_there && !self.except.iter().any(|beginning| source.path.starts_with(beginning))
    }

    fn concerns_line(&self, source: &Source, line: usize) -> bool {
        match self.applies {
            Applies::Everywhere => true,
            Applies::Tests => source.is_test(line),
            Applies::Product | Applies::Rooms(_) => !source.is_test(line),
        }
    }
}

/// Not as a part of a longer name.
fn contains_word(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let begins_a_name = word.starts_with(is_name);
    let ends_a_name = word.ends_with(is_name);
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let goes_on_before = begins_a_name && before.is_some_and(is_name);
        let goes_on_after = ends_a_name && after.is_some_and(is_name);
        !goes_on_before && !goes_on_after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(path: &str, text: &str) -> Vec<String> {
        problems(&Source::new(path, text))
    }

    #[test]
    fn each_ban_is_seen() {
        for (path, text) in [
            ("src/casework/x.rs", "SystemTime::now()"),
            ("src/feed/x.rs", "jiff::Timestamp::now()"),
            ("tests/it/x.rs", "Timestamp::now()"),
            ("src/http/x.rs", "std::time::Instant::now()"),
            ("src/http/x.rs", "rand::random()"),
            ("src/http/x.rs", "getrandom::fill(&mut a)"),
            ("src/http/x.rs", "Uuid::now_v7()"),
            ("src/store/x.rs", "std::env::var(a)"),
            ("tests/it/x.rs", "tokio::time::sleep(a).await"),
            ("src/http/accept.rs", "#[cfg(test)]\nmod tests {\n    std::thread::sleep(a);\n}"),
            ("src/feed/x.rs", "use tokio::time::sleep;"),
            ("src/gateway/x.rs", "println!()"),
            ("src/gateway/x.rs", "a.unwrap();"),
            ("src/gateway/x.rs", "todo!()"),
            ("tests/it/x.rs", "#[ignore = \"slow\"]"),
            ("src/domain/x.rs", "use std::collections::{BTreeMap, HashMap};"),
            ("src/domain.rs", "HashSet::new()"),
            ("src/store/sled/x.rs", "warp::reply()"),
            ("src/casework/x.rs", "fn a() -> StatusCode"),
            ("src/casework/x.rs", "::http::Uri"),
        ] {
            assert_eq!(problems_of(path, text).len(), 1, "{path}: {text}: {:?}", problems_of(path, text));
        }
        let said = problems_of("src/gateway/x.rs", "a();\nb.unwrap();");
        assert_eq!(said, ["src/gateway/x.rs:2: .unwrap(): say why it cannot fail: expect(\"…\")"]);
    }

    #[test]
    fn what_belongs_passes() {
        for (path, text) in [
            ("src/env/clock.rs", "Timestamp::now()"),
            ("src/http/accept/mod.rs", "Instant::now(); sleep(a)"),
            ("src/main.rs", "std::env::args_os()"),
            ("src/cli/x.rs", "println!()"),
            ("src/http/x.rs", "#[cfg(test)]\nmod tests {\n    a.unwrap();\n}"),
            ("src/http/x.rs", "// todo!\nlet a = \"println!\"; a.unwrap_or_default(); operand::b()"),
            ("src/http/x.rs", "HashMap::new(); StatusCode::OK; env!(a); env::clock::now()"),
            ("src/domain/x.rs", "MyHashMap; Sleeper; asleep"),
            ("tests/it/x.rs", "a.unwrap(); println!()"),
        ] {
            assert_eq!(problems_of(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }
}
