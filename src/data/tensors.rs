//! Tensors to a `.safetensors` file.

use super::{FileError, write_file};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// The values of a tensor, row-major.
#[derive(Debug, Clone, Copy)]
pub enum TensorData<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
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
        }
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        match self.data {
            TensorData::F32(values) if cfg!(target_endian = "little") => {
                Cow::Borrowed(bytemuck::cast_slice(values))
            }
            TensorData::F32(values) => Cow::Owned(
                values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect(),
            ),
        }
    }
    fn data_len(&self) -> usize {
        match self.data {
            TensorData::F32(values) => size_of_val(values),
        }
    }
}

/// Writes tensors and string metadata to a `.safetensors` file at `path`, beside its place
/// first and then renamed. The same content gives the same bytes.
///
/// # Errors
/// [`FileError`] with the path.
pub fn write_safetensors(
    path: &Path,
    tensors: &[Tensor<'_>],
    metadata: &BTreeMap<&str, String>,
) -> Result<(), FileError> {
    write_file(path, &serialize(tensors, metadata))
}

fn serialize(tensors: &[Tensor<'_>], metadata: &BTreeMap<&str, String>) -> Vec<u8> {
    let plain = safetensors::serialize(tensors.iter().map(|tensor| (tensor.name, tensor)), None)
        .expect("tensors of this crate have as many values as their shape says");
    // The library keeps metadata in a hash map, whose order differs from run to run; so it
    // writes the file without, and the metadata goes into the header here, in order.
    let (length, rest) = plain.split_at(8);
    let header_bytes = u64::from_le_bytes(length.try_into().expect("split at 8 bytes")) as usize;
    let (header, data) = rest.split_at(header_bytes);
    let metadata = serde_json::to_vec(metadata).expect("strings are JSON");
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
