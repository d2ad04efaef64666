//! CSV records from a stream that may be broken anywhere.
//!
//! Quoting as RFC 4180 has it, line ends LF or CRLF. A record is given up when its quoting is wrong, when its quotes
//! stay open for longer than a record may be, or when it spans lines and does not have as many cells as the header;
//! reading then goes on at the line after the one that it began on, so that a lost quote costs one row and not the
//! rest of the file.

use crate::customers::model::Reason;
use std::{
    collections::VecDeque,
    io::{self, BufRead},
};

/// Bytes of one record, and so of one line.
pub const RECORD_MAX: usize = 1 << 20;

/// One line of the file without its end.
#[derive(Debug)]
struct Line {
    number: i64,
    /// Where the next line begins.
    end: u64,
    bytes: Vec<u8>,
    /// Its bytes were too many to keep.
    too_long: bool,
}

/// The cells of one record: their text in one piece.
#[derive(Debug, PartialEq, Eq)]
pub struct Cells {
    text: String,
    ends: Vec<usize>,
}

impl Cells {
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The cell without the white space around it; nothing where there is no such cell.
    pub fn get(&self, place: usize) -> &str {
        let start = if place == 0 { 0 } else { self.ends.get(place - 1).copied().unwrap_or(0) };
        self.ends.get(place).map_or("", |end| self.text[start..*end].trim())
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.count()).map(|place| self.get(place))
    }
}

#[derive(Debug)]
pub struct Record {
    /// The line it begins on; the header is on line 1.
    pub line: i64,
    /// Where the next record begins, and its line.
    pub end: u64,
    pub cells: Result<Cells, Fault>,
}

/// Why a record is no record, and what to say of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    pub reason: Reason,
    pub detail: String,
}

impl Fault {
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

pub struct Records<R> {
    input: R,
    separator: u8,
    /// Cells of each record; the first record decides when it is nothing.
    width: Option<usize>,
    unread: VecDeque<Line>,
    /// Where reading the input stands.
    offset: u64,
    lines: i64,
}

impl<R: BufRead> Records<R> {
    /// `offset` bytes and `lines` lines of the file stand before `input`.
    pub fn new(input: R, separator: u8, width: Option<usize>, offset: u64, lines: i64) -> Self {
        Self { input, separator, width, unread: VecDeque::new(), offset, lines }
    }

    /// The next record; blank lines are passed over.
    pub fn read(&mut self) -> io::Result<Option<Record>> {
        loop {
            let Some(line) = self.line()? else {
                return Ok(None);
            };
            if line.too_long || !line.bytes.trim_ascii().is_empty() {
                return self.record(line).map(Some);
            }
        }
    }

    fn record(&mut self, first: Line) -> io::Result<Record> {
        let (line, first_end) = (first.number, first.end);
        let bad = |reason, detail: &str| Record { line, end: first_end, cells: Err(Fault::new(reason, detail)) };
        if first.too_long {
            return Ok(bad(Reason::TooLong, "the line is longer than 1 MiB"));
        }
        let mut splitter = Splitter::new(self.separator, first.bytes.len());
        let mut state = splitter.feed(&first.bytes);
        let mut more: VecDeque<Line> = VecDeque::new();
        while state == State::Open && splitter.bytes.len() <= RECORD_MAX {
            let Some(next) = self.line()? else {
                break;
            };
            let too_long = next.too_long;
            splitter.bytes.push(b'\n');
            state = if too_long { State::Broken } else { splitter.feed(&next.bytes) };
            more.push_back(next);
        }
        let found = splitter.ends.len();
        let fits = self.width.is_none_or(|width| width == found);
        if state != State::Complete || (!fits && !more.is_empty()) {
            self.give_back(more);
            let detail = if state == State::Broken {
                "a quotation mark stands where none may stand"
            } else {
                "a quotation mark is not closed"
            };
            return Ok(bad(Reason::BrokenQuoting, detail));
        }
        if !fits {
            let detail = format!("{found} instead of {}", self.width.unwrap_or(found));
            return Ok(bad(Reason::WrongCells, &detail));
        }
        let end = more.back().map_or(first_end, |last| last.end);
        Ok(Record { line, end, cells: splitter.finish() })
    }

    /// How far the input has been read; after the last record, its length.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How many lines stand before the end of the record just read.
    pub fn lines(&self) -> i64 {
        self.lines - self.unread.len() as i64
    }

    fn give_back(&mut self, mut lines: VecDeque<Line>) {
        lines.append(&mut self.unread);
        self.unread = lines;
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.unread.pop_front() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::new();
        let mut too_long = false;
        let mut read = 0;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let newline = buffer.iter().position(|byte| *byte == b'\n');
            let taken = newline.map_or(buffer.len(), |place| place + 1);
            if bytes.len() + taken <= RECORD_MAX && !too_long {
                bytes.extend_from_slice(&buffer[..taken]);
            } else {
                too_long = true;
                bytes.clear();
            }
            self.input.consume(taken);
            read += taken as u64;
            if newline.is_some() {
                break;
            }
        }
        if read == 0 {
            return Ok(None);
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        self.offset += read;
        self.lines += 1;
        Ok(Some(Line { number: self.lines, end: self.offset, bytes, too_long }))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Complete,
    /// Inside quotes at the end of the line.
    Open,
    Broken,
}

/// Splits lines into cells, going on where the line before left an open quote.
struct Splitter {
    separator: u8,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    quoted: bool,
}

impl Splitter {
    fn new(separator: u8, capacity: usize) -> Self {
        Self { separator, bytes: Vec::with_capacity(capacity), ends: Vec::new(), quoted: false }
    }

    fn feed(&mut self, line: &[u8]) -> State {
        let mut rest = line;
        loop {
            if !self.quoted {
                if let Some(after) = rest.strip_prefix(b"\"") {
                    (self.quoted, rest) = (true, after);
                } else {
                    let end = rest.iter().position(|byte| *byte == self.separator).unwrap_or(rest.len());
                    if rest[..end].contains(&b'"') {
                        return State::Broken;
                    }
                    self.bytes.extend_from_slice(&rest[..end]);
                    self.ends.push(self.bytes.len());
                    match rest.get(end + 1..) {
                        Some(after) if end < rest.len() => rest = after,
                        _ => return State::Complete,
                    }
                    continue;
                }
            }
            let Some(end) = rest.iter().position(|byte| *byte == b'"') else {
                self.bytes.extend_from_slice(rest);
                return State::Open;
            };
            self.bytes.extend_from_slice(&rest[..end]);
            match rest.get(end + 1) {
                Some(b'"') => {
                    self.bytes.push(b'"');
                    rest = &rest[end + 2..];
                }
                next => {
                    self.quoted = false;
                    self.ends.push(self.bytes.len());
                    match next {
                        None => return State::Complete,
                        Some(byte) if *byte == self.separator => rest = &rest[end + 2..],
                        Some(_) => return State::Broken,
                    }
                }
            }
        }
    }

    fn finish(self) -> Result<Cells, Fault> {
        if self.bytes.contains(&0) {
            return Err(Fault::new(Reason::NulCharacter, ""));
        }
        match String::from_utf8(self.bytes) {
            // A cell may not end inside a character: then two halves would only look right beside each other.
            Ok(text) if self.ends.iter().all(|end| text.is_char_boundary(*end)) => Ok(Cells { text, ends: self.ends }),
            _ => Err(Fault::new(Reason::NotUtf8, "")),
        }
    }
}

#[cfg(test)]
mod tests;
