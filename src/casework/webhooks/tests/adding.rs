//! Who may have webhooks, and how many.

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn only_a_provider_with_a_valid_key_has_webhooks() {
    let town = Town::new().await;
    let stranger: ProviderId = "baidu".parse().unwrap();
    is_malformed(town.casework.add_webhook(owner(), &stranger, &url(0)).await, "provider");
    let id = town.casework.keys(owner()).await.unwrap()[0].id;
    town.casework.revoke_key(owner(), id).await.unwrap();
    is_malformed(town.casework.add_webhook(owner(), &provider(), &url(0)).await, "provider");
}

#[tokio::test]
async fn a_provider_has_a_few_places() {
    let town = Town::new().await;
    for nth in 0..u32::from(WEBHOOKS_PER_PROVIDER_MAX) {
        town.add(nth).await.unwrap();
        is_malformed(town.add(nth).await, "url");
    }
    is_malformed(town.add(9).await, "url");
    town.casework.remove_webhook(owner(), &provider(), &url(2)).await.unwrap();
    let gone = town.casework.remove_webhook(owner(), &provider(), &url(2)).await;
    assert_eq!(gone, Err(Refusal::NotFound.into()));
    town.add(9).await.unwrap();
    let listed = town.casework.webhooks(owner()).await.unwrap();
    let listed: Vec<WebhookUrl> = listed.into_iter().map(|webhook| webhook.url).collect();
    assert_eq!(listed, [url(0), url(1), url(9), url(3)]);

    town.casework.issue_key(owner(), Grant::Provider("baidu".parse().unwrap()), "百度").await.unwrap();
    town.casework.add_webhook(owner(), &"baidu".parse().unwrap(), &url(0)).await.unwrap();
    let audited = town.audited().await;
    assert!(audited.contains(&("cli".into(), "webhook_added".into())));
    assert!(audited.contains(&("cli".into(), "webhook_removed".into())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_add_at_once_cannot_take_more_than_there_are() {
    let town = Town::new().await;
    let adding = (0..8).map(|nth| {
        let casework = town.casework.clone();
        tokio::spawn(async move { casework.add_webhook(owner(), &provider(), &url(nth / 2)).await })
    });
    let added = join_all(adding).await;
    assert_eq!(added.iter().filter(|added| added.as_ref().unwrap().is_ok()).count(), 4);
    let mut urls: Vec<String> = town
        .casework
        .webhooks(owner())
        .await
        .unwrap()
        .into_iter()
        .map(|webhook| webhook.url.into())
        .collect();
    urls.dedup();
    assert_eq!(urls.len(), 4, "each once");
}

#[tokio::test]
async fn a_provider_is_told_nothing_after_its_last_key() {
    let town = Town::new().await;
    town.add(0).await.unwrap();
    let (second, _) = town.casework.issue_key(owner(), Grant::Provider(provider()), "轮换").await.unwrap();
    let disabled = async || town.casework.webhooks(owner()).await.unwrap()[0].disabled.clone();
    let first = town.casework.keys(owner()).await.unwrap().into_iter().find(|key| key.id != second).unwrap();
    town.casework.revoke_key(owner(), first.id).await.unwrap();
    assert_eq!(disabled().await, None, "keys are rotated with an overlap");
    town.casework.revoke_key(owner(), second).await.unwrap();
    assert_eq!(disabled().await.unwrap().why, "its last key was revoked");
    assert!(town.audited().await.contains(&("cli".into(), "webhook_disabled".into())));
}
