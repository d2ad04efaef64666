use super::*;

type Read = (i64, Result<Vec<String>, Reason>);

fn read(bytes: &[u8], width: usize) -> Vec<Read> {
    let mut records = Records::new(bytes, b',', Some(width), 0, 0);
    let mut all = Vec::new();
    while let Some(record) = records.read().unwrap() {
        let cells = record.cells.map(|cells| cells.iter().map(String::from).collect());
        all.push((record.line, cells.map_err(|fault| fault.reason)));
    }
    all
}

fn row(line: i64, cells: &[&str]) -> Read {
    (line, Ok(cells.iter().map(|cell| (*cell).to_string()).collect()))
}

#[test]
fn quotes_line_ends_and_blank_lines() {
    assert_eq!(
        read(b"a,b\r\n\r\n\"x, y\",\"say \"\"hi\"\"\"\n\"two\nlines\", z \n,\nlast,\"\"", 2),
        [
            row(1, &["a", "b"]),
            row(3, &["x, y", "say \"hi\""]),
            row(4, &["two\nlines", "z"]),
            row(6, &["", ""]),
            row(7, &["last", ""]),
        ]
    );
}

#[test]
fn a_lost_quote_costs_one_row() {
    let broken = |line| (line, Err(Reason::BrokenQuoting));
    assert_eq!(read(b"1,\"a\n2,b\n3,c", 2), [broken(1), row(2, &["2", "b"]), row(3, &["3", "c"])]);
    assert_eq!(read(b"1,\"a\n2,\"b\"\n3,c", 2), [broken(1), row(2, &["2", "b"]), row(3, &["3", "c"])]);
    assert_eq!(read(b"1,\"a\"x\n2,b", 2), [broken(1), row(2, &["2", "b"])]);
    assert_eq!(read(b"1,a\"x\n2,b", 2), [broken(1), row(2, &["2", "b"])]);
    // Closed by a later lost quote: together they have a cell too few, so they are not one record.
    assert_eq!(
        read(b"1,x,\"a\n2,b,c\n3,\",c\n4,d,e", 3),
        [broken(1), row(2, &["2", "b", "c"]), broken(3), row(4, &["4", "d", "e"])]
    );
}

#[test]
fn a_quote_that_stays_open_is_given_up_after_a_bounded_size() {
    let mut file = b"1,\"a\n".to_vec();
    for _ in 0..RECORD_MAX / 4 + 1000 {
        file.extend_from_slice(b"2,b\n");
    }
    let all = read(&file, 2);
    assert_eq!(all[0], (1, Err(Reason::BrokenQuoting)));
    assert_eq!(all.len(), RECORD_MAX / 4 + 1001);
    assert!(all[1..].iter().all(|(_, cells)| cells.is_ok()));
}

#[test]
fn lines_that_are_too_long_wrong_or_not_text() {
    let mut file = vec![b'x'; RECORD_MAX + 10];
    file.extend_from_slice(b"\n1\n1,2\n\xff\xfe,2\n\0,2\n\xe6\x96,\x87\n3,4");
    assert_eq!(
        read(&file, 2),
        [
            (1, Err(Reason::TooLong)),
            (2, Err(Reason::WrongCells)),
            row(3, &["1", "2"]),
            (4, Err(Reason::NotUtf8)),
            (5, Err(Reason::NulCharacter)),
            (6, Err(Reason::NotUtf8)),
            row(7, &["3", "4"]),
        ]
    );
}

#[test]
fn reading_goes_on_from_any_record() {
    let file = b"1,\"a\n2,b\n\n\"3\n3\",c\n4,d\n".as_slice();
    let whole = read(file, 2);
    let mut records = Records::new(file, b',', Some(2), 0, 0);
    let mut done = 0;
    while let Some(record) = records.read().unwrap() {
        done += 1;
        let mut rest = Records::new(&file[record.end as usize..], b',', Some(2), record.end, records.lines());
        let mut lines = Vec::new();
        while let Some(record) = rest.read().unwrap() {
            lines.push(record.line);
        }
        assert_eq!(lines, whole[done..].iter().map(|(line, _)| *line).collect::<Vec<_>>());
    }
    assert_eq!(done, whole.len());
}

proptest::proptest! {
    #[test]
    fn what_a_csv_writer_writes_is_read_back(
        rows in proptest::collection::vec(proptest::collection::vec("[a-z,\"\n;文 ]{0,8}", 3), 1..20)
    ) {
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let wanted: Vec<Result<Vec<String>, Reason>> =
            rows.iter().map(|row| Ok(row.iter().map(|cell| cell.trim().to_string()).collect())).collect();
        let found: Vec<_> = read(&writer.into_inner().unwrap(), 3).into_iter().map(|(_, cells)| cells).collect();
        proptest::prop_assert_eq!(found, wanted);
    }

    #[test]
    fn any_bytes_are_read_to_the_end(bytes in proptest::collection::vec(proptest::sample::select(b"a,\"\n\r\0\xff;".as_slice()), 0..200)) {
        let mut last = 0;
        for (line, _) in read(&bytes, 2) {
            proptest::prop_assert!(line > last);
            last = line;
        }
        proptest::prop_assert!(last as usize <= bytes.iter().filter(|byte| **byte == b'\n').count() + 1);
    }
}
