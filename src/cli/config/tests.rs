#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;

const EVERY_KEY: &str = include_str!("../../../fixtures/zhengming.toml");

fn load(text: &str) -> Result<Config, ConfigError> {
    load_with(text, &[])
}

fn load_with(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(text, "zhengming.toml", env)
}

/// What is said of a file that is refused.
fn secret(path: &str, key: &str, line: u32) -> SecretFile {
    SecretFile { path: path.into(), key: key.to_owned(), place: format!("zhengming.toml:{line}") }
}

fn refusal(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(load("").unwrap(), Config::default());
}

#[test]
fn the_documented_file_has_every_key_at_its_default() {
    assert_eq!(load(EVERY_KEY).unwrap(), Config::default());
    let keys = EVERY_KEY.lines().filter(|line| line.contains(" = ") && !line.starts_with('#'));
    assert_eq!(keys.count(), 10 + 6 + 4 + 1 + 17);
}

#[test]
fn the_documented_examples_of_operators_and_providers_parse() {
    let mut text = String::new();
    let mut is_example = false;
    for line in EVERY_KEY.lines() {
        is_example = line.starts_with("# [[") || is_example && line.starts_with("# ");
        if is_example {
            text += line.strip_prefix("# ").unwrap();
            text += "\n";
        }
    }
    let config = load(&text).unwrap();
    assert_eq!((config.operators.len(), config.providers.len()), (1, 1));
    let camara = load(&text.replace("\"ledger\"", "\"camara\"")).unwrap();
    assert!(matches!(camara.operators[0].gateway, OperatorGateway::Camara(_)));
    let aliyun = load(&text.replace("\"ledger\"", "\"aliyun\"")).unwrap();
    assert!(matches!(aliyun.operators[0].gateway, OperatorGateway::Aliyun(_)));
}

#[test]
fn each_documented_key_is_really_read() {
    // With another value, each line must change the configuration or be refused.
    let lines: Vec<&str> = EVERY_KEY.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else { continue };
        let mut changed = lines.clone();
        let other = format!("{key} = 1979-05-27");
        changed[at] = &other;
        let said = refusal(&changed.join("\n"));
        assert!(said.starts_with(&format!("zhengming.toml:{}: ", at + 1)), "{said}");
        assert!(said.contains(&format!("{key}: expected ")) && said.ends_with(", found a date"), "{said}");
    }
}

#[test]
fn unknown_keys_are_refused_with_their_line_and_what_may_be_meant() {
    assert_eq!(refusal("\n\nfeeed = 1\n"), "zhengming.toml:3: unknown key \"feeed\"; is feed meant?");
    assert_eq!(refusal("[feeed]\norigin = \"x\""), "zhengming.toml:1: unknown key \"feeed\"; is feed meant?");
    let orgin = "unknown key \"orgin\" in [feed]; is origin meant?";
    assert_eq!(refusal("[feed]\norigin = \"x\"\norgin = 1"), format!("zhengming.toml:3: {orgin}"));
    assert_eq!(refusal("feed.orgin = 1"), format!("zhengming.toml:1: {orgin}"));
    // Nothing is like it: what there is.
    assert_eq!(
        refusal("[altcha]\n\nsms = 1"),
        "zhengming.toml:3: unknown key \"sms\" in [altcha]; there are max_number"
    );
    let operators = "[[operators]]\nid = \"cmcc\"\n\n[[operators]]\nid = \"cucc\"\nport = 1";
    let said = refusal(operators);
    assert!(
        said.starts_with("zhengming.toml:6: unknown key \"port\" in [operators]; there are id, "),
        "{said}"
    );
    let said = refusal("zzz = 1\naaa = 2");
    assert!(said.starts_with("zhengming.toml:1: unknown key \"zzz\"; there are listen, "), "{said}");
    assert!(said.ends_with(", feed, sms, operators, providers, altcha, limits"), "{said}");
}

#[test]
fn wrong_types_are_refused_with_their_line() {
    assert_eq!(refusal("listen = 8080"), "zhengming.toml:1: listen: expected a string, found a whole number");
    assert_eq!(refusal("\nfeed = 1"), "zhengming.toml:2: feed: expected a table, found a whole number");
    assert_eq!(
        refusal("[operators]\nid = \"cmcc\""),
        "zhengming.toml:1: operators: expected an array of tables, found a table"
    );
    assert_eq!(
        refusal("[limits]\nsms_per_minute = \"600\""),
        "zhengming.toml:2: limits.sms_per_minute: expected a whole number, found a string"
    );
    assert_eq!(
        refusal("trusted_proxies = [1]"),
        "zhengming.toml:1: trusted_proxies: expected a list of strings, found a whole number"
    );
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    assert!(refusal("listen = \"127.0.0.1:1\"\nlisten\n").starts_with("zhengming.toml:2: "));
    assert!(refusal("data_dir = \"a\"\n\ndata_dir = \"b\"").starts_with("zhengming.toml:3: "));
}

#[test]
fn numbers_keep_to_their_range() {
    for (text, name) in [
        ("[limits]\nsms_per_minute = -1", "limits.sms_per_minute"),
        ("[limits]\nsms_per_minute = 4294967296", "limits.sms_per_minute"),
        ("[feed]\ncheckpoint_interval_ms = 0", "feed.checkpoint_interval_ms"),
        ("[feed]\nkeep_entries_days = 0", "feed.keep_entries_days"),
        ("[altcha]\nmax_number = -1", "altcha.max_number"),
    ] {
        let said = refusal(text);
        assert!(
            said.starts_with(&format!("zhengming.toml:2: {name}: expected a whole number from ")),
            "{said}"
        );
    }
    let config = load("[limits]\nsms_per_minute = 0\nconnections_max = 0x1_0").unwrap();
    assert_eq!((config.limits.sms_per_minute, config.limits.connections_max), (0, 16));
}

#[test]
fn variables_go_before_the_file() {
    let env = [
        ("ZHENGMING_LISTEN", "0.0.0.0:80"),
        ("ZHENGMING_TRUSTED_PROXIES", "10.0.0.1, 10.1.0.0/16"),
        ("ZHENGMING_FEED__ORIGIN", "feed.example.org"),
        ("ZHENGMING_LIMITS__SMS_PER_MINUTE", "7"),
        ("ZHENGMING_SMS__ACCESS_NUMBER", "10691111"),
        ("HOME", "/nowhere"),
    ];
    let config = load_with("listen = \"127.0.0.1:1\"\n[feed]\norigin = \"localhost\"", &env).unwrap();
    assert_eq!(config.listen, "0.0.0.0:80".parse().unwrap());
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.feed.origin, "feed.example.org");
    assert_eq!(config.limits.sms_per_minute, 7);
    assert_eq!(config.sms.access_number, "10691111");
}

#[test]
fn wrong_variables_are_refused_by_their_name() {
    for (name, value, said) in [
        ("ZHENGMING_LISTEN", "here", "ZHENGMING_LISTEN: listen: expected an address such as"),
        (
            "ZHENGMING_FEED__ORGIN",
            "x",
            "ZHENGMING_FEED__ORGIN: unknown key \"orgin\" in [feed]; is origin meant?",
        ),
        (
            "ZHENGMING_FEEED__ORIGIN",
            "x",
            "ZHENGMING_FEEED__ORIGIN: unknown section \"feeed\"; is feed meant?",
        ),
        ("ZHENGMING_OPERATORS__ID", "x", "ZHENGMING_OPERATORS__ID: set [[operators]] in the file"),
        ("ZHENGMING_ALTCHA__MAX_NUMBER", "many", "ZHENGMING_ALTCHA__MAX_NUMBER: altcha.max_number: expected"),
    ] {
        let error = load_with("", &[(name, value)]).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn variables_that_are_not_ours_are_left_alone() {
    // What a container platform sets for a service of this name.
    let env = [("ZHENGMING_PORT", "tcp://10.0.0.1:80"), ("ZHENGMING_SERVICE_HOST", "10.0.0.1")];
    assert_eq!(load_with("", &env).unwrap(), Config::default());
}

#[test]
fn addresses_urls_and_paths_have_a_shape() {
    for (text, said) in [
        ("listen = \"localhost\"", "listen: expected an address"),
        ("admin_listen = \"127.0.0.1:8080\"", "admin_listen: listen has the same address already"),
        ("public_url = \"example.org\"", "public_url: expected a URL"),
        ("public_url = \"ftp://example.org\"", "public_url: expected a URL"),
        ("public_url = \"https://example.org/?a=b\"", "public_url: paths are put behind this URL"),
        ("public_url = \"https://u:p@example.org\"", "public_url: credentials do not belong in a URL"),
        ("data_dir = \"\"", "data_dir: a path is not empty"),
        ("trusted_proxies = [\"10.0.0.0/33\"]", "trusted_proxies: expected an IP address or a net"),
        ("trusted_proxies = [\"proxy\"]", "trusted_proxies: expected an IP address or a net"),
    ] {
        let error = refusal(text);
        assert!(error.starts_with(&format!("zhengming.toml:1: {said}")), "{error}");
    }
    let config = load("public_url = \"https://example.org/marks/\"\nadmin_listen = \"[::1]:0\"").unwrap();
    assert_eq!(config.public_url, "https://example.org/marks");
    assert!(load("listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"").is_ok());
    assert_eq!(load("reference_dir = \"./data\"").unwrap().reference_dir, Some("./data".into()));
}

#[test]
fn a_store_is_one_of_three() {
    assert_eq!(load("store = \"memory:\"").unwrap().store, StoreUrl::Memory);
    assert_eq!(load("store = \"sled:/var/db\"").unwrap().store, StoreUrl::Sled("/var/db".into()));
    let url = "postgres://me:secret@db.example:5433/zm";
    let store = load(&format!("store = {url:?}")).unwrap().store;
    assert_eq!(store, StoreUrl::Postgres(url.into()));
    assert_eq!(format!("{store} {store:?}"), "postgres://db.example:5433/zm postgres://db.example:5433/zm");
    let pair = "postgres://me:secret@db1.example,db2.example:5433/zm?target_session_attrs=read-write";
    let store = load(&format!("store = {pair:?}")).unwrap().store;
    assert_eq!(format!("{store}"), "postgres://db1.example:5432,db2.example:5433/zm");
    assert_eq!(refusal("store = \"sled:\""), "zhengming.toml:1: store: a path is not empty");
    for wrong in ["memory", "postgres:", "mysql://me:secret@db.example/zm", ""] {
        let error = refusal(&format!("store = {wrong:?}"));
        assert_eq!(
            error,
            "zhengming.toml:1: store: expected sled:PATH, memory: or postgres://USER@HOST/DATABASE"
        );
    }
}

#[test]
fn store_and_outbox_follow_the_data_folder() {
    let config = load("data_dir = \"/var/lib/zhengming\"").unwrap();
    assert_eq!(config.store, StoreUrl::Sled("/var/lib/zhengming/db".into()));
    let outbox_file = Path::new("/var/lib/zhengming/outbox.ndjson").into();
    assert_eq!(config.sms.gateway, SmsGateway::Outbox { outbox_file });
}

#[test]
fn a_logs_name_has_no_spaces_and_no_plus() {
    let long = "a".repeat(256);
    for wrong in ["", " ", "a b", "a\\nb", "a+b", "a\\u3000b", "a\\u0001", &long] {
        let error = refusal(&format!("[feed]\norigin = \"{wrong}\""));
        assert!(error.starts_with("zhengming.toml:2: feed.origin: a log's name"), "{error}");
    }
    assert_eq!(
        load("[feed]\npublish_releases = \"all\"").unwrap().feed.publish_releases,
        PublishReleases::All
    );
    assert_eq!(
        refusal("[feed]\npublish_releases = \"some\""),
        "zhengming.toml:2: feed.publish_releases: expected labelled or all, found \"some\""
    );
}

#[test]
fn an_sms_gateway_needs_its_keys() {
    assert_eq!(
        refusal("\n[sms]\ngateway = \"kannel\""),
        "zhengming.toml:2: sms.send_url is missing; gateway = \"kannel\" needs it"
    );
    assert!(
        refusal("[sms]\ngateway = \"http\"\nurl = \"https://a.example\"")
            .contains("sms.hmac_key_file is missing")
    );
    assert!(
        refusal("[sms]\ngateway = \"pigeon\"")
            .ends_with("expected outbox or kannel or http, found \"pigeon\"")
    );
    assert!(
        refusal("[sms]\naccess_number = \"+1069\"").contains("sms.access_number: expected 3 to 20 digits")
    );
    let kannel = "[sms]\ngateway = \"kannel\"\noutbox_file = \"unused\"\ninbound_token_file = \"token\"\n\
        send_url = \"http://127.0.0.1:13013/cgi-bin/sendsms\"\nusername = \"zm\"\npassword_file = \"pw\"";
    let sms = load(kannel).unwrap().sms;
    assert_eq!(
        sms.gateway,
        SmsGateway::Kannel {
            send_url: "http://127.0.0.1:13013/cgi-bin/sendsms".into(),
            username: "zm".into(),
            password_file: secret("pw", "sms.password_file", 7)
        }
    );
    assert_eq!(sms.inbound_token_file, Some(secret("token", "sms.inbound_token_file", 4)));
    assert_eq!(load("[sms]\ninbound_token_file = \"\"").unwrap().sms.inbound_token_file, None);
    let empty = refusal(&kannel.replace("\"pw\"", "\"\""));
    assert_eq!(empty, "zhengming.toml:7: sms.password_file: a path is not empty");
}

#[test]
fn an_operators_api_needs_its_keys() {
    let camara = "[[operators]]\nid = \"cmcc\"\nname = \"中国移动\"\ngateway = \"camara\"\n\
        base_url = \"https://api.example/\"\ntoken_url = \"https://api.example/token\"\n\
        client_id = \"zm\"\nclient_secret_file = \"s\"\n";
    let operator = load(camara).unwrap().operators.remove(0);
    assert_eq!((operator.id.as_str(), operator.name.as_str()), ("cmcc", "中国移动"));
    assert!(!operator.follows_ports);
    let OperatorGateway::Camara(api) = operator.gateway else { panic!("{operator:?}") };
    assert_eq!((api.base_url.as_str(), api.timeout_ms), ("https://api.example", 3_000));

    for key in ["base_url", "token_url", "client_id", "client_secret_file"] {
        let without: String =
            camara.lines().filter(|l| !l.starts_with(key)).map(|l| format!("{l}\n")).collect();
        let missing = format!("zhengming.toml:1: operators.{key} is missing; gateway = \"camara\" needs it");
        assert_eq!(refusal(&without), missing);
    }
    assert!(load(&format!("{camara}follows_ports = true")).unwrap().operators[0].follows_ports);
    assert!(refusal(&format!("{camara}timeout_ms = 0")).contains("operators.timeout_ms: expected"));
}

#[test]
fn the_number_service_needs_its_keys() {
    let aliyun = "[[operators]]\nid = \"cmcc\"\ngateway = \"aliyun\"\n\
        access_key_id = \"LTAI\"\naccess_key_secret_file = \"s\"\nauth_code = \"Dd1r\"\n";
    let api = |text: &str| match load(text).unwrap().operators.remove(0).gateway {
        OperatorGateway::Aliyun(api) => api,
        other => panic!("{other:?}"),
    };
    let defaults = api(aliyun);
    assert_eq!((defaults.endpoint.as_str(), defaults.timeout_ms), ("https://dytnsapi.aliyuncs.com", 3_000));
    assert_eq!((defaults.auth_code.as_str(), defaults.online_time_auth_code.as_str()), ("Dd1r", "Dd1r"));
    assert_eq!(api(&format!("{aliyun}online_time_auth_code = \"x\"")).online_time_auth_code, "x");
    for key in ["access_key_id", "access_key_secret_file", "auth_code"] {
        let without: String =
            aliyun.lines().filter(|l| !l.starts_with(key)).map(|l| format!("{l}\n")).collect();
        let missing = format!("zhengming.toml:1: operators.{key} is missing; gateway = \"aliyun\" needs it");
        assert_eq!(refusal(&without), missing);
    }
}

#[test]
fn operators_and_providers_have_an_id_of_their_own() {
    let ledger = load("[[operators]]\nid = \"cucc\"").unwrap().operators.remove(0);
    assert_eq!((ledger.gateway, ledger.name), (OperatorGateway::Ledger, "cucc".into()));
    let twice = "[[operators]]\nid = \"cucc\"\n[[operators]]\nid = \"cucc\"";
    assert_eq!(refusal(twice), "zhengming.toml:3: \"cucc\" is configured twice");
    assert!(
        refusal("[[operators]]\nid = \"China Unicom\"")
            .starts_with("zhengming.toml:2: operators.id: an id has")
    );
    assert!(refusal("\n[[operators]]\n").starts_with("zhengming.toml:2: operators.id is missing"));

    let provider =
        "[[providers]]\nid = \"tencent\"\nlookup = \"baidu\"\nlookup_url = \"https://a.example\"\n";
    assert!(refusal(provider).contains("providers.lookup_key_file is missing"));
    let provider = format!("{provider}lookup_key_file = \"k\"\n");
    assert_eq!(load(&provider).unwrap().providers[0].lookup, LookupKind::Baidu);
    assert_eq!(refusal(&provider.repeat(2)), "zhengming.toml:6: \"tencent\" is configured twice");
}
