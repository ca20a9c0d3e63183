#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::reference::Reference;

fn catalog() -> LabelCatalog {
    Reference::built_in().labels
}

fn provider(id: &str) -> ProviderId {
    id.parse().unwrap()
}

#[test]
fn codes_mean_what_each_provider_says() {
    let catalog = catalog();
    for (id, code, category) in [
        ("tencent", "0", Some(Category::None)),
        ("tencent", "50", Some(Category::Harass)),
        ("tencent", "55", Some(Category::Express)),
        ("tencent", "62", None),
        ("baidu", "1", Some(Category::Fraud)),
        ("baidu", "3", Some(Category::Finance)),
        ("baidu", "9", None),
        ("baidu", "11", Some(Category::Illegal)),
        ("dianhuabang", "-1", Some(Category::None)),
        ("dianhuabang", "0", Some(Category::AdSales)),
        ("dianhuabang", "5", Some(Category::FoodDelivery)),
        ("harmonyos", "0", Some(Category::None)),
        ("harmonyos", "4", Some(Category::AdSales)),
        ("harmonyos", "12", Some(Category::FraudRisk)),
        ("harmonyos", "100", Some(Category::None)),
        ("harmonyos", "102", Some(Category::Taxi)),
        ("harmonyos", "110", Some(Category::FraudRisk)),
        ("tencent", "出租车专车", Some(Category::Taxi)),
        ("baidu", "出租车专车", None),
        ("teddymobile", "响一声", Some(Category::RingOnce)),
        ("qihoo360", "疑似欺诈", Some(Category::FraudRisk)),
        ("sogou", "客服电话", Some(Category::CustomerService)),
        ("sogou", "50", None),
        ("newcomer", "快递送餐", Some(Category::Express)),
        ("newcomer", "1", None),
        ("tencent", "", None),
        ("tencent", "50\n", None),
        ("tencent", "５０", None),
    ] {
        assert_eq!(catalog.category_for_code(&provider(id), code), category, "{id} {code:?}");
    }
    assert_eq!(catalog.text_for_code(&provider("tencent"), "56"), Some("出租车专车"));
    assert_eq!(catalog.text_for_code(&provider("newcomer"), "56"), None);
}

#[test]
fn every_provider_that_is_known_has_a_name_and_a_way_to_appeal() {
    let catalog = catalog();
    let ids: Vec<_> = catalog.provider_ids().map(ProviderId::as_str).collect();
    assert_eq!(ids, ["baidu", "dianhuabang", "harmonyos", "qihoo360", "sogou", "teddymobile", "tencent"]);
    for id in catalog.provider_ids() {
        assert_ne!(catalog.provider_name(id), id.as_str());
        assert!(catalog.appeal_text(id).is_some());
    }
    assert_eq!(catalog.appeal_url(&provider("teddymobile")), Some("https://www.teddymobile.cn"));
    assert_eq!(catalog.appeal_url(&provider("tencent")), None);
    let newcomer = provider("newcomer");
    assert_eq!(catalog.provider_name(&newcomer), "newcomer");
    assert_eq!(catalog.appeal_url(&newcomer), None);
}

#[test]
fn a_crowds_warning_is_told_from_a_name() {
    let catalog = catalog();
    for name in
        ["骗子", "冒充客服", "假 冒·公检法", "专业诈-骗团伙", "【骚扰】", "非法集资", "别接", "电信诈骗"]
    {
        assert!(catalog.is_warning(name), "{name}");
    }
    for name in ["某某外卖", "老王烧烤", "厦门某某科技有限公司", "KFC", "🍺", "", &"名".repeat(10_000)]
    {
        assert!(!catalog.is_warning(name), "{name}");
    }
}

const LABELS: &str = r#"
warning_words = ["骗"]
texts = { "骚扰电话" = "harass" }
[provider.tencent]
codes = [{ code = "50", text = "骚扰电话", category = "harass" }, { code = "54", text = "诈骗电话", category = "fraud" }]
"#;

const PROVIDERS: &str = r#"
[provider.tencent]
name = "腾讯手机管家"
appeal_url = "https://example.com/appeal"
appeal = "在网站上"
"#;

#[test]
fn a_broken_file_is_refused_by_the_key() {
    assert!(LabelCatalog::from_toml(LABELS, PROVIDERS).is_ok());
    for (from, to, key) in [
        ("\"54\"", "\"50\"", "provider.tencent.codes: code \"50\" is given twice"),
        ("诈骗电话", "骚扰电话", "provider.tencent.codes: code \"54\""),
        ("\"50\"", "\"\"", "provider.tencent.codes"),
        ("\"50\"", "50", "code"),
        ("\"harass\"", "\"harras\"", "no such category"),
        ("\"骗\"", "\"！\"", "warning_words"),
        ("tencent", "Tencent", "provider"),
        ("codes", "code", "code"),
        ("warning_words", "words", "words"),
    ] {
        let error = LabelCatalog::from_toml(&LABELS.replace(from, to), PROVIDERS).unwrap_err().to_string();
        assert!(error.starts_with("labels.toml: ") && error.contains(key), "{key}: {error}");
    }
    for (from, to, key) in [
        ("https://example.com/appeal", "javascript:alert(1)", "provider.tencent.appeal_url"),
        ("https://example.com/appeal", "https://", "provider.tencent.appeal_url"),
        ("\"腾讯手机管家\"", "\" \"", "provider.tencent.name"),
        ("appeal =", "apeal =", "apeal"),
    ] {
        let error = LabelCatalog::from_toml(LABELS, &PROVIDERS.replace(from, to)).unwrap_err().to_string();
        assert!(error.starts_with("providers.toml: ") && error.contains(key), "{key}: {error}");
    }
}
