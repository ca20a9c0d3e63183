//! Which of our routes a path belongs to: what requests are counted by.

use std::sync::LazyLock;

use matchit::Router;

/// All routes, the admin listener's too. One that is missing here is counted as
/// `other`; a test holds the table against the routes.
pub const TEMPLATES: [&str; 100] = [
    "/",
    "/code",
    "/file",
    "/d/{id}",
    "/d/{id}/evidence",
    "/d/{id}/withdraw",
    "/d/{id}/appeal",
    "/d/{id}/receipt",
    "/filings",
    "/filings/{id}",
    "/console",
    "/console/login",
    "/console/logout",
    "/stats",
    "/receipt",
    "/console/next",
    "/console/disputes/{id}",
    "/console/disputes/{id}/decision",
    "/console/disputes/{id}/release",
    "/console/disputes/{id}/documents/{place}",
    "/console/providers",
    "/console/providers/{provider}",
    "/console/gateways",
    "/console/keys",
    "/console/keys/{id}/rotate",
    "/console/keys/{id}/revoke",
    "/console/team",
    "/console/team/{name}",
    "/console/me",
    "/console/queue",
    "/console/signatures",
    "/console/signatures/look",
    "/console/signatures/reversals/{number}",
    "/console/signatures/reversals/{number}/discard",
    "/console/signatures/batches/{id}/release",
    "/console/signatures/batches/{id}/discard",
    "/console/audit",
    "/console/audit/export",
    "/docs",
    "/docs/{page}",
    "/docs/api/{room}",
    "/assets/{file}",
    "/openapi.json",
    "/v1/challenge",
    "/v1/verifications",
    "/v1/verifications/{id}",
    "/v1/verifications/{id}/confirm",
    "/v1/sms/inbound",
    "/v1/sms/delivery",
    "/v1/labels",
    "/v1/disputes",
    "/v1/disputes/{id}",
    "/v1/disputes/{id}/withdraw",
    "/v1/disputes/{id}/appeal",
    "/v1/disputes/{id}/evidence",
    "/v1/disputes/{id}/receipt",
    "/v1/filings",
    "/v1/filings/{id}",
    "/v1/tenures",
    "/v1/moderation/session",
    "/v1/moderation/queue",
    "/v1/moderation/queue/cases",
    "/v1/moderation/next",
    "/v1/moderation/disputes/{id}",
    "/v1/moderation/disputes/{id}/documents/{place}",
    "/v1/moderation/disputes/{id}/decision",
    "/v1/moderation/disputes/{id}/release",
    "/v1/moderation/corrections/{seq}/revert",
    "/v1/moderation/reversals",
    "/v1/moderation/reversals/{number}",
    "/v1/moderation/reversals/{number}/discard",
    "/v1/moderation/numbers/{number}/corrections",
    "/v1/moderation/batches",
    "/v1/moderation/batches/{id}/release",
    "/v1/moderation/batches/{id}/discard",
    "/v1/moderation/audit",
    "/v1/moderation/audit/search",
    "/v1/moderation/providers",
    "/v1/moderation/regressed",
    "/v1/moderation/gateways",
    "/feed/v1/corrections",
    "/feed/v1/corrections/{number}",
    "/feed/v1/snapshot",
    "/feed/v1/snapshots/{file}",
    "/feed/v1/ack",
    "/feed/v1/regressed",
    "/feed/v1/checkpoint",
    "/feed/v1/key",
    "/feed/v1/tile/{*tile}",
    "/feed/v1/logs",
    "/feed/v1/logs/{log}/{*tile}",
    "/feed/v1/events",
    "/number-recycling/v0.2/check",
    "/healthz",
    "/readyz",
    "/metrics",
    "/owner/orders",
    "/owner/labels",
    "/owner/tenures",
    "/owner/everything",
];

/// Of a path that a route knew, but this table does not.
pub const OTHER: &str = "other";

/// The template of a path that a route knew.
pub fn template_of(path: &str) -> &'static str {
    static ROUTER: LazyLock<Router<&'static str>> = LazyLock::new(|| {
        let mut router = Router::new();
        for template in TEMPLATES {
            router
                .insert(template, template)
                .expect("no two templates are the same: a test looks them all up");
        }
        router
    });
    ROUTER.at(path).map_or(OTHER, |found| found.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_template_is_found_by_its_paths() {
        for template in TEMPLATES {
            let path = template.replace("{*tile}", "0/x001/067").replace(['{', '}'], "");
            assert_eq!(template_of(&path), template);
        }
    }

    #[test]
    fn nothing_of_a_path_is_kept() {
        assert_eq!(template_of("/feed/v1/corrections/8613800138000"), "/feed/v1/corrections/{number}");
        assert_eq!(template_of("/feed/v1/corrections"), "/feed/v1/corrections");
        for unknown in ["", "8613800138000", "/8613800138000", "/v1", "/feed/v1/corrections/1/2"] {
            assert_eq!(template_of(unknown), OTHER, "{unknown}");
        }
    }
}
