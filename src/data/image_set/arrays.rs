//! An `.npz` or `.safetensors` file with an array of images and one of labels.

use super::{ImageSet, ImageSetError, ImageSetOptions, Images};
use crate::data::input::open_limited;
use crate::data::{MAX_TENSOR_BYTES, parse_safetensors, read_bytes};
use npyz::{NpyFile, NpyHeader, Order};
use safetensors::Dtype;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

/// Names of the two arrays: ours, and those of Keras's own data sets.
const NAMES: [[&str; 2]; 3] = [["images", "labels"], ["x_test", "y_test"], ["x", "y"]];

/// The text at the front of an array in an `.npz` file, bytes: numpy needs 128 for a plain one.
const MAX_NPY_HEADER_BYTES: u32 = 1 << 10;

/// An array that has been read.
struct Array {
    shape: Vec<usize>,
    values: Values,
}

enum Values {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
    Whole(Vec<i64>),
}

impl Values {
    fn kind(&self) -> &'static str {
        match self {
            Self::Bytes(_) => "bytes",
            Self::Floats(_) => "floats",
            Self::Whole(_) => "whole numbers",
        }
    }
}

/// Reads images `[n, H, W]` or `[n, H, W, C]`, bytes or floats, and labels `[n]`. Metadata
/// `classes` of a `.safetensors` file, a JSON list of strings, names the classes. The file and
/// each array in memory take [`MAX_TENSOR_BYTES`] at most.
pub(super) fn read(path: &Path, options: ImageSetOptions) -> Result<ImageSet, ImageSetError> {
    let fail = |source| ImageSetError::Input {
        path: path.to_owned(),
        source,
    };
    let (mut file, _) = open_limited(path, MAX_TENSOR_BYTES).map_err(fail)?;
    let mut magic = [0; 2];
    let length = file.read(&mut magic).map_err(not_arrays)?;
    let ([images, labels], classes) = if magic[..length] == *b"PK" {
        (read_npz(BufReader::new(file))?, None)
    } else {
        read_safetensors(&read_bytes(path, MAX_TENSOR_BYTES).map_err(fail)?)?
    };
    let shape = match images.1.shape[..] {
        [_, height, width] => [height, width, 1],
        [_, height, width, channels @ (1 | 3)] => [height, width, channels],
        _ => {
            return Err(ImageSetError::Array {
                array: images.0,
                expected: "a shape [n, H, W] or [n, H, W, C], C 1 or 3".into(),
                found: format!("{:?}", images.1.shape),
            });
        }
    };
    let count = images.1.shape[0];
    let labels = numbers(labels)?;
    let levels = match images.1.values {
        Values::Bytes(bytes) => Images::Bytes(bytes),
        Values::Floats(floats) => Images::Floats(levels(&images.0, floats, options.white)?),
        Values::Whole(_) => {
            return Err(ImageSetError::Array {
                array: images.0,
                expected: "bytes or floats".into(),
                found: "whole numbers of more than 8 bits; save it with .astype(\"uint8\")".into(),
            });
        }
    };
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    ImageSet::assemble(&name, count, shape, levels, labels, classes)
}

/// Floats as grey levels 0..255.
fn levels(
    array: &str,
    mut floats: Vec<f32>,
    white: Option<f64>,
) -> Result<Vec<f32>, ImageSetError> {
    let largest = floats.iter().copied().fold(0.0, f32::max);
    if white.is_none() && largest <= 1.0 {
        return Err(ImageSetError::Array {
            array: array.to_owned(),
            expected: "grey levels 0..255".into(),
            found: format!("floats up to {largest}; if 1 is white in them, give --white 1"),
        });
    }
    let factor = 255.0 / white.unwrap_or(255.0);
    for (index, level) in floats.iter_mut().enumerate() {
        let found = *level;
        *level = (f64::from(found) * factor) as f32;
        if !(0.0..=255.0).contains(level) {
            return Err(ImageSetError::Array {
                array: array.to_owned(),
                expected: format!("grey levels 0..{}", white.unwrap_or(255.0)),
                found: format!("{found} at position {index}"),
            });
        }
    }
    Ok(floats)
}

/// Labels as positions among the classes. Keras has them as `[n, 1]`, too.
fn numbers((name, array): (String, Array)) -> Result<Vec<usize>, ImageSetError> {
    let wrong = |expected: &str, found: String| ImageSetError::Array {
        array: name.clone(),
        expected: expected.into(),
        found,
    };
    if !matches!(array.shape[..], [_] | [_, 1]) {
        return Err(wrong(
            "a shape [n], one number an image",
            format!("{:?}", array.shape),
        ));
    }
    match array.values {
        Values::Bytes(bytes) => Ok(bytes.into_iter().map(usize::from).collect()),
        Values::Whole(labels) => labels
            .into_iter()
            .map(|label| {
                usize::try_from(label)
                    .map_err(|_| wrong("class numbers from 0 on", label.to_string()))
            })
            .collect(),
        Values::Floats(_) => Err(wrong("whole numbers", array.values.kind().into())),
    }
}

/// The two arrays of a file that holds arrays `found`.
fn names(found: &[String]) -> Result<[&'static str; 2], ImageSetError> {
    let holds = |name: &str| found.iter().any(|found| found == name);
    NAMES
        .into_iter()
        .find(|names| names.iter().all(|name| holds(name)))
        .ok_or_else(|| ImageSetError::NoArrays {
            found: match found.is_empty() {
                true => "none".into(),
                false => found.join(", "),
            },
        })
}

type Named = (String, Array);

fn read_npz(file: impl Read + Seek) -> Result<[Named; 2], ImageSetError> {
    let mut zip = zip::ZipArchive::new(file).map_err(not_arrays)?;
    let entries: Vec<String> = zip
        .file_names()
        .filter_map(|name| name.strip_suffix(".npy").map(str::to_owned))
        .collect();
    let [images, labels] = names(&entries)?;
    let mut read = |name: &str| {
        let entry = zip.by_name(&format!("{name}.npy")).map_err(not_arrays)?;
        Ok((name.to_owned(), read_npy(name, entry)?))
    };
    Ok([read(images)?, read(labels)?])
}

fn not_arrays(error: impl std::error::Error + Send + Sync + 'static) -> ImageSetError {
    ImageSetError::NotArrays(Box::new(error))
}

fn read_npy(name: &str, mut entry: impl Read) -> Result<Array, ImageSetError> {
    let wrong = |expected: &str, found: String| ImageSetError::Array {
        array: name.to_owned(),
        expected: expected.into(),
        found,
    };
    // The library makes room for a header of any length that is stated.
    let mut start = [0; 12];
    entry.read_exact(&mut start).map_err(not_arrays)?;
    let length = match (&start[..6], start[6]) {
        (b"\x93NUMPY", 1) => u32::from(u16::from_le_bytes([start[8], start[9]])),
        _ => u32::from_le_bytes([start[8], start[9], start[10], start[11]]),
    };
    if length > MAX_NPY_HEADER_BYTES {
        return Err(wrong(
            &format!("a header of at most {MAX_NPY_HEADER_BYTES} bytes"),
            format!("one of {length}"),
        ));
    }
    let mut header = start.to_vec();
    entry
        .by_ref()
        .take(u64::from(length))
        .read_to_end(&mut header)
        .map_err(not_arrays)?;
    // It tries brackets inside each other in exponentially many ways; a plain array has one pair
    // around its entries and one around its sizes.
    let brackets = header[10..].iter().filter(|byte| b"{([".contains(byte));
    if brackets.count() > 2 {
        return Err(wrong("a plain array", "a header with more brackets".into()));
    }
    // Nor does it look whether the product of the sizes is a number. All numbers of the header
    // are these and the bytes of a value.
    let mut numbers = header[10..]
        .split(|byte| !byte.is_ascii_digit())
        .filter_map(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok());
    if numbers
        .try_fold(1u64, |all, number| all.checked_mul(number.max(1)))
        .is_none()
    {
        return Err(wrong("sizes whose product is a number", "others".into()));
    }
    let mut entry = Cursor::new(header).chain(entry);
    let header = NpyHeader::from_reader(&mut entry).map_err(not_arrays)?;
    let kind = header.dtype().descr().trim_matches('\'').to_owned();
    if header.order() != Order::C && header.shape().len() > 1 {
        return Err(wrong(
            "rows in C order; save it with numpy.ascontiguousarray",
            "Fortran order".into(),
        ));
    }
    let kind = kind.trim_start_matches(['<', '>', '|', '=']);
    // Of a value as it is kept.
    let value_bytes = match kind {
        "u1" | "b1" => 1,
        "f4" | "f8" => 4,
        _ => 8,
    };
    let bytes = (header.shape().iter())
        .try_fold(value_bytes, |bytes: u64, &size| bytes.checked_mul(size))
        .filter(|&bytes| bytes <= MAX_TENSOR_BYTES);
    if bytes.is_none() {
        return Err(wrong(
            &format!("at most {MAX_TENSOR_BYTES} bytes"),
            format!("sizes {:?}", header.shape()),
        ));
    }
    let shape = header.shape().iter().map(|&size| size as usize).collect();
    let npy = NpyFile::with_header(header, BufReader::new(entry));
    let values = match kind {
        "u1" => npy.into_vec().map(Values::Bytes),
        "b1" => npy
            .into_vec::<bool>()
            .map(|values| Values::Bytes(values.into_iter().map(u8::from).collect())),
        "f4" => npy.into_vec().map(Values::Floats),
        "f8" => npy
            .into_vec::<f64>()
            .map(|values| Values::Floats(values.into_iter().map(|value| value as f32).collect())),
        "i1" => npy
            .into_vec::<i8>()
            .map(|values| Values::Whole(values.into_iter().map(i64::from).collect())),
        "i2" => npy
            .into_vec::<i16>()
            .map(|values| Values::Whole(values.into_iter().map(i64::from).collect())),
        "u2" => npy
            .into_vec::<u16>()
            .map(|values| Values::Whole(values.into_iter().map(i64::from).collect())),
        "i4" => npy
            .into_vec::<i32>()
            .map(|values| Values::Whole(values.into_iter().map(i64::from).collect())),
        "u4" => npy
            .into_vec::<u32>()
            .map(|values| Values::Whole(values.into_iter().map(i64::from).collect())),
        "i8" => npy.into_vec().map(Values::Whole),
        _ => {
            return Err(wrong(
                "bytes, floats or whole numbers",
                format!("type {kind}"),
            ));
        }
    }
    .map_err(not_arrays)?;
    Ok(Array { shape, values })
}

#[allow(
    clippy::type_complexity,
    reason = "two named arrays and the names of the classes"
)]
fn read_safetensors(content: &[u8]) -> Result<([Named; 2], Option<Vec<String>>), ImageSetError> {
    let (file, header) = parse_safetensors(content).map_err(not_arrays)?;
    let mut found: Vec<String> = file.names().into_iter().map(str::to_owned).collect();
    found.sort();
    let [images, labels] = names(&found)?;
    let read = |name: &str| {
        let tensor = file.tensor(name).map_err(not_arrays)?;
        let bytes = tensor.data();
        let values = match tensor.dtype() {
            Dtype::U8 => Values::Bytes(bytes.to_vec()),
            Dtype::F32 => Values::Floats(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&b| f32::from_le_bytes(b))
                    .collect(),
            ),
            Dtype::I32 => Values::Whole(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&b| i32::from_le_bytes(b).into())
                    .collect(),
            ),
            Dtype::I64 => Values::Whole(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&b| i64::from_le_bytes(b))
                    .collect(),
            ),
            other => {
                return Err(ImageSetError::Array {
                    array: name.to_owned(),
                    expected: "U8, F32, I32 or I64".into(),
                    found: format!("{other:?}"),
                });
            }
        };
        Ok((
            name.to_owned(),
            Array {
                shape: tensor.shape().to_vec(),
                values,
            },
        ))
    };
    let classes = header
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get("classes"))
        .map(|text| serde_json::from_str(text).map_err(not_arrays))
        .transpose()?;
    Ok(([read(images)?, read(labels)?], classes))
}
