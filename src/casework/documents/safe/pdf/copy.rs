//! Copies what pages show from one document into another.
//!
//! A dictionary is either a thing with keys that mean something, or a map of
//! names that its author chose (fonts, pictures); only in the former can a key
//! be left out by its name. What is copied is reached from a page's contents
//! and resources and from the pictures of its annotations; what would act, or
//! carry another file, hangs on other branches, and is left out here too.

use std::collections::BTreeMap;

use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};

use super::super::jpeg;
use super::pages::Page;
use super::{DAMAGED, TOO_COMPLICATED};
use crate::domain::refusal::Refusal;

/// What a page's content or a font may unpack to, and all of them together.
const STREAM_BYTES_MAX: usize = 16 * 1024 * 1024;
const STREAMS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Objects within objects, counted as often as they are copied.
const COPIED_PARTS_MAX: usize = 1_000_000;
const PICTURE_PIXELS_MAX: i64 = 25_000_000;
const ANNOTATIONS_PER_PAGE_MAX: usize = 200;
/// A page is at most this wide or high: 200 inches.
const PAGE_POINTS_MAX: f32 = 14_400.0;
const A4: [f32; 4] = [0.0, 0.0, 595.0, 842.0];

/// Print it, and let nobody change it.
const STAMP_FLAGS: i64 = 4 | 64 | 128;
const HIDDEN_FLAGS: i64 = 2 | 32;

const RESOURCES: [&[u8]; 6] = [b"Font", b"XObject", b"ExtGState", b"ColorSpace", b"Pattern", b"Shading"];
const NAME_MAPS: [&[u8]; 2] = [b"CharProcs", b"Colorants"];

/// Keys of things, never copied: history, attached files, structure, data that
/// lies in other files.
const LEFT_OUT: [&[u8]; 20] = [
    b"AA",
    b"AF",
    b"Alternates",
    b"EF",
    b"F",
    b"FDecodeParms",
    b"FFilter",
    b"JS",
    b"LastModified",
    b"Measure",
    b"Metadata",
    b"OC",
    b"OPI",
    b"Parent",
    b"PieceInfo",
    b"PtData",
    b"Ref",
    b"StructParent",
    b"StructParents",
    b"URI",
];
/// Things that are never copied, by their type or by the kind of their action.
const NO_TYPES: [&[u8]; 11] = [
    b"Action",
    b"Annot",
    b"Catalog",
    b"EmbeddedFile",
    b"F",
    b"Filespec",
    b"Metadata",
    b"ObjStm",
    b"Page",
    b"Pages",
    b"Sig",
];
const NO_ACTIONS: [&[u8]; 9] = [
    b"GoToE",
    b"GoToR",
    b"ImportData",
    b"JavaScript",
    b"Launch",
    b"Rendition",
    b"RichMediaExecute",
    b"SubmitForm",
    b"URI",
];
/// Decoders that every viewer has and that are not known for their holes.
const FILTERS: [&[u8]; 7] = [
    b"ASCII85Decode",
    b"ASCIIHexDecode",
    b"CCITTFaxDecode",
    b"DCTDecode",
    b"FlateDecode",
    b"LZWDecode",
    b"RunLengthDecode",
];

pub(super) struct Copy<'a> {
    from: &'a Document,
    to: Document,
    pages: Vec<ObjectId>,
    root: ObjectId,
    /// What was copied, as what; and what is still to be.
    places: BTreeMap<(ObjectId, Role), ObjectId>,
    open: Vec<(ObjectId, Role)>,
    parts: usize,
    streams_bytes: usize,
}

/// What a dictionary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Thing,
    NameMap,
    Resources,
}

impl<'a> Copy<'a> {
    pub(super) fn new(from: &'a Document) -> Self {
        let mut to = Document::with_version("1.7");
        let root = to.new_object_id();
        let (pages, places, open) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { from, to, pages, root, places, open, parts: 0, streams_bytes: 0 }
    }

    pub(super) fn page(&mut self, page: &Page<'a>) -> Result<(), Refusal> {
        let media = self.rectangle(page.get(b"MediaBox")).unwrap_or(A4);
        let resources = match self.found(page.get(b"Resources")).map(Object::as_dict) {
            Some(Ok(resources)) => self.resources(resources)?,
            _ => Dictionary::new(),
        };
        let mut copied = dictionary! {
            "Type" => "Page",
            "Parent" => self.root,
            "MediaBox" => numbers(media),
            "Resources" => resources,
        };
        if let Some(crop) = self.rectangle(page.get(b"CropBox")) {
            copied.set("CropBox", numbers(crop));
        }
        if let Some(Ok(turn)) = self.found(page.get(b"Rotate")).map(Object::as_i64) {
            copied.set("Rotate", turn.rem_euclid(360) / 90 * 90);
        }
        if let Some(group) = page.get(b"Group") {
            copied.set("Group", self.copied(group, Role::Thing)?);
        }
        copied.set("Contents", self.contents(page)?);
        let stamps = self.stamps(page)?;
        if !stamps.is_empty() {
            copied.set("Annots", stamps);
        }
        self.pages.push(self.to.add_object(copied));
        self.catch_up()
    }

    /// The whole new document.
    pub(super) fn finish(mut self) -> Result<Document, Refusal> {
        self.catch_up()?;
        let kids: Vec<Object> = self.pages.iter().map(|id| Object::Reference(*id)).collect();
        let count = i64::try_from(kids.len()).map_err(|_| TOO_COMPLICATED)?;
        let root = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count };
        self.to.objects.insert(self.root, root.into());
        let catalog = self.to.add_object(dictionary! { "Type" => "Catalog", "Pages" => self.root });
        self.to.trailer.set("Root", catalog);
        Ok(self.to)
    }

    fn contents(&mut self, page: &Page<'a>) -> Result<Vec<Object>, Refusal> {
        let Some(contents) = page.get(b"Contents") else { return Ok(Vec::new()) };
        let parts = match self.found(Some(contents)) {
            Some(Object::Array(parts)) => parts.iter().collect(),
            _ => vec![contents],
        };
        let from = self.from;
        let is_stream = |part: &&Object| {
            part.as_reference().and_then(|id| from.get_object(id)).and_then(Object::as_stream).is_ok()
        };
        parts.into_iter().filter(is_stream).map(|part| self.copied(part, Role::Thing)).collect()
    }

    /// The pictures that annotations show, as stamps that do nothing.
    fn stamps(&mut self, page: &Page<'a>) -> Result<Vec<Object>, Refusal> {
        let from = self.from;
        let annotations = self.found(page.get(b"Annots")).and_then(|found| found.as_array().ok());
        let annotations = annotations.map(Vec::as_slice).unwrap_or_default();
        if annotations.len() > ANNOTATIONS_PER_PAGE_MAX {
            return Err(TOO_COMPLICATED);
        }
        let mut stamps = Vec::new();
        for annotation in annotations {
            let found = from.dereference(annotation).and_then(|(_, found)| found.as_dict());
            let Ok(annotation) = found else { continue };
            let flags = annotation.get_deref(b"F", from).and_then(Object::as_i64).unwrap_or_default();
            let Some(shown) = self.appearance(annotation).filter(|_| flags & HIDDEN_FLAGS == 0) else {
                continue;
            };
            let Some(place) = self.rectangle(annotation.get(b"Rect").ok()) else { continue };
            let shown = self.copied(&Object::Reference(shown), Role::Thing)?;
            let stamp = dictionary! {
                "Type" => "Annot",
                "Subtype" => "Stamp",
                "Rect" => numbers(place),
                "F" => STAMP_FLAGS,
                "AP" => dictionary! { "N" => shown },
            };
            stamps.push(Object::Reference(self.to.add_object(stamp)));
        }
        Ok(stamps)
    }

    /// The normal appearance, in the state that the annotation is in.
    fn appearance(&self, annotation: &Dictionary) -> Option<ObjectId> {
        let appearances = annotation.get_deref(b"AP", self.from).ok()?.as_dict().ok()?;
        let normal = appearances.get(b"N").ok()?;
        let (_, found) = self.from.dereference(normal).ok()?;
        let shown = match found {
            Object::Dictionary(states) => {
                let state = annotation.get_deref(b"AS", self.from).ok()?.as_name().ok()?;
                states.get(state).ok()?
            }
            _ => normal,
        };
        let id = shown.as_reference().ok()?;
        self.from.get_object(id).ok()?.as_stream().ok().map(|_| id)
    }

    /// Of four numbers, the lower left corner first.
    fn rectangle(&self, corners: Option<&Object>) -> Option<[f32; 4]> {
        let (_, corners) = self.from.dereference(corners?).ok()?;
        let corners = corners.as_array().ok()?;
        let number = |object: &Object| {
            let (_, number) = self.from.dereference(object).ok()?;
            number.as_float().ok().filter(|number| number.abs() <= PAGE_POINTS_MAX)
        };
        let corners: Vec<f32> = corners.iter().map_while(number).collect();
        let [a, b, c, d] = corners.try_into().ok()?;
        let sorted = [a.min(c), b.min(d), a.max(c), b.max(d)];
        (sorted[2] - sorted[0] >= 1.0 && sorted[3] - sorted[1] >= 1.0).then_some(sorted)
    }

    fn found(&self, object: Option<&'a Object>) -> Option<&'a Object> {
        self.from.dereference(object?).ok().map(|(_, found)| found)
    }

    /// Copies what copies have pointed at, until nothing is left.
    fn catch_up(&mut self) -> Result<(), Refusal> {
        while let Some((id, role)) = self.open.pop() {
            let from = self.from;
            let copied = match from.get_object(id) {
                Ok(Object::Stream(stream)) => self.stream(stream)?,
                Ok(object) => self.copied(object, role)?,
                Err(_) => Object::Null,
            };
            self.to.objects.insert(self.places[&(id, role)], copied);
        }
        Ok(())
    }

    fn copied(&mut self, object: &Object, role: Role) -> Result<Object, Refusal> {
        self.parts += 1;
        if self.parts > COPIED_PARTS_MAX {
            return Err(TOO_COMPLICATED);
        }
        Ok(match object {
            Object::Reference(id) => Object::Reference(self.place(*id, role)),
            Object::Array(items) => {
                let items: Result<Vec<Object>, Refusal> =
                    items.iter().map(|item| self.copied(item, Role::Thing)).collect();
                Object::Array(items?)
            }
            Object::Dictionary(dict) => match role {
                Role::Thing if is_never_copied(dict) => Object::Null,
                Role::Thing => self.thing(dict)?.into(),
                Role::NameMap => self.name_map(dict)?.into(),
                Role::Resources => self.resources(dict)?.into(),
            },
            // Within other objects there are none.
            Object::Stream(_) => Object::Null,
            plain => plain.clone(),
        })
    }

    fn place(&mut self, id: ObjectId, role: Role) -> ObjectId {
        if let Some(place) = self.places.get(&(id, role)) {
            return *place;
        }
        let place = self.to.new_object_id();
        self.places.insert((id, role), place);
        self.open.push((id, role));
        place
    }

    fn thing(&mut self, dict: &Dictionary) -> Result<Dictionary, Refusal> {
        let mut copied = Dictionary::new();
        for (key, value) in dict.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_slice())) {
            let role = match key.as_slice() {
                b"Resources" => Role::Resources,
                key if NAME_MAPS.contains(&key) => Role::NameMap,
                _ => Role::Thing,
            };
            copied.set(key.clone(), self.copied(value, role)?);
        }
        Ok(copied)
    }

    fn name_map(&mut self, dict: &Dictionary) -> Result<Dictionary, Refusal> {
        let mut copied = Dictionary::new();
        for (name, value) in dict.iter() {
            copied.set(name.clone(), self.copied(value, Role::Thing)?);
        }
        Ok(copied)
    }

    fn resources(&mut self, dict: &Dictionary) -> Result<Dictionary, Refusal> {
        let mut copied = Dictionary::new();
        for (key, value) in dict.iter().filter(|(key, _)| RESOURCES.contains(&key.as_slice())) {
            copied.set(key.clone(), self.copied(value, Role::NameMap)?);
        }
        Ok(copied)
    }

    fn stream(&mut self, stream: &Stream) -> Result<Object, Refusal> {
        if is_never_copied(&stream.dict) || is_named(&stream.dict, b"Subtype", &[b"PS"]) {
            return Ok(Object::Null);
        }
        let filters = stream.filters().unwrap_or_default();
        if !filters.iter().all(|filter| FILTERS.contains(filter)) {
            return Err(TOO_COMPLICATED);
        }
        let content = match filters.as_slice() {
            [b"DCTDecode"] => jpeg::without_metadata(&stream.content).ok_or(DAMAGED)?,
            _ => stream.content.clone(),
        };
        if is_named(&stream.dict, b"Subtype", &[b"Image"]) {
            self.check_picture(&stream.dict)?;
        } else {
            let unpacked =
                stream.get_plain_content_with_limit(STREAM_BYTES_MAX).map_err(|_| TOO_COMPLICATED)?;
            self.streams_bytes += unpacked.len();
        }
        if self.streams_bytes > STREAMS_BYTES_MAX {
            return Err(TOO_COMPLICATED);
        }
        Ok(Object::Stream(Stream::new(self.thing(&stream.dict)?, content)))
    }

    /// Its reader believes what it says of its size.
    fn check_picture(&self, dict: &Dictionary) -> Result<(), Refusal> {
        let side = |key: &[u8]| dict.get_deref(key, self.from).and_then(Object::as_i64).map_err(|_| DAMAGED);
        let (width, height) = (side(b"Width")?, side(b"Height")?);
        let is_fine = width > 0 && height > 0 && width.saturating_mul(height) <= PICTURE_PIXELS_MAX;
        if is_fine { Ok(()) } else { Err(Refusal::DocumentTooLarge { most: "25 megapixels for a picture" }) }
    }
}

fn is_never_copied(dict: &Dictionary) -> bool {
    is_named(dict, b"Type", &NO_TYPES) || is_named(dict, b"S", &NO_ACTIONS)
}

fn is_named(dict: &Dictionary, key: &[u8], names: &[&[u8]]) -> bool {
    dict.get(key).and_then(Object::as_name).is_ok_and(|name| names.contains(&name))
}

fn numbers(rectangle: [f32; 4]) -> Object {
    Object::Array(rectangle.map(Object::Real).to_vec())
}
