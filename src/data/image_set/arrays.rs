//! An `.npz` or `.safetensors` file with an array of images and one of labels.

use super::values::{labels, levels};
use super::{ImageSet, ImageSetError, ImageSetOptions, Labels};
use crate::data::array::{Array, Endian, Kind};
use crate::data::input::{is_spreadsheet, open_limited};
use crate::data::{MAX_TENSOR_BYTES, parse_safetensors, read_bytes};
use npyz::{NpyHeader, Order};
use safetensors::Dtype;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

/// Names of the two arrays, whatever the case of their letters: ours, those of Keras's data sets,
/// of MedMNIST, of scikit-learn's, and what `numpy.savez` calls arrays without a name. Parts to
/// test on stand before parts to train on.
const NAMES: [[&str; 2]; 17] = [
    ["images", "labels"],
    ["x_test", "y_test"],
    ["test_images", "test_labels"],
    ["test_x", "test_y"],
    ["x", "y"],
    ["image", "label"],
    ["data", "labels"],
    ["data", "label"],
    ["data", "target"],
    ["data", "targets"],
    ["images", "target"],
    ["images", "targets"],
    ["arr_0", "arr_1"],
    ["x_val", "y_val"],
    ["val_images", "val_labels"],
    ["x_train", "y_train"],
    ["train_images", "train_labels"],
];

/// The text at the front of an array in an `.npz` file, bytes: numpy needs 128 for a plain one.
const MAX_NPY_HEADER_BYTES: u32 = 1 << 10;

/// Most arrays of a file that are looked at.
const MAX_ARRAYS: usize = 256;

/// Reads images and labels as [`levels`] and [`labels`] take them. Metadata `classes` of a
/// `.safetensors` file, a JSON list of strings, names the classes. The file and each array in
/// memory take [`MAX_TENSOR_BYTES`] at most.
pub(super) fn read(path: &Path, options: &ImageSetOptions) -> Result<ImageSet, ImageSetError> {
    let fail = |source| ImageSetError::Input {
        path: path.to_owned(),
        source,
    };
    let (mut file, _) = open_limited(path, MAX_TENSOR_BYTES).map_err(fail)?;
    let mut magic = Vec::new();
    file.by_ref()
        .take(8)
        .read_to_end(&mut magic)
        .map_err(not_arrays)?;
    refuse_others(path, &magic)?;
    let mut notes = Vec::new();
    let ([images, label_array], classes) = if magic.starts_with(b"PK") {
        (read_npz(BufReader::new(file), options, &mut notes)?, None)
    } else {
        let content = read_bytes(path, MAX_TENSOR_BYTES).map_err(fail)?;
        read_safetensors(&content, options, &mut notes)?
    };
    let levels = levels(&images.0, images.1, options.white)?;
    let mut labels = labels(&label_array.0, label_array.1, options)?;
    if let Some(classes) = classes {
        labels = Labels {
            classes: Some(classes),
            named: true,
            ..labels
        };
    }
    notes.extend(levels.notes);
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    let mut set = ImageSet::assemble(&name, levels.count, levels.shape, levels.images, labels)?;
    set.notes = notes;
    Ok(set)
}

/// Says of files of other kinds, by their first bytes, how their content gets here.
fn refuse_others(path: &Path, magic: &[u8]) -> Result<(), ImageSetError> {
    const SAVE: &str =
        "save images and labels with numpy.savez(\"set.npz\", images=images, labels=labels)";
    const SAVE_TABLE: &str = "save the table as .csv";
    let (kind, remedy) = match magic {
        [0x93, b'N', b'U', b'M', ..] => ("a single array (.npy)", SAVE),
        [0x89, b'H', b'D', b'F', ..] => ("an HDF5 file", SAVE),
        [0x80, 2..=5, ..] => ("a Python pickle", SAVE),
        [b'P', b'A', b'R', b'1', ..] => (
            "a Parquet file",
            "save a table as .csv, images and labels with numpy.savez(\"set.npz\", images=images, labels=labels)",
        ),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => ("a spreadsheet", SAVE_TABLE),
        // A zip, as an .npz is one.
        [b'P', b'K', ..] if is_spreadsheet(path) => ("a spreadsheet", SAVE_TABLE),
        [0x1f, 0x8b, ..] => ("a gzipped file", "unpack it first"),
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] | [b'G', b'I', b'F', b'8', ..] => (
            "a picture",
            "give the folder that holds a sub-folder of pictures a class",
        ),
        _ => return Ok(()),
    };
    Err(ImageSetError::OtherFile { kind, remedy })
}

/// What a file says of an array before it is read.
struct Entry {
    name: String,
    shape: Vec<usize>,
}

/// The names of the array of images and that of labels: those asked for, those of [`NAMES`], or
/// the only two whose lengths and shapes fit.
fn choose(
    entries: &[Entry],
    options: &ImageSetOptions,
    notes: &mut Vec<String>,
) -> Result<[String; 2], ImageSetError> {
    let list = || match entries {
        [] => "none".to_owned(),
        _ => {
            let all: Vec<String> = (entries.iter())
                .map(|entry| format!("{} {:?}", entry.name, entry.shape))
                .collect();
            all.join(", ")
        }
    };
    // A name that is asked for must be there as it is; a known one in any case of letters.
    let given = [&options.images_key, &options.labels_key];
    for (key, option) in given.into_iter().zip(["`images_key`", "`labels_key`"]) {
        if let Some(key) = key
            && !entries.iter().any(|entry| entry.name == *key)
        {
            return Err(ImageSetError::NoKey {
                option,
                key: key.clone(),
                found: list(),
            });
        }
    }
    let fits = |entry: &Entry, key: Option<&String>, known: &str| match key {
        Some(key) => entry.name == *key,
        None => entry.name.eq_ignore_ascii_case(known),
    };
    let known = |names: [&str; 2]| {
        let mut places = [0, 1].map(|which| {
            (entries.iter())
                .filter(move |entry| fits(entry, given[which].as_ref(), names[which]))
                // Of `x` and `X` the first.
                .max_by_key(|entry| entry.name == names[which])
        });
        let images = places[0].take()?;
        Some([images.name.clone(), places[1].take()?.name.clone()])
    };
    let chosen = match given {
        [Some(images), Some(labels)] => return Ok([images.clone(), labels.clone()]),
        _ => NAMES.into_iter().find_map(known),
    };
    let chosen = match chosen {
        Some(chosen) => chosen,
        None => {
            let are_images = |entry: &&Entry| match given[0] {
                Some(key) => entry.name == *key,
                None => entry.shape.len() >= 3,
            };
            let are_labels = |entry: &&Entry| match given[1] {
                Some(key) => entry.name == *key,
                None => matches!(entry.shape.len(), 1 | 2),
            };
            let mut pairs = entries.iter().filter(are_images).flat_map(|images| {
                (entries.iter().filter(are_labels))
                    .filter(|labels| labels.shape.first() == images.shape.first())
                    .map(|labels| [images.name.clone(), labels.name.clone()])
            });
            match (pairs.next(), pairs.next()) {
                (Some(pair), None) => pair,
                _ => return Err(ImageSetError::NoArrays { found: list() }),
            }
        }
    };
    let others: Vec<&str> = (entries.iter())
        .map(|entry| entry.name.as_str())
        .filter(|name| !chosen.iter().any(|chosen| chosen == name))
        .collect();
    if chosen != ["images", "labels"] || !others.is_empty() {
        let others = match others.is_empty() {
            true => String::new(),
            false => format!(
                "; the file also holds {}; `images_key` and `labels_key` choose",
                others.join(", ")
            ),
        };
        notes.push(format!(
            "images are \"{}\" and labels \"{}\"{others}",
            chosen[0], chosen[1]
        ));
    }
    Ok(chosen)
}

type Named = (String, Array);

fn read_npz(
    file: impl Read + Seek,
    options: &ImageSetOptions,
    notes: &mut Vec<String>,
) -> Result<[Named; 2], ImageSetError> {
    let mut zip = zip::ZipArchive::new(file).map_err(not_arrays)?;
    let names: Vec<String> = zip
        .file_names()
        .filter_map(|name| name.strip_suffix(".npy").map(str::to_owned))
        .take(MAX_ARRAYS)
        .collect();
    let mut entries = Vec::with_capacity(names.len());
    for name in names {
        let mut entry = zip.by_name(&format!("{name}.npy")).map_err(not_arrays)?;
        // An array that is not wanted may be of any kind.
        let shape = read_header(&name, &mut entry)
            .map(|header| header.shape().iter().map(|&size| size as usize).collect())
            .unwrap_or_default();
        entries.push(Entry { name, shape });
    }
    let [images, labels] = choose(&entries, options, notes)?;
    let mut read = |name: String| {
        let entry = zip.by_name(&format!("{name}.npy")).map_err(not_arrays)?;
        let array = read_npy(&name, entry)?;
        Ok((name, array))
    };
    Ok([read(images)?, read(labels)?])
}

fn not_arrays(error: impl std::error::Error + Send + Sync + 'static) -> ImageSetError {
    ImageSetError::NotArrays(Box::new(error))
}

/// Reads the header of an array; the reader then stands at its values.
fn read_header(name: &str, entry: &mut impl Read) -> Result<NpyHeader, ImageSetError> {
    let wrong = |expected: &str, found: String| ImageSetError::Array {
        array: name.to_owned(),
        expected: expected.into(),
        found,
    };
    // The library makes room for a header of any length that is stated.
    let mut header = vec![0; 10];
    entry.read_exact(&mut header).map_err(not_arrays)?;
    let length = match (&header[..6], header[6]) {
        (b"\x93NUMPY", 1) => u32::from(u16::from_le_bytes([header[8], header[9]])),
        _ => {
            // Later versions state it in four bytes.
            header.resize(12, 0);
            entry.read_exact(&mut header[10..]).map_err(not_arrays)?;
            u32::from_le_bytes([header[8], header[9], header[10], header[11]])
        }
    };
    if length > MAX_NPY_HEADER_BYTES {
        return Err(wrong(
            &format!("a header of at most {MAX_NPY_HEADER_BYTES} bytes"),
            format!("one of {length}"),
        ));
    }
    entry
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
    let mut entry = Cursor::new(header);
    NpyHeader::from_reader(&mut entry).map_err(not_arrays)
}

fn read_npy(name: &str, entry: impl Read) -> Result<Array, ImageSetError> {
    let wrong = |expected: &str, found: String| ImageSetError::Array {
        array: name.to_owned(),
        expected: expected.into(),
        found,
    };
    let mut entry = BufReader::new(entry);
    let header = read_header(name, &mut entry)?;
    let text = header.dtype().descr().trim_matches('\'').to_owned();
    let endian = match text.starts_with('>') {
        true => Endian::Big,
        false => Endian::Little,
    };
    let Some(kind) = Kind::of_numpy(text.trim_start_matches(['<', '>', '|', '='])) else {
        return Err(wrong(
            "numbers, truths or texts",
            match text.contains('O') {
                true => "Python objects; save it with .astype(\"U\") if they are texts".into(),
                false => format!("type {text}"),
            },
        ));
    };
    let count = (header.shape().iter()).try_fold(1u64, |all, &size| all.checked_mul(size));
    let bytes = count
        .and_then(|count| count.checked_mul(kind.kept_bytes().max(kind.file_bytes()) as u64))
        .filter(|&bytes| bytes <= MAX_TENSOR_BYTES);
    let (Some(count), Some(_)) = (count, bytes) else {
        return Err(wrong(
            &format!("at most {MAX_TENSOR_BYTES} bytes"),
            format!("sizes {:?}", header.shape()),
        ));
    };
    let shape: Vec<usize> = header.shape().iter().map(|&size| size as usize).collect();
    let values = kind
        .read(&mut entry, count as usize, endian)
        .map_err(not_arrays)?;
    let array = Array { shape, values };
    Ok(match header.order() {
        Order::Fortran if array.shape.len() > 1 => array.first_index_slowest(),
        _ => array,
    })
}

#[allow(
    clippy::type_complexity,
    reason = "two named arrays and the names of the classes"
)]
fn read_safetensors(
    content: &[u8],
    options: &ImageSetOptions,
    notes: &mut Vec<String>,
) -> Result<([Named; 2], Option<Vec<String>>), ImageSetError> {
    let (file, header) = parse_safetensors(content).map_err(not_arrays)?;
    let mut entries: Vec<Entry> = (file.iter())
        .map(|(name, tensor)| Entry {
            name: name.to_owned(),
            shape: tensor.shape().to_vec(),
        })
        .collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let [images, labels] = choose(&entries, options, notes)?;
    let read = |name: String| {
        let tensor = file.tensor(&name).map_err(not_arrays)?;
        let kind = match tensor.dtype() {
            Dtype::BOOL => Kind::Bool,
            Dtype::U8 => Kind::U8,
            Dtype::I8 => Kind::I8,
            Dtype::U16 => Kind::U16,
            Dtype::I16 => Kind::I16,
            Dtype::U32 => Kind::U32,
            Dtype::I32 => Kind::I32,
            Dtype::U64 => Kind::U64,
            Dtype::I64 => Kind::I64,
            Dtype::F16 => Kind::F16,
            Dtype::BF16 => Kind::Bf16,
            Dtype::F32 => Kind::F32,
            Dtype::F64 => Kind::F64,
            other => {
                return Err(ImageSetError::Array {
                    array: name,
                    expected: "numbers of 8 to 64 bits, or truths".into(),
                    found: format!("{other:?}"),
                });
            }
        };
        let shape = tensor.shape().to_vec();
        let count = shape.iter().product();
        let values = kind
            .read(&mut tensor.data(), count, Endian::Little)
            .map_err(not_arrays)?;
        Ok((name, Array { shape, values }))
    };
    let classes = header
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get("classes"))
        .map(|text| serde_json::from_str(text).map_err(not_arrays))
        .transpose()?;
    Ok(([read(images)?, read(labels)?], classes))
}
