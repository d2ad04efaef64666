//! A list of members to add, as CSV: a header with `email`, and `name`, `roles`, `groups`; every other column is an
//! attribute. Several values of a cell are separated by `;`.

use super::model::{LIST_BYTES_MAX, LIST_ROWS_MAX, MemberChoices, NewMember, RoleChoice, check_attributes};
use crate::access::model::{Attributes, Preset};
use std::collections::HashSet;

/// A member to add, and the line of the list that says so.
#[derive(Debug)]
pub struct ListRow {
    pub line: u64,
    pub member: NewMember,
}

/// What a column holds.
enum Column {
    Email,
    Name,
    Roles,
    Groups,
    Attribute(String),
}

/// The rows, or what is wrong with the list, each with its line.
pub fn read(text: &str, choices: &MemberChoices) -> Result<Vec<ListRow>, Vec<String>> {
    if text.len() > LIST_BYTES_MAX {
        return Err(vec![format!("The list is larger than 1 MB: add it in parts of at most {LIST_ROWS_MAX} rows.")]);
    }
    // The reader counts the lines of "\r\n" as one fewer.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|_| vec!["Line 1: the header can't be read.".to_string()])?.clone();
    let columns = columns(&head).map_err(|problem| vec![format!("Line 1: {problem}")])?;
    let (mut rows, mut problems, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                problems.push(format!("Line {line}: this can't be read as CSV."));
                break;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if rows.len() + problems.len() >= LIST_ROWS_MAX {
            problems.push(format!("Line {line}: at most {LIST_ROWS_MAX} rows at a time. Add the rest afterwards."));
            break;
        }
        let found = row(&record, &columns, choices).and_then(|member| {
            if seen.insert(member.email.clone()) {
                Ok(member)
            } else {
                Err(format!("{} is in this list twice.", member.email))
            }
        });
        match found {
            Ok(member) => rows.push(ListRow { line, member }),
            Err(problem) => problems.push(format!("Line {line}: {problem}")),
        }
    }
    match (problems.is_empty(), rows.is_empty()) {
        (false, _) => Err(problems),
        (true, true) => Err(vec!["There is no row below the header.".into()]),
        (true, false) => Ok(rows),
    }
}

fn columns(head: &csv::StringRecord) -> Result<Vec<Column>, String> {
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for name in head {
        let lower = name.to_lowercase();
        if name.is_empty() {
            return Err("a column has no name.".into());
        }
        let column = match lower.as_str() {
            "email" | "e-mail" => Column::Email,
            "name" => Column::Name,
            "roles" => Column::Roles,
            "groups" => Column::Groups,
            _ => Column::Attribute(name.to_string()),
        };
        let key = if matches!(column, Column::Attribute(_)) { name.to_string() } else { lower.replace('-', "") };
        if !seen.insert(key) {
            return Err(format!("the column “{name}” is there twice."));
        }
        columns.push(column);
    }
    if !columns.iter().any(|column| matches!(column, Column::Email)) {
        return Err("a column “email” is missing.".into());
    }
    Ok(columns)
}

fn row(record: &csv::StringRecord, columns: &[Column], choices: &MemberChoices) -> Result<NewMember, String> {
    if record.len() != columns.len() {
        return Err(format!("{} cells, but the header has {}.", record.len(), columns.len()));
    }
    let mut member = NewMember::default();
    let mut attributes = Attributes::new();
    for (cell, column) in record.iter().zip(columns) {
        match column {
            Column::Email => member.email = cell.into(),
            Column::Name => member.name = cell.into(),
            Column::Roles => {
                member.roles = parts(cell).map(|name| role(name, &choices.roles)).collect::<Result<_, _>>()?;
            }
            Column::Groups => {
                member.groups = parts(cell).map(|name| group(name, &choices.groups)).collect::<Result<_, _>>()?;
            }
            Column::Attribute(name) => {
                let mut values: Vec<String> = Vec::new();
                for value in parts(cell).map(str::to_string) {
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                if !values.is_empty() {
                    attributes.insert(name.clone(), values);
                }
            }
        }
    }
    if member.roles.is_empty() {
        member.roles.push(Preset::Marketer.id().into());
    }
    check_attributes(&attributes).map_err(|problem| format!("{problem}."))?;
    let member = NewMember { attributes, ..member.tidy() };
    match member.check().into_iter().next() {
        Some(error) => Err(error.message),
        None => Ok(member),
    }
}

fn parts(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|part| !part.is_empty())
}

/// By name, in any case, or by id.
fn role(name: &str, roles: &[RoleChoice]) -> Result<String, String> {
    let lower = name.to_lowercase();
    let found = roles.iter().find(|role| role.id == name || role.name.to_lowercase() == lower);
    found.map(|role| role.id.clone()).ok_or_else(|| format!("there is no role “{name}”."))
}

fn group(name: &str, groups: &[(String, String)]) -> Result<String, String> {
    let lower = name.to_lowercase();
    let found = groups.iter().find(|(id, known)| id == name || known.to_lowercase() == lower);
    found.map(|(id, _)| id.clone()).ok_or_else(|| format!("there is no group “{name}”."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices() -> MemberChoices {
        let groups = vec![("g1".into(), "East".into()), ("g2".into(), "North".into())];
        MemberChoices { roles: RoleChoice::presets().collect(), groups, ..MemberChoices::default() }
    }

    #[test]
    fn rows_have_roles_groups_and_attributes() {
        let text = "\u{feff}Email,name,ROLES,groups,region,Team\r\nAda@Example.com,Ada,analyst; Marketer,east;North,East;West;East,\n\"bob@example.com\",,,,,x\n";
        let rows = read(text, &choices()).unwrap();
        let ada = &rows[0].member;
        assert_eq!((rows[0].line, ada.email.as_str(), ada.name.as_str()), (2, "ada@example.com", "Ada"));
        assert_eq!(
            (ada.roles.as_slice(), ada.groups.as_slice()),
            (
                ["analyst".to_string(), "marketer".to_string()].as_slice(),
                ["g1".to_string(), "g2".to_string()].as_slice()
            )
        );
        assert_eq!(serde_json::to_string(&ada.attributes).unwrap(), r#"{"region":["East","West"]}"#);
        let bob = &rows[1].member;
        assert_eq!((rows[1].line, bob.roles.as_slice()), (3, ["marketer".to_string()].as_slice()));
        assert_eq!(bob.attributes["Team"], ["x"]);
    }

    #[test]
    fn every_problem_has_its_line() {
        let text = "email,roles\nada@example.com,Pilot\nnobody,\nbob@example.com,,\nEve@x.y,\neve@x.y,\n";
        let problems = read(text, &choices()).unwrap_err();
        let starts: Vec<&str> = problems.iter().map(|problem| &problem[..7]).collect();
        assert_eq!(starts, ["Line 2:", "Line 3:", "Line 4:", "Line 6:"], "{problems:?}");
        assert!(problems[0].contains("Pilot") && problems[3].contains("twice"), "{problems:?}");
        for (text, said) in [
            ("", "missing"),
            ("name\nAda\n", "missing"),
            ("email,email\na@b,a@b\n", "twice"),
            ("email,\na@b,c\n", "no name"),
            ("email\n", "no row"),
        ] {
            let problems = read(text, &choices()).unwrap_err();
            assert!(problems[0].contains(said), "{text:?}: {problems:?}");
        }
        let many: String = (0..=LIST_ROWS_MAX).map(|number| format!("a{number}@b\n")).collect();
        let problems = read(&format!("email\n{many}"), &choices()).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("Line 1002: at most 1000"), "{problems:?}");
        assert!(read(&"x".repeat(LIST_BYTES_MAX + 1), &choices()).unwrap_err()[0].contains("1 MB"));
    }
}
