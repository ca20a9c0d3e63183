//! A clerk who files a company's numbers on a page, and sees what becomes of
//! each.

use fantoccini::Locator;

use super::person::Person;
use crate::support::company::{COMPANY, USCC, came_to_company, is_anothers, is_companys};
use crate::support::{PUBLIC_URL, World};

const CONTACT: &str = "+8613800138000";

impl Person<'_> {
    async fn proves_contact(&self, next: &str, confirm: &str) {
        self.types("number", CONTACT).await;
        self.presses(next).await;
        self.browser.wait().for_element(Locator::Id("code")).await.unwrap();
        self.world.work().await;
        self.types("code", &self.world.last_code(CONTACT)).await;
        self.presses(confirm).await;
        self.browser.wait().for_element(Locator::Id("numbers")).await.unwrap();
    }

    async fn empties(&self, id: &str) {
        self.browser.find(Locator::Id(id)).await.unwrap().clear().await.unwrap();
    }

    /// What is typed at present.
    async fn typed(&self, id: &str) -> String {
        self.browser.find(Locator::Id(id)).await.unwrap().prop("value").await.unwrap().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_pastes_numbers_and_follows_each() {
    let world = World::new().await;
    came_to_company(&world, "+861062345678");
    came_to_company(&world, "+864001234567");
    is_anothers(&world, "+861062345679");
    let phone = Person::on_a_phone(&world, "zh-CN", "list-zh").await;
    phone.opens("/filings").await;
    phone.reads("请先验证联系人的手机号码").await;
    phone.shoots("1-prove").await;
    phone.proves_contact("下一步", "确认").await;
    phone.reads("企业批量申诉").await;
    phone.shoots("2-form").await;

    // A wrong code: nothing of what was typed is lost.
    phone.types("company", COMPANY).await;
    phone.types("uscc", "91350211M000100Y47").await;
    phone.sets("opened", "2025-03").await;
    let pasted = "010-62345678\n\n(010) 6234 5679\n400-123-4567，2025年3月\n010-6234567\n不是号码\n010-62345670, 谁知道";
    phone.types("numbers", pasted).await;
    phone.presses("提交").await;
    phone.reads("统一社会信用代码不对").await;
    assert_eq!((phone.typed("numbers").await, phone.typed("company").await), (pasted.into(), COMPANY.into()));
    phone.shoots("3-wrong").await;

    phone.empties("uscc").await;
    phone.types("uscc", &USCC.to_lowercase()).await;
    phone.presses("提交").await;
    phone.reads("没有受理").await;
    phone.shoots("4-filed").await;
    let text = phone.browser.text().await;
    for line in ["第 5 行", "第 6 行", "第 7 行", "+861062345670", "月份不对"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    world.work().await;
    world.publish().await;
    phone.comes_back().await;
    phone.reads("已更正").await;
    phone.reads("未获通过").await;
    phone.shoots("5-decided").await;

    // The message leads here, and each number to its dispute.
    let told = world.messages_to(CONTACT).pop().unwrap();
    let (_, link) = told.rsplit_once(PUBLIC_URL).expect("the message says where to look");
    assert_eq!(phone.browser.current_url().await.unwrap().path(), link);
    phone.browser.find(Locator::LinkText("未获通过")).await.unwrap().click().await.unwrap();
    phone.browser.find(Locator::LinkText("+861062345679")).await.unwrap().click().await.unwrap();
    phone.reads("经过").await;
    phone.shoots("6-dispute").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_has_its_name_shown_in_english() {
    let world = World::new().await;
    is_companys(&world, "+861062345678");
    let phone = Person::on_a_phone(&world, "en-US,en", "list-en").await;
    phone.opens("/filings").await;
    phone.proves_contact("Next", "Confirm").await;
    phone.presses_choice("name_mismatch").await;
    phone.shoots("1-names").await;
    phone.types("company", COMPANY).await;
    phone.types("uscc", USCC).await;
    phone.types("numbers", "010-62345678").await;
    phone.presses("File").await;
    phone.reads("Tick to have your own name shown").await;
    phone.shoots("2-which").await;
    phone.presses_choice("yes").await;
    phone.presses("File").await;
    phone.reads("About to begin").await;
    world.work().await;
    phone.comes_back().await;
    phone.reads("Corrected").await;
    phone.shoots("3-done").await;

    // Nobody else is shown it, nor told that there is such a list.
    let place = phone.browser.current_url().await.unwrap().path().to_owned();
    let stranger = Person::on_a_phone(&world, "en-US,en", "list-stranger").await;
    stranger.opens(&place).await;
    stranger.reads("Prove the number first").await;
}
