//! A list of members to add, as CSV: a header with `email`, and `name`, `roles`, `groups`; every other column is an
//! attribute. Several values of a cell are separated by `;`.

use super::model::{LIST_BYTES_MAX, LIST_ROWS_MAX, MemberChoices, NewMember, RoleChoice, check_attributes};
use crate::{
    access::{
        model::{Attributes, Preset},
        person::check_email,
    },
    customers::import::inspect::separator_of,
};
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

/// What is wrong: the line, 0 for the list as a whole, and what.
pub type Problem = (u64, String);

/// What a list says.
#[derive(Debug, Default)]
pub struct Listed {
    /// The lines with an address, each once; something else may be wrong with them.
    pub rows: Vec<ListRow>,
    pub problems: Vec<Problem>,
}

impl From<Problem> for Listed {
    fn from(problem: Problem) -> Self {
        Self { rows: vec![], problems: vec![problem] }
    }
}

/// The rows and all that is wrong with them. Cells are separated by comma, semicolon or tab, whichever the header has.
pub fn read(text: &str, choices: &MemberChoices) -> Listed {
    if text.len() > LIST_BYTES_MAX {
        let text = format!("The list is larger than 1 MB: add it in parts of at most {LIST_ROWS_MAX} rows.");
        return (0, text).into();
    }
    // The reader counts the lines of "\r\n" as one fewer.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(separator_of(text.as_bytes()))
        .from_reader(text.as_bytes());
    let columns = match reader.headers().map_err(|_| "the header can't be read.".to_string()).and_then(columns) {
        Ok(columns) => columns,
        Err(problem) => return (1, problem).into(),
    };
    let (mut listed, mut seen) = (Listed::default(), HashSet::new());
    for (place, record) in reader.records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                listed.problems.push((line, "this can't be read as CSV.".into()));
                break;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if place >= LIST_ROWS_MAX {
            let text = format!("at most {LIST_ROWS_MAX} rows at a time. Add the rest afterwards.");
            listed.problems.push((line, text));
            break;
        }
        let (member, problems) = row(&record, &columns, choices);
        listed.problems.extend(problems.into_iter().map(|problem| (line, problem)));
        if check_email(&member.email).is_some() {
            continue;
        }
        if seen.insert(member.email.clone()) {
            listed.rows.push(ListRow { line, member });
        } else {
            listed.problems.push((line, format!("{} is in this list twice.", member.email)));
        }
    }
    if listed.rows.is_empty() && listed.problems.is_empty() {
        return (0, "There is no row below the header.".into()).into();
    }
    listed
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

/// A member, without what is wrong with it.
fn row(record: &csv::StringRecord, columns: &[Column], choices: &MemberChoices) -> (NewMember, Vec<String>) {
    if record.len() != columns.len() {
        let problem = format!("{} cells, but the header has {}.", record.len(), columns.len());
        return (NewMember::default(), vec![problem]);
    }
    let (mut member, mut problems) = (NewMember::default(), Vec::new());
    let mut known = |found: Result<String, String>| found.map_err(|problem| problems.push(problem)).ok();
    let mut attributes = Attributes::new();
    let mut without_role = true;
    for (cell, column) in record.iter().zip(columns) {
        match column {
            Column::Email => member.email = cell.into(),
            Column::Name => member.name = cell.into(),
            Column::Roles => {
                without_role = parts(cell).next().is_none();
                member.roles = parts(cell).filter_map(|name| known(role(name, &choices.roles))).collect();
            }
            Column::Groups => {
                member.groups = parts(cell).filter_map(|name| known(group(name, &choices.groups))).collect();
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
    if without_role {
        member.roles.push(Preset::Marketer.id().into());
    }
    if let Err(problem) = check_attributes(&attributes) {
        problems.push(format!("{problem}."));
        attributes.clear();
    }
    let member = NewMember { attributes, ..member.tidy() };
    // Of a role that is not there that is said already.
    let wrong = member.check().into_iter().filter(|error| error.field != "roles" || !member.roles.is_empty());
    problems.extend(wrong.map(|error| error.message));
    (member, problems)
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
    use crate::{
        access::model::{Permissions, SessionInfo},
        members::add_many::example,
    };

    fn choices() -> MemberChoices {
        let groups = vec![("g1".into(), "East".into()), ("g2".into(), "North".into())];
        MemberChoices { roles: RoleChoice::presets().collect(), groups, ..MemberChoices::default() }
    }

    fn good(text: &str) -> Vec<ListRow> {
        let listed = read(text, &choices());
        assert_eq!(listed.problems, [], "{text}");
        listed.rows
    }

    #[test]
    fn rows_have_roles_groups_and_attributes() {
        let text = "\u{feff}Email,name,ROLES,groups,region,Team\r\nAda@Example.com,Ada,analyst; Marketer,east;North,East;West;East,\n\"bob@example.com\",,,,,x\n";
        let rows = good(text);
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
    fn cells_may_be_separated_by_semicolons() {
        let rows = good("email;roles;region\nada@example.com;\"Marketer;Analyst\";East\nbob@example.com;;\n");
        assert_eq!(
            (rows[0].member.roles.len(), rows[0].member.attributes["region"].as_slice()),
            (2, &["East".into()][..])
        );
        assert_eq!(rows[1].member.roles, ["marketer"]);
        assert_eq!(good("email\tname\nada@example.com\tAda\n")[0].member.name, "Ada");
    }

    #[test]
    fn the_example_can_be_added_as_it_stands() {
        let administrator = SessionInfo { administrator: true, permissions: Permissions::all(), ..Default::default() };
        let mut choices = MemberChoices { may_groups: true, ..choices() };
        choices.groups.push(("g3".into(), "North, \"far\"; cold".into()));
        let text = example(&choices, &administrator);
        assert_eq!(
            text,
            "email,name,roles,groups,region\nada@example.com,Ada,Marketer,East,East;North\n\
             bob@example.com,Bob,Marketer;Analyst,North,South"
        );
        choices.groups = vec![("g".into(), "Paris, Rome".into())];
        for session in [administrator, SessionInfo { permissions: Permissions::all(), ..Default::default() }] {
            for may_groups in [true, false] {
                let choices = MemberChoices { may_groups, ..choices.clone() };
                let listed = read(&example(&choices, &session), &choices);
                assert_eq!((listed.rows.len(), listed.problems), (2, vec![]));
                assert_eq!(listed.rows[0].member.groups.len(), usize::from(may_groups));
                assert_eq!(listed.rows[0].member.attributes.is_empty(), !session.administrator);
            }
        }
    }

    #[test]
    fn every_problem_has_its_line() {
        let text = "email,roles,groups\nada@example.com,Pilot;Analyst;Cook,Moon\nnobody,Pilot,\n\
                    bob@example.com,,,\nEve@x.y,,\neve@x.y,,Moon\n";
        let listed = read(text, &choices());
        let lines: Vec<u64> = listed.problems.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 2, 2, 3, 3, 4, 6, 6], "{:?}", listed.problems);
        for (place, said) in
            [(0, "Pilot"), (1, "Cook"), (2, "Moon"), (3, "Pilot"), (4, "e-mail"), (6, "Moon"), (7, "twice")]
        {
            assert!(listed.problems[place].1.contains(said), "{said}: {:?}", listed.problems);
        }
        // The others are looked at further.
        let emails: Vec<&str> = listed.rows.iter().map(|row| row.member.email.as_str()).collect();
        assert_eq!(emails, ["ada@example.com", "eve@x.y"]);
        for (text, said) in [
            ("", "missing"),
            ("name\nAda\n", "missing"),
            ("email,email\na@b,a@b\n", "twice"),
            ("email,\na@b,c\n", "no name"),
            ("email\n", "no row"),
        ] {
            let problems = read(text, &choices()).problems;
            assert!(problems[0].1.contains(said), "{text:?}: {problems:?}");
        }
        let many: String = (0..=LIST_ROWS_MAX).map(|number| format!("a{number}@b\n")).collect();
        let problems = read(&format!("email\n{many}"), &choices()).problems;
        assert_eq!(problems.len(), 1);
        assert!(problems[0].0 == 1002 && problems[0].1.starts_with("at most 1000"), "{problems:?}");
        assert!(read(&"x".repeat(LIST_BYTES_MAX + 1), &choices()).problems[0].1.contains("1 MB"));
    }
}
