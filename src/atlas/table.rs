//! Tables as Parquet: columns of plain numbers, LZ4, floats by byte stream split.
//!
//! `parquet` without `arrow`: columns are flat, and arrow would bring twenty crates for what are three
//! functions here.

use super::error::AtlasError;
use parquet::basic::{Compression, Encoding};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Rows of a group, as DuckDB has them.
const GROUP_ROWS: usize = 122_880;
/// The key of a file's metadata.
const KEY: &str = "morphscape";

/// The values of a column, null where there is none.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    /// Whole numbers of 8, 16 or 32 bits.
    Whole(u8, Vec<Option<u32>>),
    U64(Vec<u64>),
    F32(Vec<Option<f32>>),
    F64(Vec<Option<f64>>),
    Text(Vec<String>),
}

/// A column: its name and values.
pub(super) type Column = (String, Values);

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Whole(_, values) => values.len(),
            Self::U64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Its line in a schema.
    fn declared(&self, name: &str) -> String {
        match self {
            Self::Whole(bits, _) => format!("OPTIONAL INT32 {name} (INTEGER({bits}, false));"),
            Self::U64(_) => format!("REQUIRED INT64 {name} (INTEGER(64, false));"),
            Self::F32(_) => format!("OPTIONAL FLOAT {name};"),
            Self::F64(_) => format!("OPTIONAL DOUBLE {name};"),
            Self::Text(_) => format!("REQUIRED BYTE_ARRAY {name} (UTF8);"),
        }
    }
}

/// The bytes of a table whose columns are equally long, with its metadata.
pub(super) fn table_bytes(columns: &[Column], metadata: &Value) -> Result<Vec<u8>, ParquetError> {
    let declared: String = columns
        .iter()
        .map(|(name, values)| values.declared(name))
        .collect();
    let schema = parse_message_type(&format!("message morphscape {{ {declared} }}"))?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_created_by(concat!("morphscape ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(
            KEY.to_owned(),
            metadata.to_string(),
        )]));
    for (name, values) in columns {
        if matches!(values, Values::F32(_) | Values::F64(_)) {
            // With a dictionary the other encoding would not be used.
            let path = ColumnPath::from(name.as_str());
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT);
        }
    }
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties.build()))?;
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    let mut from = 0;
    while from < rows {
        let group = from..rows.min(from + GROUP_ROWS);
        let mut row_group = writer.next_row_group()?;
        for (_, values) in columns {
            let mut column = row_group.next_column()?.expect("a column of the schema");
            match values {
                Values::Whole(_, values) => {
                    let values = &values[group.clone()];
                    let (there, levels) = split(values, |value: u32| value as i32);
                    let column = column.typed::<Int32Type>();
                    column.write_batch(&there, Some(&levels), None)?;
                }
                Values::U64(values) => {
                    let values: Vec<i64> =
                        (values[group.clone()].iter()).map(|&n| n as i64).collect();
                    let column = column.typed::<Int64Type>();
                    column.write_batch(&values, None, None)?;
                }
                Values::F32(values) => {
                    let (there, levels) = split(&values[group.clone()], |value| value);
                    let column = column.typed::<FloatType>();
                    column.write_batch(&there, Some(&levels), None)?;
                }
                Values::F64(values) => {
                    let (there, levels) = split(&values[group.clone()], |value| value);
                    let column = column.typed::<DoubleType>();
                    column.write_batch(&there, Some(&levels), None)?;
                }
                Values::Text(values) => {
                    let values: Vec<ByteArray> = (values[group.clone()].iter())
                        .map(|text| text.as_str().into())
                        .collect();
                    let column = column.typed::<ByteArrayType>();
                    column.write_batch(&values, None, None)?;
                }
            }
            column.close()?;
        }
        row_group.close()?;
        from = group.end;
    }
    writer.close()?;
    Ok(bytes)
}

/// The values that are there, and for each whether it is.
fn split<T: Copy, U>(values: &[Option<T>], stored: impl Fn(T) -> U) -> (Vec<U>, Vec<i16>) {
    let there = values.iter().flatten().map(|&value| stored(value));
    let levels = values.iter().map(|value| i16::from(value.is_some()));
    (there.collect(), levels.collect())
}

/// A table on the disk.
pub(super) struct Table {
    reader: SerializedFileReader<File>,
    path: std::path::PathBuf,
}

impl Table {
    /// Opens a table: its footer is read, which stands at the end of a file that is whole.
    pub(super) fn open(path: &Path) -> Result<Self, AtlasError> {
        let open = || -> Result<_, ParquetError> { SerializedFileReader::new(File::open(path)?) };
        let reader = open().map_err(|source| AtlasError::table(path, source))?;
        Ok(Self {
            reader,
            path: path.to_owned(),
        })
    }

    /// What its writer says of it; null where it says nothing.
    pub(super) fn metadata(&self) -> Value {
        let pairs = self.reader.metadata().file_metadata().key_value_metadata();
        let ours = pairs.into_iter().flatten().find(|pair| pair.key == KEY);
        let text = ours.and_then(|pair| pair.value.as_deref());
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    /// How many rows it has.
    pub(super) fn rows(&self) -> u64 {
        self.reader.metadata().file_metadata().num_rows().max(0) as u64
    }

    /// Groups of rows, of which one is held at a time.
    pub(super) fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// The columns of a group of rows that are wanted, in the order in which they are asked for.
    pub(super) fn columns(&self, group: usize, wanted: &[&str]) -> Result<Vec<Values>, AtlasError> {
        let read = || -> Result<Vec<Values>, ParquetError> {
            let group = self.reader.get_row_group(group)?;
            let rows = group.metadata().num_rows().max(0) as usize;
            let schema = group.metadata().schema_descr_ptr();
            let place = |name: &str| {
                let found = schema
                    .columns()
                    .iter()
                    .position(|column| column.name() == name);
                found.ok_or_else(|| ParquetError::General(format!("expected a column {name}")))
            };
            wanted
                .iter()
                .map(|name| read_column(group.get_column_reader(place(name)?)?, rows))
                .collect()
        };
        read().map_err(|source| AtlasError::table(&self.path, source))
    }
}

fn read_column(column: ColumnReader, rows: usize) -> Result<Values, ParquetError> {
    let mut levels = Vec::new();
    macro_rules! read {
        ($reader:ident, $values:ident) => {{
            let mut $values = Vec::new();
            let (mut reader, mut done) = ($reader, 0);
            while done < rows {
                let (some, ..) =
                    reader.read_records(rows - done, Some(&mut levels), None, &mut $values)?;
                if some == 0 {
                    return Err(ParquetError::General(format!(
                        "expected {rows} values in a column, found {done}"
                    )));
                }
                done += some;
            }
            $values
        }};
    }
    Ok(match column {
        ColumnReader::Int32ColumnReader(reader) => {
            let values = read!(reader, values);
            Values::Whole(32, joined(&levels, values.into_iter().map(|n| n as u32)))
        }
        ColumnReader::Int64ColumnReader(reader) => {
            let values = read!(reader, values);
            Values::U64(values.into_iter().map(|n| n as u64).collect())
        }
        ColumnReader::FloatColumnReader(reader) => {
            let values = read!(reader, values);
            Values::F32(joined(&levels, values.into_iter()))
        }
        ColumnReader::DoubleColumnReader(reader) => {
            let values = read!(reader, values);
            Values::F64(joined(&levels, values.into_iter()))
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            let values: Vec<ByteArray> = read!(reader, values);
            let text = values.iter().map(|value| Ok(value.as_utf8()?.to_owned()));
            Values::Text(text.collect::<Result<_, ParquetError>>()?)
        }
        _ => {
            return Err(ParquetError::General(
                "expected whole numbers, floats or text".to_owned(),
            ));
        }
    })
}

/// Values with nothing where a level says so.
fn joined<T>(levels: &[i16], mut values: impl Iterator<Item = T>) -> Vec<Option<T>> {
    let there = levels.iter().map(|&level| match level {
        0 => None,
        _ => values.next(),
    });
    there.collect()
}
