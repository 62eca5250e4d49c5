//! Rows of an atlas as a table, and back.

use super::error::AtlasError;
use super::rows::{Chosen, Row};
use super::table::{Column, Table, Values};
use crate::landscape::COLUMNS;
use parquet::errors::ParquetError;
use std::path::Path;

/// The names of the columns before and behind the measures.
const FRONT: [&str; 9] = [
    "triple",
    "permutation",
    "item_a",
    "item_b",
    "item_c",
    "class_a",
    "class_b",
    "class_c",
    "items_right",
];
const BACK: [&str; 12] = [
    "margin_a",
    "margin_b",
    "margin_c",
    "margin_linf_a",
    "margin_linf_b",
    "margin_linf_c",
    "intruder",
    "intruder_share",
    "num_intruders",
    "chosen",
    "probability",
    "audited_at",
];

/// Rows as columns.
pub(super) fn columns_of(rows: &[Row]) -> Vec<Column> {
    let whole = |bits: u8, value: &dyn Fn(&Row) -> Option<u32>| {
        Values::Whole(bits, rows.iter().map(value).collect())
    };
    let float = |value: &dyn Fn(&Row) -> Option<f32>| Values::F32(rows.iter().map(value).collect());
    let mut front = vec![
        Values::U64(rows.iter().map(|row| row.triple).collect()),
        whole(8, &|row| Some(row.permutation.into())),
    ];
    front.extend((0..3).map(|n| whole(32, &|row| Some(row.items[n]))));
    front.extend((0..3).map(|n| whole(16, &|row| Some(row.classes[n].into()))));
    front.push(whole(8, &|row| Some(row.items_right.into())));
    let measures = (0..COLUMNS.len()).map(|n| float(&|row| row.measures[n]));
    let mut back: Vec<Values> = (0..3).map(|n| float(&|row| row.margins[n])).collect();
    back.extend((0..3).map(|n| float(&|row| row.margins_linf[n])));
    back.push(whole(16, &|row| {
        row.intruder.map(|(class, _)| class.into())
    }));
    back.push(float(&|row| row.intruder.map(|(_, share)| share)));
    back.push(whole(16, &|row| Some(row.num_intruders.into())));
    back.push(Values::Text(
        rows.iter()
            .map(|row| row.chosen.name().to_owned())
            .collect(),
    ));
    back.push(Values::F64(
        rows.iter().map(|row| Some(row.probability)).collect(),
    ));
    back.push(whole(8, &|row| row.audited_at.map(u32::from)));
    let names = FRONT
        .into_iter()
        .chain(COLUMNS.iter().map(|column| column.key))
        .chain(BACK);
    let values = front.into_iter().chain(measures).chain(back);
    names.map(str::to_owned).zip(values).collect()
}

/// The rows of a file.
pub(super) fn read_rows(path: &Path) -> Result<Vec<Row>, AtlasError> {
    let table = Table::open(path)?;
    let mut rows = Vec::new();
    for group in 0..table.groups() {
        each_row(&table, group, path, |row| rows.push(row))?;
    }
    Ok(rows)
}

/// Goes through the rows of a group.
pub(super) fn each_row(
    table: &Table,
    group: usize,
    path: &Path,
    mut take: impl FnMut(Row),
) -> Result<(), AtlasError> {
    let names: Vec<&str> = FRONT
        .into_iter()
        .chain(COLUMNS.iter().map(|column| column.key))
        .chain(BACK)
        .collect();
    let columns = table.columns(group, &names)?;
    let refused = |problem: String| AtlasError::table(path, ParquetError::General(problem));
    let (front, rest) = columns.split_at(FRONT.len());
    let (measures, back) = rest.split_at(COLUMNS.len());
    let number = |values: &Values, row: usize| match values {
        Values::Whole(_, values) => values.get(row).copied().flatten(),
        _ => None,
    };
    let float = |values: &Values, row: usize| match values {
        Values::F32(values) => values.get(row).copied().flatten(),
        _ => None,
    };
    let Values::U64(triples) = &front[0] else {
        return Err(refused(
            "triple: expected whole numbers of 64 bits".to_owned(),
        ));
    };
    for (row, &triple) in triples.iter().enumerate() {
        let whole = |n: usize| {
            let missing = || refused(format!("{}: expected a number in row {row}", names[n]));
            number(&front[n], row).ok_or_else(missing)
        };
        let small = |n: usize| whole(n).map(|number| number as u16);
        let chosen = match &back[9] {
            Values::Text(values) => (Chosen::ALL.into_iter())
                .find(|chosen| values.get(row).is_some_and(|name| name == chosen.name())),
            _ => None,
        };
        let probability = match &back[10] {
            Values::F64(values) => values.get(row).copied().flatten(),
            _ => None,
        };
        take(Row {
            triple,
            permutation: whole(1)? as u8,
            items: [whole(2)?, whole(3)?, whole(4)?],
            classes: [small(5)?, small(6)?, small(7)?],
            items_right: whole(8)? as u8,
            measures: (measures.iter()).map(|values| float(values, row)).collect(),
            margins: [0, 1, 2].map(|n| float(&back[n], row)),
            margins_linf: [3, 4, 5].map(|n| float(&back[n], row)),
            intruder: number(&back[6], row)
                .zip(float(&back[7], row))
                .map(|(class, share)| (class as u16, share)),
            num_intruders: number(&back[8], row).unwrap_or(0) as u16,
            chosen: chosen
                .ok_or_else(|| refused(format!("chosen: expected a reason in row {row}")))?,
            probability: probability
                .ok_or_else(|| refused(format!("probability: expected one in row {row}")))?,
            audited_at: number(&back[11], row).map(|steps| steps as u8),
        });
    }
    Ok(())
}
