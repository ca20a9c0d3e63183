//! A mark painted over each page of a PDF that was rewritten here before.

use std::fmt::Write;

use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};

use crate::domain::refusal::Refusal;

const FONT: &str = "ZhengmingMark";
const GREY: &str = "ZhengmingGrey";
const FONT_POINTS: f32 = 18.0;
const ACROSS_POINTS: f32 = 320.0;
const DOWN_POINTS: f32 = 110.0;
/// A page of 200 inches needs no more.
const MARKS_PER_PAGE_MAX: usize = 2_000;

pub(super) fn marked(kept: &[u8], mark: &str) -> Result<Vec<u8>, Refusal> {
    let damaged = |_| Refusal::DocumentDamaged;
    let mut document = Document::load_mem(kept).map_err(damaged)?;
    let font = dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" };
    let font = document.add_object(font);
    let grey = dictionary! { "Type" => "ExtGState", "ca" => 0.35, "CA" => 0.35 };
    let grey = document.add_object(grey);
    // Whatever a page leaves behind of its state is not the mark's.
    let save = document.add_object(Stream::new(Dictionary::new(), b"q\n".to_vec()));
    for page in document.page_iter().collect::<Vec<ObjectId>>() {
        mark_page(&mut document, page, mark, [font, grey, save]).map_err(damaged)?;
    }
    let mut marked = Vec::new();
    document.save_to(&mut marked).map_err(|_| Refusal::DocumentDamaged)?;
    Ok(marked)
}

fn mark_page(
    document: &mut Document,
    page: ObjectId,
    mark: &str,
    [font, grey, save]: [ObjectId; 3],
) -> lopdf::Result<()> {
    let own = document.get_dictionary(page)?.clone();
    let mut resources = own.get(b"Resources")?.as_dict()?.clone();
    for (category, name, id) in [("Font", FONT, font), ("ExtGState", GREY, grey)] {
        let known = resources.get_deref(category.as_bytes(), document).and_then(Object::as_dict);
        let mut known = known.cloned().unwrap_or_default();
        known.set(name, id);
        resources.set(category, known);
    }
    let corners = own.get(b"MediaBox")?.as_array()?.iter().map(Object::as_float);
    let corners = corners.collect::<lopdf::Result<Vec<f32>>>()?;
    let painted = painted(&corners, mark);
    let painted = document.add_object(Stream::new(Dictionary::new(), painted.into_bytes()));
    let mut contents = vec![Object::Reference(save)];
    contents.extend_from_slice(own.get(b"Contents")?.as_array()?);
    contents.push(Object::Reference(painted));
    let page = document.get_dictionary_mut(page)?;
    page.set("Resources", resources);
    page.set("Contents", contents);
    Ok(())
}

/// Grey letters with a white edge, slanted, all over the page.
fn painted(corners: &[f32], mark: &str) -> String {
    let [left, bottom, right, top] = corners else { return String::new() };
    let mut painted = format!("\nQ\nq\n/{GREY} gs 0.3 g 1 G 0.4 w\nBT\n/{FONT} {FONT_POINTS} Tf 2 Tr\n");
    let mut count = 0;
    let (mut up, mut line) = (*bottom, 0);
    while up < *top {
        let mut along = left - if line % 2 == 0 { 0.0 } else { ACROSS_POINTS / 2.0 };
        while along < *right && count < MARKS_PER_PAGE_MAX {
            // Names, digits and punctuation that no string in a PDF minds.
            let plain: String = mark.chars().filter(|c| !matches!(c, '(' | ')' | '\\')).collect();
            writeln!(painted, "0.866 0.5 -0.5 0.866 {along} {up} Tm ({plain}) Tj")
                .expect("writing to a string does not fail");
            along += ACROSS_POINTS;
            count += 1;
        }
        up += DOWN_POINTS;
        line += 1;
    }
    painted + "ET\nQ\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kept(pages: usize) -> Vec<u8> {
        let mut document = Document::with_version("1.7");
        let tree = document.new_object_id();
        let content = document.add_object(Stream::new(Dictionary::new(), b"0 0 9 9 re f".to_vec()));
        let font = document.add_object(dictionary! { "BaseFont" => "Courier" });
        let page = dictionary! {
            "Type" => "Page", "Parent" => tree, "Contents" => vec![content.into()],
            "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
            "Resources" => dictionary! { "Font" => dictionary! { "A" => font } },
        };
        let kids: Vec<Object> = (0..pages).map(|_| document.add_object(page.clone()).into()).collect();
        let root = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => pages as i64 };
        document.objects.insert(tree, root.into());
        let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
        document.trailer.set("Root", catalog);
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn every_page_has_the_mark_over_what_it_had() {
        let marked = marked(&kept(3), "li-lei 2026-11-23 03:04 UTC").unwrap();
        let document = Document::load_mem(&marked).unwrap();
        for (nth, page) in document.get_pages() {
            let content = String::from_utf8(document.get_page_content(page)).unwrap();
            let (own, mark) =
                (content.find("0 0 9 9 re f").unwrap(), content.find("(li-lei 2026-11-23").unwrap());
            assert!(own < mark && content.matches("li-lei").count() > 5, "page {nth}: {content}");
            let fonts = document.get_page_fonts(page).unwrap();
            assert!(fonts.contains_key(&b"A"[..]) && fonts.contains_key(FONT.as_bytes()));
        }
        assert_eq!(document.get_pages().len(), 3);
    }

    #[test]
    fn a_page_of_any_size_has_marks_and_not_too_many() {
        assert!(painted(&[0.0, 0.0, 1.0, 1.0], "li-lei").contains("li-lei"));
        let wide = painted(&[-14_400.0, -14_400.0, 14_400.0, 14_400.0], "li-lei");
        assert_eq!(wide.matches("li-lei").count(), MARKS_PER_PAGE_MAX);
    }
}
