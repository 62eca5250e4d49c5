//! Where the inputs of lines are looked up.

use super::{ColumnArgs, DataArgs};
use crate::job::{LineData, TableSource, is_table};
use anyhow::{bail, ensure};

/// The images or the table that the arguments name; options of the other are refused.
pub(in crate::cli) fn line_data(data: &DataArgs, columns: &ColumnArgs) -> anyhow::Result<LineData> {
    if is_table(data.name()) {
        if let Some(option) = data.image_option() {
            bail!(
                "{option} belongs to images, and --data {} is a table; leave it out",
                data.name()
            );
        }
        return Ok(LineData::Rows(TableSource {
            class_order: data.class_order(),
            ..columns.source(data.name(), data.root())?
        }));
    }
    ensure!(
        !columns.is_given(),
        "--label, --features, --without, --delimiter and --no-header belong to a table, and --data {} has images; leave them out",
        data.name()
    );
    Ok(LineData::Images(data.source()))
}
