//! How the ways out of the house are doing.

use askama::Template;
use http::StatusCode;

use crate::casework::health::{GatewayHealth, GatewayState};
use crate::http::pages::console::desk::Desk;
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::problem::Answer;
use crate::http::service::Service;
use crate::http::words::Words;

#[derive(Template)]
#[template(path = "console/running/gateways.html")]
struct GatewaysPage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    gateways: &'a [GatewayHealth],
}

impl GatewaysPage<'_> {
    fn state(&self, gateway: &GatewayHealth) -> &'static str {
        self.shell.words(&match gateway.state {
            GatewayState::Ok => Words { zh: "正常", en: "Well" },
            GatewayState::Failing => Words { zh: "失败", en: "Failing" },
            GatewayState::RefusedUs => {
                Words { zh: "拒绝了我们，需要处理", en: "Refuses us: somebody has to look" }
            }
            GatewayState::Paused => Words { zh: "要求暂停", en: "Asked for a pause" },
        })
    }

    fn tone(&self, gateway: &GatewayHealth) -> &'static str {
        match gateway.state {
            GatewayState::Ok => "good",
            GatewayState::Failing | GatewayState::RefusedUs => "wrong",
            GatewayState::Paused => "wait",
        }
    }
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let gateways = app.casework.gateways(&desk.moderator)?;
    page(StatusCode::OK, &GatewaysPage { shell: &visit.shell, desk: &desk, gateways: &gateways })
}
