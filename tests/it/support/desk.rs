//! The console in a browser in which somebody has logged in.

use super::people::Moderator;
use super::world::World;

pub struct Desk<'a> {
    world: &'a World,
    cookies: String,
}

/// Status, header fields, and what follows them.
pub struct Page {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl<'a> Desk<'a> {
    pub fn of(world: &'a World, moderator: &Moderator<'_>) -> Self {
        Self::with(world, &format!("zm_session={}", moderator.token))
    }

    /// A browser with this cookie, and one that it had before.
    pub fn with(world: &'a World, cookie: &str) -> Self {
        Self { world, cookies: format!("{cookie}; zm_visitor={}", "v".repeat(22)) }
    }

    pub async fn opens(&self, path: &str) -> Page {
        self.sends("GET", path, "", "").await
    }

    /// A form with the token that our pages would give it.
    pub async fn posts(&self, path: &str, fields: &str) -> Page {
        let token = self.world.casework.form_token(&"v".repeat(22));
        self.sends("POST", path, "", &format!("form_token={token}&{fields}")).await
    }

    pub async fn sends(&self, method: &str, path: &str, fields: &str, body: &str) -> Page {
        self.world.publish().await;
        let cookies = &self.cookies;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncookie: {cookies}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n{fields}\r\n{body}"
        );
        let answer = self.world.client.closing(head.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Page { status, head: head.to_owned(), body: body.to_owned() }
    }
}

impl Page {
    #[track_caller]
    pub fn ok(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.body);
        self
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    #[track_caller]
    pub fn leads_to(self, location: &str) {
        assert_eq!((self.status, self.field("location")), (303, Some(location)), "{}", self.body);
    }
}
