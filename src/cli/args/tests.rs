use clap::CommandFactory;

use super::*;

fn parsed(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(std::iter::once("zhengming").chain(line.split_whitespace()))
}

fn command(line: &str) -> Command {
    parsed(line).unwrap().command
}

fn config() -> ConfigArg {
    ConfigArg { config: Some("z.toml".into()) }
}

#[test]
fn the_tree_is_well_formed() {
    Arguments::command().debug_assert();
}

#[test]
fn serve_and_demo() {
    assert_eq!(command("serve --config z.toml"), Command::Serve(config()));
    assert_eq!(command("serve"), Command::Serve(ConfigArg { config: None }));
    let listen = "127.0.0.1:8080".parse().unwrap();
    assert_eq!(command("demo"), Command::Demo(DemoArgs { listen, once: false }));
    let listen = "127.0.0.1:0".parse().unwrap();
    assert_eq!(command("demo --listen 127.0.0.1:0 --once"), Command::Demo(DemoArgs { listen, once: true }));
}

#[test]
fn keys() {
    for line in [
        "key issue operator registry --name 携号转网 --config z.toml",
        "key issue --config z.toml --name 携号转网 operator registry",
    ] {
        let Command::Key(KeyCommand::Issue(args)) = command(line) else { panic!("{line}") };
        assert_eq!(args.holder(), KeyHolder::Operator("registry".parse().unwrap()));
        assert_eq!((args.name.as_str(), args.config), ("携号转网", config()));
    }
    let line = "key issue provider tencent --name 腾讯 --config z.toml";
    let Command::Key(KeyCommand::Issue(args)) = command(line) else { panic!("{line}") };
    assert_eq!(args.holder(), KeyHolder::Provider("tencent".parse().unwrap()));

    assert_eq!(command("key list --config z.toml"), Command::Key(KeyCommand::List(config())));
    let id = KeyId(Uuid::from_u128(7));
    assert_eq!(
        command(&format!("key revoke {id} --config z.toml")),
        Command::Key(KeyCommand::Revoke(KeyRevokeArgs { id, config: config() }))
    );
}

#[test]
fn moderators() {
    let name: ModeratorName = "li-lei".parse().unwrap();
    let add = ModeratorAddArgs {
        name: name.clone(),
        role: RoleArg::Senior,
        config: config(),
        password_stdin: true,
    };
    assert_eq!(
        command("moderator add li-lei --role senior --config z.toml --password-stdin"),
        Command::Moderator(ModeratorCommand::Add(add))
    );
    let disable = ModeratorArgs { name: name.clone(), config: config() };
    assert_eq!(
        command("moderator disable li-lei --config z.toml"),
        Command::Moderator(ModeratorCommand::Disable(disable))
    );
    let reset = ModeratorResetArgs { name, config: config(), password_stdin: true };
    assert_eq!(
        command("moderator reset li-lei --config z.toml --password-stdin"),
        Command::Moderator(ModeratorCommand::Reset(reset))
    );
}

#[test]
fn webhooks() {
    let args = || WebhookArgs {
        provider: "tencent".parse().unwrap(),
        url: "https://example.org/z".parse().unwrap(),
        config: config(),
    };
    for (verb, expected) in [("add", WebhookCommand::Add(args())), ("remove", WebhookCommand::Remove(args()))]
    {
        let line = format!("webhook {verb} tencent https://example.org/z --config z.toml");
        assert_eq!(command(&line), Command::Webhook(expected));
    }
    let list = Command::Webhook(WebhookCommand::List(config()));
    assert_eq!(command("webhook list --config z.toml"), list);
}

#[test]
fn imports() {
    assert_eq!(
        command("import labels - --provider tencent --config z.toml"),
        Command::Import(ImportCommand::Labels {
            from: Input::Stdin,
            provider: "tencent".parse().unwrap(),
            config: config(),
        })
    );
    assert_eq!(
        command("import tenures t.csv --operator cmcc --config z.toml"),
        Command::Import(ImportCommand::Tenures {
            from: Input::File("t.csv".into()),
            operator: "cmcc".parse().unwrap(),
            config: config(),
        })
    );
}

#[test]
fn the_log_after_a_restore() {
    let new = FeedCommand::NewLog { origin: "corrections.example/2027".to_owned(), config: config() };
    let line = "feed new-log --origin corrections.example/2027 --config z.toml";
    assert_eq!(command(line), Command::Feed(new));
    assert_eq!(
        command("feed confirm-head --config z.toml"),
        Command::Feed(FeedCommand::ConfirmHead(config()))
    );
    assert!(parsed("feed new-log --origin a+b --config z.toml").is_err());
}

#[test]
fn the_manual_and_what_shells_know() {
    assert_eq!(command("man pages"), Command::Man { folder: "pages".into() });
    assert_eq!(command("completions fish"), Command::Completions { shell: Shell::Fish });
    assert!(parsed("completions cmd.exe").is_err());
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    for line in [
        "",
        "fly",
        "serve --config z.toml --fast",
        "demo --listen here",
        "key issue provider Tencent --name x --config z.toml",
        "key issue courier x --name x --config z.toml",
        "key issue provider x --config z.toml",
        "key revoke 7 --config z.toml",
        "moderator add li-lei --config z.toml",
        "moderator add li-lei --role king --config z.toml",
        "webhook add tencent ftp://example.org/ --config z.toml",
        "webhook add tencent https://user@example.org/ --config z.toml",
        "webhook remove tencent --config z.toml",
        "import labels f.csv --operator cmcc --config z.toml",
        "--log-format xml demo",
    ] {
        assert_eq!(parsed(line).unwrap_err().exit_code(), i32::from(WRONG_USAGE), "{line}");
    }
    for line in ["--help", "--version", "key issue --help"] {
        assert_eq!(parsed(line).unwrap_err().exit_code(), 0, "{line}");
    }
}

#[test]
fn how_to_log_may_stand_behind_the_verb() {
    let arguments = parsed("demo --log debug --log-format json").unwrap();
    assert_eq!((arguments.log.as_deref(), arguments.log_format), (Some("debug"), LogFormat::Json));
}
