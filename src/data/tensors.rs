//! Tensors to a `.safetensors` file and back.

use super::{
    FileError, InputError, MAX_HEADER_BYTES, MAX_TENSOR_BYTES, read_bytes, sha256_hex, write_file,
};
use safetensors::tensor::Metadata;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// The values of a tensor, row-major.
#[derive(Debug, Clone, Copy)]
pub enum TensorData<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
    /// 64-bit floats, for exact sections.
    F64(&'a [f64]),
    /// Classes.
    U16(&'a [u16]),
    /// Places in another tensor.
    U32(&'a [u32]),
}

/// One named tensor of a file.
#[derive(Debug, Clone)]
pub struct Tensor<'a> {
    /// Name inside the file.
    pub name: &'a str,
    /// Sizes, outermost first; their product is the number of values.
    pub shape: Vec<usize>,
    /// The values.
    pub data: TensorData<'a>,
}

impl safetensors::View for &Tensor<'_> {
    fn dtype(&self) -> safetensors::Dtype {
        match self.data {
            TensorData::F32(_) => safetensors::Dtype::F32,
            TensorData::F64(_) => safetensors::Dtype::F64,
            TensorData::U16(_) => safetensors::Dtype::U16,
            TensorData::U32(_) => safetensors::Dtype::U32,
        }
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        /// Values as little-endian bytes.
        fn bytes<T: bytemuck::Pod, const N: usize>(
            values: &[T],
            of: impl Fn(T) -> [u8; N],
        ) -> Cow<'_, [u8]> {
            match cfg!(target_endian = "little") {
                true => Cow::Borrowed(bytemuck::cast_slice(values)),
                false => Cow::Owned(values.iter().flat_map(|&value| of(value)).collect()),
            }
        }
        match self.data {
            TensorData::F32(values) => bytes(values, f32::to_le_bytes),
            TensorData::F64(values) => bytes(values, f64::to_le_bytes),
            TensorData::U16(values) => bytes(values, u16::to_le_bytes),
            TensorData::U32(values) => bytes(values, u32::to_le_bytes),
        }
    }
    fn data_len(&self) -> usize {
        match self.data {
            TensorData::F32(values) => size_of_val(values),
            TensorData::F64(values) => size_of_val(values),
            TensorData::U16(values) => size_of_val(values),
            TensorData::U32(values) => size_of_val(values),
        }
    }
}

/// The entry of the metadata with the digest of everything else: SHA-256 of the other metadata as
/// JSON, in the order of their keys, and of the tensors' bytes, in the order they stand in.
const DIGEST: &str = "sha256";

/// Writes tensors and string metadata to a `.safetensors` file at `path`, beside its place
/// first and then renamed. The same content gives the same bytes. The metadata gets a digest,
/// `sha256`, by which [`TensorFile::read`] finds out a file that was damaged.
///
/// # Errors
/// [`FileError`] with the path.
pub fn write_safetensors(
    path: &Path,
    tensors: &[Tensor<'_>],
    metadata: &BTreeMap<&str, String>,
) -> Result<(), FileError> {
    write_file(path, &safetensors_bytes(tensors, metadata))
}

/// What [`write_safetensors`] writes.
pub fn safetensors_bytes(tensors: &[Tensor<'_>], metadata: &BTreeMap<&str, String>) -> Vec<u8> {
    let plain = safetensors::serialize(tensors.iter().map(|tensor| (tensor.name, tensor)), None)
        .expect("tensors of this crate have as many values as their shape says");
    // The library keeps metadata in a hash map, whose order differs from run to run; so it
    // writes the file without, and the metadata goes into the header here, in order.
    let (length, rest) = plain.split_at(8);
    let header_bytes = u64::from_le_bytes(length.try_into().expect("split at 8 bytes")) as usize;
    let (header, data) = rest.split_at(header_bytes);
    let mut metadata = metadata.clone();
    metadata.insert(DIGEST, digest(&metadata, data));
    let metadata = serde_json::to_vec(&metadata).expect("strings are JSON");
    let mut file = Vec::with_capacity(plain.len() + metadata.len() + 32);
    file.extend([0; 8]);
    file.extend(b"{\"__metadata__\":");
    file.extend(&metadata);
    if !tensors.is_empty() {
        file.push(b',');
    }
    file.extend(&header[1..]);
    while file.len() % 8 != 0 {
        file.push(b' ');
    }
    let header_bytes = (file.len() - 8) as u64;
    file[..8].copy_from_slice(&header_bytes.to_le_bytes());
    file.extend(data);
    file
}

fn digest<K: AsRef<str> + serde::Serialize + Ord>(
    metadata: &BTreeMap<K, String>,
    data: &[u8],
) -> String {
    let metadata = serde_json::to_vec(metadata).expect("strings are JSON");
    sha256_hex([metadata.as_slice(), data])
}

/// Float tensors and string metadata as a `.safetensors` file holds them.
#[derive(Debug)]
pub struct TensorFile {
    tensors: BTreeMap<String, (Vec<usize>, Values)>,
    metadata: BTreeMap<String, String>,
    has_digest: bool,
}

/// The values of a tensor that was read.
#[derive(Debug)]
enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    U16(Vec<u16>),
    Integers,
}

impl Values {
    fn type_name(&self) -> &'static str {
        match self {
            Self::F32(_) => "32-bit floats",
            Self::F64(_) => "64-bit floats",
            Self::U16(_) | Self::Integers => "integers",
        }
    }

    /// The error of a tensor that has other values than were expected.
    fn refused(&self, name: &str, expected: &'static str) -> TensorFileError {
        TensorFileError::DataType {
            name: name.to_owned(),
            expected,
            found: self.type_name().into(),
        }
    }
}

/// Why a tensor file was refused; the caller adds the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorFileError {
    /// The file cannot be read, or is too large.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Not a `.safetensors` file.
    #[error("expected a .safetensors file")]
    NotSafetensors(#[source] SafeTensorError),
    /// The content is not what was written.
    #[error(
        "expected the content that was written, found another, by its SHA-256; the file was damaged or changed"
    )]
    Damaged,
    /// A tensor of another type.
    #[error("tensor {name}: expected {expected}, found {found}")]
    DataType {
        /// Name of the tensor.
        name: String,
        /// What was expected.
        expected: &'static str,
        /// Its type.
        found: String,
    },
    /// A tensor is missing or has another shape.
    #[error("tensor {name}: expected {expected}, found {found}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// An entry of the metadata is missing or not what it should be.
    #[error("metadata \"{key}\": expected {expected}, found {found}")]
    Metadata {
        /// The entry.
        key: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}

/// The tensors of a `.safetensors` file and its header, of at most [`MAX_HEADER_BYTES`].
///
/// # Errors
/// The library's; it checks every size against the file's before it is used.
pub(crate) fn parse_safetensors(
    content: &[u8],
) -> Result<(SafeTensors<'_>, Metadata), SafeTensorError> {
    if let Some(&length) = content.first_chunk()
        && u64::from_le_bytes(length) > MAX_HEADER_BYTES
    {
        return Err(SafeTensorError::HeaderTooLarge);
    }
    let tensors = SafeTensors::deserialize(content)?;
    let (_, header) = SafeTensors::read_metadata(content)?;
    Ok((tensors, header))
}

impl TensorFile {
    /// Reads a file of tensors of 32- or 64-bit floats, of at most [`MAX_TENSOR_BYTES`].
    ///
    /// # Errors
    /// [`TensorFileError`]. A file with a digest must have the content it was made of.
    pub fn read(path: &Path) -> Result<Self, TensorFileError> {
        Self::parse(&read_bytes(path, MAX_TENSOR_BYTES)?)
    }

    /// The same of a file's content.
    ///
    /// # Errors
    /// As [`TensorFile::read`].
    pub fn parse(content: &[u8]) -> Result<Self, TensorFileError> {
        let (file, header) = parse_safetensors(content).map_err(TensorFileError::NotSafetensors)?;
        let mut metadata: BTreeMap<String, String> = header
            .metadata()
            .iter()
            .flatten()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let expected = metadata.remove(DIGEST);
        let has_digest = expected.is_some();
        if let Some(expected) = expected
            && digest(&metadata, &content[content.len() - header.data_len()..]) != expected
        {
            return Err(TensorFileError::Damaged);
        }
        let tensors = file
            .iter()
            .map(|(name, view)| {
                let bytes = view.data();
                let values = match view.dtype() {
                    Dtype::F32 => Values::F32(
                        bytes
                            .chunks_exact(4)
                            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                            .collect(),
                    ),
                    Dtype::F64 => Values::F64(
                        bytes
                            .chunks_exact(8)
                            .map(|b| {
                                let b = b.try_into().expect("eight bytes");
                                f64::from_le_bytes(b)
                            })
                            .collect(),
                    ),
                    Dtype::U16 => Values::U16(
                        bytes
                            .chunks_exact(2)
                            .map(|b| u16::from_le_bytes([b[0], b[1]]))
                            .collect(),
                    ),
                    // Places, which nobody reads back.
                    Dtype::U32 => Values::Integers,
                    other => {
                        return Err(TensorFileError::DataType {
                            name: name.to_owned(),
                            expected: "32-bit floats",
                            found: format!("{other:?}"),
                        });
                    }
                };
                Ok((name.to_owned(), (view.shape().to_vec(), values)))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            tensors,
            metadata,
            has_digest,
        })
    }

    /// Refuses a file without a digest, which another program made or which was changed; one that
    /// has a digest has the content it was made of.
    ///
    /// # Errors
    /// [`TensorFileError::Metadata`] when there is none.
    pub fn require_digest(&self) -> Result<(), TensorFileError> {
        match self.has_digest {
            true => Ok(()),
            false => Err(TensorFileError::Metadata {
                key: DIGEST.to_owned(),
                expected: "the digest of the content".into(),
                found: "no such entry".into(),
            }),
        }
    }

    /// Takes a tensor of 64-bit floats out of the file, of `shape`.
    ///
    /// # Errors
    /// [`TensorFileError`] when it is missing, or of another type or shape.
    pub fn take_f64(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f64>, TensorFileError> {
        match self.taken(name, shape)? {
            Values::F64(values) => Ok(values),
            other => Err(other.refused(name, "64-bit floats")),
        }
    }

    /// Takes a tensor of classes out of the file, of `shape`.
    ///
    /// # Errors
    /// As [`TensorFile::take_f64`].
    pub fn take_u16(&mut self, name: &str, shape: &[usize]) -> Result<Vec<u16>, TensorFileError> {
        match self.taken(name, shape)? {
            Values::U16(values) => Ok(values),
            other => Err(other.refused(name, "16-bit integers")),
        }
    }

    /// A tensor of `shape`, which must be there.
    fn taken(&mut self, name: &str, shape: &[usize]) -> Result<Values, TensorFileError> {
        self.shaped(name, shape)?
            .ok_or_else(|| TensorFileError::Tensor {
                name: name.to_owned(),
                expected: format!("shape {shape:?}"),
                found: "no such tensor".into(),
            })
    }

    /// Takes a tensor of 64-bit floats out of the file, rows of so many values; gives them and the
    /// number of rows.
    ///
    /// # Errors
    /// As [`TensorFile::take_f64`].
    pub fn take_rows_f64(
        &mut self,
        name: &str,
        width: usize,
    ) -> Result<(Vec<f64>, usize), TensorFileError> {
        let rows = self.tensors.get(name).and_then(|(shape, _)| shape.first());
        let rows = rows.copied().unwrap_or(0);
        Ok((self.take_f64(name, &[rows, width])?, rows))
    }

    /// A tensor of `shape`, out of the file if it is there.
    fn shaped(&mut self, name: &str, shape: &[usize]) -> Result<Option<Values>, TensorFileError> {
        match self.tensors.remove(name) {
            Some((found, _)) if found != shape => Err(TensorFileError::Tensor {
                name: name.to_owned(),
                expected: format!("shape {shape:?}"),
                found: format!("shape {found:?}"),
            }),
            found => Ok(found.map(|(_, values)| values)),
        }
    }

    /// Takes a tensor out of the file if it is there, of `shape`.
    ///
    /// # Errors
    /// [`TensorFileError::Tensor`] when it has another shape.
    pub fn take_optional(
        &mut self,
        name: &str,
        shape: &[usize],
    ) -> Result<Option<Vec<f32>>, TensorFileError> {
        match self.shaped(name, shape)? {
            None => Ok(None),
            Some(Values::F32(values)) => Ok(Some(values)),
            Some(other) => Err(other.refused(name, "32-bit floats")),
        }
    }

    /// Takes a tensor of `shape` out of the file.
    ///
    /// # Errors
    /// [`TensorFileError::Tensor`] when it is missing or has another shape.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, TensorFileError> {
        self.take_optional(name, shape)?
            .ok_or_else(|| TensorFileError::Tensor {
                name: name.to_owned(),
                expected: format!("shape {shape:?}"),
                found: "no such tensor".into(),
            })
    }

    /// An entry of the metadata, as it stands.
    ///
    /// # Errors
    /// [`TensorFileError::Metadata`] when it is missing.
    pub fn text(&self, key: &str) -> Result<&str, TensorFileError> {
        self.metadata
            .get(key)
            .map(String::as_str)
            .ok_or_else(|| TensorFileError::Metadata {
                key: key.to_owned(),
                expected: "a text".into(),
                found: "no such entry".into(),
            })
    }

    /// An entry of the metadata, read as JSON.
    ///
    /// # Errors
    /// [`TensorFileError::Metadata`] when it is missing or not what `T` expects.
    pub fn json<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<T, TensorFileError> {
        let text = self.text(key)?;
        serde_json::from_str(text).map_err(|error| TensorFileError::Metadata {
            key: key.to_owned(),
            expected: format!("JSON ({error})"),
            found: text.chars().take(60).collect(),
        })
    }
}
