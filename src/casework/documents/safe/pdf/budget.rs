//! How much a PDF may make its reader do, asked before it is read and while it
//! is.
//!
//! The library reads a document whole, and a byte of it can become a hundred
//! in memory: `[0 0 0 …`. It also reads one object as often as something
//! points at it. So the tokens are counted first, from every place at which
//! reading can begin, and what comes out of object streams is counted too.
//!
//! A place that merely looks like a beginning costs some tokens and does no
//! harm; nothing that the library reads begins anywhere else.

use std::cell::RefCell;
use std::panic::resume_unwind;

use lopdf::{Dictionary, Object, ObjectId, Stream};
use memchr::memmem;

const TOKENS_MAX: usize = 400_000;
const OBJECTS_MAX: usize = 40_000;
/// Bytes looked at before reading, for each byte of the document: the same
/// stretch may be reached from several places.
const LOOKS_PER_BYTE_MAX: usize = 4;
pub(super) const OBJECT_STREAM_BYTES_MAX: usize = 4 * 1024 * 1024;
const OBJECT_STREAMS_BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Objection {
    TooMuch,
    Encrypted,
}

/// What is left of the allowance.
#[derive(Debug)]
pub(super) struct Budget {
    tokens: usize,
    objects: usize,
    unpacked_bytes: usize,
}

thread_local! {
    /// Of the document that this thread is reading: the library's filter is a
    /// plain function.
    static READING: RefCell<Budget> = RefCell::new(Budget::new());
}

impl Budget {
    fn new() -> Self {
        Self { tokens: TOKENS_MAX, objects: OBJECTS_MAX, unpacked_bytes: OBJECT_STREAMS_BYTES_MAX }
    }

    fn spend(what: &mut usize, count: usize) -> Result<(), Objection> {
        *what = what.checked_sub(count).ok_or(Objection::TooMuch)?;
        Ok(())
    }

    /// Everything that an object stream lists, as often as it lists it.
    fn look_into(&mut self, stream: &Stream) -> Result<(), Objection> {
        // What cannot be unpacked within the limit ends the reading anyway.
        let Ok(content) = stream.get_plain_content_with_limit(OBJECT_STREAM_BYTES_MAX) else {
            return Ok(());
        };
        Self::spend(&mut self.unpacked_bytes, content.len())?;
        let first = stream.dict.get(b"First").and_then(Object::as_i64).unwrap_or_default();
        let Ok(first) = usize::try_from(first) else { return Ok(()) };
        let Some(head) = content.get(..first) else { return Ok(()) };
        let head = String::from_utf8_lossy(head);
        let numbers: Vec<&str> = head.split_ascii_whitespace().collect();
        Self::spend(&mut self.objects, numbers.len() / 2)?;
        for pair in numbers.chunks_exact(2) {
            let Ok(offset) = pair[1].parse::<usize>() else { continue };
            let from = first.saturating_add(offset).min(content.len());
            let mut lexer = Lexer { bytes: &content, at: from };
            let count = lexer.one_object(self.tokens)?;
            Self::spend(&mut self.tokens, count)?;
        }
        Ok(())
    }

    fn admit(&mut self, object: &Object) -> Result<(), Objection> {
        Self::spend(&mut self.objects, 1)?;
        Self::spend(&mut self.tokens, parts_of(object))?;
        match object.as_stream() {
            Ok(stream) if stream.dict.has_type(b"ObjStm") => self.look_into(stream),
            _ => Ok(()),
        }
    }
}

/// Looks at the bytes before anything is read out of them.
pub(super) fn look_over(bytes: &[u8]) -> Result<(), Objection> {
    let (mut tokens, mut looks) = (TOKENS_MAX, bytes.len().saturating_mul(LOOKS_PER_BYTE_MAX));
    let follows_number = |at: &usize| {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        before.is_some_and(|before| before.is_ascii_digit() || is_white(before))
    };
    let objects = memmem::find_iter(bytes, b"obj").filter(follows_number).map(|at| at + 3);
    let trailers = memmem::find_iter(bytes, b"trailer").map(|at| at + 7);
    for from in objects.chain(trailers) {
        let mut lexer = Lexer { bytes, at: from };
        while let Some(token) = lexer.next() {
            Budget::spend(&mut tokens, 1)?;
            match token {
                Token::Name(name) if is_encrypt(name) => return Err(Objection::Encrypted),
                Token::Word(word) if ENDS.contains(&word) => break,
                _ => {}
            }
        }
        Budget::spend(&mut looks, lexer.at - from)?;
    }
    Ok(())
}

/// To be called before a document is read on this thread.
pub(super) fn begin() {
    READING.with_borrow_mut(|budget| *budget = Budget::new());
}

/// The library's filter. It has no way to say "stop" but to unwind, which
/// passes by the hook that reports panics.
pub(super) fn admit(id: ObjectId, object: &mut Object) -> Option<(ObjectId, Object)> {
    if let Err(objection) = READING.with_borrow_mut(|budget| budget.admit(object)) {
        resume_unwind(Box::new(objection));
    }
    // What is returned is taken for objects out of object streams, which are
    // no streams; of others it is only asked whether anything is returned.
    let is_stream = matches!(object, Object::Stream(_));
    Some((id, if is_stream { Object::Null } else { object.clone() }))
}

fn parts_of(object: &Object) -> usize {
    let of_dictionary = |dict: &Dictionary| dict.iter().map(|(_, value)| 1 + parts_of(value)).sum::<usize>();
    1 + match object {
        Object::Array(items) => items.iter().map(parts_of).sum(),
        Object::Dictionary(dict) => of_dictionary(dict),
        Object::Stream(stream) => of_dictionary(&stream.dict),
        _ => 0,
    }
}

/// No object goes on behind one of these.
const ENDS: [&[u8]; 7] = [b"obj", b"endobj", b"stream", b"endstream", b"xref", b"startxref", b"trailer"];

enum Token<'a> {
    Open,
    Close,
    Name(&'a [u8]),
    Word(&'a [u8]),
    Other,
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_white();
        let first = *self.bytes.get(self.at)?;
        let second = self.bytes.get(self.at + 1);
        self.at += 1;
        Some(match (first, second) {
            (b'<', Some(b'<')) => self.skipping(1, Token::Open),
            (b'>', Some(b'>')) => self.skipping(1, Token::Close),
            (b'[', _) => Token::Open,
            (b']', _) => Token::Close,
            (b'<', _) => {
                let rest = &self.bytes[self.at..];
                let length = memchr::memchr(b'>', rest).map_or(rest.len(), |end| end + 1);
                self.skipping(length, Token::Other)
            }
            (b'(', _) => {
                self.skip_string();
                Token::Other
            }
            (b'/', _) => Token::Name(self.regular(self.at)),
            (first, _) if is_regular(first) => Token::Word(self.regular(self.at - 1)),
            _ => Token::Other,
        })
    }

    /// The tokens of the object that begins here.
    fn one_object(&mut self, most: usize) -> Result<usize, Objection> {
        let (mut depth, mut count) = (0usize, 0usize);
        while let Some(token) = self.next() {
            count += 1;
            match token {
                Token::Open => depth += 1,
                Token::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if count > most {
                return Err(Objection::TooMuch);
            }
        }
        Ok(count)
    }

    fn skipping(&mut self, count: usize, token: Token<'a>) -> Token<'a> {
        self.at += count;
        token
    }

    fn regular(&mut self, from: usize) -> &'a [u8] {
        let length = self.bytes[from..].iter().take_while(|byte| is_regular(**byte)).count();
        self.at = from + length;
        &self.bytes[from..self.at]
    }

    fn skip_white(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'%' => {
                    let rest = &self.bytes[self.at..];
                    self.at += memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                }
                byte if is_white(*byte) => self.at += 1,
                _ => return,
            }
        }
    }

    fn skip_string(&mut self) {
        let mut depth = 1;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        self.at = self.at.min(self.bytes.len());
    }
}

fn is_white(byte: u8) -> bool {
    b"\0\t\n\x0c\r ".contains(&byte)
}

fn is_regular(byte: u8) -> bool {
    !is_white(byte) && !b"()<>[]{}/%".contains(&byte)
}

/// `/Encrypt`, also where some of its letters are written as numbers.
fn is_encrypt(name: &[u8]) -> bool {
    let mut plain = Vec::with_capacity(name.len().min(32));
    let mut rest = name;
    while let Some((first, others)) = rest.split_first() {
        let coded = others.get(..2).filter(|_| *first == b'#');
        let coded = coded.and_then(|digits| std::str::from_utf8(digits).ok());
        match coded.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = &others[2..];
            }
            None => {
                plain.push(*first);
                rest = others;
            }
        }
    }
    plain == b"Encrypt"
}
