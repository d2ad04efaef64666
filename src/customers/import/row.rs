//! One record of a file as one customer, by the mapping.

use super::csv::{Cells, Fault};
use crate::customers::{
    mapping::{Mapping, Target},
    model::{ID_MAX, Reason, TAG_TEXT_MAX, TagKind},
    values,
};
use serde_json::{Map, Value};

/// What the import does with each cell.
#[derive(Clone, Debug)]
pub struct Plan {
    customer_id: usize,
    /// Cell and place in `id_types`.
    identities: Vec<(usize, usize)>,
    tags: Vec<(usize, String, TagKind)>,
    pub id_types: Vec<String>,
}

/// A customer as one row says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub line: i64,
    pub customer_id: String,
    /// Place of the ID type in [`Plan::id_types`], and the value.
    pub identities: Vec<(usize, String)>,
    pub tags: Map<String, Value>,
}

/// A row that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    pub line: i64,
    pub reason: Reason,
    pub detail: String,
}

impl BadRow {
    pub fn new(line: i64, fault: Fault) -> Self {
        Self { line, reason: fault.reason, detail: fault.detail }
    }
}

impl Plan {
    /// Nothing when no column is the customer id.
    pub fn new(mapping: &Mapping) -> Option<Self> {
        let customer_id = mapping.columns.iter().position(|column| column.target == Target::CustomerId)?;
        let mut plan = Self { customer_id, identities: vec![], tags: vec![], id_types: vec![] };
        for (cell, column) in mapping.columns.iter().enumerate() {
            match &column.target {
                Target::Ignore | Target::CustomerId => {}
                Target::Identity(code) => {
                    let known = plan.id_types.iter().position(|known| known == code);
                    let place = known.unwrap_or_else(|| {
                        plan.id_types.push(code.clone());
                        plan.id_types.len() - 1
                    });
                    plan.identities.push((cell, place));
                }
                Target::Tag { name, kind } => plan.tags.push((cell, name.clone(), *kind)),
            }
        }
        Some(plan)
    }

    /// An empty cell says nothing: it neither sets nor empties what the customer has.
    pub fn read(&self, line: i64, cells: &Cells) -> Result<Row, BadRow> {
        self.parse(line, cells).map_err(|fault| BadRow::new(line, fault))
    }

    fn parse(&self, line: i64, cells: &Cells) -> Result<Row, Fault> {
        let customer_id = cells.get(self.customer_id);
        if customer_id.is_empty() {
            return Err(Fault::new(Reason::NoCustomerId, ""));
        }
        fits("customer ID", customer_id, ID_MAX)?;
        let mut row = Row { line, customer_id: customer_id.into(), identities: vec![], tags: Map::new() };
        for (cell, id_type) in &self.identities {
            let value = cells.get(*cell);
            if !value.is_empty() {
                fits(&self.id_types[*id_type], value, ID_MAX)?;
                row.identities.push((*id_type, value.into()));
            }
        }
        for (cell, name, kind) in &self.tags {
            let text = cells.get(*cell);
            if text.is_empty() {
                continue;
            }
            fits(name, text, TAG_TEXT_MAX)?;
            let value = values::parse(*kind, text).ok_or_else(|| {
                let reason = match kind {
                    TagKind::Date => Reason::NotADate,
                    TagKind::Boolean => Reason::NotYesOrNo,
                    TagKind::Number | TagKind::Text => Reason::NotANumber,
                };
                Fault::new(reason, quote(name, text))
            })?;
            row.tags.insert(name.clone(), value);
        }
        Ok(row)
    }
}

fn fits(name: &str, text: &str, most: usize) -> Result<(), Fault> {
    // Bytes are at least as many as characters: most cells need no counting.
    if text.len() <= most || text.chars().count() <= most {
        return Ok(());
    }
    Err(Fault::new(Reason::TooLong, quote(name, text)))
}

/// The column's name and the beginning of what it says.
pub fn quote(name: &str, text: &str) -> String {
    const SHOWN: usize = 60;
    let shown: String = text.chars().take(SHOWN).collect();
    let rest = if shown.len() < text.len() { "…" } else { "" };
    format!("{name}: {shown}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::{import::csv::Records, mapping};

    fn read(line: &str) -> Result<Row, Reason> {
        let inputs = ["customer_id", "id:EMAIL", "tag:number", "tag:date", "tag:boolean", "tag:text", "ignore"];
        let inputs = inputs.iter().map(|target| mapping::ColumnInput {
            header: (*target).into(),
            target: (*target).into(),
            name: target.split(':').next_back().unwrap().into(),
        });
        let plan = Plan::new(&mapping::from_inputs(inputs.collect()).unwrap()).unwrap();
        let mut records = Records::new(line.as_bytes(), b',', Some(7), 0, 0);
        let record = records.read().unwrap().unwrap();
        plan.read(record.line, &record.cells.unwrap()).map_err(|bad| bad.reason)
    }

    #[test]
    fn cells_become_values_and_empty_cells_say_nothing() {
        let row = read(" c1 ,a@b.c,2.50,1997/1/2,yes,文本,ignored").unwrap();
        assert_eq!((row.customer_id.as_str(), row.line), ("c1", 1));
        assert_eq!(row.identities, [(0, "a@b.c".to_string())]);
        let tags = serde_json::json!({"number": 2.5, "date": "1997-01-02", "boolean": true, "text": "文本"});
        assert_eq!(Value::Object(row.tags), tags);
        let row = read("c1,,,,,,").unwrap();
        assert!(row.identities.is_empty() && row.tags.is_empty());
    }

    #[test]
    fn each_kind_of_bad_cell_has_its_reason() {
        let long = |n| "文".repeat(n);
        assert_eq!(read(",,,,,x,"), Err(Reason::NoCustomerId));
        assert_eq!(read("   ,,,,,x,"), Err(Reason::NoCustomerId));
        assert_eq!(read("c,,many,,,,"), Err(Reason::NotANumber));
        assert_eq!(read("c,,,2026-02-30,,,"), Err(Reason::NotADate));
        assert_eq!(read("c,,,,maybe,,"), Err(Reason::NotYesOrNo));
        assert_eq!(read(&format!("{},,,,,,", long(129))), Err(Reason::TooLong));
        assert!(read(&format!("{},,,,,,", long(128))).is_ok());
        assert_eq!(read(&format!("c,{},,,,,", long(129))), Err(Reason::TooLong));
        assert_eq!(read(&format!("c,,,,,{},", long(1001))), Err(Reason::TooLong));
        assert!(read(&format!("c,,,,,{},", long(1000))).is_ok());
    }
}
