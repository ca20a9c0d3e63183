//! Forms: read and checked to be ours, and kept while something in them was
//! wrong.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use form_urlencoded::Serializer;
use http::StatusCode;
use sha2::{Digest, Sha256};
use warp::reply::Response;

use crate::http::body::{BodyStream, expect_media_type, whole};
use crate::http::holders::parts_of;
use crate::http::multipart::{Parts, boundary};
use crate::http::pages::cookies::Cookie;
use crate::http::pages::shell::see;
use crate::http::pages::visit::Visit;
use crate::http::problem::{Answer, Code, Problem};
use crate::http::service::Service;

const FORM_TYPE: &str = "application/x-www-form-urlencoded";
const FORM_BYTES_MAX: u64 = 32 * 1024;
const FIELDS_MAX: usize = 200;
/// Browsers keep 4,096 bytes of a cookie.
const DRAFT_BYTES_MAX: usize = 3_600;
/// What a draft's bytes may come to when they are unpacked.
const DRAFT_TEXT_BYTES_MAX: u64 = 32 * 1024;
const TOKEN_FIELD: &str = "form_token";
const TOKEN_BYTES_MAX: usize = 64;

/// What was typed, by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

/// A form that was sent back, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub form: Form,
    /// The problem's code; empty where nothing was wrong yet.
    pub code: String,
    /// What belongs to the code: how many attempts are left.
    pub more: String,
}

impl Form {
    /// A form that one of our pages gave to this very browser.
    pub async fn read(app: &Service, visit: &Visit, body: BodyStream) -> Result<Self, Problem> {
        expect_media_type(visit.headers(), &[FORM_TYPE])?;
        let bytes = whole(visit.headers(), body, FORM_BYTES_MAX).await?;
        let pairs = form_urlencoded::parse(&bytes).take(FIELDS_MAX + 1);
        let form = Self(pairs.map(|(name, value)| (name.into(), lines(&value))).collect());
        if form.0.len() > FIELDS_MAX {
            return Err(Problem::body_malformed("the form has more fields than any page of ours"));
        }
        is_ours(app, visit, form.get(TOKEN_FIELD))?;
        Ok(form)
    }

    /// Without the blanks around it; empty where it is missing.
    pub fn get(&self, field: &str) -> &str {
        self.0.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value.trim())
    }

    pub fn optional(&self, field: &str) -> Option<&str> {
        Some(self.get(field)).filter(|value| !value.is_empty())
    }

    pub fn all<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == field).map(|(_, value)| value.trim())
    }

    /// These fields only: what must not wait in a cookie is left out.
    pub fn only(mut self, fields: &[&str]) -> Self {
        self.0.retain(|(name, _)| fields.contains(&name.as_str()));
        self
    }

    /// Of what was said: the same for each sending of the same.
    pub fn digest(&self) -> [u8; 32] {
        let text = Serializer::new(String::new()).extend_pairs(self.said()).finish();
        Sha256::digest(text).into()
    }

    /// All but the form's token.
    fn said(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter().filter(|(name, _)| name != TOKEN_FIELD)
    }

    /// Whether a box was ticked, or a choice chosen.
    pub fn has(&self, field: &str, value: &str) -> bool {
        self.all(field).any(|found| found == value)
    }
}

/// A form with files: its first part is its token, the files are left.
pub(super) async fn with_files(app: &Service, visit: &Visit, body: BodyStream) -> Result<Parts, Problem> {
    ours(app, visit, parts_of(visit.headers(), body)?).await
}

/// The same for texts, which are smaller.
pub(super) async fn with_texts(
    app: &Service,
    visit: &Visit,
    body: BodyStream,
    body_bytes_max: u64,
) -> Result<Parts, Problem> {
    let boundary = boundary(visit.headers(), body_bytes_max)?;
    ours(app, visit, Parts::new(body, boundary, body_bytes_max)).await
}

async fn ours(app: &Service, visit: &Visit, mut parts: Parts) -> Result<Parts, Problem> {
    let token = match parts.next(TOKEN_FIELD).await? {
        Some(part) => parts.whole(part, TOKEN_BYTES_MAX).await?.unwrap_or_default(),
        None => Vec::new(),
    };
    is_ours(app, visit, &String::from_utf8_lossy(&token))?;
    Ok(parts)
}

/// Browsers end lines as old terminals did.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn is_ours(app: &Service, visit: &Visit, token: &str) -> Result<(), Problem> {
    let is_ours = app.casework.form_token_is(&visit.shell.form_token, token);
    if is_ours && !visit.came_from_elsewhere() { Ok(()) } else { Err(foreign()) }
}

fn foreign() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        Code::FORM_STALE,
        "this form was not given to this browser; load the page again",
    )
}

impl Draft {
    /// What waits for this page, if anything.
    pub fn of(visit: &Visit) -> Self {
        let page = visit.shell.path.as_str();
        let cookie = cookie(page);
        let mut waiting = visit.cookies(&cookie).filter_map(Self::decode);
        waiting.find(|(of, _)| of == page).map(|(_, draft)| draft).unwrap_or_default()
    }

    pub fn has_problem(&self) -> bool {
        !self.code.is_empty()
    }

    /// And the page that it is of: drafts of pages above are sent along.
    fn decode(value: &str) -> Option<(String, Self)> {
        let packed = URL_SAFE_NO_PAD.decode(value).ok()?;
        let mut text = Vec::new();
        ZlibDecoder::new(packed.as_slice()).take(DRAFT_TEXT_BYTES_MAX).read_to_end(&mut text).ok()?;
        let mut pairs = form_urlencoded::parse(&text).into_owned();
        let mut next = |wanted: &str| pairs.next().filter(|(name, _)| name == wanted).map(|(_, value)| value);
        let (page, code, more) = (next("page")?, next("code")?, next("more")?);
        Some((page, Self { form: Form(pairs.collect()), code, more }))
    }

    /// Leaves out the longest: nobody else can keep it. As many as it seems to
    /// take at once, for packing is work, and who sends a form can make much of
    /// it. False where nothing is left.
    fn shorten(&mut self, packed_bytes: usize) -> bool {
        let fields = &mut self.form.0;
        let length = |(name, value): &(String, String)| name.len() + value.len();
        let mut left: usize = fields.iter().map(length).sum();
        let wanted = left * DRAFT_BYTES_MAX / packed_bytes;
        let before = fields.len();
        while let Some(longest) = (0..fields.len()).max_by_key(|at| length(&fields[*at])) {
            left -= length(&fields.remove(longest));
            if left <= wanted {
                break;
            }
        }
        fields.len() < before
    }

    /// Packed: a long note in Chinese is nine bytes a character in a form.
    fn encode(&self, page: &str) -> String {
        let mut text = Serializer::new(String::new());
        text.append_pair("page", page).append_pair("code", &self.code).append_pair("more", &self.more);
        text.extend_pairs(self.form.said());
        let mut packed = Vec::new();
        let mut packer = ZlibEncoder::new(&mut packed, Compression::best());
        packer.write_all(text.finish().as_bytes()).expect("a vector takes all bytes");
        packer.finish().expect("a vector takes all bytes");
        URL_SAFE_NO_PAD.encode(packed)
    }
}

/// Each page has a draft of its own, which is sent to it and to what is below.
fn cookie(page: &str) -> Cookie<'_> {
    Cookie { name: "draft", path: page, seconds_max: 600 }
}

/// Back to a page with what was typed, and why it was not taken.
pub(super) fn back(visit: &Visit, page: &str, form: Form, problem: &Problem) -> Answer {
    let mut response = see(page)?;
    keep(visit, &mut response, page, form, problem);
    Ok(response)
}

/// What was typed waits for its page.
pub(super) fn keep(visit: &Visit, response: &mut Response, page: &str, form: Form, problem: &Problem) {
    let more = problem.member("attempts_left").map(ToString::to_string).unwrap_or_default();
    let mut draft = Draft { form, code: problem.code().to_owned(), more };
    let mut value = draft.encode(page);
    while value.len() > DRAFT_BYTES_MAX && draft.shorten(value.len()) {
        value = draft.encode(page);
    }
    visit.set(response, &cookie(page), &value);
}

/// The form was taken: nothing waits on its page any more.
pub(super) fn taken(visit: &Visit, page: &str, response: &mut Response) {
    if visit.cookies(&cookie(page)).next().is_some() {
        visit.remove(response, &cookie(page));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_keeps_what_was_typed_but_not_the_forms_token() {
        let typed = [("number", " 138 0013 8000 "), ("note", "第一行\n第二行&=;"), (TOKEN_FIELD, "secret")];
        let form = Form(typed.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
        let draft = Draft { form, code: "code_wrong".to_owned(), more: "3".to_owned() };
        let (page, kept) = Draft::decode(&draft.encode("/code")).unwrap();
        assert_eq!((page.as_str(), kept.code.as_str(), kept.more.as_str()), ("/code", "code_wrong", "3"));
        assert_eq!(kept.form.get("number"), "138 0013 8000");
        assert_eq!(kept.form.get("note"), "第一行\n第二行&=;");
        assert_eq!(kept.form.get(TOKEN_FIELD), "");
        assert!(kept.has_problem() && !Draft::default().has_problem());
    }

    #[test]
    fn a_draft_of_many_fields_is_packed_a_few_times() {
        let field = |nth: usize| (nth.to_string(), URL_SAFE_NO_PAD.encode(Sha256::digest(nth.to_le_bytes())));
        let form = Form((0..FIELDS_MAX).map(field).collect());
        let mut draft = Draft { form, ..Draft::default() };
        let mut packed = 0;
        let length = loop {
            packed += 1;
            let length = draft.encode("/").len();
            if length <= DRAFT_BYTES_MAX || !draft.shorten(length) {
                break length;
            }
        };
        assert!(packed < 5, "{packed} times");
        assert!((DRAFT_BYTES_MAX / 2..=DRAFT_BYTES_MAX).contains(&length), "{length}");
        draft.form.0.clear();
        assert!(!draft.shorten(DRAFT_BYTES_MAX + 1), "there is nothing to leave out");
    }

    #[test]
    fn two_long_notes_fit_into_a_cookie() {
        let long = |from: u32| (0..500).filter_map(|nth| char::from_u32(from + nth * 7 % 3_000)).collect();
        let note: String = long(0x4e00);
        let form = Form(vec![("note".to_owned(), note.clone()), ("public_note".to_owned(), note)]);
        let draft = Draft { form, ..Draft::default() };
        let value = draft.encode("/console");
        assert!(value.len() <= DRAFT_BYTES_MAX, "{}", value.len());
        assert_eq!(Draft::decode(&value), Some(("/console".to_owned(), draft)));
    }

    #[test]
    fn rubbish_is_no_draft() {
        for value in ["", "%", "AAAA", &URL_SAFE_NO_PAD.encode("page=/&code=&more=&number=1")] {
            assert_eq!(Draft::decode(value), None, "{value}");
        }
    }
}
