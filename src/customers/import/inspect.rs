//! The first look at a file: whether it is a CSV file at all, how its cells are separated, what its columns are called
//! and what stands in the first rows. Nothing is changed by it.

use super::csv::Records;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

/// How much of the file is looked at, and how many rows of it.
const SAMPLE: usize = 256 << 10;
const SAMPLE_ROWS: usize = 200;
const COLUMNS_MAX: usize = 500;
const HEADER_MAX: usize = 200;

/// Why a file is refused before anything changes.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("The file is empty.")]
    Empty,
    #[error("This is not a CSV file: it looks like {0}. Export the list as CSV (UTF-8) and upload that.")]
    NotCsv(&'static str),
    #[error("The file is not in UTF-8. Save it as “CSV UTF-8” and upload it again.")]
    NotUtf8,
    #[error("The first line is not a row of column names: its quotation marks do not close.")]
    BrokenHeader,
    #[error("The first line must name the columns, but “{0}” looks like a value. Add a line with the names.")]
    NoHeader(String),
    #[error("Column {0} has no name. Give every column of the first line a name.")]
    UnnamedColumn(usize),
    #[error("Two columns are named “{0}”. Give every column a name of its own.")]
    DuplicateColumn(String),
    #[error("The file has {0} columns; at most {COLUMNS_MAX} can be imported.")]
    TooManyColumns(usize),
    #[error("The name of column {0} is longer than {HEADER_MAX} characters.")]
    LongName(usize),
    #[error("The file has column names but no rows.")]
    NoRows,
    #[error("The file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    pub separator: u8,
    pub header: Vec<String>,
    /// Where the rows begin: bytes and lines before them.
    pub offset: u64,
    pub lines: i64,
    /// The first rows that are well formed, at most 200.
    pub rows: Vec<Vec<String>>,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

pub fn inspect(path: &Path) -> Result<Inspected, Refusal> {
    let mut file = File::open(path)?;
    let mut sample = Vec::new();
    file.by_ref().take(SAMPLE as u64).read_to_end(&mut sample)?;
    if let Some(what) = looks_like(&sample) {
        return Err(Refusal::NotCsv(what));
    }
    let start = if sample.starts_with(BOM) { BOM.len() } else { 0 };
    let text = &sample[start..];
    if text.trim_ascii().is_empty() && sample.len() < SAMPLE {
        return Err(Refusal::Empty);
    }
    let separator = separator_of(text);
    file.seek(SeekFrom::Start(start as u64))?;
    let mut records = Records::new(BufReader::new(file), separator, None, start as u64, 0);
    let header = records.read()?.ok_or(Refusal::Empty)?;
    let cells = header.cells.map_err(|fault| match fault.reason {
        crate::customers::model::Reason::NotUtf8 => Refusal::NotUtf8,
        _ => Refusal::BrokenHeader,
    })?;
    let names: Vec<String> = cells.iter().map(String::from).collect();
    check_header(&names)?;
    let (offset, lines) = (header.end, records.lines());
    let rows = sample_rows(path, separator, names.len(), offset, lines)?;
    Ok(Inspected { separator, header: names, offset, lines, rows })
}

/// Opens the file for reading rows from a place in it.
pub fn open_at(path: &Path, offset: u64) -> io::Result<impl BufRead + Send + use<>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(BufReader::with_capacity(256 << 10, file))
}

fn sample_rows(path: &Path, separator: u8, width: usize, offset: u64, lines: i64) -> Result<Vec<Vec<String>>, Refusal> {
    let mut records = Records::new(open_at(path, offset)?, separator, Some(width), offset, lines);
    let (mut rows, mut seen) = (Vec::new(), 0);
    while rows.len() < SAMPLE_ROWS {
        let Some(record) = records.read()? else {
            break;
        };
        seen += 1;
        if let Ok(cells) = record.cells {
            rows.push(cells.iter().map(String::from).collect());
        }
        if record.end - offset > SAMPLE as u64 {
            break;
        }
    }
    if seen == 0 { Err(Refusal::NoRows) } else { Ok(rows) }
}

/// What a file is that is surely no CSV in UTF-8.
fn looks_like(sample: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 9] = [
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
        (b"\x1f\x8b", "a compressed file"),
        (b"\xff\xfe", "text in UTF-16"),
        (b"\xfe\xff", "text in UTF-16"),
    ];
    let known = MAGIC.iter().find(|(magic, _)| sample.starts_with(magic)).map(|(_, what)| *what);
    let first_line = sample.split(|byte| *byte == b'\n').next().unwrap_or(sample);
    known.or_else(|| first_line.contains(&0).then_some("binary data"))
}

/// Of comma, semicolon and tab the one that splits the header most, of equals the rarer one in names; quoted parts do
/// not count. A header that nothing splits is one column.
pub fn separator_of(text: &[u8]) -> u8 {
    let line = text.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or(text);
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in line {
        quoted ^= *byte == b'"';
        for (separator, count) in &mut counts {
            *count += usize::from(!quoted && byte == separator);
        }
    }
    counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(separator, _)| *separator)
}

fn check_header(names: &[String]) -> Result<(), Refusal> {
    if names.len() > COLUMNS_MAX {
        return Err(Refusal::TooManyColumns(names.len()));
    }
    if let Some(value) = names.iter().find(|name| looks_like_a_value(name)) {
        return Err(Refusal::NoHeader(value.clone()));
    }
    for (place, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(Refusal::UnnamedColumn(place + 1));
        }
        if name.chars().any(|c| c.is_control()) {
            return Err(Refusal::NotCsv("binary data"));
        }
        if name.chars().count() > HEADER_MAX {
            return Err(Refusal::LongName(place + 1));
        }
        if names[..place].contains(name) {
            return Err(Refusal::DuplicateColumn(name.clone()));
        }
    }
    Ok(())
}

/// Numbers, dates and e-mail addresses are no names of columns.
fn looks_like_a_value(name: &str) -> bool {
    use crate::customers::values;
    values::number(name).is_some() || values::date(name).is_some() || (name.contains('@') && name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn look(bytes: &[u8]) -> Result<Inspected, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        inspect(file.path()).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn separators_byte_order_marks_and_line_ends() {
        for (bytes, separator) in [
            (b"id,name\n1,\"a;b\"\n".as_slice(), b','),
            (b"\xef\xbb\xbfid;name\r\n1;a\r\n", b';'),
            (b"id\tname, first\n1\ta\n", b'\t'),
        ] {
            let found = look(bytes).unwrap();
            assert_eq!((found.separator, found.header[0].as_str(), found.header.len()), (separator, "id", 2));
            assert_eq!(found.rows.len(), 1);
            assert_eq!(bytes[found.offset as usize], b'1');
            assert_eq!(found.lines, 1);
        }
        assert_eq!(look(b"id\n1\n").unwrap().header, ["id"]);
    }

    #[test]
    fn what_is_no_csv_is_refused_with_a_reason() {
        for (bytes, reason) in [
            (b"".as_slice(), "empty"),
            (b"\xef\xbb\xbf\r\n", "empty"),
            (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
            (b"PK\x03\x04....", "Excel"),
            (b"\xff\xfei\0d\0", "UTF-16"),
            (b"a\0b,c\n1,2\n", "binary"),
            (b"id,\xc3\x28\n1,2\n", "UTF-8"),
            (b"id,\"na\n1,2\n", "do not close"),
            (b"id,name\n", "no rows"),
            (b"id,name\n\n\n", "no rows"),
            (b"id,name,id\n1,2,3\n", "Two columns"),
            (b"id,,x\n1,2,3\n", "Column 2"),
            (b"00001,1997-01-01,a\n1,2,3\n", "looks like a value"),
        ] {
            let said = look(bytes).unwrap_err();
            assert!(said.contains(reason), "{said} for {reason}");
        }
    }

    #[test]
    fn a_png_without_its_magic_is_refused_too() {
        let noise: Vec<u8> = (0..10_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(look(&noise).is_err());
    }
}
